#define _GNU_SOURCE /* RTLD_DEFAULT, sched_getaffinity */
#include "libdwq/wait/crowd.h"

#include <dlfcn.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Who has a processor of its own ------------------------------------------ */

struct seating {
    const uint64_t *masks;
    int n_words;
    int *owner;  /* by processor: who has it; -1: nobody */
    bool *asked; /* by processor: in this round */
};

static bool may_use(const struct seating *s, int who, int processor)
{
    const uint64_t *mask = s->masks + (size_t)who * (size_t)s->n_words;

    return (mask[processor / 64] >> (processor % 64) & 1) != 0;
}

/* Give `who` a free processor, or one whose owner can have another (augmenting paths
 * of a bipartite matching). */
static bool seat(struct seating *s, int who)
{
    int n = 64 * s->n_words;

    for (int p = 0; p < n; p++) {
        if (s->owner[p] < 0 && may_use(s, who, p)) {
            s->owner[p] = who;
            return true;
        }
    }
    for (int p = 0; p < n; p++) {
        if (!s->asked[p] && may_use(s, who, p)) {
            s->asked[p] = true;
            if (seat(s, s->owner[p])) {
                s->owner[p] = who;
                return true;
            }
        }
    }
    return false;
}

bool dwqi_crowd_shares(const uint64_t *masks, int n, int n_words)
{
    size_t n_processors = 64 * (size_t)n_words;
    struct seating s = { .masks = masks, .n_words = n_words };
    bool all = (size_t)n <= n_processors;

    s.owner = malloc(n_processors * sizeof *s.owner);
    s.asked = malloc(n_processors * sizeof *s.asked);
    if (!s.owner || !s.asked) {
        all = false;
    } else {
        memset(s.owner, -1, n_processors * sizeof *s.owner);
    }
    for (int who = 0; who < n && all; who++) {
        memset(s.asked, 0, n_processors * sizeof *s.asked);
        all = seat(&s, who);
    }
    free(s.owner);
    free(s.asked);
    return !all;
}

/* --- The quota of a container ------------------------------------------------- */

/* "MAX PERIOD" (version 2) or each number in a file of its own (version 1). */
static double quota_in(const char *folder)
{
    char path[4096], text[64] = "";
    double quota = -1, period = 0;
    static const char *const files[] = { "cpu.max", "cpu.cfs_quota_us",
                                         "cpu.cfs_period_us" };

    for (int i = 0; i < 3; i++) {
        FILE *file;

        snprintf(path, sizeof path, "%.4000s/%s", folder, files[i]);
        file = fopen(path, "r");
        if (file && fgets(text, sizeof text, file)) {
            if (i == 0 && sscanf(text, "%lf %lf", &quota, &period) != 2) {
                quota = -1; /* "max" */
            } else if (i > 0) {
                *(i == 1 ? &quota : &period) = strtod(text, NULL);
            }
        }
        if (file) {
            fclose(file);
        }
    }
    return quota > 0 && period > 0 ? quota / period : INFINITY;
}

/* Of a group and all above it. A container sees its own group as the uppermost, under
 * another name than /proc gives. */
static double least_quota(const char *mount, const char *group)
{
    char folder[4096];
    size_t top = strlen(mount);
    double least = INFINITY;

    if (snprintf(folder, sizeof folder, "%s%s", mount, group) >= 4000) {
        folder[top] = '\0';
    }
    for (;;) {
        char *slash = strrchr(folder, '/');

        least = fmin(least, quota_in(folder));
        if (!slash || (size_t)(slash - folder) < top) {
            return least;
        }
        *slash = '\0';
    }
}

static bool names_cpu(const char *list)
{
    size_t n;

    for (; *list != ':' && *list != '\0'; list += n + (list[n] == ',')) {
        n = strcspn(list, ",:");
        if (n == 3 && strncmp(list, "cpu", 3) == 0) {
            return true;
        }
    }
    return false;
}

/* Each line: number:controllers:group; version 2 has no controllers. */
double dwqi_crowd_quota(const char *mount, const char *groups)
{
    double least = INFINITY;

    while (*groups != '\0') {
        const char *list = strchr(groups, ':');
        const char *group = list ? strchr(list + 1, ':') : NULL;
        size_t length = strcspn(groups, "\n");
        char name[4096], root[4096];

        if (group && group < groups + length &&
            (group == list + 1 || names_cpu(list + 1))) {
            snprintf(name, sizeof name, "%.*s",
                     (int)(length - (size_t)(group + 1 - groups)), group + 1);
            snprintf(root, sizeof root, "%s%s", mount,
                     group == list + 1 ? "" : "/cpu");
            least = fmin(least, least_quota(root, name));
        }
        groups += length + (groups[length] == '\n');
    }
    return least;
}

static double own_quota(void)
{
    FILE *file = fopen("/proc/self/cgroup", "r");
    char text[16384];
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;

    if (file) {
        fclose(file);
    }
    text[n] = '\0';
    return dwqi_crowd_quota("/sys/fs/cgroup", text);
}

/* --- The ranks of this machine ------------------------------------------------ */

#define WORDS 128 /* 8,192 processors */

static bool read_mask(int process, uint64_t *mask)
{
    memset(mask, 0, WORDS * sizeof *mask);
#ifdef CPU_ALLOC
    return sched_getaffinity((pid_t)process, WORDS * sizeof *mask,
                             (cpu_set_t *)(void *)mask) == 0;
#else
    (void)process;
    return false;
#endif
}

struct crowd {
    uint64_t *masks; /* [n][WORDS] */
    int n;           /* ranks of this machine */
    int n_near;      /* of this container */
};

/* A rank whose mask cannot be seen (it is in another container, or has left) may use
 * what this one may. */
static void add_rank(struct crowd *crowd, const struct dwqi_bell_address *own,
                     const struct dwqi_bell_address *rank)
{
    uint64_t *mask = crowd->masks + (size_t)crowd->n * WORDS;
    bool near = own->host != 0 && rank->host == own->host;

    if (rank->machine == own->machine) {
        if (!near || !read_mask(rank->process, mask)) {
            read_mask(0, mask);
        }
        crowd->n++;
        crowd->n_near += near;
    }
}

/* Ranks that somebody bound, and others with them, for all that is known. */
static bool are_equal(const struct crowd *crowd)
{
    bool equal = true;

    for (int i = 1; i < crowd->n && equal; i++) {
        equal = memcmp(crowd->masks, crowd->masks + (size_t)i * WORDS,
                       WORDS * sizeof *crowd->masks) == 0;
    }
    return equal;
}

static bool overlap(const uint64_t *a, const uint64_t *b)
{
    bool any = false;

    for (int w = 0; w < WORDS; w++) {
        any = any || (a[w] & b[w]) != 0;
    }
    return any;
}

/* Only those that can be on a processor of this rank, or of one that can, and so on:
 * what others share is theirs. false: the system does not tell. */
static bool keep_neighbours(struct crowd *crowd)
{
    uint64_t reach[WORDS], mask[WORDS];
    int n = 0, before = -1;

    if (!read_mask(0, reach)) {
        return false;
    }
    while (before < n) {
        before = n;
        for (int i = n; i < crowd->n; i++) {
            uint64_t *here = crowd->masks + (size_t)i * WORDS;
            uint64_t *next = crowd->masks + (size_t)n * WORDS;

            if (overlap(here, reach)) {
                for (int w = 0; w < WORDS; w++) {
                    reach[w] |= here[w];
                }
                memcpy(mask, next, sizeof mask);
                memmove(next, here, sizeof mask);
                memcpy(here, mask, sizeof mask);
                n++;
            }
        }
    }
    crowd->n = n;
    return true;
}

bool dwqi_crowded(const struct dwqi_ringers *ringers, int n_others)
{
    const struct dwqi_bell_address own = dwqi_bell_address(NULL);
    const struct dwqi_bell_address *ranks;
    struct crowd crowd = { .n = 0 };
    bool crowded;
    int n;

    if (!ringers) {
        return true;
    }
    ranks = dwqi_ringers_addresses(ringers, &n);
    crowd.masks =
        malloc(((size_t)n + (size_t)n_others) * WORDS * sizeof *crowd.masks);
    if (!crowd.masks) {
        return true;
    }
    for (int i = 0; i < n; i++) {
        add_rank(&crowd, &own, &ranks[i]);
    }
    n_others = are_equal(&crowd) ? n_others : 0;
    for (int i = 0; i < n_others; i++) {
        add_rank(&crowd, &own, &own);
    }
    crowded = !keep_neighbours(&crowd) || crowd.n_near > own_quota() ||
              dwqi_crowd_shares(crowd.masks, crowd.n, WORDS);
    free(crowd.masks);
    return crowded;
}

/* --- MPI ------------------------------------------------------------------------ */

/* Open MPI takes its setting only while it starts, when who is here is not known yet,
 * so it is told by the function behind the setting. Another MPI has none. */
void dwqi_crowd_yield(void)
{
    bool (*set)(bool);
    void *found = dlsym(RTLD_DEFAULT, "opal_progress_set_yield_when_idle");

    if (found && !getenv("OMPI_MCA_mpi_yield_when_idle")) {
        memcpy(&set, &found, sizeof set);
        set(true);
    }
}

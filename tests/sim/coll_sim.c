#include "tests/sim/coll_sim.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "libdwq/item/transport.h"

#define EAGER_MAX ((size_t)4096)

enum kind {
    BCAST,
    SCATTERV,
    GATHER,
    GATHERV
};

struct round;

/* One rank in one collective. */
struct entry {
    struct round *round;
    int rank;
    bool begun, done;
    double begin;
    size_t size;               /* bytes that it sends or receives */
    unsigned char *mine;       /* where they are */
    unsigned char *eager;      /* a copy, which has left it */
    struct dwqi_extent *parts; /* of a gatherv */
    size_t n_parts;
};

/* One collective of all ranks. */
struct round {
    struct dwqi_coll_sim *group;
    uint64_t number;
    enum kind kind;
    int n_moved, n_finished;
    unsigned char *all;  /* of the root */
    size_t *at, *sizes;  /* of the root: [n_ranks] */
    struct entry *ranks; /* [n_ranks] */
    struct round *next, *prev;
};

struct rank {
    struct dwqi_coll base;
    struct dwqi_coll_sim *group;
    uint64_t n_begun;
    struct entry *current;
};

struct dwqi_coll_sim {
    struct dwqi_coll_sim_config config;
    uint64_t random;
    const char *fault;
    uint64_t n_begun;
    struct round *rounds;
    struct rank ranks[];
};

static struct rank *of(struct dwqi_coll *coll)
{
    return (struct rank *)(void *)coll;
}

static void *allocate(size_t n, size_t size)
{
    return dwqi_sim_memory(n * size + 1);
}

static dwq_status_t fault(struct dwqi_coll_sim *group, const char *what)
{
    group->fault = group->fault ? group->fault : what;
    return DWQ_E_MPI;
}

static double later(struct dwqi_coll_sim *group, double time)
{
    return time -
           group->config.mean_delay * log(1 - dwqi_random_unit(&group->random));
}

/* --- Rounds --------------------------------------------------------------- */

static struct round *find_round(struct dwqi_coll_sim *group, uint64_t number)
{
    struct round *round;

    DL_FOREACH(group->rounds, round)
    {
        if (round->number == number) {
            return round;
        }
    }
    return NULL;
}

static struct round *make_round(struct dwqi_coll_sim *group, uint64_t number,
                                enum kind kind)
{
    size_t n = (size_t)group->config.n_ranks;
    struct round *round = allocate(1, sizeof *round);

    round->group = group;
    round->number = number;
    round->kind = kind;
    round->at = allocate(n, sizeof *round->at);
    round->sizes = allocate(n, sizeof *round->sizes);
    round->ranks = allocate(n, sizeof *round->ranks);
    for (size_t r = 0; r < n; r++) {
        round->ranks[r].round = round;
        round->ranks[r].rank = (int)r;
    }
    group->n_begun++;
    DL_APPEND(group->rounds, round);
    return round;
}

static void drop_round(struct dwqi_coll_sim *group, struct round *round)
{
    DL_DELETE(group->rounds, round);
    for (int r = 0; r < group->config.n_ranks; r++) {
        free(round->ranks[r].eager);
        free(round->ranks[r].parts);
    }
    free(round->at);
    free(round->sizes);
    free(round->ranks);
    free(round);
}

/* --- Moving bytes --------------------------------------------------------- */

static bool goes_down(enum kind kind)
{
    return kind == BCAST || kind == SCATTERV;
}

static void set_done(void *arg)
{
    ((struct entry *)arg)->done = true;
}

static void plan_done(struct entry *entry, double time)
{
    struct dwqi_coll_sim *group = entry->round->group;

    dwqi_sim_call(group->config.sim, group->config.first + entry->rank,
                  later(group, time), set_done, entry);
}

/* What a rank sends upwards, in a row. */
static void copy_up(const struct entry *entry, unsigned char *out)
{
    if (entry->eager) {
        memcpy(out, entry->eager, entry->size);
    } else if (entry->parts) {
        dwqi_parts_copy(entry->parts, entry->n_parts, out);
    } else if (entry->size > 0) {
        memcpy(out, entry->mine, entry->size);
    }
}

static void copy_down(const struct round *round, struct entry *entry)
{
    const unsigned char *all =
        round->ranks[0].eager ? round->ranks[0].eager : round->all;

    if (entry->size > 0 && entry->mine) {
        memcpy(entry->mine, all + round->at[entry->rank], entry->size);
    }
}

/* The bytes between the root and one other rank. */
static void move(void *arg)
{
    struct entry *entry = arg;
    struct round *round = entry->round;
    struct dwqi_coll_sim *group = round->group;
    struct entry *root = &round->ranks[0];
    double now =
        dwqi_sim_now(group->config.sim, group->config.first + entry->rank);

    if (round->sizes[entry->rank] != entry->size) {
        fault(group, "a size that the root does not expect");
    } else if (goes_down(round->kind)) {
        copy_down(round, entry);
    } else {
        copy_up(entry, round->all + round->at[entry->rank]);
    }
    round->n_moved++;
    if (goes_down(round->kind) || !entry->eager) {
        plan_done(entry, now);
    }
    if (round->n_moved == group->config.n_ranks - 1 &&
        !(goes_down(round->kind) && root->eager)) {
        plan_done(root, now);
    }
}

static void plan_move(struct round *round, struct entry *entry)
{
    struct dwqi_coll_sim *group = round->group;
    struct entry *root = &round->ranks[0];

    if (entry->begun && root->begun) {
        dwqi_sim_call(group->config.sim, group->config.first + entry->rank,
                      later(group, fmax(root->begin, entry->begin)), move,
                      entry);
    }
}

/* --- Beginning -------------------------------------------------------------- */

static struct entry *begin(struct dwqi_coll *coll, enum kind kind)
{
    struct rank *rank = of(coll);
    struct dwqi_coll_sim *group = rank->group;
    struct round *round = find_round(group, rank->n_begun);
    struct entry *entry;

    if (rank->current) {
        fault(group, "a second collective before the first was done");
        return NULL;
    }
    if (!round) {
        round = make_round(group, rank->n_begun, kind);
    }
    if (round->kind != kind) {
        fault(group, "ranks in different collectives");
        return NULL;
    }
    rank->n_begun++;
    entry = &round->ranks[coll->rank];
    entry->begun = true;
    entry->begin =
        dwqi_sim_now(group->config.sim, group->config.first + coll->rank);
    rank->current = entry;
    return entry;
}

/* All that the root has to say is known. */
static dwq_status_t begin_root(struct entry *root, size_t total)
{
    struct round *round = root->round;
    struct dwqi_coll_sim *group = round->group;
    bool down = goes_down(round->kind);
    size_t max =
        round->kind == GATHERV ? group->config.gatherv_max : group->config.max;

    if (round->kind != GATHER && total > max) {
        return fault(group, "more bytes than a collective may move");
    }
    if (down && total <= EAGER_MAX &&
        dwqi_random_unit(&group->random) < group->config.eager) {
        root->eager = allocate(total, 1);
        memcpy(root->eager, round->all, total);
    }
    if (root->eager || group->config.n_ranks == 1) {
        plan_done(root, root->begin);
    }
    for (int r = 1; r < group->config.n_ranks; r++) {
        plan_move(round, &round->ranks[r]);
    }
    return DWQ_OK;
}

static dwq_status_t begin_other(struct entry *entry)
{
    struct round *round = entry->round;
    struct dwqi_coll_sim *group = round->group;

    if (goes_down(round->kind)) {
        if (entry->mine) {
            memset(entry->mine, 0xa5, entry->size);
        }
    } else if (entry->size <= EAGER_MAX &&
               dwqi_random_unit(&group->random) < group->config.eager) {
        unsigned char *copy = allocate(entry->size, 1);

        copy_up(entry, copy);
        entry->eager = copy;
        plan_done(entry, entry->begin);
    }
    plan_move(round, entry);
    return DWQ_OK;
}

/* --- The operations ----------------------------------------------------------- */

static dwq_status_t sim_bcast(struct dwqi_coll *coll, void *data, size_t size)
{
    struct entry *entry = begin(coll, BCAST);

    if (!entry) {
        return DWQ_E_MPI;
    }
    entry->size = size;
    entry->mine = data;
    if (coll->rank != 0) {
        return begin_other(entry);
    }
    entry->round->all = data;
    for (int r = 0; r < coll->size; r++) {
        entry->round->sizes[r] = size;
    }
    return begin_root(entry, size);
}

/* The root's places and sizes; how far they reach. */
static size_t take_places(struct round *round, const size_t *at,
                          const size_t *sizes)
{
    size_t end = 0;

    for (int r = 0; r < round->group->config.n_ranks; r++) {
        round->at[r] = at[r];
        round->sizes[r] = sizes[r];
        if (sizes[r] > 0 && at[r] + sizes[r] > end) {
            end = at[r] + sizes[r];
        }
    }
    return end;
}

static dwq_status_t sim_scatterv(struct dwqi_coll *coll, const void *all,
                                 const size_t *at, const size_t *sizes,
                                 void *mine, size_t size)
{
    struct entry *entry = begin(coll, SCATTERV);

    if (!entry) {
        return DWQ_E_MPI;
    }
    entry->size = size;
    entry->mine = mine;
    if (coll->rank != 0) {
        return begin_other(entry);
    }
    entry->round->all = (unsigned char *)(uintptr_t)all;
    return begin_root(entry, take_places(entry->round, at, sizes));
}

static dwq_status_t sim_gather(struct dwqi_coll *coll, const void *mine,
                               size_t size, void *all)
{
    struct entry *entry = begin(coll, GATHER);

    if (!entry) {
        return DWQ_E_MPI;
    }
    entry->size = size;
    entry->mine = (unsigned char *)(uintptr_t)mine;
    if (coll->rank != 0) {
        return begin_other(entry);
    }
    entry->round->all = all;
    memset(all, 0xa5, size * (size_t)coll->size);
    memcpy(all, mine, size);
    for (int r = 0; r < coll->size; r++) {
        entry->round->at[r] = (size_t)r * size;
        entry->round->sizes[r] = size;
    }
    return begin_root(entry, size * (size_t)coll->size);
}

static dwq_status_t sim_gatherv(struct dwqi_coll *coll,
                                const struct dwqi_extent *parts, size_t n_parts,
                                void *all, const size_t *at,
                                const size_t *sizes)
{
    struct entry *entry = begin(coll, GATHERV);
    size_t end;

    if (!entry) {
        return DWQ_E_MPI;
    }
    if (coll->rank != 0) {
        entry->size = dwqi_parts_size(parts, n_parts);
        entry->n_parts = n_parts;
        entry->parts = allocate(n_parts, sizeof *parts);
        if (n_parts > 0) {
            memcpy(entry->parts, parts, n_parts * sizeof *parts);
        }
        return begin_other(entry);
    }
    entry->round->all = all;
    end = take_places(entry->round, at, sizes);
    memset(all, 0xa5, end);
    return begin_root(entry, end);
}

static dwq_status_t sim_test(struct dwqi_coll *coll)
{
    struct rank *rank = of(coll);
    struct entry *entry = rank->current;

    if (!entry) {
        return fault(rank->group, "a test of nothing");
    }
    if (!entry->done) {
        return DWQ_E_AGAIN;
    }
    rank->current = NULL;
    if (++entry->round->n_finished == coll->size) {
        drop_round(rank->group, entry->round);
    }
    return DWQ_OK;
}

static void sim_close(struct dwqi_coll *coll)
{
    (void)coll;
}

static const struct dwqi_coll_ops sim_ops = {
    .bcast = sim_bcast,
    .scatterv = sim_scatterv,
    .gather = sim_gather,
    .gatherv = sim_gatherv,
    .test = sim_test,
    .close = sim_close,
};

/* --- The group ------------------------------------------------------------------ */

struct dwqi_coll_sim *dwqi_coll_sim_create(
    const struct dwqi_coll_sim_config *config)
{
    size_t n = (size_t)config->n_ranks;
    struct dwqi_coll_sim *group =
        calloc(1, sizeof *group + n * sizeof group->ranks[0]);

    if (!group) {
        return NULL;
    }
    group->config = *config;
    group->config.gatherv_max =
        config->gatherv_max ? config->gatherv_max : config->max;
    group->random = config->seed;
    for (size_t r = 0; r < n; r++) {
        group->ranks[r].group = group;
        group->ranks[r].base =
            (struct dwqi_coll){ .ops = &sim_ops,
                                .rank = (int)r,
                                .size = config->n_ranks,
                                .max = config->max,
                                .gatherv_max = group->config.gatherv_max };
    }
    return group;
}

void dwqi_coll_sim_destroy(struct dwqi_coll_sim *group)
{
    if (group) {
        while (group->rounds) {
            drop_round(group, group->rounds);
        }
        free(group);
    }
}

struct dwqi_coll *dwqi_coll_sim_rank(struct dwqi_coll_sim *group, int rank)
{
    return &group->ranks[rank].base;
}

const char *dwqi_coll_sim_fault(const struct dwqi_coll_sim *group)
{
    return group->fault;
}

size_t dwqi_coll_sim_n_open(const struct dwqi_coll_sim *group)
{
    const struct round *round;
    size_t n = 0;

    DL_COUNT(group->rounds, round, n);
    return n;
}

uint64_t dwqi_coll_sim_n_begun(const struct dwqi_coll_sim *group)
{
    return group->n_begun;
}

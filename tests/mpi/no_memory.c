/* Short runs in which one allocation of the library fails, on each role: `no_memory`
 * plays a sample of them, `no_memory --full` all, `no_memory KIND...` all of these kinds,
 * `no_memory KIND RANK N` one, and prints what it printed. A run has to come to its end;
 * then each task had one result, or the exit code is not 0, and a line says which rank
 * had no memory. The programs' folder is in DWQ_TEST_PROGRAMS, or this program's own. */
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/mpi/launch.h"
#include "tests/mpi/short_run.h"
#include "tests/temporary.h"

#define TIMEOUT 30. /* seconds of one job */

static const struct kind {
    const char *name;
    int ranks;
    const char *roles[3]; /* a rank of each */
    bool spawns, follows; /* ranks from 1 on are dwq-worker */
} kinds[] = {
    { "plain", 3, { "0", "1" }, false, false },
    { "opened", 3, { "0", "1" }, false, false },
    { "followed", 3, { "0", "1" }, false, true },
    { "inside", 4, { "0", "1", "2" }, false, false },
    { "beside", 4, { "0", "1", "2" }, false, false },
    { "placed", 2, { "0", "1" }, false, false },
    { "spawn", 3, { "0", "1", "s0" }, true, false },
    { "spawn_inside", 3, { "0", "1", "s0" }, true, false },
};
#define N_KINDS (sizeof kinds / sizeof kinds[0])

struct campaign {
    char folder[PATH_MAX];
    char count[TEMPORARY_SIZE]; /* a file */
    int n_played, n_right, n_ended, n_failed;
};

static char *make_file(char *path, const char *name)
{
    int file;

    temporary_name(path, name);
    file = mkstemp(path);
    if (file < 0) {
        perror(path);
        exit(2);
    }
    close(file);
    return path;
}

static void set_environment(const struct campaign *c, const struct kind *kind)
{
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 1);
    setenv("OMPI_MCA_pml", "ob1", 1);
    setenv("DWQ_MODULE_PATH", c->folder, 1);
    setenv("DWQ_TEST_FAIL_COUNT", c->count, 1);
    unsetenv("EVENT_NOEPOLL");
    if (kind->spawns) {
        launch_spawns();
    }
}

static struct launched run_once(const struct campaign *c,
                                const struct kind *kind, const char *rank,
                                long n)
{
    char program[PATH_MAX + 40], fail[40], preload[PATH_MAX + 40];
    char log[TEMPORARY_SIZE]; /* what a job left behind writes to its own */
    struct launched job;

    setenv(SHORT_RUN_LOG, make_file(log, "dwq-log"), 1);
    snprintf(program, sizeof program, "%s/scenario_short_run", c->folder);
    snprintf(preload, sizeof preload, "%s/fail_allocation.so", c->folder);
    snprintf(fail, sizeof fail, "%s:%ld", rank, n);
    setenv("DWQ_TEST_FAIL", fail, 1);
    setenv("LD_PRELOAD", preload, 1);
    launch(&(struct launch){ .program = program,
                             .argument = kind->name,
                             .ranks = kind->ranks,
                             .others = kind->follows ? getenv("DWQ_TEST_WORKER")
                                                     : NULL,
                             .timeout = TIMEOUT,
                             .once = true },
           &job);
    unsetenv("LD_PRELOAD");
    unlink(log);
    return job;
}

/* Each time with a new log. */
static struct launched run(const struct campaign *c, const struct kind *kind,
                           const char *rank, long n)
{
    struct launched job = run_once(c, kind, rank, n);

    if (job.pmix_crashed) {
        free(job.output);
        job = run_once(c, kind, rank, n);
    }
    return job;
}

/* A line of the library that names a rank and says what was missing. */
static bool says_memory(const char *output)
{
    for (const char *line = output; line; line = strchr(line, '\n')) {
        char text[1024];
        const char *begin = line += *line == '\n';

        snprintf(text, sizeof text, "%.*s", (int)strcspn(begin, "\n"), begin);
        if (strstr(text, "libdwq:") && strstr(text, "rank") &&
            strstr(text, "memory")) {
            return true;
        }
    }
    return false;
}

/* mpirun itself may crash when spawned ranks end their job: in this function, where it
 * hands on what they say. */
static bool has_crashed(const char *output)
{
    return strstr(output, "(SIGSEGV)") || strstr(output, "(SIGABRT)") ||
           strstr(output, "(SIGBUS)") || strstr(output, "exited on signal") ||
           (strstr(output, "Signal: ") && !strstr(output, "pmix_server_log"));
}

static const char *fault_of(const struct launched *job)
{
    if (job->timed_out) {
        return "no end";
    }
    if (has_crashed(job->output)) {
        return "a crash";
    }
    if (job->status == 0) {
        return strstr(job->output, SHORT_RUN_RIGHT) ? NULL : "exit code 0";
    }
    return strstr(job->output, "short run: task") ? "a task"
           : says_memory(job->output)             ? NULL
                                                  : "nobody says why";
}

static void play(struct campaign *c, const struct kind *kind, const char *rank,
                 long n)
{
    struct launched job = run(c, kind, rank, n);
    const char *fault = fault_of(&job);

    c->n_played++;
    c->n_failed += fault != NULL;
    c->n_right += !fault && job.status == 0;
    c->n_ended += !fault && job.status != 0;
    if (fault) {
        printf("FAILED %s %s %ld: %s (%d)\n%s\n", kind->name, rank, n, fault,
               job.status, job.output);
    }
    fflush(stdout);
    free(job.output);
}

/* Allocations of that rank in a run in which none fails. */
static long count(struct campaign *c, const struct kind *kind, const char *rank)
{
    struct launched job;
    FILE *file;
    long n = 0;

    if (truncate(c->count, 0) != 0) {
        perror(c->count);
    }
    job = run(c, kind, rank, 0);
    file = fopen(c->count, "r");
    if (job.status != 0 || !file || fscanf(file, "%ld", &n) != 1 || n == 0) {
        printf("FAILED %s %s: it cannot be counted (%d)\n%s\n", kind->name,
               rank, job.status, job.output);
        c->n_failed++;
        n = 0;
    }
    if (file) {
        fclose(file);
    }
    free(job.output);
    return n;
}

/* A few more than there were: some depend on who comes first. */
static void play_role(struct campaign *c, const struct kind *kind,
                      const char *rank, long step)
{
    long n = count(c, kind, rank), n_played = c->n_played;
    long first = 1 + (long)(rank[0] + kind->name[0]) % step;

    for (long i = step > 1 ? first : 1; n > 0 && i <= n + 5; i += step) {
        play(c, kind, rank, i);
    }
    printf("%-12s rank %-2s: %ld allocations, %ld played\n", kind->name, rank,
           n, c->n_played - n_played);
    fflush(stdout);
}

static void play_kind(struct campaign *c, const struct kind *kind, long step)
{
    set_environment(c, kind);
    if (kind->follows && !getenv("DWQ_TEST_WORKER")) {
        printf("%s: not without DWQ_TEST_WORKER, a path\n", kind->name);
        return;
    }
    for (int i = 0; i < 3 && kind->roles[i]; i++) {
        play_role(c, kind, kind->roles[i], step);
    }
}

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    fprintf(stderr, "no kind of run: %s\n", name);
    exit(2);
}

static int play_one(const struct campaign *c, char **argv)
{
    const struct kind *kind = find_kind(argv[1]);
    struct launched job;
    const char *fault;

    set_environment(c, kind);
    job = run(c, kind, argv[2], atol(argv[3]));
    fault = fault_of(&job);
    printf("%s%s (%d)\n", job.output, fault ? fault : "as it should be",
           job.status);
    free(job.output);
    return fault != NULL;
}

int main(int argc, char **argv)
{
    struct campaign c = { .n_played = 0 };
    const char *folder = getenv("DWQ_TEST_PROGRAMS");
    char own[PATH_MAX];
    bool all = argc > 1, one = argc == 4 && atol(argv[3]) > 0;
    int status = 0;

    snprintf(own, sizeof own, "%s", argv[0]);
    snprintf(c.folder, sizeof c.folder, "%s", folder ? folder : dirname(own));
    make_file(c.count, "dwq-count");
    if (one) {
        status = play_one(&c, argv);
    }
    for (size_t i = 0; i < N_KINDS && !one; i++) {
        if (argc == 1 || strcmp(argv[1], "--full") == 0) {
            play_kind(&c, &kinds[i],
                      all                        ? 1
                      : getenv("DWQ_TEST_SHORT") ? 97
                                                 : 47);
        }
    }
    for (int i = 1; i < argc && !one && argv[1][0] != '-'; i++) {
        play_kind(&c, find_kind(argv[i]), 1);
    }
    unlink(c.count);
    if (!one) {
        printf("%d played: %d to the right end, %d ended with a line, %d "
               "not as they should be\n",
               c.n_played, c.n_right, c.n_ended, c.n_failed);
    }
    return one ? status : c.n_failed > 0 || c.n_played == 0;
}

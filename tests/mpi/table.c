/* The table of grouped runs, each row a job of its own: `table` plays the cover (with
 * DWQ_TEST_SHORT every fourth row of it), `table --full` all rows, `table NAME RANKS`
 * one. A line per row, and a sum. The
 * programs' folder is in DWQ_TEST_PROGRAMS, or this program's own. */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/mpi/launch.h"
#include "tests/mpi/table_rows.h"

#define TIMEOUT 60. /* seconds of one row */

struct sum {
    int n_ok, n_failed, n_refused;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void set_environment(const struct table_row *row)
{
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 1);
    if (row->spawn) {
        launch_spawns();
    } else {
        unsetenv("EVENT_NOEPOLL");
    }
}

static void play(const char *folder, const struct table_row *row,
                 struct sum *sum)
{
    char program[PATH_MAX], name[40];
    struct launched job;
    double start = now();
    int n_groups = table_n_groups(row);
    bool ok;

    snprintf(program, sizeof program, "%s/scenario_table", folder);
    table_row_print(row, name, sizeof name);
    set_environment(row);
    launch(&(struct launch){ .program = program,
                             .argument = name,
                             .ranks = row->ranks,
                             .timeout = TIMEOUT },
           &job);
    ok = !job.timed_out && job.status == 0;
    printf("%-6s %-24s %2d ranks: ", ok ? "ok" : "FAILED", name, row->ranks);
    if (n_groups > 0) {
        printf("%d groups, %.1f s\n", n_groups, now() - start);
    } else {
        printf("refused, needs %d, %.1f s\n", table_needed(row), now() - start);
    }
    if (!ok) {
        printf("%s%s\n",
               job.timed_out ? "no end; every rank was asked where "
                               "it is\n"
                             : "",
               job.output);
    }
    fflush(stdout);
    free(job.output);
    sum->n_ok += ok;
    sum->n_failed += !ok;
    sum->n_refused += n_groups == 0;
}

static int play_all(const char *folder, const struct table_row *rows, size_t n,
                    size_t step)
{
    struct sum sum = { 0, 0, 0 };

    for (size_t i = 0; i < n; i += step) {
        play(folder, &rows[i], &sum);
    }
    printf("%d rows: %d as they should be (%d of them refused), %d not\n",
           sum.n_ok + sum.n_failed, sum.n_ok, sum.n_refused, sum.n_failed);
    return sum.n_failed > 0 || n == 0;
}

int main(int argc, char **argv)
{
    struct table_row rows[TABLE_ROWS_MAX];
    char own[PATH_MAX];
    const char *folder = getenv("DWQ_TEST_PROGRAMS");

    snprintf(own, sizeof own, "%s", argv[0]);
    folder = folder ? folder : dirname(own);
    if (argc == 1) {
        return play_all(folder, rows, table_cover(TABLE_WITH_SPAWN, rows),
                        getenv("DWQ_TEST_SHORT") ? 4 : 1);
    }
    if (argc == 2 && strcmp(argv[1], "--full") == 0) {
        return play_all(folder, rows, table_all(TABLE_WITH_SPAWN, rows), 1);
    }
    if (argc == 3 && table_row_parse(argv[1], &rows[0]) && atoi(argv[2]) > 0) {
        rows[0].ranks = atoi(argv[2]);
        return play_all(folder, rows, 1, 1);
    }
    fprintf(stderr, "usage: %s [--full | NAME RANKS]\n", argv[0]);
    return 2;
}

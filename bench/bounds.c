/* What a run costs that does nothing: from mpirun to its end, and alone; without
 * groups, with groups that are split from its ranks, and with spawned ones. */
#include <math.h>
#include <string.h>

#include "bench/calls.h"

/* --- In the job: KIND RANKS (of a group, broker inside) ------------------------ */

static int nothing(dwq_controller_t *controller, void *arg)
{
    (void)controller;
    (void)arg;
    return 0;
}

/* The second run: MPI is up then. A spawned process is in one of them only. */
int measure_bounds(int argc, char **argv)
{
    struct args args = { argc, argv };
    const char *kind = argc > 0 ? argv[0] : "none";
    dwq_options_t options = {
        .controller = nothing,
        .grouping = strcmp(kind, "split") == 0   ? DWQ_GROUPING_SPLIT
                    : strcmp(kind, "spawn") == 0 ? DWQ_GROUPING_SPAWN
                                                 : DWQ_GROUPING_NONE,
        .nprocs_per_worker = (int)arg_number(&args, 1),
        .broker_is_worker = strcmp(kind, "none") != 0,
    };
    dwq_world_t world;
    double begin;

    if (dwq_run(&options, NULL) != DWQ_OK || dwq_world(&world) != DWQ_OK) {
        return 1;
    }
    begin = now();
    if (dwq_run(&options, NULL) != DWQ_OK) {
        return 1;
    }
    if (world.is_controller && !world.spawned) {
        printf("run_s %.9g\n", now() - begin);
    }
    dwq_finalize();
    return 0;
}

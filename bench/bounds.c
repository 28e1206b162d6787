/* What a run costs that does nothing: from mpirun to its end, and alone; without
 * groups, with groups that are split from its ranks, and with spawned ones. */
#include <math.h>
#include <string.h>

#include "bench/calls.h"
#include "bench/questions.h"

/* --- In the job: KIND RANKS (of a group, broker inside) ------------------------ */

static int nothing(dwq_controller_t *controller, void *arg)
{
    (void)controller;
    (void)arg;
    return 0;
}

/* The second run: MPI is up then. A spawned process is in one of them only. */
static int measure(int argc, char **argv)
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

/* --- Asking ------------------------------------------------------------------------ */

struct shape {
    const char *kind;
    int np, ranks;
};

static const char *bare_calls(const struct shape *shape)
{
    return strcmp(shape->kind, "split") == 0
               ? "bare: one duplicate, one split, one barrier"
           : strcmp(shape->kind, "spawn") == 0
               ? "bare: one duplicate, one spawn, merge, barrier and "
                 "disconnect per group, one barrier"
               : "bare: one duplicate, one barrier";
}

static int n_ranks(const struct shape *shape)
{
    return strcmp(shape->kind, "spawn") == 0
               ? 1 + (shape->np - 1) * shape->ranks
               : shape->np;
}

/* At most 20 % of a run are ours: 1.25 x bare. */
static void report(struct bench *bench, const struct shape *shape, bool job,
                   const struct samples *ours, const struct samples *bare)
{
    bool grouped = strcmp(shape->kind, "none") != 0;
    struct figure figure = { .question = "bounds",
                             .ranks = n_ranks(shape),
                             .unit = "s",
                             .x = shape->np };
    char groups[TEXT_MAX] = "";

    if (grouped) {
        snprintf(groups, sizeof groups, "%s, groups of %d, ", shape->kind,
                 shape->ranks);
    }
    snprintf(figure.name, sizeof figure.name, "np=%d, %s%s", shape->np, groups,
             job ? "the whole job" : "a run, MPI being up");
    snprintf(figure.series, sizeof figure.series, "%s%s%s", job ? "job" : "run",
             grouped ? ", " : "", grouped ? shape->kind : "");
    figure_side(&figure, SIDE_OURS, ours);
    figure_side(&figure, SIDE_BARE, bare);
    figure_ratio(&figure, SIDE_BARE, job || grouped ? BAR_AT_MOST : BAR_NONE,
                 job ? 1.2 : 1.25);
    snprintf(figure.note, sizeof figure.note, "%s",
             job ? "" : bare_calls(shape));
    figure_measured(bench, &figure);
}

static void ask_shape(struct bench *bench, const struct shape *shape)
{
    static const char *const names[] = { "wall", "run_s" };
    bool spawns = strcmp(shape->kind, "spawn") == 0;
    char ranks[24];
    struct job jobs[] = {
        { .np = shape->np,
          .side = SIDE_OURS,
          .args = { "bounds", shape->kind, ranks },
          .spawns = spawns },
        { .np = shape->np,
          .side = SIDE_BARE,
          .args = { "bounds", shape->kind, ranks },
          .spawns = spawns },
    };
    struct samples samples[4] = { { .n = 0 } };

    number(ranks, shape->ranks);
    jobs_alternate(bench, jobs, 2, names, 2, samples);
    for (int i = 0; i < 2; i++) {
        report(bench, shape, i == 0, &samples[i], &samples[2 + i]);
    }
    for (int i = 0; i < 4; i++) {
        samples_finish(&samples[i]);
    }
}

static void ask(struct bench *bench)
{
    static const struct shape shapes[] = {
        { "none", 2, 0 },  { "none", 5, 0 },   { "none", 9, 0 },
        { "none", 17, 0 }, { "none", 33, 0 },  { "split", 5, 2 },
        { "split", 9, 4 }, { "split", 17, 4 }, { "split", 33, 8 },
        { "spawn", 2, 4 }, { "spawn", 3, 3 },
    };
    static const size_t tiny[] = { 0, 5, 9 };
    size_t n = sizeof shapes / sizeof shapes[0];

    n = bench->tiny ? sizeof tiny / sizeof tiny[0] : n;
    progress_begin(bench, "bounds", bench->rounds * 2 * (int)n);
    for (size_t i = 0; i < n; i++) {
        ask_shape(bench, &shapes[bench->tiny ? tiny[i] : i]);
    }
    progress_end(bench);
}

const struct question question_bounds = {
    .name = "bounds",
    .title = "Start and end of a run",
    .ask = ask,
    .measure = measure,
};

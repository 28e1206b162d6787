/* What a run costs that does nothing: from mpirun to its end, and alone. */
#include <math.h>

#include "bench/calls.h"
#include "bench/questions.h"

static int nothing(dwq_controller_t *controller, void *arg)
{
    (void)controller;
    (void)arg;
    return 0;
}

/* The second run: MPI is up then. */
static int measure(int argc, char **argv)
{
    dwq_options_t options = { .controller = nothing,
                              .argc = argc,
                              .argv = argv };
    dwq_world_t world;
    double begin;

    if (dwq_run(&options, NULL) != DWQ_OK || dwq_world(&world) != DWQ_OK) {
        return 1;
    }
    begin = now();
    if (dwq_run(&options, NULL) != DWQ_OK) {
        return 1;
    }
    if (world.is_controller) {
        printf("run_s %.9g\n", now() - begin);
    }
    dwq_finalize();
    return 0;
}

static void ask_np(struct bench *bench, int np)
{
    static const char *const names[] = { "wall", "run_s" };
    char ranks[24];
    struct job jobs[] = {
        { .np = np, .side = SIDE_OURS, .args = { "bounds", ranks } },
        { .np = np, .side = SIDE_BARE, .args = { "bounds", ranks } },
    };
    struct samples samples[4] = { { NULL, 0, 0 } };

    number(ranks, np);
    jobs_alternate(bench, jobs, 2, names, 2, samples);
    for (int i = 0; i < 2; i++) {
        struct figure figure = { .question = "bounds", .unit = "s", .x = np };

        snprintf(figure.name, sizeof figure.name, "np=%d, %s", np,
                 i == 0 ? "the whole job" : "a run, MPI being up");
        snprintf(figure.series, sizeof figure.series, "%s",
                 i == 0 ? "job" : "run");
        figure_side(&figure, SIDE_OURS, &samples[i]);
        figure_side(&figure, SIDE_BARE, &samples[2 + i]);
        figure_ratio(&figure, SIDE_BARE, i == 0 ? BAR_AT_MOST : BAR_NONE, 1.2);
        if (i == 1) {
            snprintf(figure.note, sizeof figure.note,
                     "bare: one duplicate, one barrier");
        }
        figure_report(bench, &figure);
    }
    for (int i = 0; i < 4; i++) {
        samples_finish(&samples[i]);
    }
}

static void ask(struct bench *bench)
{
    static const int counts[] = { 2, 5, 9, 17, 33 };
    int n = scaled(bench, 5, 1);

    progress_begin(bench, "bounds", bench->rounds * 2 * n);
    for (int i = 0; i < n; i++) {
        ask_np(bench, counts[i]);
    }
    progress_end(bench);
}

const struct question question_bounds = {
    .name = "bounds",
    .title = "Start and end of a run",
    .ask = ask,
    .measure = measure,
    .x_label = "ranks",
    .y_label = "seconds",
    .log_x = true,
    .log_y = true,
};

/* A long stream of calls leaves the controller's memory as it was. */
#include <math.h>

#include "bench/calls.h"
#include "bench/questions.h"

/* --- In the job: FIRST LAST (calls) ------------------------------------------- */

static int controller(dwq_controller_t *controller, void *arg)
{
    int first = (int)arg_number(arg, 0), last = (int)arg_number(arg, 1);
    double before = 0;
    int out = 0;

    for (int i = 0; i < last; i++) {
        submit_echo(controller, 0, i);
        out++;
        if (out == 1000) {
            out -= take_one(controller);
        }
        before = i == first - 1 ? resident_bytes() : before;
    }
    printf("growth %.9g\n", resident_bytes() - before);
    while (take_one(controller)) {
    }
    return 0;
}

static int measure(int argc, char **argv)
{
    return run_calls(controller, argc, argv, NULL);
}

static void ask(struct bench *bench)
{
    static const char *const names[] = { "growth" };
    char first[24], last[24];
    struct job job = { .np = 3, .args = { "memory", first, last } };
    struct samples samples[1] = { { .n = 0 } };
    struct figure figure = { .question = "memory",
                             .ranks = 3,
                             .name = "np=3, from 10^4 to 10^6 calls",
                             .unit = "B",
                             .offset = 1048576, /* it is a few pages */
                             .x = NAN };
    int rounds = bench->rounds;

    bench->rounds = bench->against ? rounds : 1;
    number(first, scaled(bench, 10000, 100));
    number(last, scaled(bench, 1000000, 1000));
    progress_begin(bench, "memory", 1);
    jobs_alternate(bench, &job, 1, names, 1, samples);
    progress_end(bench);
    bench->rounds = rounds;
    figure_side(&figure, SIDE_OURS, &samples[0]);
    figure_absolute(&figure, BAR_AT_MOST, 5 * 1048576.);
    figure_measured(bench, &figure);
    samples_finish(&samples[0]);
}

const struct question question_memory = {
    .name = "memory",
    .title = "Growth of the controller's resident size",
    .ask = ask,
    .measure = measure,
};

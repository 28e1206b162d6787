/* A million calls queued before the first is served: the only worker sleeps. */
#include <math.h>

#include "bench/calls.h"
#include "bench/questions.h"

#define PAYLOAD 8 /* bytes of one call: its number */

/* --- In the job: CALLS SECONDS (that the worker sleeps) ------------------------- */

static int controller(dwq_controller_t *controller, void *arg)
{
    int n = (int)arg_number(arg, 0);
    dwq_task_t sleeper = { .function = "sleep", DWQ_ARGS(arg_number(arg, 1)) };
    double memory, used;

    dwq_controller_submit_call(controller, &sleeper, NULL);
    memory = resident_bytes();
    used = processor_time();
    for (int i = 0; i < n; i++) {
        dwq_task_t task = { .function = "echo", DWQ_ARGS((double)i) };

        dwq_controller_queue_call(controller, &task, NULL);
    }
    used = processor_time() - used;
    memory = resident_bytes() - memory;
    printf("submit %.9g\nbytes %.9g\n", used / n, memory / n - PAYLOAD);
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
    static const char *const names[] = { "submit", "bytes" };
    char calls[24];
    struct job job = { .np = 2,
                       .args = { "queue", calls, bench->tiny ? "0.2" : "6" } };
    struct samples samples[2] = { { .n = 0 } };

    number(calls, scaled(bench, 1000000, 1000));
    progress_begin(bench, "queue", bench->rounds);
    jobs_alternate(bench, &job, 1, names, 2, samples);
    progress_end(bench);
    for (int i = 0; i < 2; i++) {
        struct figure figure = { .question = "queue", .ranks = 2, .x = NAN };

        snprintf(figure.name, sizeof figure.name, "10^6 calls, per call: %s",
                 i == 0 ? "processor time" : "memory beyond its 8 bytes");
        snprintf(figure.unit, sizeof figure.unit, "%s", i == 0 ? "s" : "B");
        figure_side(&figure, SIDE_OURS, &samples[i]);
        figure_absolute(&figure, BAR_AT_MOST, i == 0 ? 1e-6 : 400);
        figure_measured(bench, &figure);
        samples_finish(&samples[i]);
    }
}

const struct question question_queue = {
    .name = "queue",
    .title = "A queue of 10^6 calls",
    .ask = ask,
    .measure = measure,
};

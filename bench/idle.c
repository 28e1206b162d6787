/* What waiting costs: the controller waits for one sleeping call, the other
 * workers for anything. */
#include <math.h>

#include "bench/calls.h"
#include "bench/questions.h"

/* --- In the job: SECONDS ------------------------------------------------------ */

static double of_worker(dwq_controller_t *controller, int worker)
{
    dwq_task_t task = { .function = "processor_time", .worker = worker };
    dwq_result_t result;
    double seconds = NAN;

    if (dwq_controller_submit_call(controller, &task, NULL) == DWQ_OK &&
        dwq_controller_get_next_result(controller, &result) == DWQ_OK) {
        dwq_result_get(&result, 0, 0, &seconds);
        dwq_result_clear(&result);
    }
    return seconds;
}

static void wait_seconds(dwq_controller_t *controller, double seconds)
{
    dwq_task_t task = { .function = "sleep", .worker = 1, DWQ_ARGS(seconds) };

    dwq_controller_submit_call(controller, &task, NULL);
    take_one(controller);
}

static int controller(dwq_controller_t *controller, void *arg)
{
    double seconds = arg_number(arg, 0), own, begin, worst = 0;
    double before[64] = { 0 };
    int n = dwq_controller_world(controller).n_workers;

    wait_seconds(controller, 0.1);
    for (int w = 2; w <= n && w < 64; w++) {
        before[w] = of_worker(controller, w);
    }
    own = processor_time();
    begin = now();
    wait_seconds(controller, seconds);
    own = processor_time() - own;
    seconds = now() - begin;
    for (int w = 2; w <= n && w < 64; w++) {
        worst = fmax(worst, of_worker(controller, w) - before[w]);
    }
    printf("controller %.9g\nworker %.9g\n", 100 * own / seconds,
           100 * worst / seconds);
    return 0;
}

static int measure(int argc, char **argv)
{
    return run_calls(controller, argc, argv, NULL);
}

/* --- Asking -------------------------------------------------------------------- */

static void ask_how(struct bench *bench, bool bell)
{
    static const char *const names[] = { "controller", "worker" };
    struct job job = { .np = 5,
                       .args = { "idle", bench->tiny ? "0.2" : "10" },
                       .env = { bell ? "DWQ_DOORBELL=" : "DWQ_DOORBELL=0" } };
    struct samples samples[2] = { { NULL, 0, 0 } };

    jobs_alternate(bench, &job, 1, names, 2, samples);
    for (int i = 0; i < 2; i++) {
        struct figure figure = { .question = "idle",
                                 .unit = "% core",
                                 .x = NAN };

        snprintf(figure.name, sizeof figure.name, "np=5, %s, %s", names[i],
                 bell ? "one host" : "as between hosts");
        figure_side(&figure, SIDE_OURS, &samples[i]);
        figure_absolute(&figure, BAR_AT_MOST, bell ? 0.5 : 2);
        snprintf(figure.note, sizeof figure.note, "%s",
                 i == 0 ? "a bare MPI_Recv takes 100 %" : "the worst of three");
        figure_report(bench, &figure);
        samples_finish(&samples[i]);
    }
}

static void ask(struct bench *bench)
{
    int rounds = bench->rounds;

    bench->rounds = 1; /* 10 s are many waits */
    progress_begin(bench, "idle", 2);
    ask_how(bench, true);
    ask_how(bench, false);
    progress_end(bench);
    bench->rounds = rounds;
}

const struct question question_idle = {
    .name = "idle",
    .title = "Processor time of ranks that wait for 10 s",
    .ask = ask,
    .measure = measure,
};

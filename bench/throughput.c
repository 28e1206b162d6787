/* Empty calls in a stream: how many per second. */
#include <math.h>

#include "bench/calls.h"
#include "bench/questions.h"

#define BATCH "31" /* of our small calls fit into a message */

/* --- In the job: CALLS ---------------------------------------------------- */

static int controller(dwq_controller_t *controller, void *arg)
{
    int n = (int)arg_number(arg, 0);
    double start;

    stream_echo(controller, n / 10 + 1);
    start = now();
    stream_echo(controller, n);
    printf("calls_per_s %.9g\n", n / (now() - start));
    return 0;
}

static int measure(int argc, char **argv)
{
    return run_calls(controller, argc, argv, NULL);
}

/* --- Asking ---------------------------------------------------------------- */

static void report(struct bench *bench, int np, const struct samples *ours,
                   const struct samples *theirs, enum side side,
                   const char *beside, double bar)
{
    struct figure figure = { .question = "throughput",
                             .ranks = np,
                             .unit = "calls/s" };

    snprintf(figure.name, sizeof figure.name, "np=%d, beside %s", np, beside);
    snprintf(figure.series, sizeof figure.series, "%s", beside);
    figure.x = np;
    figure_side(&figure, SIDE_OURS, ours);
    figure_side(&figure, side, theirs);
    figure_ratio(&figure, side, bar > 0 ? BAR_AT_LEAST : BAR_NONE, bar);
    figure_measured(bench, &figure);
}

static void ask_np(struct bench *bench, int np)
{
    static const char *const names[] = { "calls_per_s" };
    char calls[24], peer_calls[24], script[4096];
    bool with_peer = bench->has_mpi4py && (np == 2 || np == 5);
    struct job jobs[] = {
        { .np = np, .side = SIDE_OURS, .args = { "throughput", calls } },
        { .np = np, .side = SIDE_BARE, .args = { "throughput", calls, "1" } },
        { .np = np, .side = SIDE_BARE, .args = { "throughput", calls, BATCH } },
        { .np = np,
          .side = SIDE_PEER,
          .args = { "-m", "mpi4py.futures", script, peer_calls } },
    };
    struct samples samples[4] = { { .n = 0 } };

    number(calls, scaled(bench, 200000, 500));
    number(peer_calls, scaled(bench, 4000, 100));
    snprintf(script, sizeof script, "%s/peer_mpi4py.py", bench->folder);
    jobs_alternate(bench, jobs, with_peer ? 4 : 3, names, 1, samples);
    report(bench, np, &samples[0], &samples[1], SIDE_BARE, "one in flight",
           np < 5 ? 1. / 3 : 1);
    if (!bench->against) { /* ours is the same beside each */
        report(bench, np, &samples[0], &samples[2], SIDE_BARE, "batches",
               np < 5 ? 0 : 0.5);
    }
    if (with_peer && !bench->against) {
        report(bench, np, &samples[0], &samples[3], SIDE_PEER, "mpi4py.futures",
               50);
    }
    for (int i = 0; i < 4; i++) {
        samples_finish(&samples[i]);
    }
}

static void ask(struct bench *bench)
{
    static const int counts[] = { 2, 3, 5, 9, 17, 33 };
    int n = scaled(bench, 6, 2);

    progress_begin(bench, "throughput",
                   bench->rounds * (3 * n + 2 * bench->has_mpi4py));
    for (int i = 0; i < n; i++) {
        ask_np(bench, counts[i]);
    }
    progress_end(bench);
}

const struct question question_throughput = {
    .name = "throughput",
    .title = "Empty calls, 8-byte argument and result, in a stream",
    .ask = ask,
    .measure = measure,
};

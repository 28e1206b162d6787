/* An empty call on a group of ranks: submit, wait for the result of all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/calls.h"
#include "bench/questions.h"

/* --- In the job: CALLS RANKS PAUSE MODE KIND ------------------------------------------ */

static int measure(int argc, char **argv)
{
    struct args args = { argc, argv };
    bool sendrecv = argc > 3 && strcmp(argv[3], "sendrecv") == 0;
    bool spawn = argc > 4 && strcmp(argv[4], "spawn") == 0;

    return run_calls(
        time_calls, argc, argv,
        &(dwq_options_t){ .grouping =
                              spawn ? DWQ_GROUPING_SPAWN : DWQ_GROUPING_SPLIT,
                          .nprocs_per_worker = (int)arg_number(&args, 1),
                          .collective_mode = sendrecv ? DWQ_COLLECTIVE_SENDRECV
                                                      : DWQ_COLLECTIVE_GATHER,
                          .broker_is_worker = true });
}

/* --- Asking ---------------------------------------------------------------- */

static void report(struct bench *bench, int ranks, const char *mode,
                   const char *kind, const struct samples *ours,
                   const struct samples *bare)
{
    struct figure figure = {
        .question = "groups", .ranks = ranks + 1, .unit = "s", .x = NAN
    };

    snprintf(figure.name, sizeof figure.name, "%d ranks, %s, %s, p50", ranks,
             kind, mode);
    figure_side(&figure, SIDE_OURS, ours);
    figure_side(&figure, SIDE_BARE, bare);
    figure_ratio(&figure, SIDE_BARE, BAR_AT_MOST, 1.5);
    snprintf(figure.note, sizeof figure.note,
             "broker inside; bare: %s by such ranks",
             strcmp(mode, "gather") == 0 ? "send, scatter, gather, send"
                                         : "sends and receives");
    figure_measured(bench, &figure);
}

static void ask_mode(struct bench *bench, int ranks, const char *mode)
{
    static const char *const names[] = { "p50" };
    const char *gather = strcmp(mode, "gather") == 0 ? "1" : "0";
    char calls[24], count[24], others[24];
    struct job jobs[] = {
        { .np = ranks + 1,
          .args = { "groups", calls, count, "0", mode, "split" } },
        { .np = 2,
          .args = { "groups", calls, count, "0", mode, "spawn" },
          .spawns = true },
        { .np = ranks + 1,
          .side = SIDE_BARE,
          .args = { "group", calls, "0", gather } },
        { .np = 2,
          .side = SIDE_BARE,
          .args = { "group", calls, "0", gather, others },
          .spawns = true },
    };
    struct samples samples[4] = { { .n = 0 } };

    number(calls, scaled(bench, 5000, 20));
    number(count, ranks);
    number(others, ranks - 1);
    jobs_alternate(bench, jobs, 4, names, 1, samples);
    report(bench, ranks, mode, "split", &samples[0], &samples[2]);
    report(bench, ranks, mode, "spawn", &samples[1], &samples[3]);
    for (int i = 0; i < 4; i++) {
        samples_finish(&samples[i]);
    }
}

static void ask(struct bench *bench)
{
    progress_begin(bench, "groups", bench->rounds * 4 * 2 * 2);
    for (int ranks = 3; ranks <= 4; ranks++) {
        ask_mode(bench, ranks, "gather");
        ask_mode(bench, ranks, "sendrecv");
    }
    progress_end(bench);
}

const struct question question_groups = {
    .name = "groups",
    .title = "Round trip of an empty call on a group",
    .ask = ask,
    .measure = measure,
};

/* One call at a time: submit, wait for the result. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/calls.h"
#include "bench/questions.h"

/* --- In the job: CALLS SPIN PAUSE ------------------------------------------ */

static int measure(int argc, char **argv)
{
    bool spin = argc > 1 && strtod(argv[1], NULL) > 0;

    return run_calls(
        time_calls, argc, argv,
        &(dwq_options_t){ .idle_wait = spin ? DWQ_IDLE_WAIT_SPIN : 0 });
}

/* --- Asking ---------------------------------------------------------------- */

struct kind {
    int np;
    bool spin;
    bool
        in_turn; /* each worker in its turn, as the scheduler does; else the first */
    double bar50, bar99; /* x bare; 0: none */
};

static void report(struct bench *bench, const struct kind *kind,
                   const char *percentile, const struct samples *ours,
                   const struct samples *bare, double bar)
{
    struct figure figure = {
        .question = "roundtrip", .ranks = kind->np, .unit = "s", .x = NAN
    };

    snprintf(figure.name, sizeof figure.name, "np=%d, %s, %s%s", kind->np,
             kind->spin ? "spinning" : "default wait",
             kind->in_turn ? "workers in turn, " : "", percentile);
    figure_side(&figure, SIDE_OURS, ours);
    figure_side(&figure, SIDE_BARE, bare);
    figure_ratio(&figure, SIDE_BARE, bar > 0 ? BAR_AT_MOST : BAR_NONE, bar);
    figure_measured(bench, &figure);
}

static void ask_kind(struct bench *bench, const struct kind *kind)
{
    static const char *const names[] = { "p50", "p99" };
    char calls[24], ranks[24];
    struct job jobs[] = {
        { .np = kind->np,
          .side = SIDE_OURS,
          .args = { "roundtrip", calls, kind->spin ? "1" : "0", "0", "", "",
                    kind->in_turn ? "0" : "1" } },
        { .np = kind->np,
          .side = SIDE_BARE,
          .args = { "roundtrip", calls, ranks } },
    };
    struct samples samples[4] = { { .n = 0 } };

    number(calls, scaled(bench, 20000, 50));
    number(ranks, kind->in_turn ? kind->np - 1 : 1);
    jobs_alternate(bench, jobs, 2, names, 2, samples);
    report(bench, kind, "p50", &samples[0], &samples[2], kind->bar50);
    report(bench, kind, "p99", &samples[1], &samples[3], kind->bar99);
    for (int i = 0; i < 4; i++) {
        samples_finish(&samples[i]);
    }
}

struct quiet {
    bool grouped, between_hosts;
    double bar; /* seconds; 0: none */
};

/* The bare ranks beside them spin all the time. Without the doorbell ranks sleep as
 * they do between hosts. */
static void ask_quiet(struct bench *bench, const struct quiet *quiet)
{
    bool grouped = quiet->grouped;
    static const char *const names[] = { "p50" };
    char calls[24];
    const char *pause = bench->tiny ? "0.01" : "1";
    struct job jobs[] = {
        { .np = 5,
          .side = SIDE_OURS,
          .args = { grouped ? "groups" : "roundtrip", calls,
                    grouped ? "4" : "0", pause, "gather", "split" },
          .env = { quiet->between_hosts ? "DWQ_DOORBELL=0"
                                        : "DWQ_DOORBELL=" } },
        { .np = 5,
          .side = SIDE_BARE,
          .args = { grouped ? "group" : "quiet", calls, pause, "1" } },
    };
    struct samples samples[2] = { { .n = 0 } };
    struct figure figure = {
        .question = "roundtrip", .ranks = 5, .unit = "s", .x = NAN
    };

    number(calls, scaled(bench, 5, 2));
    jobs_alternate(bench, jobs, 2, names, 1, samples);
    snprintf(figure.name, sizeof figure.name,
             "np=5, first call%s after 1 s of quiet, %sp50",
             grouped ? " of a group" : "",
             quiet->between_hosts ? "as between hosts, " : "");
    figure_side(&figure, SIDE_OURS, &samples[0]);
    figure_side(&figure, SIDE_BARE, &samples[1]);
    figure_absolute(&figure, quiet->bar > 0 ? BAR_AT_MOST : BAR_NONE,
                    quiet->bar);
    snprintf(figure.note, sizeof figure.note,
             "beside it the bare ranks spin all the time");
    figure_measured(bench, &figure);
    samples_finish(&samples[0]);
    samples_finish(&samples[1]);
}

/* What is below every first call after quiet: no message, no yield, one wake. */
static void ask_wake(struct bench *bench)
{
    static const char *const names[] = { "p50" };
    char path[4096], times[24];
    const char *const command[] = { path, number(times, scaled(bench, 5, 2)),
                                    bench->tiny ? "0.01" : "1", NULL };
    struct job job = { .command = command };
    struct samples samples = { .n = 0 };
    struct figure figure = { .question = "roundtrip", .unit = "s", .x = NAN };

    snprintf(path, sizeof path, "%s/raw_wake", bench->folder);
    if (access(path, X_OK) != 0) {
        return; /* no futex here, so no doorbell */
    }
    jobs_alternate(bench, &job, 1, names, 1, &samples);
    snprintf(figure.name, sizeof figure.name,
             "two processes, one futex wake after 1 s of quiet, p50");
    snprintf(figure.note, sizeof figure.note,
             "no message: what a first call cannot go below");
    figure_side(&figure, SIDE_BARE, &samples);
    figure_measured(bench, &figure);
    samples_finish(&samples);
}

static void ask(struct bench *bench)
{
    static const struct kind kinds[] = { { 2, true, false, 4, 4 },
                                         { 2, false, false, 0, 0 },
                                         { 5, true, false, 0, 0 },
                                         { 5, false, false, 1, 0 },
                                         { 5, false, true, 1, 0 } };
    static const struct quiet quiets[] = { { false, false, 60e-6 },
                                           { true, false, 150e-6 },
                                           { false, true, 800e-6 },
                                           { true, true, 0 } };

    progress_begin(bench, "roundtrip", bench->rounds * 19);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        ask_kind(bench, &kinds[i]);
    }
    for (size_t i = 0; i < sizeof quiets / sizeof quiets[0]; i++) {
        ask_quiet(bench, &quiets[i]);
    }
    ask_wake(bench);
    progress_end(bench);
}

const struct question question_roundtrip = {
    .name = "roundtrip",
    .title = "Round trip of one call",
    .ask = ask,
    .measure = measure,
};

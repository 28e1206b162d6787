/* More ranks than cores and no MPI setting: is the yield flag needed? Open MPI yields
 * by itself where mpirun was told to oversubscribe, so it is told that there are slots
 * enough; a bare receive then costs milliseconds. The jobs are those of the questions
 * throughput and roundtrip. */
#include <math.h>

#include "bench/questions.h"

struct kind {
    const char *name, *unit, *line;
    const char *ours[6], *bare[4]; /* arguments */
    enum bar_kind bar_kind;
    double bar; /* x ours with the flag */
};

static void ask_np(struct bench *bench, const struct kind *kind, int np)
{
    enum {
        UNTOLD,
        BARE,
        WITH_FLAG,
        N_JOBS
    };
    struct job jobs[N_JOBS] = {
        [UNTOLD] = { .np = np, .side = SIDE_OURS, .untold = true },
        [BARE] = { .np = np, .side = SIDE_BARE, .untold = true },
        [WITH_FLAG] = { .np = np, .side = SIDE_OURS },
    };
    struct samples samples[N_JOBS] = { { .n = 0 } };
    struct figure figure = { .question = "crowded",
                             .ranks = np,
                             .x = kind->bar_kind == BAR_AT_LEAST ? np : NAN,
                             .note = "bare without the flag, too; as peer "
                                     "stands ours with it" };

    for (int i = 0; kind->ours[i]; i++) {
        jobs[UNTOLD].args[i] = kind->ours[i];
        jobs[WITH_FLAG].args[i] = kind->ours[i];
    }
    for (int i = 0; kind->bare[i]; i++) {
        jobs[BARE].args[i] = kind->bare[i];
    }
    snprintf(figure.name, sizeof figure.name, "np=%d, no yield flag, %s", np,
             kind->name);
    snprintf(figure.unit, sizeof figure.unit, "%s", kind->unit);
    jobs_alternate(bench, jobs, N_JOBS, &kind->line, 1, samples);
    figure_side(&figure, SIDE_OURS, &samples[UNTOLD]);
    figure_side(&figure, SIDE_BARE, &samples[BARE]);
    figure_side(&figure, SIDE_PEER, &samples[WITH_FLAG]);
    figure_ratio(&figure, SIDE_PEER, kind->bar_kind, kind->bar);
    snprintf(figure.value_unit, sizeof figure.value_unit, "x with flag");
    figure_measured(bench, &figure);
    for (int i = 0; i < N_JOBS; i++) {
        samples_finish(&samples[i]);
    }
}

static void ask(struct bench *bench)
{
    char stream[24], single[24], slow_stream[24], slow[24];
    const struct kind kinds[] = {
        { "a stream",
          "calls/s",
          "calls_per_s",
          { "throughput", stream },
          { "throughput", slow_stream, "1" },
          BAR_AT_LEAST,
          0.5 },
        { "one call, p50",
          "s",
          "p50",
          { "roundtrip", single, "0" },
          { "roundtrip", slow, "4" },
          BAR_AT_MOST,
          2 },
    };

    number(stream, scaled(bench, 200000, 500));
    number(slow_stream, scaled(bench, 20000, 500));
    number(single, scaled(bench, 20000, 50));
    number(slow, scaled(bench, 50, 5));
    progress_begin(bench, "crowded", bench->rounds * 3 * scaled(bench, 4, 2));
    for (int i = 0; i < 2; i++) {
        ask_np(bench, &kinds[i], 5);
        if (!bench->tiny) {
            ask_np(bench, &kinds[i], 9);
        }
    }
    progress_end(bench);
}

const struct question question_crowded = {
    .name = "crowded",
    .title = "More ranks than cores, without any MPI setting",
    .ask = ask,
};

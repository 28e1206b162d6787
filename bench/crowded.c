/* More ranks than cores and no MPI setting: is the yield flag needed? The jobs
 * are those of the throughput question. */
#include "bench/questions.h"

static void ask(struct bench *bench)
{
    static const char *const names[] = { "calls_per_s" };
    static const int counts[] = { 5, 9 };
    char calls[24];
    int n = scaled(bench, 2, 1);

    number(calls, scaled(bench, 200000, 500));
    progress_begin(bench, "crowded", bench->rounds * 2 * n);
    for (int i = 0; i < n; i++) {
        struct job jobs[] = {
            { .np = counts[i],
              .side = SIDE_OURS,
              .args = { "throughput", calls },
              .env = { "OMPI_MCA_mpi_yield_when_idle=" } },
            { .np = counts[i],
              .side = SIDE_OURS,
              .args = { "throughput", calls } },
        };
        struct samples samples[2] = { { NULL, 0, 0 } };
        struct figure figure = { .question = "crowded",
                                 .unit = "calls/s",
                                 .x = counts[i],
                                 .note = "beside ours without the flag "
                                         "stands ours with it" };

        snprintf(figure.name, sizeof figure.name, "np=%d, no yield flag",
                 counts[i]);
        jobs_alternate(bench, jobs, 2, names, 1, samples);
        figure_side(&figure, SIDE_OURS, &samples[0]);
        figure_side(&figure, SIDE_PEER, &samples[1]);
        figure_ratio(&figure, SIDE_PEER, BAR_AT_LEAST, 0.5);
        snprintf(figure.value_unit, sizeof figure.value_unit, "x with flag");
        figure_report(bench, &figure);
        samples_finish(&samples[0]);
        samples_finish(&samples[1]);
    }
    progress_end(bench);
}

const struct question question_crowded = {
    .name = "crowded",
    .title = "More ranks than cores, without any MPI setting",
    .ask = ask,
};

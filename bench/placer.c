/* What a plan costs: hosts of 128 cores, a rank on each core. */
#include <math.h>

#include "bench/questions.h"

#define N_VALUES 3

static void report(struct bench *bench, int hosts, int ranks,
                   const struct samples *samples)
{
    static const char *const what[] = { "processor time of the plan",
                                        "memory of the plan",
                                        "memory of the cluster" };

    for (int i = 0; i < N_VALUES; i++) {
        struct figure figure = { .question = "placer", .x = hosts };
        bool has_bar = i == 0 && hosts == 10000;

        snprintf(figure.name, sizeof figure.name, "%d hosts, groups of %d, %s",
                 hosts, ranks, what[i]);
        snprintf(figure.unit, sizeof figure.unit, "%s", i == 0 ? "s" : "B");
        if (i == 0) {
            snprintf(figure.series, sizeof figure.series, "groups of %d",
                     ranks);
        } else {
            figure.x = NAN;
        }
        figure_side(&figure, SIDE_OURS, &samples[i]);
        figure_absolute(&figure, has_bar ? BAR_AT_MOST : BAR_NONE,
                        has_bar ? 1 : 0);
        figure_measured(bench, &figure);
    }
}

static void ask_hosts(struct bench *bench, int hosts, int ranks)
{
    static const char *const names[] = { "seconds", "plan_bytes",
                                         "cluster_bytes" };
    char path[4096], n_hosts[24], n_ranks[24];
    const char *const command[] = { path, number(n_hosts, hosts),
                                    number(n_ranks, ranks), NULL };
    struct job job = { .command = command };
    struct samples samples[N_VALUES] = { { .n = 0 } };

    snprintf(path, sizeof path, "%s/plan_cost", bench->folder);
    jobs_alternate(bench, &job, 1, names, N_VALUES, samples);
    report(bench, hosts, ranks, samples);
    for (int i = 0; i < N_VALUES; i++) {
        samples_finish(&samples[i]);
    }
}

static void ask(struct bench *bench)
{
    static const int counts[] = { 10, 100, 1000, 10000 };
    int n = scaled(bench, 4, 2);

    progress_begin(bench, "placer", bench->rounds * n * 2);
    for (int i = 0; i < n; i++) {
        ask_hosts(bench, counts[i], 1);
        ask_hosts(bench, counts[i], 8);
    }
    progress_end(bench);
}

const struct question question_placer = {
    .name = "placer",
    .title = "The plan of a cluster, hosts of 128 cores",
    .ask = ask,
};

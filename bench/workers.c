/* More workers than ranks are to be had: the controller in one process with workers
 * on virtual time, which answer without running anything (tests/sim/scale.c). */
#include <math.h>
#include <unistd.h>

#include "bench/questions.h"

static void report_rate(struct bench *bench, int workers,
                        const struct samples *rate)
{
    struct figure figure = { .question = "workers",
                             .unit = "calls/s",
                             .x = workers };
    bool has_bar = workers == 10000;

    snprintf(figure.name, sizeof figure.name, "%d workers", workers);
    snprintf(figure.series, sizeof figure.series, "controller");
    figure_side(&figure, SIDE_OURS, rate);
    figure_absolute(&figure, has_bar ? BAR_AT_LEAST : BAR_NONE,
                    has_bar ? 100000 : 0);
    figure_measured(bench, &figure);
}

static void report_growth(struct bench *bench, double few, double many)
{
    struct figure figure = { .question = "workers",
                             .name = "cost per call, 10,000 beside 10 workers",
                             .unit = "x",
                             .x = NAN };
    struct samples growth = { .n = 0 };

    if (few > 0 && many > 0) {
        samples_add(&growth, few / many);
    }
    figure_side(&figure, SIDE_OURS, &growth);
    figure_absolute(&figure, BAR_AT_MOST, 2);
    figure_measured(bench, &figure);
    samples_finish(&growth);
}

/* Calls per second of the controller: of the whole, less the time in the simulated
 * transport and the workers that it runs. */
static double ask_workers(struct bench *bench, const char *path, int workers)
{
    static const char *const names[] = { "controller_calls_per_s" };
    char n_workers[24], n_calls[24];
    const char *const command[] = {
        path, number(n_workers, workers),
        number(n_calls, scaled(bench, 1000000, 1000)), NULL
    };
    struct job job = { .command = command };
    struct samples rate = { .n = 0 };
    double median;

    jobs_alternate(bench, &job, 1, names, 1, &rate);
    median = samples_median(&rate);
    report_rate(bench, workers, &rate);
    samples_finish(&rate);
    return median;
}

static void ask(struct bench *bench)
{
    static const int counts[] = { 10, 100, 1000, 10000 };
    double rates[4];
    char path[4096];

    snprintf(path, sizeof path, "%s/../tests/sim/scale", bench->folder);
    if (access(path, X_OK) != 0) {
        const struct samples none = { .n = 0 };

        fprintf(stderr, "dwq-bench: question workers is not measured: it needs "
                        "a build with -Dtests=enabled\n");
        report_rate(bench, 10000, &none);
        report_growth(bench, 0, 0);
        return;
    }
    progress_begin(bench, "workers", bench->rounds * 4);
    for (int i = 0; i < 4; i++) {
        rates[i] = ask_workers(bench, path, counts[i]);
    }
    report_growth(bench, rates[0], rates[3]);
    progress_end(bench);
}

const struct question question_workers = {
    .name = "workers",
    .title = "The controller with up to 10,000 workers on virtual time",
    .ask = ask,
};

/* The running figures against a computation that sees all values at once, and
 * the lines of the report. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/queue/cell.h"

#define N_VALUES 2000

/* Mean, then squared distances from it. */
static void two_pass(const double *values, int n, double *mean_out,
                     double *deviation_out)
{
    double sum = 0, squares = 0;

    for (int i = 0; i < n; i++) {
        sum += values[i];
    }
    for (int i = 0; i < n; i++) {
        squares += (values[i] - sum / n) * (values[i] - sum / n);
    }
    *mean_out = sum / n;
    *deviation_out = n > 1 ? sqrt(squares / (n - 1)) : 0;
}

static bool is_near(double a, double b, double relative)
{
    return fabs(a - b) <= relative * fmax(fabs(a), fabs(b));
}

static void check_series(double offset, double spread, unsigned seed)
{
    static const int counts[] = { 1, 2, 3, 17, N_VALUES };
    double values[N_VALUES], mean, deviation;

    srand(seed);
    for (int i = 0; i < N_VALUES; i++) {
        values[i] = offset + spread * ((double)rand() / RAND_MAX - 0.5);
    }
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct dwqi_series series = { 0 };
        double least = INFINITY, most = -INFINITY;

        for (int i = 0; i < counts[c]; i++) {
            dwqi_series_add(&series, values[i]);
            least = fmin(least, values[i]);
            most = fmax(most, values[i]);
        }
        two_pass(values, counts[c], &mean, &deviation);
        cr_assert_eq(series.n, (uint64_t)counts[c]);
        cr_assert(is_near(series.mean, mean, 1e-12), "%g, %g", offset, spread);
        cr_assert(is_near(dwqi_series_deviation(&series), deviation, 1e-6),
                  "%.17g instead of %.17g", dwqi_series_deviation(&series),
                  deviation);
        cr_assert(is_near(dwqi_series_sum(&series), mean * counts[c], 1e-12));
        cr_assert_eq(series.min, least);
        cr_assert_eq(series.max, most);
    }
}

Test(stats, series_agrees_with_two_passes)
{
    check_series(0.5, 1, 1);
    check_series(100, 3, 2);
    check_series(-20, 5, 3);
    /* Sums of squares would have lost every digit of the spread here. */
    check_series(1e9, 1, 4);
    check_series(1e-6, 1e-6, 5);
}

Test(stats, empty_series_is_all_zero)
{
    struct dwqi_series series = { 0 };

    cr_assert_eq(dwqi_series_deviation(&series), 0);
    cr_assert_eq(dwqi_series_sum(&series), 0);
}

Test(stats, call_counts_for_its_worker_and_for_all)
{
    struct dwqi_cell items[3] = { { 0 } };
    struct dwqi_cell_list cells = { .items = items, .n = 2 };
    struct dwqi_stats stats = { .cells = &cells };

    dwqi_stats_add(&stats, 1, 3, 1.5);
    dwqi_stats_add(&stats, 2, 1, 4);
    dwqi_stats_add(&stats, 1, 2, 0.5);
    dwqi_stats_add(&stats, 0, 8, 2);
    cr_assert_eq(stats.time.n, 4);
    cr_assert_eq(dwqi_series_sum(&stats.time), 14);
    cr_assert_eq(stats.over_est.min, 0.25);
    cr_assert_eq(stats.over_est.max, 4);
    cr_assert_eq(items[0].stats.n_calls, 1);
    cr_assert_eq(items[1].stats.n_calls, 2);
    cr_assert_eq(items[1].stats.time, 5);
    cr_assert_eq(items[1].stats.time_est, 2);
    cr_assert_eq(items[2].stats.n_calls, 1);
    cr_assert_eq(items[2].stats.time, 1);
    cr_assert_eq(items[2].stats.time_est, 4);
}

/* --- The report --------------------------------------------------------- */

static char *report(const struct dwqi_stats *stats,
                    const struct dwqi_backlog *backlog)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cr_assert_not_null(out);
    dwqi_stats_print(stats, backlog, out);
    fclose(out);
    return text;
}

/* Whether one line of the text is this one. */
static bool has_line(const char *text, const char *line)
{
    size_t length = strlen(line);

    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n");

        if (n == length && strncmp(at, line, n) == 0) {
            return true;
        }
        at += at[n] ? n + 1 : n;
    }
    return false;
}

#define EXPECT_LINE(text, line) \
    cr_assert(has_line(text, line), "no line '%s' in:\n%s", line, text)

/* Worker 1: 2 s (estimate 1) and 4 s (2); worker 2: 6 s (1). */
static void three_calls(struct dwqi_stats *stats, struct dwqi_cell_list *cells)
{
    stats->cells = cells;
    dwqi_stats_add(stats, 1, 2, 1);
    dwqi_stats_add(stats, 1, 4, 2);
    dwqi_stats_add(stats, 2, 6, 1);
    stats->n_collected = 3;
}

Test(stats, report_has_every_line)
{
    struct dwqi_stats stats = { 0 };
    struct dwqi_cell items[3] = { { 0 } };
    struct dwqi_cell_list cells = { .items = items, .n = 2 };
    struct dwqi_backlog backlog = { .n_queued = 11,
                                    .n_running = 5,
                                    .n_ready = 3 };
    char *text;

    three_calls(&stats, &cells);
    text = report(&stats, &backlog);
    EXPECT_LINE(text, "results collected: 3");
    EXPECT_LINE(text, "results not yet collected: 19 (queued 11, running 5, "
                      "ready 3)");
    EXPECT_LINE(text, "total reported time: 12 s");
    EXPECT_LINE(text, "time per call: mean 4 s, std 2 s");
    /* 2, 2, 6: mean 10/3, deviation sqrt(16/3). */
    EXPECT_LINE(text, "coefficient of variation of actual over estimated time "
                      "per call: 0.693");
    /* 6/3 and 6/1: mean 4, deviation sqrt(8). */
    EXPECT_LINE(text, "coefficient of variation of actual over estimated time "
                      "per worker: 0.707");
    EXPECT_LINE(text, "number of workers: 2");
    EXPECT_LINE(text, "calls per worker: mean 1.5, std 0.707, min 1, max 2");
    EXPECT_LINE(text, "time per worker: mean 6 s, std 0 s");
    free(text);
}

Test(stats, worker_without_calls_counts_as_one)
{
    struct dwqi_stats stats = { 0 };
    struct dwqi_cell items[4] = { { 0 } };
    struct dwqi_cell_list cells = { .items = items, .n = 3 };
    struct dwqi_backlog backlog = { 0 };
    char *text;

    three_calls(&stats, &cells);
    text = report(&stats, &backlog);
    EXPECT_LINE(text, "number of workers: 3");
    EXPECT_LINE(text, "calls per worker: mean 1, std 1, min 0, max 2");
    /* 6, 6, 0. */
    EXPECT_LINE(text, "time per worker: mean 4 s, std 3.46 s");
    /* But it has no ratio of times. */
    EXPECT_LINE(text, "coefficient of variation of actual over estimated time "
                      "per worker: 0.707");
    free(text);
}

Test(stats, one_process_has_no_lines_about_workers)
{
    struct dwqi_cell own = { 0 };
    struct dwqi_cell_list cells = { .items = &own };
    struct dwqi_stats stats = { .cells = &cells };
    struct dwqi_backlog backlog = { .n_ready = 2 };
    char *text;

    dwqi_stats_add(&stats, 0, 0.5, 1);
    stats.n_collected = 1;
    text = report(&stats, &backlog);
    EXPECT_LINE(text, "results collected: 1");
    EXPECT_LINE(text, "results not yet collected: 2 (queued 0, running 0, "
                      "ready 2)");
    EXPECT_LINE(text, "time per call: mean 0.5 s, std 0 s");
    cr_assert_null(strstr(text, "worker"), "%s", text);
    free(text);
}

Test(stats, failures_and_overruns_are_told_when_there_are_any)
{
    struct dwqi_cell_list cells = { .n = 0 };
    struct dwqi_stats stats = { .cells = &cells };
    struct dwqi_backlog backlog = { 0 };
    char *text = report(&stats, &backlog);

    EXPECT_LINE(text, "results collected: 0");
    cr_assert_null(strstr(text, "not successful"), "%s", text);
    cr_assert_null(strstr(text, "longer than expected"), "%s", text);
    cr_assert_null(strstr(text, "nan"), "%s", text);
    free(text);

    stats.n_failed = 4;
    stats.n_overruns = 2;
    stats.n_delayed = 9;
    text = report(&stats, &backlog);
    EXPECT_LINE(text, "  of these not successful: 4");
    EXPECT_LINE(text, "calls that ran far longer than expected: 2, delaying 9 "
                      "others");
    free(text);
}

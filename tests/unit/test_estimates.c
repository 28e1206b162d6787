/* Estimates of any size, and functions of any number: every figure stays finite, and
 * memory is bounded. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/queue/cell.h"
#include "libdwq/queue/scheduler.h"
#include "libdwq/queue/task.h"

static const double extremes[] = { DBL_TRUE_MIN, 1e-200, 1, 1e300, DBL_MAX };
#define N_EXTREMES (int)(sizeof extremes / sizeof extremes[0])

/* --- The report -------------------------------------------------------------- */

static void expect_finite_report(const double *times, const double *estimates,
                                 int n)
{
    struct dwqi_cell items[4] = { { 0 } };
    struct dwqi_cell_list cells = { .items = items, .n = 3 };
    struct dwqi_stats stats = { .n_collected = (uint64_t)n, .cells = &cells };
    const struct dwqi_backlog backlog = { 0, 0, 0 };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    for (int i = 0; i < n; i++) {
        dwqi_stats_add(&stats, 1 + i % 2, times[i], estimates[i]);
    }
    dwqi_stats_print(&stats, &backlog, out);
    fclose(out);
    cr_expect(!strstr(text, "nan") && !strstr(text, "inf"), "%s", text);
    free(text);
}

Test(estimates, the_report_has_no_nan_and_no_inf)
{
    static const double times[] = { 0, 1e-9, 2e-9, 1, 1e5 };

    for (int a = 0; a < N_EXTREMES; a++) {
        for (int b = 0; b < N_EXTREMES; b++) {
            for (int t = 0; t < 5; t++) {
                const double estimates[] = { extremes[a], extremes[b],
                                             extremes[a], extremes[b] };
                const double some[] = { times[t], times[(t + 1) % 5], 0.25,
                                        times[t] };

                for (int n = 0; n <= 4; n++) {
                    expect_finite_report(some, estimates, n);
                }
            }
        }
    }
}

/* Equal values: what is rounded must not make a spread below 0. */
Test(estimates, equal_times_have_no_spread)
{
    struct dwqi_series series = { 0 };

    for (int i = 0; i < 1000; i++) {
        dwqi_series_add(&series, 0.1);
        cr_assert(dwqi_series_deviation(&series) < 1e-9);
    }
}

/* --- Rates and the scheduler --------------------------------------------------- */

Test(estimates, a_rate_stays_finite)
{
    struct dwqi_rate rate = { .seconds = -1 };

    cr_expect_eq(dwqi_over_est(0, DBL_TRUE_MIN), 0);
    cr_expect_eq(dwqi_over_est(1, DBL_TRUE_MIN), DBL_MAX);
    for (int i = 0; i < 20; i++) {
        dwqi_rate_learn(&rate, i % 3, extremes[i % N_EXTREMES]);
        cr_assert(isfinite(rate.seconds), "%d", i);
    }
}

Test(estimates, sums_of_a_worker_stay_finite)
{
    struct dwqi_scheduler *s = dwqi_scheduler_create(2, DWQ_ORDER_FIFO, 1 + 63);
    double rate = 1e100;
    struct dwqi_job jobs[40] = { { 0 } }, *job;
    int worker;

    dwqi_scheduler_worker_ready(s, 1);
    dwqi_scheduler_worker_ready(s, 2);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 40; i++) {
            jobs[i] = (struct dwqi_job){ .rate = &rate,
                                         .time_est = extremes[i % N_EXTREMES],
                                         .worker = i % 3,
                                         .binding = i % 3 > 0 };
            cr_assert_eq(dwqi_scheduler_add(s, &jobs[i]), DWQ_OK);
        }
        while (dwqi_scheduler_next(s, &job, &worker)) {
            cr_expect(isfinite(dwqi_scheduler_held_expected(s, worker)));
            cr_expect(isfinite(dwqi_scheduler_total_est(s, worker) +
                               dwqi_scheduler_bound_est(s, worker)));
            dwqi_scheduler_done(s, job);
        }
        cr_expect_eq(dwqi_scheduler_held_expected(s, 1), 0);
        cr_expect_eq(dwqi_scheduler_bound_est(s, 2), 0);
    }
    dwqi_scheduler_destroy(s);
}

/* --- Names -------------------------------------------------------------------- */

static struct dwqi_task *make(struct dwqi_tasks *tasks, unsigned number)
{
    struct dwqi_task *task = NULL;
    const char *why = NULL;
    char name[32];

    snprintf(name, sizeof name, "function_%u", number);
    cr_assert_eq(dwqi_task_create(tasks, &(dwq_task_t){ .function = name },
                                  true, &task, &why),
                 DWQ_OK, "%s", why);
    return task;
}

/* Names made by the program (one for each case), or wrong ones. */
Test(estimates, a_name_that_is_used_no_more_is_forgotten)
{
    struct dwqi_tasks tasks = { 0 };

    for (unsigned i = 0; i < 100000; i++) {
        dwqi_task_remove(&tasks, make(&tasks, i));
    }
    cr_expect_eq(HASH_COUNT(tasks.rates), DWQI_RATES_IDLE);
    dwqi_tasks_finish(&tasks);
}

Test(estimates, a_name_in_use_is_remembered)
{
    struct dwqi_tasks tasks = { 0 };
    struct dwqi_task *kept = make(&tasks, 0), *again;

    kept->rate->seconds = 0.25;
    for (unsigned i = 1; i < 5 * DWQI_RATES_IDLE; i++) {
        dwqi_task_remove(&tasks, make(&tasks, i));
        if (i % 1000 == 0) { /* now and then is enough, too */
            dwqi_task_remove(&tasks, make(&tasks, 1000));
            again = make(&tasks, 1000);
            again->rate->seconds = 0.5;
            dwqi_task_remove(&tasks, again);
        }
    }
    again = make(&tasks, 0);
    cr_expect_eq(again->rate, kept->rate);
    again = make(&tasks, 1000);
    cr_expect_eq(again->rate->seconds, 0.5);
    dwqi_tasks_finish(&tasks);
}

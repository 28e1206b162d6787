#include "libdwq/queue/stats.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "libdwq/base/plain.h"
#include "libdwq/queue/cell.h"
#include "libdwq/queue/task.h"

void dwqi_series_add(struct dwqi_series *series, double value)
{
    double distance = value - series->mean;

    series->n++;
    series->mean += distance / (double)series->n;
    series->squares += (long double)distance * (value - series->mean);
    series->min = series->n == 1 || value < series->min ? value : series->min;
    series->max = series->n == 1 || value > series->max ? value : series->max;
}

double dwqi_series_deviation(const struct dwqi_series *series)
{
    return series->n > 1
               ? (double)sqrtl(series->squares / (long double)(series->n - 1))
               : 0;
}

double dwqi_series_sum(const struct dwqi_series *series)
{
    return series->mean * (double)series->n;
}

static double variation(const struct dwqi_series *series)
{
    return series->mean != 0 ? dwqi_series_deviation(series) / series->mean : 0;
}

void dwqi_stats_add(struct dwqi_stats *stats, int worker, double time,
                    double time_est)
{
    struct dwqi_worker_stats *own = &stats->cells->items[worker].stats;

    dwqi_series_add(&stats->time, time);
    dwqi_series_add(&stats->over_est, dwqi_over_est(time, time_est));
    own->n_calls++;
    own->time += time;
    own->time_est += time_est;
}

static void see_result(struct dwqi_stats *stats, const struct dwqi_step *step)
{
    const struct dwqi_task *task = step->task;

    dwqi_stats_add(stats, task->worker, step->seconds, task->job.time_est);
    if (step->n_behind > 0 && step->seconds > DWQI_HELD_MAX &&
        step->seconds > task->job.expected + DWQI_HELD_MAX) {
        stats->n_overruns++;
        stats->n_delayed += (uint64_t)step->n_behind;
    }
}

void dwqi_stats_see(void *arg, const struct dwqi_step *step)
{
    struct dwqi_stats *stats = arg;

    if (step->event == DWQI_EVENT_RETURN) {
        stats->n_recalled++;
    } else if (step->seconds >= 0) {
        see_result(stats, step);
    }
}

static void print_workers(const struct dwqi_cell_list *cells, FILE *out)
{
    struct dwqi_series calls = { 0 }, time = { 0 }, over_est = { 0 };

    for (int i = 1; i <= cells->n; i++) {
        const struct dwqi_worker_stats *own = &cells->items[i].stats;

        dwqi_series_add(&calls, (double)own->n_calls);
        dwqi_series_add(&time, own->time);
        if (own->n_calls > 0) {
            dwqi_series_add(&over_est,
                            fmin((double)(own->time / own->time_est), DBL_MAX));
        }
    }
    fprintf(out,
            "coefficient of variation of actual over estimated time per "
            "worker: %.3g\n",
            variation(&over_est));
    fprintf(out, "number of workers: %d\n", cells->n);
    fprintf(out, "calls per worker: mean %.4g, std %.3g, min %.0f, max %.0f\n",
            calls.mean, dwqi_series_deviation(&calls), calls.min, calls.max);
    fprintf(out, "time per worker: mean %.4g s, std %.3g s\n", time.mean,
            dwqi_series_deviation(&time));
}

void dwqi_stats_print(const struct dwqi_stats *stats,
                      const struct dwqi_backlog *backlog, FILE *out)
{
    locale_t outer = dwqi_plain_enter();

    fprintf(out, "results collected: %" PRIu64 "\n", stats->n_collected);
    if (stats->n_failed > 0) {
        fprintf(out, "  of these not successful: %" PRIu64 "\n",
                stats->n_failed);
    }
    fprintf(out,
            "results not yet collected: %zu (queued %zu, running %zu, ready "
            "%zu)\n",
            backlog->n_queued + backlog->n_running + backlog->n_ready,
            backlog->n_queued, backlog->n_running, backlog->n_ready);
    fprintf(out, "total reported time: %.4g s\n",
            dwqi_series_sum(&stats->time));
    fprintf(out, "time per call: mean %.4g s, std %.3g s\n", stats->time.mean,
            dwqi_series_deviation(&stats->time));
    fprintf(out,
            "coefficient of variation of actual over estimated time per "
            "call: %.3g\n",
            variation(&stats->over_est));
    if (!stats->in_place && stats->cells->n > 0) {
        print_workers(stats->cells, out);
    }
    if (stats->n_recalled > 0) {
        fprintf(out, "calls given back unstarted by a worker: %" PRIu64 "\n",
                stats->n_recalled);
    }
    if (stats->n_overruns > 0) {
        fprintf(out,
                "calls that ran far longer than expected: %" PRIu64
                ", delaying %" PRIu64 " others\n",
                stats->n_overruns, stats->n_delayed);
    }
    dwqi_plain_leave(outer);
}

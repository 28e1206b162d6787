/* The figures of the report: sums and spreads over calls and over workers. */
#ifndef DWQI_QUEUE_STATS_H
#define DWQI_QUEUE_STATS_H

#include <stdio.h>

#include "libdwq/queue/ledger.h"

/* Count, mean and spread of a series, one value at a time (Welford 1962). */
struct dwqi_series {
    uint64_t n;
    double mean;
    long double
        squares; /* sum of squared distances from the mean; that of large
                          * values is beyond a double */
    double min, max;
};

void dwqi_series_add(struct dwqi_series *series, double value);
double dwqi_series_deviation(const struct dwqi_series *series); /* n - 1 */
double dwqi_series_sum(const struct dwqi_series *series);

/* What one worker did. */
struct dwqi_worker_stats {
    uint64_t n_calls;
    double time;          /* seconds */
    long double time_est; /* sum of the estimates of these calls */
};

struct dwqi_cell_list;

struct dwqi_stats {
    struct dwqi_series time;     /* seconds per call that ran */
    struct dwqi_series over_est; /* seconds per unit of estimate */
    uint64_t n_collected;
    uint64_t n_failed;
    uint64_t n_overruns; /* calls that ran far longer than expected while
                          * others waited behind them */
    uint64_t n_delayed;  /* those that waited */
    uint64_t n_recalled; /* calls given back unstarted */
    struct dwqi_cell_list *cells; /* borrowed */
    bool in_place; /* the one cell is this process: no spread over workers */
};

/* What is not collected. */
struct dwqi_backlog {
    size_t n_queued, n_running, n_ready;
};

/* Count what the ledger's steps tell; `arg` is the dwqi_stats. */
void dwqi_stats_see(void *arg, const struct dwqi_step *step);
#define DWQI_STATS_EVENTS (DWQI_EVENT_BIT(RESULT) | DWQI_EVENT_BIT(RETURN))
void dwqi_stats_add(struct dwqi_stats *stats, int worker, double time,
                    double time_est);

void dwqi_stats_print(const struct dwqi_stats *stats,
                      const struct dwqi_backlog *backlog, FILE *out);

#endif

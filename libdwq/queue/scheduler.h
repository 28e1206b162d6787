/* Which task goes to which worker, and when. Pure: no time, no messages, no
 * memory but its own heaps. Jobs that come in queue order (most do) wait in a
 * list, the run, and cost O(1); the others wait in a heap beside it.
 *
 * Jobs wait in queue order (higher priority, then by option longest estimate,
 * then first submitted). A job that is bound to a worker waits in that worker's
 * own queue. A worker is open when it holds nothing, or (prefetch) from when it
 * holds half of what it may until it holds all: jobs of known and short expected
 * time, refilled by the batch. The next assignment is the first job, in
 * queue order, that an open worker may take: a bound job its worker, a wished
 * worker if open and fit, else the one that holds the least expected time, then
 * the least accumulated estimate, then the lowest number. All O(log n). */
#ifndef DWQI_QUEUE_SCHEDULER_H
#define DWQI_QUEUE_SCHEDULER_H

#include <dwq/options.h>

#include "libdwq/base/heap.h"

/* Expected seconds of all that one worker holds, at most (unless it is one). */
#define DWQI_HELD_MAX 1e-3

struct dwqi_scheduler;

/* Embedded in what is scheduled. The caller sets the first group. */
struct dwqi_job {
    int worker;   /* 1..n, or 0: any */
    bool binding; /* worker > 0 must run it; else it is a wish */
    int priority;
    double time_est;    /* > 0 */
    const double *rate; /* seconds per unit of estimate; < 0: not known, and the
                         * job is never prefetched */

    uint64_t sequence; /* order of submission; kept when given back */
    int holder;        /* 1..n while assigned, else 0 */
    double expected;   /* seconds, as of the assignment; < 0: not known */
    size_t place;      /* in a heap */
    bool longest_first;
    bool in_run;                  /* waiting in the sorted run, not in a heap */
    struct dwqi_job *next, *prev; /* held jobs of a worker, oldest first; or
                                   * the run */
};

/* For workers 1..n. held_max: jobs that a worker may hold, at least 1. NULL: out of memory. */
struct dwqi_scheduler *dwqi_scheduler_create(int n_workers,
                                             dwq_queue_order_t order,
                                             int held_max);
void dwqi_scheduler_destroy(struct dwqi_scheduler *scheduler);
/* One more, which serves when it is ready; its number is the next one. DWQ_E_NOMEM. */
dwq_status_t dwqi_scheduler_add_worker(struct dwqi_scheduler *scheduler);

/* Queue a job. DWQ_E_NOMEM: it was not. */
dwq_status_t dwqi_scheduler_add(struct dwqi_scheduler *scheduler,
                                struct dwqi_job *job);
/* Take a waiting job out. */
void dwqi_scheduler_remove(struct dwqi_scheduler *scheduler,
                           struct dwqi_job *job);
size_t dwqi_scheduler_n_waiting(const struct dwqi_scheduler *scheduler);
/* Where that stands, for one who looks often. */
const size_t *dwqi_scheduler_waiting(const struct dwqi_scheduler *scheduler);
/* Any waiting job, or NULL; of the jobs bound to `worker`, or of all. */
struct dwqi_job *dwqi_scheduler_any_waiting(
    const struct dwqi_scheduler *scheduler);
struct dwqi_job *dwqi_scheduler_any_bound(
    const struct dwqi_scheduler *scheduler, int worker);

/* A worker serves from now on; one that is gone never takes a job again. */
void dwqi_scheduler_worker_ready(struct dwqi_scheduler *scheduler, int worker);
void dwqi_scheduler_worker_gone(struct dwqi_scheduler *scheduler, int worker);
/* A paused worker takes no job until it goes on. */
void dwqi_scheduler_worker_pause(struct dwqi_scheduler *scheduler, int worker,
                                 bool paused);
/* It holds one job at most from now on: what it would hold behind it cannot be taken
 * back. */
void dwqi_scheduler_worker_hold_one(struct dwqi_scheduler *scheduler,
                                    int worker);
bool dwqi_scheduler_is_gone(const struct dwqi_scheduler *scheduler, int worker);
int dwqi_scheduler_n_gone(const struct dwqi_scheduler *scheduler);

/* The next assignment, made: the estimate is charged. false: none now. */
bool dwqi_scheduler_next(struct dwqi_scheduler *scheduler,
                         struct dwqi_job **job_out, int *worker_out);
/* The first job that this worker may take as one that holds nothing, which stays where it
 * is; NULL: none, or it takes no job now. */
struct dwqi_job *dwqi_scheduler_first_for(
    const struct dwqi_scheduler *scheduler, int worker);
/* That one, or the next such, assigned to it, whatever else it holds. */
void dwqi_scheduler_give(struct dwqi_scheduler *scheduler, struct dwqi_job *job,
                         int worker);
/* An assigned job is over; it is the caller's again. */
void dwqi_scheduler_done(struct dwqi_scheduler *scheduler,
                         struct dwqi_job *job);
/* An assigned job was not started: uncharged, and waiting again at its place
 * (room for it is always there). */
void dwqi_scheduler_give_back(struct dwqi_scheduler *scheduler,
                              struct dwqi_job *job);

/* What a worker holds, oldest first. */
struct dwqi_job *dwqi_scheduler_held(const struct dwqi_scheduler *scheduler,
                                     int worker);
int dwqi_scheduler_n_held(const struct dwqi_scheduler *scheduler, int worker);
double dwqi_scheduler_held_expected(const struct dwqi_scheduler *scheduler,
                                    int worker);
/* Jobs that were assigned; workers that hold at least one of them. */
size_t dwqi_scheduler_n_running(const struct dwqi_scheduler *scheduler);
size_t dwqi_scheduler_n_busy(const struct dwqi_scheduler *scheduler);
double dwqi_scheduler_total_est(const struct dwqi_scheduler *scheduler,
                                int worker);
/* The estimates of the jobs that wait for this worker alone. */
double dwqi_scheduler_bound_est(const struct dwqi_scheduler *scheduler,
                                int worker);

/* The ready worker that holds nothing and has the least accumulated estimate,
 * or 0. */
int dwqi_scheduler_idle_worker(const struct dwqi_scheduler *scheduler);
/* Workers that hold, behind their oldest job, one that another could run: a worker
 * after `after` (0: the first), or 0. In no particular order. */
int dwqi_scheduler_next_holder(const struct dwqi_scheduler *scheduler,
                               int after);

#endif

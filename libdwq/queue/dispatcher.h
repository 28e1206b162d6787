/* The dispatcher: the ledger, the scheduler and the cells. It gives tasks to cells, hears
 * what came of them, and keeps the limits. It knows neither MPI nor the user's handle: who
 * owns it calls it in one thread at a time, and hands it a transport.
 *
 * Its files: dispatch.c (what goes out, the limits, the end), remote.c and here.c (the two
 * kinds of cells), receive.c (what comes in), finish.c (tasks that are over), cancel.c, fit.c
 * (which cells a task fits), feed.c (tasks for idle cells of this host) and lost.c (cells
 * whose ranks are no more). */
#ifndef DWQI_QUEUE_DISPATCHER_H
#define DWQI_QUEUE_DISPATCHER_H

#include <dwq/plan.h>

#include "libdwq/base/error.h"
#include "libdwq/item/transport.h"
#include "libdwq/queue/cell.h"
#include "libdwq/queue/here.h"
#include "libdwq/queue/task.h"

/* Seconds that a worker, or the end of a run, gets at least when the time limit and its
 * grace have passed: what is there answers in milliseconds. */
#define DWQI_LEAVE_TIME 2.0

struct dwqi_dispatcher_config {
    struct dwqi_transport *transport; /* borrowed; not looked at in place */
    const struct dwqi_log *log;       /* borrowed */
    struct dwqi_pool *pool;           /* borrowed; or NULL */
    dwq_queue_order_t queue_order;
    int held_max;         /* tasks that a worker may hold */
    bool holds_near_only; /* several only where they can be taken back */
    bool time_est_seconds;
    int retry_failed, retries; /* of tasks that do not say */
    double time_limit;         /* on the transport's clock; INFINITY: none */
    double grace_end;          /* the same: running calls are given up */
    /* The ranks of a worker without a desk hear which task is to stop; NULL: no word
     * reaches them. */
    void (*stop_far)(void *arg, int worker, uint64_t id);
    void *stop_arg;
    bool
        has_to_fit; /* a call of known time starts only if it ends before that */
};

struct dwqi_dispatcher {
    struct dwqi_dispatcher_config config;
    struct dwqi_scheduler *scheduler;
    const size_t *n_waiting; /* its */
    struct dwqi_ledger ledger;
    struct dwqi_observer observers[3]; /* statistics, rates, log */
    struct dwqi_tasks tasks;
    struct dwqi_task *done; /* not collected, first finished first */
    size_t n_done;
    bool cancels_all; /* nothing begins that has not begun */
    bool exit_sent;
    bool limit_passed; /* no task starts any more */
    bool ends;         /* somebody asked for that: every call is to stop */
    bool grace_passed;
    bool in_place;    /* its one cell is this process */
    double now;       /* of this step */
    double leave_end; /* no cell is awaited any more; INFINITY: not yet said */
    struct dwqi_stats stats;
    struct dwqi_cell_list cells;
    struct dwqi_here here;
    int touched, last_touched; /* cells with unsent tasks; 0: none */
    struct dwqi_extent *parts; /* [held_max + 1], for one message */
    int n_near; /* cells that have been ready, and can ask for letters */
};

/* --- Begin and end ------------------------------------------------------- */

/* Without a cell. DWQ_E_NOMEM: `d` needs no finish. */
dwq_status_t dwqi_dispatcher_init(struct dwqi_dispatcher *d,
                                  const struct dwqi_dispatcher_config *config);
void dwqi_dispatcher_finish(struct dwqi_dispatcher *d);
/* One more cell, behind the transport at `peer`: a rank, or the broker of a group. It gets
 * tasks when it has said that it serves. DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_dispatcher_add_remote(struct dwqi_dispatcher *d, int peer,
                                        const dwq_worker_info_t *info);
/* The one cell of a dispatcher without a transport: this process, which runs each call at
 * once, in whoever gives it. The executor is borrowed. DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_dispatcher_add_here(struct dwqi_dispatcher *d,
                                      struct dwqi_executor *executor);
/* It runs no calls after all. */
void dwqi_dispatcher_withdraw_here(struct dwqi_dispatcher *d);
/**
 * Cancel what has not started if `cancel`, run the rest, tell every cell to leave and wait
 * until it has.
 *
 * @return DWQ_OK; DWQ_E_TIME_LIMIT: a cell did not come back, and only the end of the job
 *         will end it; DWQ_E_MPI
 */
dwq_status_t dwqi_dispatcher_close(struct dwqi_dispatcher *d, bool cancel);

/* The next cell behind this one that is not awaited any more and may run on; 0: none. */
int dwqi_dispatcher_next_overdue(const struct dwqi_dispatcher *d, int worker);

/* --- Its loop ------------------------------------------------------------ */

/* Receive, check the limits, assign and send. *moved_out: something came, or a
 * task is over. */
dwq_status_t dwqi_dispatcher_step(struct dwqi_dispatcher *d, bool *moved_out);
/* One turn of a loop that waits: a step, and a pause if it moved nothing, until `until`
 * (on the transport's clock; INFINITY: however long). DWQ_E_STATE: in place nothing can
 * come. */
dwq_status_t dwqi_dispatcher_turn(struct dwqi_dispatcher *d, double until);
/* What waits goes to cells that can take it. */
dwq_status_t dwqi_dispatcher_dispatch(struct dwqi_dispatcher *d);
/* In place: these tasks, one after the other, as far as they still wait. */
dwq_status_t dwqi_dispatcher_run_here(struct dwqi_dispatcher *d,
                                      const uint64_t *ids, size_t n);
/* Tasks that wait go to cells that share memory with this process and have nothing to
 * do, through that memory. */
void dwqi_dispatcher_feed(struct dwqi_dispatcher *d);
dwq_status_t dwqi_dispatcher_receive(struct dwqi_dispatcher *d,
                                     struct dwqi_message *message);

/* --- Tasks --------------------------------------------------------------- */

/* A new task waits in the queue, or is over as it can never run. DWQ_E_NOMEM: neither. */
dwq_status_t dwqi_dispatcher_enter(struct dwqi_dispatcher *d,
                                   struct dwqi_task *task);
/* A task of a submit that fails, before anything was sent: it is gone. */
void dwqi_dispatcher_drop(struct dwqi_dispatcher *d, struct dwqi_task *task);
/* Cancel a task, or (id 0) all that have not started. DWQ_OK; DWQ_E_ID, DWQ_E_STATE: why
 * is in `error`; DWQ_E_MPI. */
dwq_status_t dwqi_dispatcher_cancel(struct dwqi_dispatcher *d, uint64_t id,
                                    struct dwqi_error *error);
/* Which worker a task goes to: *worker_out, and *binding when only some fit what it asks
 * for. DWQ_E_OPTION: none does, and *why_out says so. */
dwq_status_t dwqi_dispatcher_fit(const struct dwqi_dispatcher *d,
                                 const dwq_task_t *given, bool *binding,
                                 int *worker_out, struct dwqi_error *why_out);
/* Keep what a task asked for that got its worker here: should that one leave,
 * another is picked. */
void dwqi_dispatcher_set_fit(const struct dwqi_dispatcher *d,
                             const dwq_task_t *given, struct dwqi_task *task);
/* Out of the queue of a worker that is gone, into that of another; false: it is
 * in no queue. */
bool dwqi_dispatcher_refit(struct dwqi_dispatcher *d, struct dwqi_task *task);
/* The oldest task that is over, or this one: out of all lists, and its result the
 * user's. */
void dwqi_dispatcher_take(struct dwqi_dispatcher *d, struct dwqi_task *task,
                          dwq_result_t *result_out);
/* How many tasks wait, are with a cell, and can be collected. */
struct dwqi_backlog dwqi_dispatcher_backlog(const struct dwqi_dispatcher *d);

/* --- Between its files --------------------------------------------------- */

/* Whether a task may start now, so that it ends before the time limit. */
bool dwqi_dispatcher_fits(const struct dwqi_dispatcher *d,
                          const struct dwqi_task *task);
/* The scheduler gave this task to this cell: whoever calls sends it. */
dwq_status_t dwqi_dispatcher_assign(struct dwqi_dispatcher *d,
                                    struct dwqi_task *task, int worker);
/* What came of a call is in `parts`; `memory`, if not NULL, holds them and is taken. The
 * task is over, or waits for its next attempt. */
dwq_status_t dwqi_dispatcher_take_result(struct dwqi_dispatcher *d,
                                         struct dwqi_task *task,
                                         const void *parts, size_t size,
                                         void *memory);
/* There was no memory for it, of so many bytes; the seconds it took, or < 0. */
dwq_status_t dwqi_dispatcher_lose_result(struct dwqi_dispatcher *d,
                                         struct dwqi_task *task, size_t size,
                                         double seconds);
/* The step that ends a task that no rank reports, and why. The result can be collected
 * when nothing of the task is being sent any more. DWQ_OK, DWQ_E_STATE. */
dwq_status_t dwqi_dispatcher_end_local(struct dwqi_dispatcher *d,
                                       struct dwqi_task *task,
                                       enum dwqi_task_event event,
                                       const char *message);
/* The same of a task that a worker reports: what came of it (taken; NULL: no memory for
 * that), the seconds it took (< 0: not known), and how many the worker holds behind
 * it. */
dwq_status_t dwqi_dispatcher_end_reported(struct dwqi_dispatcher *d,
                                          struct dwqi_task *task,
                                          struct dwqi_outcome *outcome,
                                          double seconds, int n_behind);
/* SENT or FORSAKE: of a task that is over, the result can be collected now. */
void dwqi_dispatcher_settled(struct dwqi_dispatcher *d, struct dwqi_task *task,
                             enum dwqi_task_event event);
/* End all that waits. */
void dwqi_dispatcher_drop_waiting(struct dwqi_dispatcher *d,
                                  enum dwqi_task_event event,
                                  const char *message);
/* A task that its worker had not started waits again, or is over. */
dwq_status_t dwqi_dispatcher_take_back(struct dwqi_dispatcher *d,
                                       struct dwqi_task *task);
/* Take back what the worker holds and has not started, where they share memory: up to
 * `last`, or (NULL) all. Whether nothing of that stayed. */
bool dwqi_dispatcher_take_unstarted(struct dwqi_dispatcher *d, int worker,
                                    const struct dwqi_job *last);
/* The same; what is left is asked for: the worker returns it between two tasks. */
dwq_status_t dwqi_dispatcher_recall(struct dwqi_dispatcher *d, int worker,
                                    const struct dwqi_job *last);
/* The time limit is now, and the grace that of a call. */
void dwqi_dispatcher_end_now(struct dwqi_dispatcher *d);
/* A remote cell's way to stop (struct dwqi_cell_ops). */
bool dwqi_dispatcher_stop_remote(struct dwqi_dispatcher *d, int worker);
/* Which of its tasks it is to stop may be another now. */
void dwqi_dispatcher_tell_cancelled(struct dwqi_dispatcher *d, int worker);
/* It gets no task until that has come; NOTHING: it gets tasks. */
void dwqi_dispatcher_await(struct dwqi_dispatcher *d, int worker,
                           enum dwqi_cell_awaited what);
/* A step of a cell. One that its table does not have is logged. */
void dwqi_dispatcher_cell_step(struct dwqi_dispatcher *d, int worker,
                               enum dwqi_cell_event event);
/* Tasks that were given to remote cells leave. What there is no memory to send is sent by
 * a later call. */
dwq_status_t dwqi_dispatcher_send_touched(struct dwqi_dispatcher *d);

static inline struct dwqi_cell *dwqi_dispatcher_cell(
    const struct dwqi_dispatcher *d, int worker)
{
    return &d->cells.items[worker];
}

#endif

/* The controller's struct, shared by its files: controller.c (submit), cancel.c,
 * dispatch.c (assignments, limits, the end), receive.c, collect.c and feed.c. */
#ifndef DWQI_QUEUE_CONTROLLER_PRIVATE_H
#define DWQI_QUEUE_CONTROLLER_PRIVATE_H

#include <pthread.h>

#include "libdwq/base/error.h"
#include "libdwq/process/process.h"
#include "libdwq/queue/cell.h"
#include "libdwq/queue/controller.h"
#include "libdwq/queue/feeder.h"
#include "libdwq/queue/task.h"

struct dwq_controller {
    struct dwqi_process_handle handle; /* first: it is found by that */
    struct dwqi_controller_config config;
    struct dwqi_scheduler *scheduler;
    const size_t *n_waiting; /* its */
    struct dwqi_ledger ledger;
    struct dwqi_observer observers[3]; /* statistics, rates, log */
    struct dwqi_tasks tasks;
    struct dwqi_task *done; /* not collected, first finished first */
    size_t n_done;
    bool closed;      /* no more submits */
    bool cancels_all; /* nor anything that is not begun */
    bool exit_sent;
    bool limit_passed; /* no task starts any more */
    bool grace_passed;
    bool in_place;     /* without workers: calls can run here */
    size_t n_in_place; /* that do now, each in the one before */
    double now;        /* of this step */
    double
        leave_end; /* no worker is awaited any more; INFINITY: not yet said */
    double last_look; /* the end of the last one, in a submit */
    struct dwqi_stats stats;
    struct dwqi_cell_list cells;
    int touched, last_touched; /* cells with unsent tasks; 0: none */
    struct dwqi_extent *parts; /* [held_max], for one message */
    int n_near; /* cells that have been ready, and can ask for letters */
    int depth;  /* calls of the user's, each in the one before */
    struct dwqi_desk *desk; /* with the feeder */
    uint32_t n_left;        /* odd: tasks waited when the user's thread left */
    struct dwqi_feeder *feeder; /* NULL: not made yet, or not wanted */
    pthread_t thread;           /* of the user's calls */
    struct dwqi_error error; /* of the last one; code DWQ_OK: it did not fail */
};

/* At the end of a call of the user's, whose answer it is. */
static inline dwq_status_t dwqi_controller_answer(dwq_controller_t *c,
                                                  dwq_status_t status)
{
    if (c->error.code != (int)status) {
        c->error.code = (int)status;
        c->error.text[0] = '\0'; /* the status says it all */
    }
    return status;
}

/* Receive, check the limits, assign and send. *moved_out: something came, or a
 * task is over. */
dwq_status_t dwqi_controller_step(dwq_controller_t *c, bool *moved_out);
/* One turn of a loop that waits: a step, and a pause if it moved nothing, until `until`
 * (on the transport's clock; INFINITY: however long). */
dwq_status_t dwqi_controller_turn(dwq_controller_t *c, double until);
dwq_status_t dwqi_controller_dispatch(dwq_controller_t *c);
/* The scheduler gave this task to this worker: it is to be sent. */
dwq_status_t dwqi_controller_give(dwq_controller_t *c, struct dwqi_task *task,
                                  int worker);
/* Tasks wait now, and did not when the user's thread left the last time; or the reverse. */
void dwqi_controller_leave_anew(dwq_controller_t *c, bool wait);
/* What waits is sent by calls of the user's only, from now on. */
void dwqi_controller_end_feeding(dwq_controller_t *c);
/* Whether a task that waits goes to an idle worker while the user's thread is outside. */
bool dwqi_controller_is_fed(dwq_controller_t *c);

/* The step that ends a task that no rank reports, and why. The result can be collected
 * when nothing of the task is being sent any more. DWQ_OK, DWQ_E_STATE. */
dwq_status_t dwqi_controller_end_local(dwq_controller_t *c,
                                       struct dwqi_task *task,
                                       enum dwqi_task_event event,
                                       const char *message);
/* The same of a task that a worker reports: what came of it (taken; NULL: no memory for
 * that), the seconds it took (< 0: not known), and how many the worker holds behind
 * it. */
dwq_status_t dwqi_controller_end_reported(dwq_controller_t *c,
                                          struct dwqi_task *task,
                                          struct dwqi_outcome *outcome,
                                          double seconds, int n_behind);
/* SENT or FORSAKE: of a task that is over, the result can be collected now. */
void dwqi_controller_settled(dwq_controller_t *c, struct dwqi_task *task,
                             enum dwqi_task_event event);
/* What a new task becomes when it cannot be queued at all: true, and it is
 * over. */
bool dwqi_controller_settle(dwq_controller_t *c, struct dwqi_task *task);
/* Queue n tasks, all or none; `numbered`: a refusal says which of them it is about. */
dwq_status_t dwqi_controller_submit_all(dwq_controller_t *c,
                                        const dwq_task_t *tasks, size_t n,
                                        bool numbered, uint64_t *ids_out);
/* Which worker a task goes to (fit.c): *worker_out, and *binding when only some
 * fit what it asks for. DWQ_E_OPTION: none does, and *why_out says so. */
dwq_status_t dwqi_controller_fit(const dwq_controller_t *c,
                                 const dwq_task_t *given, bool *binding,
                                 int *worker_out, struct dwqi_error *why_out);
/* Keep what a task asked for that got its worker here: should that one leave,
 * another is picked. */
void dwqi_controller_set_fit(const dwq_controller_t *c, const dwq_task_t *given,
                             struct dwqi_task *task);
/* Out of the queue of a worker that is gone, into that of another; false: it is
 * in no queue. */
bool dwqi_controller_refit(dwq_controller_t *c, struct dwqi_task *task);
/* How many tasks wait, are with a worker (or run here), and can be collected. */
struct dwqi_backlog dwqi_controller_backlog(const dwq_controller_t *c);
/* Whether a call that a worker (or this process) reports is to run once more. */
bool dwqi_controller_is_tried_again(const dwq_controller_t *c,
                                    const struct dwqi_task *task,
                                    const struct dwqi_outcome *outcome);
/* Run it here: it is over. */
dwq_status_t dwqi_controller_run_in_place(dwq_controller_t *c,
                                          struct dwqi_task *task);
/* Out of the list of those that can be collected. */
void dwqi_controller_take_done(dwq_controller_t *c, struct dwqi_task *task);
/* End all that waits, and all that a worker holds. */
void dwqi_controller_drop_waiting(dwq_controller_t *c,
                                  enum dwqi_task_event event,
                                  const char *message);
void dwqi_controller_drop_held(dwq_controller_t *c, int worker,
                               enum dwqi_task_event event, const char *message);
/* Which of its tasks a worker of this host is to stop, if any: whenever one of them is to
 * be cancelled, and whenever it holds one less. */
void dwqi_controller_tell_cancelled(dwq_controller_t *c, int worker);
/* A task that its worker had not started waits again, or is over. */
dwq_status_t dwqi_controller_take_back(dwq_controller_t *c,
                                       struct dwqi_task *task);
/* Take back what the worker holds and has not started, where they share memory. */
void dwqi_controller_take_unstarted(dwq_controller_t *c, int worker);
/* The same; what is left is asked for: the worker returns it between two tasks. */
dwq_status_t dwqi_controller_recall(dwq_controller_t *c, int worker);
/* It gets no task until that has come; NOTHING: it gets tasks. */
void dwqi_controller_await(dwq_controller_t *c, int worker,
                           enum dwqi_cell_awaited what);
/* A step of a cell. One that its table does not have is logged. */
void dwqi_controller_cell_step(dwq_controller_t *c, int worker,
                               enum dwqi_cell_event event);
dwq_status_t dwqi_controller_receive(dwq_controller_t *c,
                                     struct dwqi_message *message);

/* At the end of a call of the user's that has entered, whose answer it is: the feeder may
 * have the controller. It gets it before workers are told, as they ask only once. */
static inline dwq_status_t dwqi_controller_leave(dwq_controller_t *c,
                                                 dwq_status_t status)
{
    bool wait;

    if (--c->depth > 0) { /* a call from a log function */
        return status;
    }
    wait = c->config.feeding == DWQI_FED_BY_A_THREAD && c->n_near > 0 &&
           *c->n_waiting > 0;
    if (wait != (c->n_left % 2 != 0)) {
        dwqi_controller_leave_anew(c, wait);
    } else if (wait) {
        dwqi_feeder_leave(c->feeder);
        c->n_left += 2;
        atomic_store_explicit(&c->desk->left, c->n_left, memory_order_release);
    }
    return status;
}

static inline struct dwqi_cell *dwqi_controller_cell(const dwq_controller_t *c,
                                                     int worker)
{
    return &c->cells.items[worker];
}

#endif

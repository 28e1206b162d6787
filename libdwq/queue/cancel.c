/* A task that waits is over at once; one that a worker holds comes back, or is asked to
 * stop. */
#include <inttypes.h>
#include <math.h>

#include "libdwq/queue/dispatcher.h"

#define STOP_GRACE 10. /* seconds that a call has which is asked to stop */

/* --- Words to running calls ---------------------------------------------- */

/* The task that the worker runs, or runs next, as far as is known: the newest that it has
 * claimed (also to give it back), else the oldest. NULL: it was sent none. */
static const struct dwqi_task *current_task(const struct dwqi_dispatcher *d,
                                            const struct dwqi_cell *cell,
                                            int worker)
{
    struct dwqi_job *first = dwqi_scheduler_held(d->scheduler, worker);
    struct dwqi_job *job = !first || first == cell->unsent
                               ? NULL
                               : (cell->unsent ? cell->unsent : first)->prev;
    uint32_t n_claimed;

    if (!cell->desk) {
        return job ? dwqi_task_of(first) : NULL;
    }
    n_claimed = atomic_load(&cell->desk->n_claimed);
    while (job && job != first &&
           (int32_t)(n_claimed - dwqi_task_of(job)->number) <= 0) {
        job = job->prev;
    }
    return job ? dwqi_task_of(job) : NULL;
}

/* When one of its tasks is to be cancelled, and whenever it holds one less. */
bool dwqi_dispatcher_stop_remote(struct dwqi_dispatcher *d, int worker)
{
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);
    bool hears = cell->desk || d->config.stop_far;
    const struct dwqi_task *current;
    uint64_t id = 0;

    if (!hears || (cell->n_cancelled == 0 && !d->ends)) {
        return hears;
    }
    current = current_task(d, cell, worker);
    if (d->ends) {
        id = DWQI_STOP_ALL;
    } else if (current && current->entry.state == DWQI_TASK_ASKED_BACK) {
        id = current->id;
    }
    if (cell->desk) {
        atomic_store(&cell->desk->cancelled, id);
    } else {
        d->config.stop_far(d->config.stop_arg, worker, id);
    }
    return true;
}

void dwqi_dispatcher_tell_cancelled(struct dwqi_dispatcher *d, int worker)
{
    const struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);

    if (cell->n_cancelled > 0 && cell->ops->stop) {
        (void)cell->ops->stop(d, worker);
    }
}

/* Those who know the limit from their start see it come by themselves. */
void dwqi_dispatcher_end_now(struct dwqi_dispatcher *d)
{
    d->ends = true;
    d->config.time_limit = fmin(d->config.time_limit, d->now);
    d->config.grace_end = fmin(d->config.grace_end, d->now + STOP_GRACE);
    for (int w = 1; w <= d->cells.n; w++) {
        const struct dwqi_cell *cell = dwqi_dispatcher_cell(d, w);

        if (cell->ops->stop && !dwqi_cell_is_over(cell)) {
            (void)cell->ops->stop(d, w);
        }
    }
}

/* Whether a word reaches the call that it runs. */
static bool hears(struct dwqi_dispatcher *d, int worker)
{
    const struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);

    return cell->ops->stop && cell->ops->stop(d, worker);
}

/* --- Cancelling ------------------------------------------------------------- */

/* It is to be cancelled, and its worker holds it. */
static dwq_status_t mark(struct dwqi_dispatcher *d, struct dwqi_task *task)
{
    bool before = task->entry.state == DWQI_TASK_ASKED_BACK;
    dwq_status_t status = dwqi_task_step(&d->ledger, task, DWQI_EVENT_CANCEL);

    dwqi_dispatcher_cell(d, task->worker)->n_cancelled +=
        status == DWQ_OK && !before;
    return status;
}

/* What its worker holds behind the oldest, which runs, and did not come back: it may
 * be started, or be returned. */
static dwq_status_t cancel_held(struct dwqi_dispatcher *d, int worker)
{
    struct dwqi_job *job = dwqi_scheduler_held(d->scheduler, worker);
    dwq_status_t status = DWQ_OK;

    if (d->in_place || !job || !job->next) {
        return DWQ_OK;
    }
    status = dwqi_dispatcher_recall(d, worker, NULL);
    job = dwqi_scheduler_held(d->scheduler, worker);
    for (job = job ? job->next : NULL; job && status == DWQ_OK;
         job = job->next) {
        status = mark(d, dwqi_task_of(job));
    }
    dwqi_dispatcher_tell_cancelled(d, worker);
    return status;
}

static dwq_status_t cancel_all(struct dwqi_dispatcher *d)
{
    dwq_status_t status = DWQ_OK;

    for (int w = 1; w <= d->cells.n && status == DWQ_OK; w++) {
        status = cancel_held(d, w);
    }
    dwqi_dispatcher_drop_waiting(d, DWQI_EVENT_CANCEL, "cancelled");
    return status;
}

static dwq_status_t cancel_waiting(struct dwqi_dispatcher *d,
                                   struct dwqi_task *task)
{
    dwqi_scheduler_remove(d->scheduler, &task->job);
    return dwqi_dispatcher_end_local(d, task, DWQI_EVENT_CANCEL, "cancelled");
}

/* Others that came back with it go out again. */
static dwq_status_t ask_back(struct dwqi_dispatcher *d, struct dwqi_task *task)
{
    dwq_status_t status = dwqi_dispatcher_recall(d, task->worker, NULL);

    if (status != DWQ_OK) {
        return status;
    }
    if (task->entry.state == DWQI_TASK_QUEUED) {
        status = cancel_waiting(d, task);
    } else if (task->entry.state != DWQI_TASK_DONE) {
        /* A time limit that has passed ends it. */
        status = mark(d, task);
        dwqi_dispatcher_tell_cancelled(d, task->worker);
    }
    return status == DWQ_OK ? dwqi_dispatcher_dispatch(d) : status;
}

dwq_status_t dwqi_dispatcher_cancel(struct dwqi_dispatcher *d, uint64_t id,
                                    struct dwqi_error *error)
{
    struct dwqi_task *task;
    bool moved;
    dwq_status_t status = dwqi_dispatcher_step(d, &moved);

    if (status != DWQ_OK || id == 0) {
        return status == DWQ_OK ? cancel_all(d) : status;
    }
    task = dwqi_task_find(&d->tasks, id);
    if (!task) {
        return dwqi_error_set(
            error, DWQ_E_ID,
            "no task has the id %" PRIu64 ", or its result was collected", id);
    }
    if (task->entry.state == DWQI_TASK_QUEUED) {
        return cancel_waiting(d, task);
    }
    /* The oldest that a worker holds is running, and in place all are. */
    if (!dwqi_task_edges[task->entry.state][DWQI_EVENT_CANCEL].allowed ||
        ((d->in_place ||
          dwqi_scheduler_held(d->scheduler, task->worker) == &task->job) &&
         !hears(d, task->worker))) {
        return dwqi_error_set(error, DWQ_E_STATE,
                              "task %" PRIu64 " has started, or is done", id);
    }
    return ask_back(d, task);
}

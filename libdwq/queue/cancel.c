/* A task that waits is over at once; one that a worker holds comes back, or is asked to
 * stop. */
#include <inttypes.h>
#include <utlist.h>

#include "libdwq/queue/controller_private.h"

/* The task that the worker runs, or runs next, as far as is known: the newest that it has
 * claimed (also to give it back), else the oldest. NULL: it was sent none. */
static const struct dwqi_task *current_task(const dwq_controller_t *c,
                                            const struct dwqi_cell *cell,
                                            int worker)
{
    uint32_t n_claimed = atomic_load(&cell->desk->n_claimed);
    const struct dwqi_task *current = NULL;
    struct dwqi_job *job = dwqi_scheduler_held(c->scheduler, worker);

    for (; job && job != cell->unsent; job = job->next) {
        const struct dwqi_task *task = dwqi_task_of(job);

        if (!current || (int32_t)(n_claimed - task->number) > 0) {
            current = task;
        }
    }
    return current;
}

void dwqi_controller_tell_cancelled(dwq_controller_t *c, int worker)
{
    struct dwqi_cell *cell = dwqi_controller_cell(c, worker);
    const struct dwqi_task *current;
    struct dwqi_job *job;

    if (!cell->has_cancelled || !cell->desk) {
        return;
    }
    current = current_task(c, cell, worker);
    atomic_store(&cell->desk->cancelled,
                 current && current->entry.state == DWQI_TASK_ASKED_BACK
                     ? current->id
                     : 0);
    cell->has_cancelled = false;
    DL_FOREACH(dwqi_scheduler_held(c->scheduler, worker), job)
    {
        cell->has_cancelled |=
            dwqi_task_of(job)->entry.state == DWQI_TASK_ASKED_BACK;
    }
}

/* What its worker holds behind the oldest, which runs, and did not come back: it may
 * be started, or be returned. */
static dwq_status_t cancel_held(dwq_controller_t *c, int worker)
{
    struct dwqi_job *job = dwqi_scheduler_held(c->scheduler, worker);
    dwq_status_t status = DWQ_OK;

    if (!job || !job->next) {
        return DWQ_OK;
    }
    status = dwqi_controller_recall(c, worker);
    job = dwqi_scheduler_held(c->scheduler, worker);
    for (job = job ? job->next : NULL; job && status == DWQ_OK;
         job = job->next) {
        status =
            dwqi_task_step(&c->ledger, dwqi_task_of(job), DWQI_EVENT_CANCEL);
    }
    dwqi_controller_cell(c, worker)->has_cancelled = true;
    dwqi_controller_tell_cancelled(c, worker);
    return status;
}

static dwq_status_t cancel_all(dwq_controller_t *c)
{
    dwq_status_t status = DWQ_OK;

    for (int w = 1; w <= c->config.n_workers && status == DWQ_OK; w++) {
        status = cancel_held(c, w);
    }
    dwqi_controller_drop_waiting(c, DWQI_EVENT_CANCEL, "cancelled");
    return status;
}

static dwq_status_t cancel_waiting(dwq_controller_t *c, struct dwqi_task *task)
{
    dwqi_scheduler_remove(c->scheduler, &task->job);
    return dwqi_controller_end_local(c, task, DWQI_EVENT_CANCEL, "cancelled");
}

/* Others that came back with it go out again. */
static dwq_status_t ask_back(dwq_controller_t *c, struct dwqi_task *task)
{
    dwq_status_t status = dwqi_controller_recall(c, task->worker);

    if (status != DWQ_OK) {
        return status;
    }
    if (task->entry.state == DWQI_TASK_QUEUED) {
        status = cancel_waiting(c, task);
    } else if (task->entry.state != DWQI_TASK_DONE) {
        /* A time limit that has passed ends it. */
        status = dwqi_task_step(&c->ledger, task, DWQI_EVENT_CANCEL);
        dwqi_controller_cell(c, task->worker)->has_cancelled = true;
        dwqi_controller_tell_cancelled(c, task->worker);
    }
    return status == DWQ_OK ? dwqi_controller_dispatch(c) : status;
}

static dwq_status_t cancel(dwq_controller_t *c, uint64_t id)
{
    struct dwqi_task *task;
    bool moved;
    dwq_status_t status = dwqi_controller_step(c, &moved);

    if (status != DWQ_OK || id == 0) {
        return dwqi_controller_answer(c, status == DWQ_OK ? cancel_all(c)
                                                          : status);
    }
    task = dwqi_task_find(&c->tasks, id);
    if (!task) {
        return dwqi_error_set(
            &c->error, DWQ_E_ID,
            "no task has the id %" PRIu64 ", or its result was collected", id);
    }
    if (task->entry.state == DWQI_TASK_QUEUED) {
        return cancel_waiting(c, task);
    }
    /* The oldest that a worker holds is running; without shared memory no word reaches
     * it there. */
    if (!dwqi_task_edges[task->entry.state][DWQI_EVENT_CANCEL].allowed ||
        task->worker == 0 ||
        (!dwqi_controller_cell(c, task->worker)->desk &&
         dwqi_scheduler_held(c->scheduler, task->worker) == &task->job)) {
        return dwqi_error_set(&c->error, DWQ_E_STATE,
                              "task %" PRIu64 " has started, or is done", id);
    }
    return dwqi_controller_answer(c, ask_back(c, task));
}

dwq_status_t dwq_controller_cancel(dwq_controller_t *controller, uint64_t id)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(controller, cancel(controller, id))
               : status;
}

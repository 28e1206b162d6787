/* Cells that serve no more: they withdrew, cannot be trusted, or their ranks are dead. What
 * the dead had not started goes to others; what they had started is run again, as long as
 * the task has retries left. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "libdwq/queue/lost.h"

/* --- What was for it --------------------------------------------------------- */

void dwqi_dispatcher_drop_held(struct dwqi_dispatcher *d, int worker,
                               enum dwqi_task_event event, const char *message)
{
    struct dwqi_job *job;

    dwqi_dispatcher_cell(d, worker)->unsent = NULL;
    while ((job = dwqi_scheduler_held(d->scheduler, worker)) != NULL) {
        dwqi_scheduler_done(d->scheduler, job);
        (void)dwqi_dispatcher_end_local(d, dwqi_task_of(job), event, message);
    }
}

/* What waits for it alone; and, if it was the last, all that waits. */
static void drop_bound(struct dwqi_dispatcher *d, int worker,
                       const char *message)
{
    struct dwqi_job *job;

    while ((job = dwqi_scheduler_any_bound(d->scheduler, worker)) != NULL) {
        dwqi_scheduler_remove(d->scheduler, job);
        if (!dwqi_dispatcher_refit(d, dwqi_task_of(job))) {
            (void)dwqi_dispatcher_end_local(d, dwqi_task_of(job),
                                            DWQI_EVENT_LOSE, message);
        }
    }
    if (dwqi_scheduler_n_gone(d->scheduler) == d->cells.n) {
        dwqi_dispatcher_drop_waiting(d, DWQI_EVENT_LOSE,
                                     "every worker has left the run");
    }
}

/* --- It lives ----------------------------------------------------------------- */

void dwqi_dispatcher_let_go(struct dwqi_dispatcher *d, int worker,
                            const char *reason)
{
    char message[256];

    dwqi_plain_format(message, sizeof message, "worker %d is gone: %s", worker,
                      reason);
    dwqi_log_warning(d->config.log, "%s", message);
    dwqi_scheduler_worker_gone(d->scheduler, worker);
    (void)dwqi_dispatcher_take_unstarted(d, worker, NULL);
    dwqi_dispatcher_drop_held(d, worker, DWQI_EVENT_LOSE, message);
    drop_bound(d, worker, message);
}

void dwqi_dispatcher_distrust(struct dwqi_dispatcher *d, int worker,
                              const char *why)
{
    char reason[160];

    dwqi_plain_format(reason, sizeof reason, "a message could not be read: %s",
                      why);
    dwqi_dispatcher_cell_step(d, worker, DWQI_CELL_EVENT_LOSE);
    dwqi_dispatcher_let_go(d, worker, reason);
}

/* --- It is dead ----------------------------------------------------------------- */

/* Whether its cell may have entered the function of this task, the `first` that it holds or
 * one behind it. On this host each task that starts is claimed; elsewhere those behind the
 * first wait for it. */
static bool may_have_started(const struct dwqi_cell *cell,
                             const struct dwqi_task *task, bool first)
{
    return cell->desk ? (int32_t)(atomic_load(&cell->desk->n_claimed) -
                                  task->number) > 0
                      : first;
}

/* Behind what is kept of earlier attempts. Without memory it is said in the log alone. */
void dwqi_dispatcher_note_loss(struct dwqi_task *task, const char *why)
{
    char text[DWQI_WHY_LOST_MAX];
    const char *before = task->why_lost ? task->why_lost : "";
    char *copy;

    dwqi_plain_format(
        text, sizeof text, "%s%sattempt %" PRIu32 ", worker %d: %s", before,
        *before ? "; " : "", task->entry.attempt, task->worker, why);
    copy = strdup(text);
    if (copy) {
        free(task->why_lost);
        task->why_lost = copy;
    }
    task->n_lost++;
}

/* Whether a call that was under way is to run once more. */
static bool is_tried_again(const struct dwqi_dispatcher *d,
                           const struct dwqi_task *task)
{
    return task->n_lost <= task->retries && !d->cancels_all &&
           !d->limit_passed && d->now < d->config.time_limit &&
           dwqi_task_edges[task->entry.state][DWQI_EVENT_AGAIN].allowed;
}

/* To its place in the queue. */
static dwq_status_t requeue(struct dwqi_dispatcher *d, struct dwqi_task *task,
                            enum dwqi_task_event event)
{
    dwqi_scheduler_give_back(d->scheduler, &task->job);
    task->worker = 0;
    return dwqi_task_step(&d->ledger, task, event);
}

static dwq_status_t lose_started(struct dwqi_dispatcher *d,
                                 struct dwqi_task *task, const char *why)
{
    dwqi_dispatcher_note_loss(task, why);
    if (is_tried_again(d, task)) {
        return requeue(d, task, DWQI_EVENT_AGAIN);
    }
    dwqi_scheduler_done(d->scheduler, &task->job);
    return dwqi_dispatcher_end_local(d, task, DWQI_EVENT_LOSE,
                                     "its worker was lost");
}

static dwq_status_t lose_held(struct dwqi_dispatcher *d, int worker,
                              const char *why)
{
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);
    struct dwqi_job *job = dwqi_scheduler_held(d->scheduler, worker), *next;
    dwq_status_t status = DWQ_OK;
    bool first = true, unsent = false;

    for (; job && status == DWQ_OK; job = next, first = false) {
        struct dwqi_task *task = dwqi_task_of(job);

        next = job->next;
        unsent = unsent || job == cell->unsent;
        if (!unsent && may_have_started(cell, task, first)) {
            status = lose_started(d, task, why);
        } else {
            status = dwqi_dispatcher_take_back(d, task);
        }
    }
    cell->unsent = NULL;
    return status;
}

dwq_status_t dwqi_dispatcher_lose_cell(struct dwqi_dispatcher *d, int worker,
                                       const char *why)
{
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);
    bool is_over = dwqi_cell_is_over(cell);
    char message[256];
    dwq_status_t status;

    if (cell->state == DWQI_CELL_GONE) {
        return DWQ_OK;
    }
    dwqi_dispatcher_cell_step(d, worker, DWQI_CELL_EVENT_DIE);
    if (is_over) { /* what it held has its results */
        return DWQ_OK;
    }
    dwqi_plain_format(message, sizeof message, "worker %d is lost: %s", worker,
                      why);
    dwqi_log_warning(d->config.log, "%s", message);
    dwqi_scheduler_worker_gone(d->scheduler, worker);
    status = lose_held(d, worker, why);
    drop_bound(d, worker, message);
    return status;
}

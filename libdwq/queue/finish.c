/* Tasks that are over: their ends, and the list of those that can be collected. */
#include <stdio.h>
#include <utlist.h>

#include "libdwq/queue/dispatcher.h"

static inline void settle(struct dwqi_dispatcher *d, struct dwqi_task *task,
                          enum dwqi_task_event event)
{
    bool is_over = task->entry.state == DWQI_TASK_SETTLING;

    if (dwqi_task_step(&d->ledger, task, event) != DWQ_OK || !is_over) {
        return;
    }
    if (!dwqi_task_is_sent(task)) {
        /* Results may wait long for their collection; arguments need not. */
        dwqi_task_drop_pack(task);
    }
    DL_APPEND(d->done, task);
    d->n_done++;
}

void dwqi_dispatcher_settled(struct dwqi_dispatcher *d, struct dwqi_task *task,
                             enum dwqi_task_event event)
{
    settle(d, task, event);
}

static inline dwq_status_t end(struct dwqi_dispatcher *d,
                               struct dwqi_step *step,
                               struct dwqi_outcome *outcome)
{
    struct dwqi_task *task = step->task;
    dwq_status_t status = dwqi_ledger_step(&d->ledger, step);

    if (status != DWQ_OK) {
        dwqi_outcome_destroy(outcome);
        return status;
    }
    task->outcome = outcome;
    if (!dwqi_task_is_sent(task)) {
        settle(d, task, DWQI_EVENT_SENT);
    } else if (d->grace_passed) {
        settle(d, task, DWQI_EVENT_FORSAKE);
    }
    return DWQ_OK;
}

/* What became of its attempts is said, too. */
static struct dwqi_outcome *outcome_of_lost(const struct dwqi_task *task,
                                            const char *message)
{
    char text[DWQI_WHY_LOST_MAX + 300];

    snprintf(text, sizeof text, "%s (%s)", message, task->why_lost);
    return dwqi_outcome_create_local(DWQ_E_WORKER, text);
}

dwq_status_t dwqi_dispatcher_end_local(struct dwqi_dispatcher *d,
                                       struct dwqi_task *task,
                                       enum dwqi_task_event event,
                                       const char *message)
{
    static const dwq_status_t statuses[] = {
        [DWQI_END_CANCELLED] = DWQ_E_CANCELLED,
        [DWQI_END_LIMIT] = DWQ_E_TIME_LIMIT,
        [DWQI_END_LOST] = DWQ_E_WORKER,
    };
    struct dwqi_task_edge edge = dwqi_task_edges[task->entry.state][event];

    return end(d, &(struct dwqi_step){ .task = task, .event = event },
               edge.end == DWQI_END_LOST && task->why_lost
                   ? outcome_of_lost(task, message)
                   : dwqi_outcome_create_local(statuses[edge.end], message));
}

dwq_status_t dwqi_dispatcher_end_reported(struct dwqi_dispatcher *d,
                                          struct dwqi_task *task,
                                          struct dwqi_outcome *outcome,
                                          double seconds, int n_behind)
{
    const struct dwqi_worker_stats *stats =
        &dwqi_dispatcher_cell(d, task->worker)->stats;
    struct dwqi_step step = { .task = task,
                              .event = DWQI_EVENT_RESULT,
                              .n_behind = n_behind,
                              .seconds = seconds };
    dwq_status_t status = end(d, &step, outcome);

    if (status == DWQ_OK && outcome && seconds >= 0) {
        dwqi_outcome_set_totals(outcome, stats->n_calls, stats->time);
    }
    return status;
}

void dwqi_dispatcher_drop_waiting(struct dwqi_dispatcher *d,
                                  enum dwqi_task_event event,
                                  const char *message)
{
    struct dwqi_job *job;

    while ((job = dwqi_scheduler_any_waiting(d->scheduler)) != NULL) {
        dwqi_scheduler_remove(d->scheduler, job);
        (void)dwqi_dispatcher_end_local(d, dwqi_task_of(job), event, message);
    }
}

static void take_done(struct dwqi_dispatcher *d, struct dwqi_task *task)
{
    DL_DELETE(d->done, task);
    d->n_done--;
}

void dwqi_dispatcher_take(struct dwqi_dispatcher *d, struct dwqi_task *task,
                          dwq_result_t *result_out)
{
    take_done(d, task);
    dwqi_outcome_give(task->outcome, task->job.time_est, result_out);
    task->outcome = NULL;
    result_out->id = task->id;
    result_out->worker = d->in_place ? 0 : task->worker;
    result_out->attempts = (int)task->entry.attempt;
    d->stats.n_collected++;
    d->stats.n_failed += result_out->status != DWQ_OK;
    (void)dwqi_task_step(&d->ledger, task, DWQI_EVENT_COLLECT);
    dwqi_task_remove(&d->tasks, task);
}

void dwqi_dispatcher_drop(struct dwqi_dispatcher *d, struct dwqi_task *task)
{
    if (task->entry.state == DWQI_TASK_QUEUED) {
        dwqi_scheduler_remove(d->scheduler, &task->job);
    } else if (task->entry.state == DWQI_TASK_DONE) {
        take_done(d, task);
    }
    (void)dwqi_task_step(&d->ledger, task, DWQI_EVENT_DROP);
    dwqi_task_remove(&d->tasks, task);
}

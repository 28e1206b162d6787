#include "libdwq/queue/dispatcher.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static void log_step(void *arg, const struct dwqi_step *step)
{
    const struct dwqi_dispatcher *d = arg;
    const struct dwqi_task *task = step->task;

    if (!d->in_place) {
        dwqi_log_info(d->config.log,
                      step->event == DWQI_EVENT_ASSIGN
                          ? "task %" PRIu64 " to worker %d"
                          : "task %" PRIu64 " done by worker %d",
                      task->id, task->worker);
    }
}

static void watch_steps(struct dwqi_dispatcher *d)
{
    const struct dwqi_observer observers[] = {
        { DWQI_STATS_EVENTS, dwqi_stats_see, &d->stats, NULL },
        { DWQI_RATES_EVENTS, dwqi_rates_see, NULL, NULL },
        { DWQI_EVENT_BIT(ASSIGN) | DWQI_EVENT_BIT(RESULT), log_step, d, NULL },
    };
    size_t n = d->config.log->verbose ? 3 : 2;

    d->ledger.log = d->config.log;
    for (size_t i = 0; i < n; i++) {
        d->observers[i] = observers[i];
        dwqi_ledger_watch(&d->ledger, &d->observers[i]);
    }
}

dwq_status_t dwqi_dispatcher_init(struct dwqi_dispatcher *d,
                                  const struct dwqi_dispatcher_config *config)
{
    *d = (struct dwqi_dispatcher){ .config = *config, .leave_end = INFINITY };
    d->tasks.scratch.pool = config->pool;
    d->tasks.est_seconds = config->time_est_seconds;
    d->tasks.retry_failed = config->retry_failed;
    d->tasks.retries = config->retries;
    d->stats.cells = &d->cells;
    d->scheduler =
        dwqi_scheduler_create(0, config->queue_order, config->held_max);
    d->parts = calloc((size_t)config->held_max + 1, sizeof *d->parts);
    if (!d->scheduler || !d->parts ||
        dwqi_cell_list_init(&d->cells) != DWQ_OK) {
        dwqi_dispatcher_finish(d);
        return DWQ_E_NOMEM;
    }
    d->n_waiting = dwqi_scheduler_waiting(d->scheduler);
    watch_steps(d);
    return DWQ_OK;
}

void dwqi_dispatcher_finish(struct dwqi_dispatcher *d)
{
    dwqi_tasks_finish(&d->tasks);
    dwqi_cell_list_finish(&d->cells);
    free(d->parts);
    dwqi_scheduler_destroy(d->scheduler);
}

/* Whether it can never run: it is over, then. */
static bool is_late(struct dwqi_dispatcher *d, struct dwqi_task *task)
{
    double limit = d->config.time_limit;

    if (d->limit_passed ||
        (!isinf(limit) && dwqi_now(d->config.transport) >= limit)) {
        (void)dwqi_dispatcher_end_local(d, task, DWQI_EVENT_LIMIT,
                                        "the time limit has passed");
        return true;
    }
    if (task->job.binding
            ? dwqi_scheduler_is_gone(d->scheduler, task->job.worker)
            : dwqi_scheduler_n_gone(d->scheduler) == d->cells.n) {
        (void)dwqi_dispatcher_end_local(
            d, task, DWQI_EVENT_LOSE,
            "every worker that fits the task has left");
        return true;
    }
    return false;
}

dwq_status_t dwqi_dispatcher_enter(struct dwqi_dispatcher *d,
                                   struct dwqi_task *task)
{
    dwq_status_t status;

    if (is_late(d, task)) {
        return DWQ_OK;
    }
    status = dwqi_scheduler_add(d->scheduler, &task->job);
    return status == DWQ_OK ? dwqi_task_step(&d->ledger, task, DWQI_EVENT_QUEUE)
                            : status;
}

struct dwqi_backlog dwqi_dispatcher_backlog(const struct dwqi_dispatcher *d)
{
    return (struct dwqi_backlog){
        .n_queued = dwqi_scheduler_n_waiting(d->scheduler),
        .n_running = dwqi_scheduler_n_running(d->scheduler),
        .n_ready = d->n_done,
    };
}

/* Tasks that are over, and the calls that collect them. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <utlist.h>

#include "libdwq/base/clock.h"
#include "libdwq/queue/controller_private.h"

static inline void settle(dwq_controller_t *c, struct dwqi_task *task,
                          enum dwqi_task_event event)
{
    bool is_over = task->entry.state == DWQI_TASK_SETTLING;

    if (dwqi_task_step(&c->ledger, task, event) != DWQ_OK || !is_over) {
        return;
    }
    if (!dwqi_task_is_sent(task)) {
        /* Results may wait long for their collection; arguments need not. */
        dwqi_task_drop_pack(task);
    }
    DL_APPEND(c->done, task);
    c->n_done++;
}

void dwqi_controller_settled(dwq_controller_t *c, struct dwqi_task *task,
                             enum dwqi_task_event event)
{
    settle(c, task, event);
}

static inline dwq_status_t end(dwq_controller_t *c, struct dwqi_step *step,
                               struct dwqi_outcome *outcome)
{
    struct dwqi_task *task = step->task;
    dwq_status_t status = dwqi_ledger_step(&c->ledger, step);

    if (status != DWQ_OK) {
        dwqi_outcome_destroy(outcome);
        return status;
    }
    task->outcome = outcome;
    if (!dwqi_task_is_sent(task)) {
        settle(c, task, DWQI_EVENT_SENT);
    } else if (c->grace_passed) {
        settle(c, task, DWQI_EVENT_FORSAKE);
    }
    return DWQ_OK;
}

dwq_status_t dwqi_controller_end_local(dwq_controller_t *c,
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

    return end(c, &(struct dwqi_step){ .task = task, .event = event },
               dwqi_outcome_create_local(statuses[edge.end], message));
}

dwq_status_t dwqi_controller_end_reported(dwq_controller_t *c,
                                          struct dwqi_task *task,
                                          struct dwqi_outcome *outcome,
                                          double seconds, int n_behind)
{
    const struct dwqi_worker_stats *stats =
        &dwqi_controller_cell(c, task->worker)->stats;
    struct dwqi_step step = { .task = task,
                              .event = DWQI_EVENT_RESULT,
                              .n_behind = n_behind,
                              .seconds = seconds };
    dwq_status_t status = end(c, &step, outcome);

    if (status == DWQ_OK && outcome && seconds >= 0) {
        dwqi_outcome_set_totals(outcome, stats->n_calls, stats->time);
    }
    return status;
}

void dwqi_controller_drop_waiting(dwq_controller_t *c,
                                  enum dwqi_task_event event,
                                  const char *message)
{
    struct dwqi_job *job;

    while ((job = dwqi_scheduler_any_waiting(c->scheduler)) != NULL) {
        dwqi_scheduler_remove(c->scheduler, job);
        (void)dwqi_controller_end_local(c, dwqi_task_of(job), event, message);
    }
}

bool dwqi_controller_settle(dwq_controller_t *c, struct dwqi_task *task)
{
    const struct dwqi_controller_config *config = &c->config;
    double now = isinf(config->time_limit) ? 0
                 : config->transport       ? dwqi_now(config->transport)
                                           : dwqi_clock_now();

    if (c->limit_passed || now >= config->time_limit) {
        (void)dwqi_controller_end_local(c, task, DWQI_EVENT_LIMIT,
                                        "the time limit has passed");
        return true;
    }
    if (config->n_workers == 0 ? !c->in_place
        : task->job.binding
            ? dwqi_scheduler_is_gone(c->scheduler, task->job.worker)
            : dwqi_scheduler_n_gone(c->scheduler) == config->n_workers) {
        (void)dwqi_controller_end_local(
            c, task, DWQI_EVENT_LOSE,
            "every worker that fits the task has left");
        return true;
    }
    return false;
}

/* Call it here, as if its item had come in a message. */
static dwq_status_t call_in_place(dwq_controller_t *c, struct dwqi_task *task,
                                  struct dwqi_done *done_out)
{
    struct dwqi_pack *pack = &task->pack;
    struct dwqi_executor *executor = c->config.executor;
    struct dwqi_task_head head;
    void *item = dwqi_pool_get(c->config.pool, pack->size);
    dwq_status_t status;

    dwqi_pack_set_attempt(pack, task->entry.attempt);
    dwqi_task_head_read(pack->block, pack->size, &head);
    if (!item) {
        return dwqi_executor_fail(executor, &head, head.size, done_out);
    }
    dwqi_pack_copy(pack, item);
    if (task->entry.attempt > task->retry_failed) {
        dwqi_task_drop_pack(task); /* two copies are enough */
    }
    status = dwqi_executor_run(executor, item, &head, NULL, done_out);
    dwqi_pool_give(item);
    return status;
}

/* NULL: no memory. */
static struct dwqi_outcome *make_outcome(dwq_controller_t *c,
                                         const struct dwqi_pack *pack)
{
    struct dwqi_outcome *outcome = NULL;
    void *part = dwqi_pool_get(c->config.pool, pack->size);

    if (part) {
        dwqi_pack_copy(pack, part);
        if (dwqi_outcome_create(part, pack->size, part, &outcome) != DWQ_OK) {
            dwqi_pool_give(part);
        }
    }
    return outcome;
}

/* One attempt; NULL: no memory for what came of it, of so many bytes. */
static dwq_status_t try_in_place(dwq_controller_t *c, struct dwqi_task *task,
                                 struct dwqi_outcome **outcome_out,
                                 size_t *size_out)
{
    struct dwqi_done done = { .owned = NULL };
    dwq_status_t status = dwqi_task_step(&c->ledger, task, DWQI_EVENT_ASSIGN);

    if (status == DWQ_OK) {
        status = dwqi_task_step(&c->ledger, task, DWQI_EVENT_START);
    }
    if (status != DWQ_OK) {
        return status;
    }
    c->n_in_place++;
    *outcome_out = call_in_place(c, task, &done) == DWQ_OK
                       ? make_outcome(c, &done.pack)
                       : NULL;
    c->n_in_place--;
    *size_out = done.pack.size;
    dwqi_done_finish(&done);
    return DWQ_OK;
}

dwq_status_t dwqi_controller_run_in_place(dwq_controller_t *c,
                                          struct dwqi_task *task)
{
    struct dwqi_outcome *outcome = NULL;
    char text[DWQI_NO_MEMORY_SIZE];
    size_t size = 0;
    dwq_status_t status = dwqi_task_step(&c->ledger, task, DWQI_EVENT_QUEUE);

    if (status == DWQ_OK) {
        status = try_in_place(c, task, &outcome, &size);
    }
    while (status == DWQ_OK &&
           dwqi_controller_is_tried_again(c, task, outcome)) {
        dwqi_outcome_destroy(outcome);
        status = dwqi_task_step(&c->ledger, task, DWQI_EVENT_AGAIN);
        if (status == DWQ_OK) {
            status = try_in_place(c, task, &outcome, &size);
        }
    }
    if (status != DWQ_OK) {
        return status;
    }
    if (outcome) {
        return dwqi_controller_end_reported(c, task, outcome,
                                            dwqi_outcome_time(outcome), 0);
    }
    dwqi_no_memory_text(text, c->config.log, "the result", size);
    return dwqi_controller_end_reported(
        c, task, dwqi_outcome_create_local(DWQ_E_NOMEM, text), -1, 0);
}

/* --- Collecting --------------------------------------------------------- */

void dwqi_controller_take_done(dwq_controller_t *c, struct dwqi_task *task)
{
    DL_DELETE(c->done, task);
    c->n_done--;
}

static void take(dwq_controller_t *c, struct dwqi_task *task,
                 dwq_result_t *result_out)
{
    dwqi_controller_take_done(c, task);
    dwqi_outcome_give(task->outcome, task->job.time_est, result_out);
    task->outcome = NULL;
    result_out->id = task->id;
    result_out->worker = task->worker;
    result_out->attempts = (int)task->entry.attempt;
    c->stats.n_collected++;
    c->stats.n_failed += result_out->status != DWQ_OK;
    (void)dwqi_task_step(&c->ledger, task, DWQI_EVENT_COLLECT);
    dwqi_task_remove(&c->tasks, task);
}

/* Where a result goes is not NULL. */
static dwq_status_t check(dwq_controller_t *c, const void *result_out)
{
    return result_out
               ? DWQ_OK
               : dwqi_error_set(&c->error, DWQ_E_ARG, "result_out is NULL");
}

static dwq_status_t take_one(dwq_controller_t *controller, uint64_t id,
                             dwq_result_t *result_out)
{
    struct dwqi_task *task;
    dwq_status_t status = check(controller, result_out);

    if (status != DWQ_OK) {
        return status;
    }
    task = dwqi_task_find(&controller->tasks, id);
    if (!task) {
        return dwqi_error_set(
            &controller->error, DWQ_E_ID,
            "no task has the id %" PRIu64 ", or its result was collected", id);
    }
    while (task->entry.state != DWQI_TASK_DONE) {
        status = dwqi_controller_turn(controller, INFINITY);
        if (status != DWQ_OK) {
            return dwqi_controller_answer(controller, status);
        }
    }
    take(controller, task, result_out);
    return DWQ_OK;
}

dwq_status_t dwq_controller_get_result(dwq_controller_t *controller,
                                       uint64_t id, dwq_result_t *result_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(controller,
                                       take_one(controller, id, result_out))
               : status;
}

/* The oldest of the results that are there, or the first that comes until `end` (on the
 * transport's clock; INFINITY: however long). */
static dwq_status_t take_next(dwq_controller_t *c, double end,
                              dwq_result_t *result_out)
{
    dwq_status_t status = check(c, result_out);

    while (status == DWQ_OK && !c->done) {
        status =
            c->tasks.map.n == 0 ? DWQ_E_EMPTY : dwqi_controller_turn(c, end);
        if (status == DWQ_OK && !c->done && !isinf(end) &&
            dwqi_now(c->config.transport) >= end) {
            status = DWQ_E_AGAIN;
        }
        dwqi_controller_answer(c, status);
    }
    if (status == DWQ_OK) {
        take(c, c->done, result_out);
    }
    return status;
}

dwq_status_t dwq_controller_get_next_result(dwq_controller_t *controller,
                                            dwq_result_t *result_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(
                     controller, take_next(controller, INFINITY, result_out))
               : status;
}

static dwq_status_t probe(dwq_controller_t *controller,
                          dwq_result_t *result_out)
{
    bool moved;
    dwq_status_t status = check(controller, result_out);

    if (status != DWQ_OK) {
        return status;
    }
    status = dwqi_controller_step(controller, &moved);
    if (controller->done) {
        take(controller, controller->done, result_out);
        return DWQ_OK;
    }
    if (status == DWQ_OK) {
        status = controller->tasks.map.n == 0 ? DWQ_E_EMPTY : DWQ_E_AGAIN;
    }
    return dwqi_controller_answer(controller, status);
}

dwq_status_t dwq_controller_probe_next_result(dwq_controller_t *controller,
                                              dwq_result_t *result_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK ? dwqi_controller_leave(
                                  controller, probe(controller, result_out))
                            : status;
}

static dwq_status_t wait_for_next(dwq_controller_t *controller, double seconds,
                                  dwq_result_t *result_out)
{
    if (result_out && !(seconds >= 0)) {
        return dwqi_error_set(&controller->error, DWQ_E_ARG,
                              "seconds is %g: it is 0 or more", seconds);
    }
    if (seconds == 0 || (!controller->config.transport && !isinf(seconds))) {
        return probe(controller, result_out);
    }
    return take_next(controller,
                     isinf(seconds)
                         ? INFINITY
                         : dwqi_now(controller->config.transport) + seconds,
                     result_out);
}

dwq_status_t dwq_controller_wait_next_result(dwq_controller_t *controller,
                                             double seconds,
                                             dwq_result_t *result_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(
                     controller, wait_for_next(controller, seconds, result_out))
               : status;
}

static dwq_status_t probe_all(dwq_controller_t *controller,
                              dwq_result_t *results_out, size_t max,
                              size_t *n_out)
{
    bool moved;
    size_t n = 0;
    dwq_status_t status;

    if (!n_out || (max > 0 && !results_out)) {
        return dwqi_error_set(&controller->error, DWQ_E_ARG,
                              n_out ? "results_out is NULL, and max is %zu"
                                    : "n_out is NULL (max is %zu)",
                              max);
    }
    status = dwqi_controller_step(controller, &moved);
    while (n < max && controller->done) {
        take(controller, controller->done, &results_out[n]);
        n++;
    }
    *n_out = n;
    return dwqi_controller_answer(controller, n > 0 ? DWQ_OK : status);
}

dwq_status_t dwq_controller_probe_all_next_results(dwq_controller_t *controller,
                                                   dwq_result_t *results_out,
                                                   size_t max, size_t *n_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(
                     controller, probe_all(controller, results_out, max, n_out))
               : status;
}

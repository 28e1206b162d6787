/* What workers tell the controller: ready, done, returned, withdrawn, bye. A
 * message that cannot be is the end of its worker, never of the run. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "libdwq/base/plain.h"
#include "libdwq/core/controller_private.h"

static void drop_bound(dwq_controller_t *c, int worker, const char *message)
{
    struct dwqi_job *job;

    while ((job = dwqi_scheduler_any_bound(c->scheduler, worker)) != NULL) {
        dwqi_scheduler_remove(c->scheduler, job);
        if (!dwqi_controller_refit(c, dwqi_task_of(job))) {
            dwqi_controller_complete_local(c, dwqi_task_of(job), DWQ_E_WORKER,
                                           message);
        }
    }
}

void dwqi_controller_drop_held(dwq_controller_t *c, int worker,
                               dwq_status_t status, const char *message)
{
    struct dwqi_job *job;

    c->workers[worker].unsent = NULL;
    while ((job = dwqi_scheduler_held(c->scheduler, worker)) != NULL) {
        dwqi_scheduler_done(c->scheduler, job);
        dwqi_controller_complete_local(c, dwqi_task_of(job), status, message);
    }
}

static void worker_lost(dwq_controller_t *c, int worker, const char *reason)
{
    char message[256];

    dwqi_plain_format(message, sizeof message, "worker %d is gone: %s", worker,
                      reason);
    dwqi_log_warning(c->config.log, "%s", message);
    dwqi_scheduler_worker_gone(c->scheduler, worker);
    dwqi_controller_drop_held(c, worker, DWQ_E_WORKER, message);
    drop_bound(c, worker, message);
    if (dwqi_scheduler_n_gone(c->scheduler) == c->config.n_workers) {
        dwqi_controller_drop_waiting(c, DWQ_E_WORKER,
                                     "no worker is left: all are gone");
    }
}

static void distrust(dwq_controller_t *c, int worker, const char *why)
{
    char reason[160];

    dwqi_plain_format(reason, sizeof reason, "a message could not be read: %s",
                      why);
    c->workers[worker].lost = true;
    worker_lost(c, worker, reason);
}

static struct dwqi_task *held_task(const dwq_controller_t *c, int worker,
                                   uint64_t id)
{
    struct dwqi_job *job;

    DL_FOREACH(dwqi_scheduler_held(c->scheduler, worker), job)
    {
        if (dwqi_task_of(job)->id == id) {
            return dwqi_task_of(job);
        }
    }
    return NULL;
}

/* Learn from a result how long such calls take, and whether this one held up
 * others. The task is still among those that its worker holds. */
static void learn(dwq_controller_t *c, struct dwqi_task *task, double time)
{
    int behind = dwqi_scheduler_n_held(c->scheduler, task->worker) - 1;

    dwqi_stats_add(&c->stats, &c->worker_stats[task->worker - 1], time,
                   task->job.time_est);
    if (behind > 0 && time > DWQI_HELD_MAX &&
        time > task->job.expected + DWQI_HELD_MAX) {
        c->stats.n_overruns++;
        c->stats.n_delayed += (uint64_t)behind;
    }
    dwqi_rate_learn(task->rate, time, task->job.time_est);
}

/* One result of a task that the worker holds (else DWQ_E_MESSAGE, and nothing
 * is taken); `memory`, if not NULL, is taken. */
static dwq_status_t receive_result(dwq_controller_t *c, int worker,
                                   const void *parts, size_t size, uint64_t id,
                                   void *memory)
{
    struct dwqi_task *task = held_task(c, worker, id);
    struct dwqi_outcome *outcome = NULL;
    dwq_status_t status;

    if (!task) {
        return DWQ_E_MESSAGE;
    }
    status = dwqi_outcome_create(parts, size, memory, &outcome);
    if (status == DWQ_OK) {
        const struct dwqi_worker_stats *stats = &c->worker_stats[worker - 1];

        learn(c, task, dwqi_outcome_time(outcome));
        dwqi_outcome_set_totals(outcome, stats->n_calls, stats->time);
    } else {
        dwqi_pool_give(memory); /* taken in every case */
        outcome = status == DWQ_E_NOMEM
                      ? NULL
                      : dwqi_outcome_create_local(
                            DWQ_E_TASK, "the result could not be read");
    }
    dwqi_log_info(c->config.log, "task %" PRIu64 " done by worker %d", id,
                  worker);
    dwqi_scheduler_done(c->scheduler, &task->job);
    dwqi_controller_complete(c, task, outcome);
    return DWQ_OK;
}

static dwq_status_t receive_done(dwq_controller_t *c, int worker,
                                 struct dwqi_message *message)
{
    size_t at = 0;

    if (!message->body) {
        return DWQ_E_MESSAGE;
    }
    for (uint32_t i = 0; i < message->n_items; i++) {
        const unsigned char *parts = message->body + at;
        bool take = !message->in_frame && message->n_items == 1;
        uint64_t id;
        size_t size;
        dwq_status_t status =
            dwqi_result_size(parts, message->body_size - at, &id, &size);

        if (status != DWQ_OK || (take && !held_task(c, worker, id))) {
            return DWQ_E_MESSAGE;
        }
        status = receive_result(c, worker, parts, size, id,
                                take ? message->memory : NULL);
        if (take) {
            message->memory = NULL;
        }
        if (status != DWQ_OK) {
            return status;
        }
        at += size;
    }
    return DWQ_OK;
}

/* There is no memory for a result; a large one comes alone. */
static dwq_status_t receive_lost(dwq_controller_t *c, int worker,
                                 const struct dwqi_message *message)
{
    struct dwqi_part_head head;
    struct dwqi_task *task = NULL;
    char text[DWQI_NO_MEMORY_SIZE];

    if (dwqi_part_head_read(message->body, message->body_size, &head) ==
        DWQ_OK) {
        task = held_task(c, worker, head.id);
    }
    if (!task || message->n_items != 1) {
        return DWQ_E_MESSAGE;
    }
    learn(c, task, head.this_time);
    dwqi_no_memory_text(text, c->config.log, "the result", message->body_size);
    dwqi_scheduler_done(c->scheduler, &task->job);
    dwqi_controller_complete_local(c, task, DWQ_E_NOMEM, text);
    return DWQ_OK;
}

static dwq_status_t receive_return(dwq_controller_t *c, int worker,
                                   const struct dwqi_message *message)
{
    if (message->body_size < message->n_items * sizeof(uint64_t)) {
        return DWQ_E_MESSAGE;
    }
    c->workers[worker].recalled = false;
    for (uint32_t i = 0; i < message->n_items; i++) {
        struct dwqi_task *task;
        uint64_t id;

        memcpy(&id, message->body + i * sizeof id, sizeof id);
        task = held_task(c, worker, id);
        if (!task) {
            return DWQ_E_MESSAGE;
        }
        c->stats.n_recalled++;
        task->worker = 0;
        task->state = DWQI_TASK_QUEUED;
        dwqi_scheduler_give_back(c->scheduler, &task->job);
        if (task->cancel || c->limit_passed) {
            dwqi_scheduler_remove(c->scheduler, &task->job);
            dwqi_controller_complete_local(
                c, task, task->cancel ? DWQ_E_CANCELLED : DWQ_E_TIME_LIMIT,
                task->cancel ? "cancelled" : "the time limit has passed");
        }
    }
    dwqi_scheduler_worker_pause(c->scheduler, worker, false);
    return DWQ_OK;
}

/* Keeps the message's memory: the data are views into it. */
static dwq_status_t take_ready_data(struct dwqi_ready_data *data,
                                    struct dwqi_message *message)
{
    dwq_values_t values = { 0, NULL };
    dwq_kwargs_t kwargs;
    dwq_status_t status = message->status;

    dwqi_arena_reset(&data->arena);
    data->value = dwq_value_nil();
    if (status == DWQ_OK) {
        status = dwqi_values_unpack(message->body, message->body_size,
                                    &data->arena, &values, &kwargs);
    }
    if (status == DWQ_OK && values.n == 1) {
        dwqi_pool_give(data->memory);
        data->memory = message->memory;
        message->memory = NULL;
        data->value = values.items[0];
        return DWQ_OK;
    }
    return status == DWQ_E_NOMEM ? status : DWQ_E_MESSAGE;
}

static dwq_status_t receive_ready(dwq_controller_t *c, int worker,
                                  struct dwqi_message *message)
{
    dwq_status_t status = message->n_items > 0
                              ? take_ready_data(&c->ready_data[worker], message)
                              : DWQ_OK;

    if (status == DWQ_E_MESSAGE) {
        return status;
    }
    if (status == DWQ_E_NOMEM) {
        dwqi_log_warning(c->config.log,
                         "no memory for the ready data of worker %d: they are "
                         "nil",
                         worker);
    }
    dwqi_scheduler_worker_ready(c->scheduler, worker);
    dwqi_log_info(c->config.log, "worker %d is ready", worker);
    return DWQ_OK;
}

static dwq_status_t receive_withdraw(dwq_controller_t *c, int worker,
                                     const struct dwqi_message *message)
{
    const char *reason = (const char *)message->body;

    if (message->body_size == 0 ||
        memchr(reason, '\0', message->body_size) == NULL) {
        return DWQ_E_MESSAGE;
    }
    c->workers[worker].recalled = false;
    worker_lost(c, worker, reason);
    return DWQ_OK;
}

static dwq_status_t receive_by_tag(dwq_controller_t *c, int worker,
                                   struct dwqi_message *message)
{
    switch (message->tag) {
    case DWQI_READY:
        return receive_ready(c, worker, message);
    case DWQI_DONE:
        return message->status == DWQ_OK ? receive_done(c, worker, message)
                                         : receive_lost(c, worker, message);
    case DWQI_RETURN:
        return receive_return(c, worker, message);
    case DWQI_WITHDRAW:
        return receive_withdraw(c, worker, message);
    case DWQI_BYE:
        c->workers[worker].said_bye = true;
        return DWQ_OK;
    default:
        return DWQ_E_MESSAGE;
    }
}

dwq_status_t dwqi_controller_receive(dwq_controller_t *c,
                                     struct dwqi_message *message)
{
    int worker = message->peer >= 0 && message->peer < c->config.n_peers
                     ? c->worker_of_peer[message->peer]
                     : 0;
    struct dwqi_worker_info *info = &c->workers[worker];
    dwq_status_t status;

    if (worker == 0) {
        dwqi_log_warning(c->config.log,
                         "dropped a message from rank %d, "
                         "which is no worker",
                         message->peer);
        return DWQ_OK;
    }
    info->last_heard = c->now;
    if (info->lost && message->tag != DWQI_BYE) {
        return DWQ_OK; /* what it held has its results already */
    }
    if (message->status != DWQ_OK &&
        !(message->status == DWQ_E_NOMEM &&
          (message->tag == DWQI_DONE || message->tag == DWQI_READY))) {
        distrust(c, worker, message->why);
        return DWQ_OK;
    }
    status = receive_by_tag(c, worker, message);
    if (status == DWQ_E_MESSAGE) {
        distrust(c, worker, dwqi_tag_name(message->tag));
        return DWQ_OK;
    }
    return status;
}

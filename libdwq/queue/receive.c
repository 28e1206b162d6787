/* What workers tell the controller: ready, done, returned, withdrawn, bye. A
 * message that cannot be is the end of its worker, never of the run. */
#include <inttypes.h>
#include <string.h>
#include <utlist.h>

#include "libdwq/queue/lost.h"

/* What a cell says of itself: a word that it cannot say now is a message that cannot
 * be. */
static dwq_status_t said(struct dwqi_dispatcher *d, int worker,
                         enum dwqi_cell_event event)
{
    return dwqi_cell_step(dwqi_dispatcher_cell(d, worker), event) == DWQ_OK
               ? DWQ_OK
               : DWQ_E_MESSAGE;
}

/* A task, which was to be cancelled or not, is out of the hands of its cell, which may be
 * lost, or leave, by now. */
static void held_less(struct dwqi_dispatcher *d, int worker, bool cancelled)
{
    if (dwqi_scheduler_n_held(d->scheduler, worker) == 0 &&
        dwqi_dispatcher_cell(d, worker)->state == DWQI_CELL_BUSY) {
        dwqi_dispatcher_cell_step(d, worker, DWQI_CELL_EVENT_EMPTY);
    }
    dwqi_dispatcher_tell_cancelled(d, worker);
    dwqi_dispatcher_cell(d, worker)->n_cancelled -= cancelled;
}

static struct dwqi_task *held_task(const struct dwqi_dispatcher *d, int worker,
                                   uint64_t id)
{
    struct dwqi_job *job;

    DL_FOREACH(dwqi_scheduler_held(d->scheduler, worker), job)
    {
        if (dwqi_task_of(job)->id == id) {
            return dwqi_task_of(job);
        }
    }
    return NULL;
}

/* The task that a part of a worker reports: one that it holds, in this attempt.
 * DWQ_E_EMPTY: an answer of an attempt that was given up, which changes nothing.
 * DWQ_E_MESSAGE: it cannot be. */
static dwq_status_t find_reported(const struct dwqi_dispatcher *d, int worker,
                                  const struct dwqi_part_head *part,
                                  struct dwqi_task **task_out)
{
    struct dwqi_task *held = held_task(d, worker, part->id);
    const struct dwqi_task *task;

    if (held && held->entry.attempt == part->attempt) {
        *task_out = held;
        return DWQ_OK;
    }
    task = dwqi_task_find(&d->tasks, part->id);
    if (!task || part->attempt == 0 || part->attempt > task->entry.attempt ||
        (part->attempt == task->entry.attempt && task->job.holder != 0)) {
        return DWQ_E_MESSAGE;
    }
    dwqi_log_info(d->config.log,
                  "task %" PRIu64
                  ": dropped what worker %d says of its attempt "
                  "%" PRIu32 ", which was given up",
                  part->id, worker, part->attempt);
    return DWQ_E_EMPTY;
}

/* How many tasks its worker held behind it while it ran: those that were fed came when it
 * had ended. */
static int n_behind(const struct dwqi_dispatcher *d,
                    const struct dwqi_task *task)
{
    const struct dwqi_cell *cell = dwqi_dispatcher_cell(d, task->worker);
    bool ended_before = (int32_t)(task->number - cell->first_fed) < 0;

    return ended_before || d->in_place
               ? 0
               : dwqi_scheduler_n_held(d->scheduler, task->worker) - 1;
}

/* The task is over at its worker. The scheduler looks at the worker again with what
 * is learned from this call. */
static dwq_status_t end_held(struct dwqi_dispatcher *d, struct dwqi_task *task,
                             struct dwqi_outcome *outcome, double seconds)
{
    int behind = n_behind(d, task);
    bool cancelled = task->entry.state == DWQI_TASK_ASKED_BACK;
    dwq_status_t status =
        dwqi_dispatcher_end_reported(d, task, outcome, seconds, behind);

    dwqi_scheduler_done(d->scheduler, &task->job);
    held_less(d, task->worker, cancelled);
    return status;
}

/* Whether a call that was reported is to run once more. */
static bool is_tried_again(const struct dwqi_dispatcher *d,
                           const struct dwqi_task *task,
                           const struct dwqi_outcome *outcome)
{
    bool more =
        dwqi_outcome_status(outcome) == DWQ_E_WORKER
            ? task->n_lost <= task->retries
            : dwqi_outcome_status(outcome) == DWQ_E_TASK &&
                  task->entry.attempt - task->n_lost <= task->retry_failed;

    return more && !d->cancels_all && !d->limit_passed &&
           d->now < d->config.time_limit &&
           dwqi_task_edges[task->entry.state][DWQI_EVENT_AGAIN].allowed;
}

/* It failed, and waits for its next attempt at its place in the queue. */
static dwq_status_t try_again(struct dwqi_dispatcher *d, struct dwqi_task *task)
{
    dwq_status_t status = dwqi_task_step(&d->ledger, task, DWQI_EVENT_AGAIN);

    dwqi_scheduler_give_back(d->scheduler, &task->job);
    held_less(d, task->worker, false);
    task->worker = 0;
    return status;
}

dwq_status_t dwqi_dispatcher_take_result(struct dwqi_dispatcher *d,
                                         struct dwqi_task *task,
                                         const void *parts, size_t size,
                                         void *memory)
{
    struct dwqi_outcome *outcome = NULL;
    dwq_status_t status = dwqi_outcome_create(parts, size, memory, &outcome);

    if (status == DWQ_OK && dwqi_outcome_status(outcome) == DWQ_E_WORKER) {
        dwqi_dispatcher_note_loss(task, dwqi_outcome_message(outcome));
    }
    if (status == DWQ_OK && is_tried_again(d, task, outcome)) {
        dwqi_outcome_destroy(outcome);
        return try_again(d, task);
    }
    if (status == DWQ_OK) {
        return end_held(d, task, outcome, dwqi_outcome_time(outcome));
    }
    dwqi_pool_give(memory);
    if (status != DWQ_E_NOMEM) {
        outcome = dwqi_outcome_create_local(DWQ_E_TASK,
                                            "the result could not be read");
    }
    return end_held(d, task, outcome, -1);
}

dwq_status_t dwqi_dispatcher_lose_result(struct dwqi_dispatcher *d,
                                         struct dwqi_task *task, size_t size,
                                         double seconds)
{
    char text[DWQI_NO_MEMORY_SIZE];

    dwqi_no_memory_text(text, d->config.log, "the result", size);
    return end_held(d, task, dwqi_outcome_create_local(DWQ_E_NOMEM, text),
                    seconds);
}

/* The worker may send so many more, and looks whether it may if it keeps some. */
static void hear_results(struct dwqi_dispatcher *d, int worker, uint32_t n)
{
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);

    cell->n_heard += n;
    if (!cell->desk) {
        return;
    }
    atomic_store_explicit(&cell->desk->n_heard, cell->n_heard,
                          memory_order_release);
    if (atomic_load_explicit(&cell->desk->keeps, memory_order_relaxed)) {
        dwqi_ring(d->config.transport, cell->peer);
    }
}

static dwq_status_t receive_done(struct dwqi_dispatcher *d, int worker,
                                 struct dwqi_message *message)
{
    size_t at = 0;

    if (!message->body) {
        return DWQ_E_MESSAGE;
    }
    hear_results(d, worker, message->n_items);
    for (uint32_t i = 0; i < message->n_items; i++) {
        const unsigned char *parts = message->body + at;
        struct dwqi_task *task;
        struct dwqi_part_head first;
        size_t size = 0;
        dwq_status_t status =
            dwqi_result_size(parts, message->body_size - at, &first, &size);

        if (status == DWQ_OK) {
            status = find_reported(d, worker, &first, &task);
        }
        if (status == DWQ_OK) {
            bool take = !message->in_frame && message->n_items == 1;
            void *memory = take ? message->memory : NULL;

            message->memory = take ? NULL : message->memory;
            status = dwqi_dispatcher_take_result(d, task, parts, size, memory);
        }
        if (status != DWQ_OK && status != DWQ_E_EMPTY) {
            return status;
        }
        at += size;
    }
    return DWQ_OK;
}

/* There is no memory for a result; a large one comes alone. */
static dwq_status_t receive_lost(struct dwqi_dispatcher *d, int worker,
                                 const struct dwqi_message *message)
{
    struct dwqi_part_head head;
    struct dwqi_task *task;
    dwq_status_t status =
        dwqi_part_head_read(message->body, message->body_size, &head);

    if (status == DWQ_OK && message->n_items == 1) {
        status = find_reported(d, worker, &head, &task);
    }
    hear_results(d, worker, 1);
    if (status != DWQ_OK || message->n_items != 1) {
        return status == DWQ_E_EMPTY ? DWQ_OK : DWQ_E_MESSAGE;
    }
    return dwqi_dispatcher_lose_result(d, task, message->body_size,
                                       head.this_time);
}

dwq_status_t dwqi_dispatcher_take_back(struct dwqi_dispatcher *d,
                                       struct dwqi_task *task)
{
    bool cancel = task->entry.state == DWQI_TASK_ASKED_BACK;
    dwq_status_t status = DWQ_OK;

    dwqi_scheduler_give_back(d->scheduler, &task->job);
    held_less(d, task->worker, cancel);
    if (!cancel) {
        status = dwqi_task_step(&d->ledger, task, DWQI_EVENT_RETURN);
    }
    if (status == DWQ_OK && (cancel || d->limit_passed)) {
        dwqi_scheduler_remove(d->scheduler, &task->job);
        status = dwqi_dispatcher_end_local(
            d, task, cancel ? DWQI_EVENT_RETURN : DWQI_EVENT_LIMIT,
            cancel ? "cancelled" : "the time limit has passed");
    }
    task->worker = 0;
    return status;
}

static dwq_status_t receive_return(struct dwqi_dispatcher *d, int worker,
                                   const struct dwqi_message *message)
{
    if (message->body_size < message->n_items * sizeof(uint64_t)) {
        return DWQ_E_MESSAGE;
    }
    for (uint32_t i = 0; i < message->n_items; i++) {
        struct dwqi_task *task;
        uint64_t id;
        dwq_status_t status;

        memcpy(&id, message->body + i * sizeof id, sizeof id);
        task = held_task(d, worker, id);
        if (!task) {
            return DWQ_E_MESSAGE;
        }
        status = dwqi_dispatcher_take_back(d, task);
        if (status != DWQ_OK) {
            return status;
        }
    }
    dwqi_dispatcher_await(d, worker, DWQI_AWAITED_NOTHING);
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

/* At its first READY nothing was sent to it. */
static void find_desk(struct dwqi_dispatcher *d, int worker)
{
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);

    if (cell->desk || cell->n_sent > 0) {
        return;
    }
    cell->desk = dwqi_desk(d->config.transport, cell->peer);
    if (cell->desk) {
        cell->n_sent = cell->desk->n_claimed;
        cell->first_fed = cell->n_sent;
        cell->n_recalled = cell->desk->n_returned;
        d->n_near += cell->desk->can_ask;
        atomic_store_explicit(&cell->desk->is_counted, true,
                              memory_order_release);
        return;
    }
    if (d->config.holds_near_only) {
        dwqi_scheduler_worker_hold_one(d->scheduler, worker);
    }
}

static dwq_status_t receive_ready(struct dwqi_dispatcher *d, int worker,
                                  struct dwqi_message *message)
{
    dwq_status_t status =
        message->n_items > 0
            ? take_ready_data(&dwqi_dispatcher_cell(d, worker)->ready, message)
            : DWQ_OK;

    if (status == DWQ_E_MESSAGE ||
        said(d, worker, DWQI_CELL_EVENT_SERVE) != DWQ_OK) {
        return DWQ_E_MESSAGE;
    }
    if (status == DWQ_E_NOMEM) {
        dwqi_log_warning(d->config.log,
                         "no memory for the ready data of worker %d: they are "
                         "nil",
                         worker);
    }
    find_desk(d, worker);
    dwqi_scheduler_worker_ready(d->scheduler, worker);
    dwqi_log_info(d->config.log, "worker %d is ready", worker);
    return DWQ_OK;
}

static dwq_status_t receive_withdraw(struct dwqi_dispatcher *d, int worker,
                                     const struct dwqi_message *message)
{
    const char *reason = (const char *)message->body;
    dwq_status_t status;

    if (message->body_size == 0 ||
        memchr(reason, '\0', message->body_size) == NULL) {
        return DWQ_E_MESSAGE;
    }
    status = said(d, worker, DWQI_CELL_EVENT_WITHDRAW);
    if (status == DWQ_OK) {
        dwqi_dispatcher_let_go(d, worker, reason);
    }
    return status;
}

static dwq_status_t receive_by_tag(struct dwqi_dispatcher *d, int worker,
                                   struct dwqi_message *message)
{
    switch (message->tag) {
    case DWQI_READY:
        return receive_ready(d, worker, message);
    case DWQI_DONE:
        return message->status == DWQ_OK ? receive_done(d, worker, message)
                                         : receive_lost(d, worker, message);
    case DWQI_RETURN:
        return receive_return(d, worker, message);
    case DWQI_WITHDRAW:
        return receive_withdraw(d, worker, message);
    case DWQI_BYE:
        return said(d, worker, DWQI_CELL_EVENT_BYE);
    default:
        return DWQ_E_MESSAGE;
    }
}

dwq_status_t dwqi_dispatcher_receive(struct dwqi_dispatcher *d,
                                     struct dwqi_message *message)
{
    int worker = dwqi_cell_list_find(&d->cells, message->peer);
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);
    dwq_status_t status;

    if (message->status == DWQ_E_TIME_LIMIT) {
        dwqi_dispatcher_end_now(d);
        return DWQ_OK;
    }
    if (worker == 0 && message->status == DWQ_E_WORKER) {
        dwqi_log_warning(d->config.log, "%s", message->why);
        return DWQ_OK;
    }
    if (worker == 0) {
        dwqi_log_warning(d->config.log,
                         "dropped a message from rank %d, "
                         "which is no worker",
                         message->peer);
        return DWQ_OK;
    }
    cell->last_heard = d->now;
    if (cell->awaited == DWQI_AWAITED_WORD) {
        dwqi_dispatcher_await(d, worker, DWQI_AWAITED_NOTHING);
    }
    if (message->status == DWQ_E_WORKER) {
        return dwqi_dispatcher_lose_cell(d, worker, message->why);
    }
    if (cell->state == DWQI_CELL_GONE ||
        (cell->state == DWQI_CELL_LOST && message->tag != DWQI_BYE)) {
        return DWQ_OK; /* what it held has its results already */
    }
    if (message->status != DWQ_OK &&
        !(message->status == DWQ_E_NOMEM &&
          (message->tag == DWQI_DONE || message->tag == DWQI_READY))) {
        dwqi_dispatcher_distrust(d, worker, message->why);
        return DWQ_OK;
    }
    status = receive_by_tag(d, worker, message);
    if (status == DWQ_E_MESSAGE) {
        dwqi_dispatcher_distrust(d, worker, dwqi_tag_name(message->tag));
        return DWQ_OK;
    }
    return status;
}

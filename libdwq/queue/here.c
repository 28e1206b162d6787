#include "libdwq/queue/here.h"

#include "libdwq/base/clock.h"
#include "libdwq/queue/dispatcher.h"
#include "workers/executor.h"

/* --- Its transport --------------------------------------------------------- */

static dwq_status_t poll(struct dwqi_transport *transport,
                         struct dwqi_message *message_out)
{
    (void)transport, (void)message_out;
    return DWQ_E_AGAIN;
}

/* What is waited for here is behind the wait. */
static dwq_status_t pause_here(struct dwqi_transport *transport, double until)
{
    (void)transport, (void)until;
    return DWQ_E_STATE;
}

static double now(struct dwqi_transport *transport)
{
    (void)transport;
    return dwqi_clock_now();
}

/* Nobody is there to send to. */
static const struct dwqi_transport_ops transport_ops = {
    .poll = poll,
    .pause = pause_here,
    .now = now,
};

/* --- Its calls --------------------------------------------------------------- */

/* As if its item had come in a message. */
static dwq_status_t call(struct dwqi_dispatcher *d, struct dwqi_task *task,
                         struct dwqi_done *done_out)
{
    struct dwqi_pack *pack = &task->pack;
    struct dwqi_executor *executor = d->here.executor;
    struct dwqi_task_head head;
    void *item = dwqi_pool_get(d->config.pool, pack->size);
    dwq_status_t status;

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

static dwq_status_t give(struct dwqi_dispatcher *d, int worker,
                         struct dwqi_task *task)
{
    struct dwqi_done done = { .owned = NULL };
    const struct dwqi_pack *pack = &done.pack;
    void *part = NULL;
    dwq_status_t status = dwqi_task_step(&d->ledger, task, DWQI_EVENT_START);

    (void)worker;
    if (status != DWQ_OK) {
        return status;
    }
    if (call(d, task, &done) == DWQ_OK) {
        part = dwqi_pool_get(d->config.pool, pack->size);
    }
    d->now = dwqi_now(d->config.transport);
    if (part) {
        dwqi_pack_copy(pack, part);
        status = dwqi_dispatcher_take_result(d, task, part, pack->size, part);
    } else {
        status = dwqi_dispatcher_lose_result(d, task, pack->size, -1);
    }
    dwqi_done_finish(&done);
    return status;
}

static const struct dwqi_cell_ops ops = { .give = give };

dwq_status_t dwqi_dispatcher_add_here(struct dwqi_dispatcher *d,
                                      struct dwqi_executor *executor)
{
    dwq_status_t status = dwqi_scheduler_add_worker(d->scheduler);
    struct dwqi_cell *cell;

    if (status == DWQ_OK) {
        status = dwqi_cell_list_add(&d->cells, 0);
    }
    if (status != DWQ_OK) {
        return status;
    }
    d->in_place = true;
    d->stats.in_place = true;
    d->here.transport.ops = &transport_ops;
    d->here.executor = executor;
    d->config.transport = &d->here.transport;
    cell = dwqi_dispatcher_cell(d, 1);
    cell->ops = &ops;
    cell->n_ranks = 1;
    dwqi_dispatcher_cell_step(d, 1, DWQI_CELL_EVENT_SERVE);
    dwqi_scheduler_worker_hold_one(d->scheduler, 1);
    dwqi_scheduler_worker_ready(d->scheduler, 1);
    return DWQ_OK;
}

void dwqi_dispatcher_withdraw_here(struct dwqi_dispatcher *d)
{
    dwqi_dispatcher_cell_step(d, 1, DWQI_CELL_EVENT_LOSE);
    dwqi_scheduler_worker_gone(d->scheduler, 1);
}

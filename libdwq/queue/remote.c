/* A cell behind the transport: a rank, or the broker of a group. Tasks leave together, as
 * many as fit into a message; on this host, tasks are numbered on its desk. */
#include <stdlib.h>

#include "libdwq/queue/dispatcher.h"

/* --- Out: tasks --------------------------------------------------------- */

static struct dwqi_dispatcher *dispatcher_of(const struct dwqi_task *task)
{
    return (struct dwqi_dispatcher *)(void *)((char *)task->tasks -
                                              offsetof(struct dwqi_dispatcher,
                                                       tasks));
}

static void release_task(void *owner)
{
    struct dwqi_task *task = owner;
    bool all_left = task->tasks && task->refs == 2;

    dwqi_task_unref(task);
    if (all_left) {
        dwqi_dispatcher_settled(dispatcher_of(task), task, DWQI_EVENT_SENT);
    }
}

/* One task whose body does not fit into a frame, from where it is. */
static dwq_status_t send_large(struct dwqi_dispatcher *d, int peer,
                               struct dwqi_task *task)
{
    size_t n_parts = 1 + task->pack.n_extents;
    struct dwqi_extent *parts = malloc(n_parts * sizeof *parts);
    dwq_status_t status;

    if (!parts) {
        return DWQ_E_NOMEM;
    }
    parts[0] = (struct dwqi_extent){ task->pack.block, task->pack.block_size };
    for (size_t i = 1; i < n_parts; i++) {
        parts[i] = task->pack.extents[i - 1];
    }
    task->refs++;
    status = dwqi_send(d->config.transport, peer,
                       &(struct dwqi_outgoing){ .tag = DWQI_TASK,
                                                .n_items = 1,
                                                .parts = parts,
                                                .n_parts = n_parts,
                                                .release = release_task,
                                                .owner = task });
    free(parts);
    return status;
}

/* The unsent tasks of a worker, as many as fit together in each message. */
static dwq_status_t send_unsent(struct dwqi_dispatcher *d, int worker)
{
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);
    dwq_status_t status = DWQ_OK;

    while (cell->unsent && status == DWQ_OK) {
        size_t n = 0, size = 0;
        struct dwqi_job *job = cell->unsent;

        for (; job && size + dwqi_task_of(job)->pack.size <= DWQI_INLINE_MAX;
             job = job->next) {
            const struct dwqi_pack *pack = &dwqi_task_of(job)->pack;

            dwqi_task_of(job)->number = cell->n_sent + (uint32_t)n;
            d->parts[n++] =
                (struct dwqi_extent){ pack->block, pack->block_size };
            size += pack->size;
        }
        if (n > 0) {
            status = dwqi_send(d->config.transport, cell->peer,
                               &(struct dwqi_outgoing){ .tag = DWQI_TASK,
                                                        .n_items = (uint32_t)n,
                                                        .parts = d->parts,
                                                        .n_parts = n });
        } else {
            n = 1;
            dwqi_task_of(job)->number = cell->n_sent;
            status = send_large(d, cell->peer, dwqi_task_of(job));
            job = job->next;
        }
        if (status == DWQ_OK) {
            cell->n_sent += (uint32_t)n;
            cell->unsent = job;
        }
    }
    return status;
}

static void touch(struct dwqi_dispatcher *d, int worker)
{
    dwqi_dispatcher_cell(d, worker)->next_touched = 0;
    if (d->touched) {
        dwqi_dispatcher_cell(d, d->last_touched)->next_touched = worker;
    } else {
        d->touched = worker;
    }
    d->last_touched = worker;
}

dwq_status_t dwqi_dispatcher_send_touched(struct dwqi_dispatcher *d)
{
    dwq_status_t status = DWQ_OK;
    int worker = d->touched;

    d->touched = 0;
    while (worker) {
        const struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);
        int next = cell->next_touched;
        dwq_status_t sent = send_unsent(d, worker);

        status = status == DWQ_OK ? sent : status;
        if (cell->unsent) {
            touch(d, worker);
        }
        worker = next;
    }
    return status;
}

static dwq_status_t give(struct dwqi_dispatcher *d, int worker,
                         struct dwqi_task *task)
{
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);

    if (!cell->unsent) {
        cell->unsent = &task->job;
        touch(d, worker);
    }
    return DWQ_OK;
}

/* --- Words ---------------------------------------------------------------- */

/* Until RETURN it gets nothing: every task it was sent before is then either started or
 * returned. */
static dwq_status_t recall(struct dwqi_dispatcher *d, int worker)
{
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);
    dwq_status_t status =
        dwqi_send_bare(d->config.transport, cell->peer, DWQI_RECALL);

    if (status == DWQ_OK) {
        cell->n_recalled++;
        dwqi_dispatcher_await(d, worker, DWQI_AWAITED_RETURN);
    }
    return status;
}

static dwq_status_t leave(struct dwqi_dispatcher *d, int worker)
{
    return dwqi_send_bare(d->config.transport,
                          dwqi_dispatcher_cell(d, worker)->peer, DWQI_EXIT);
}

static const struct dwqi_cell_ops ops = {
    .give = give,
    .recall = recall,
    .stop = dwqi_dispatcher_stop_remote,
    .close = leave,
};

dwq_status_t dwqi_dispatcher_add_remote(struct dwqi_dispatcher *d, int peer,
                                        const dwq_worker_info_t *info)
{
    dwq_status_t status = dwqi_scheduler_add_worker(d->scheduler);
    struct dwqi_cell *cell;

    if (status == DWQ_OK) {
        status = dwqi_cell_list_add(&d->cells, peer);
    }
    if (status == DWQ_OK) {
        cell = dwqi_dispatcher_cell(d, d->cells.n);
        cell->ops = &ops;
        cell->host = info->host;
        cell->n_ranks = info->n_ranks;
        cell->n_cores = info->n_cores;
    }
    return status;
}

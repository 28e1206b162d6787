/* Many tasks at once, one call on every worker, and how many tasks are where. */
#include <inttypes.h>
#include <stdlib.h>

#include "libdwq/queue/controller_private.h"

static dwq_status_t submit_n(dwq_controller_t *controller,
                             const dwq_task_t *tasks, size_t n,
                             uint64_t *ids_out)
{
    if (n > 0 && !tasks) {
        return dwqi_controller_refuse(controller, DWQ_E_ARG, "tasks is NULL");
    }
    if (n > SIZE_MAX / sizeof *tasks) {
        dwqi_error_set(&controller->error, DWQ_E_ARG,
                       "n is %zu: more tasks than memory can hold", n);
        return dwqi_controller_refuse(controller, DWQ_E_ARG, NULL);
    }
    return dwqi_controller_submit_all(controller, tasks, n, true, ids_out);
}

dwq_status_t dwq_controller_submit_multiple(dwq_controller_t *controller,
                                            const dwq_task_t *tasks, size_t n,
                                            uint64_t *ids_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(controller,
                                       submit_n(controller, tasks, n, ids_out))
               : status;
}

/* One copy of `task` for each worker that is there, bound to it; how many. */
static size_t bind_to_each(const dwq_controller_t *c, const dwq_task_t *task,
                           dwq_task_t *tasks)
{
    size_t n = 0;

    for (int w = 1; w <= c->d.cells.n; w++) {
        if (!dwqi_scheduler_is_gone(c->d.scheduler, w)) {
            tasks[n] = *task;
            tasks[n].worker = w;
            n++;
        }
    }
    return n;
}

static dwq_status_t submit_each(dwq_controller_t *controller,
                                const dwq_task_t *task, uint64_t *ids_out,
                                size_t *n_out)
{
    dwq_status_t status;
    dwq_task_t *tasks;
    size_t n;

    if (!task) {
        return dwqi_controller_refuse(controller, DWQ_E_ARG, "task is NULL");
    }
    if (task->id != 0 || task->worker != 0) {
        dwqi_error_set(&controller->error, DWQ_E_ARG,
                       "id is %" PRIu64 " and worker is %d: a task for every "
                       "worker takes 0 for both",
                       task->id, task->worker);
        return dwqi_controller_refuse(controller, DWQ_E_ARG, NULL);
    }
    tasks = calloc((size_t)controller->d.cells.n + 1, sizeof *tasks);
    if (!tasks) {
        return dwqi_controller_refuse(controller, DWQ_E_NOMEM, NULL);
    }
    n = bind_to_each(controller, task, tasks);
    status = dwqi_controller_submit_all(controller, tasks, n, false, ids_out);
    free(tasks);
    if (n_out && (status == DWQ_OK || status == DWQ_E_MPI)) {
        *n_out = n;
    }
    return status;
}

dwq_status_t dwq_controller_submit_each(dwq_controller_t *controller,
                                        const dwq_task_t *task,
                                        uint64_t *ids_out, size_t *n_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(
                     controller, submit_each(controller, task, ids_out, n_out))
               : status;
}

static dwq_status_t count(dwq_controller_t *c, dwq_counts_t *counts_out)
{
    bool moved;
    dwq_status_t status =
        dwqi_controller_answer(c, dwqi_dispatcher_step(&c->d, &moved));
    struct dwqi_backlog backlog;
    size_t n_running;

    if (status != DWQ_OK) {
        return status;
    }
    if (!counts_out) {
        return dwqi_error_set(&c->error, DWQ_E_ARG, "counts_out is NULL");
    }
    backlog = dwqi_dispatcher_backlog(&c->d);
    n_running = c->d.in_place ? backlog.n_running /* each in another */
                              : dwqi_scheduler_n_busy(c->d.scheduler);
    *counts_out = (dwq_counts_t){
        .queued = backlog.n_queued,
        .running = n_running,
        .held = backlog.n_running - n_running,
        .finished = c->d.tasks.map.n - backlog.n_queued - backlog.n_running,
        .collected = c->d.stats.n_collected,
    };
    return DWQ_OK;
}

dwq_status_t dwq_controller_counts(dwq_controller_t *controller,
                                   dwq_counts_t *counts_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK ? dwqi_controller_leave(
                                  controller, count(controller, counts_out))
                            : status;
}

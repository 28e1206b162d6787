#include "workers/worker.h"

#include <float.h>
#include <math.h>

#include "libdwq/item/outcome.h"
#include "libdwq/process/process.h"

dwq_status_t dwq_worker_serve(dwq_worker_t *worker)
{
    if (!worker) {
        return DWQ_E_ARG;
    }
    if (worker->served) {
        dwqi_log_error(worker->log, "dwq_worker_serve: called twice");
        return DWQ_E_STATE;
    }
    worker->served = true;
    return worker->serve(worker->serve_arg);
}

void dwq_worker_abort(dwq_worker_t *worker)
{
    if (!worker) {
        dwqi_process_abort_without_handle("dwq_worker_abort");
    }
    dwqi_log_error(worker->log, "worker %d aborts the run: all ranks end now",
                   worker->id);
    worker->abort(worker->abort_arg);
}

int dwq_worker_id(const dwq_worker_t *worker)
{
    return worker ? worker->id : 0;
}

const void *dwqi_worker_comm(const dwq_worker_t *worker)
{
    return worker ? worker->comm : NULL;
}

const void *dwqi_worker_merged_comm(const dwq_worker_t *worker)
{
    return worker ? worker->merged_comm : NULL;
}

dwq_status_t dwq_worker_set_ready_data(dwq_worker_t *worker, dwq_value_t data)
{
    struct dwqi_role *role = worker ? worker->role : NULL;

    if (!role) {
        return DWQ_E_ARG;
    }
    return role->ops->set_ready_data ? role->ops->set_ready_data(role, data)
                                     : DWQ_OK;
}

dwq_kwargs_t dwq_worker_run_args(const dwq_worker_t *worker)
{
    return worker ? worker->run_args : (dwq_kwargs_t){ 0, NULL };
}

dwq_world_t dwq_worker_world(const dwq_worker_t *worker)
{
    return worker ? worker->world : (dwq_world_t){ .size = 0 };
}

/* The item of a task, as if it had come in a message. */
static dwq_status_t make_item(const dwq_worker_t *worker,
                              const dwq_task_t *task, void **item_out,
                              struct dwqi_task_head *head_out)
{
    struct dwqi_pool *pool = dwqi_executor_pool(worker->executor);
    struct dwqi_scratch scratch = { .pool = pool };
    struct dwqi_pack pack;
    const char *why = "";
    void *item = NULL;
    dwq_status_t status = dwqi_pack_task(task, task->id, &scratch, &pack, &why);

    dwqi_scratch_finish(&scratch);
    if (status != DWQ_OK) {
        dwqi_log_error(worker->log, "dwq_worker_execute: %s", why);
        return status;
    }
    item = dwqi_pool_get(pool, pack.size);
    if (!item) {
        dwqi_pack_finish(&pack);
        return DWQ_E_NOMEM;
    }
    dwqi_pack_copy(&pack, item);
    status = dwqi_task_head_read(item, pack.size, head_out);
    dwqi_pack_finish(&pack);
    *item_out = item;
    return status;
}

static dwq_status_t make_result(const struct dwqi_executor *executor,
                                struct dwqi_done *done, double time_est,
                                dwq_result_t *result_out)
{
    struct dwqi_outcome *outcome;
    size_t size = done->pack.size;
    void *part = dwqi_pool_get(dwqi_executor_pool(executor), size);
    uint64_t n_processed;
    double total_time;
    dwq_status_t status;

    if (!part) {
        return DWQ_E_NOMEM;
    }
    dwqi_pack_copy(&done->pack, part);
    status = dwqi_outcome_create(part, size, part, &outcome);
    if (status != DWQ_OK) {
        dwqi_pool_give(part);
        return status;
    }
    dwqi_executor_totals(executor, &n_processed, &total_time);
    dwqi_outcome_set_totals(outcome, n_processed, total_time);
    dwqi_outcome_give(outcome, time_est, result_out);
    return DWQ_OK;
}

dwq_status_t dwq_worker_execute(dwq_worker_t *worker, const dwq_task_t *task,
                                dwq_result_t *result_out)
{
    double time_est;
    struct dwqi_task_head head;
    struct dwqi_done done;
    void *item = NULL;
    dwq_status_t status;

    if (!worker || !task || !task->function || !result_out ||
        !(task->time_est >= 0 && task->time_est <= DBL_MAX) ||
        isnan(task->time_limit)) {
        return DWQ_E_ARG;
    }
    time_est = task->time_est > 0 ? task->time_est : 1;
    status = make_item(worker, task, &item, &head);
    if (status == DWQ_OK) {
        status = dwqi_executor_run(worker->executor, item, &head, NULL, &done);
    }
    dwqi_pool_give(item);
    if (status != DWQ_OK) {
        return status;
    }
    status = make_result(worker->executor, &done, time_est, result_out);
    dwqi_done_finish(&done);
    if (status == DWQ_OK) {
        result_out->id = head.id;
        result_out->worker = worker->id;
        result_out->attempts = 1;
    }
    return status;
}

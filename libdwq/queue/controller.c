/* The user's handle on a dispatcher: made, closed, and its calls but those that submit
 * (submit.c, each.c) and collect (collect.c). */
#include <stdlib.h>

#include "libdwq/queue/controller_private.h"

static dwq_status_t add_workers(dwq_controller_t *c)
{
    const struct dwqi_controller_config *config = &c->config;
    const dwq_plan_t *plan = config->plan;
    dwq_status_t status = DWQ_OK;

    if (config->n_workers == 0) {
        return dwqi_dispatcher_add_here(&c->d, config->executor);
    }
    for (int w = 1; w <= config->n_workers && status == DWQ_OK; w++) {
        dwq_worker_info_t info = { .n_ranks = 1 };

        if (plan && w <= plan->n_groups) {
            info.host = plan->groups[w - 1].host;
            info.n_ranks = plan->groups[w - 1].n_ranks;
            info.n_cores = plan->groups[w - 1].n_cores;
        }
        status = dwqi_dispatcher_add_remote(&c->d, config->peers[w - 1], &info);
    }
    return status;
}

dwq_status_t dwqi_controller_create(const struct dwqi_controller_config *config,
                                    dwq_controller_t **controller_out)
{
    dwq_controller_t *c = calloc(1, sizeof *c);
    dwq_status_t status =
        c ? dwqi_dispatcher_init(&c->d, &config->queue) : DWQ_E_NOMEM;

    if (status != DWQ_OK) {
        free(c);
        return status;
    }
    c->config = *config;
    c->feeding = config->feeding;
    c->thread = pthread_self();
    status = add_workers(c);
    if (status != DWQ_OK) {
        dwqi_dispatcher_finish(&c->d);
        free(c);
        return status;
    }
    dwqi_process_add_handle(&c->handle);
    *controller_out = c;
    return DWQ_OK;
}

void *dwqi_controller_owner(const dwq_controller_t *controller)
{
    return controller->config.abort_arg;
}

void dwqi_controller_withdraw(dwq_controller_t *controller)
{
    dwqi_dispatcher_withdraw_here(&controller->d);
}

/* Ranks that have no part in the run wait for its end alone. */
static dwq_status_t dismiss_idle(dwq_controller_t *c)
{
    const dwq_plan_t *plan = c->config.plan;
    dwq_status_t status = DWQ_OK;

    for (int i = 0; plan && i < plan->n_idle && status == DWQ_OK; i++) {
        status = dwqi_send_bare(c->d.config.transport, plan->idle[i].rank,
                                DWQI_EXIT);
    }
    return status;
}

dwq_status_t dwqi_controller_close(dwq_controller_t *c, bool cancel)
{
    bool told = c->d.exit_sent;
    dwq_status_t status, told_status;

    dwqi_controller_end_feeding(c);
    c->closed = true;
    status = dwqi_dispatcher_close(&c->d, cancel);
    if (told || !c->d.exit_sent) {
        return status;
    }
    told_status = dismiss_idle(c);
    return status == DWQ_OK ? told_status : status;
}

int dwqi_controller_next_overdue(const dwq_controller_t *controller, int worker)
{
    return dwqi_dispatcher_next_overdue(&controller->d, worker);
}

void dwqi_controller_destroy(dwq_controller_t *c)
{
    size_t count;

    if (!c) {
        return;
    }
    dwqi_controller_end_feeding(c);
    dwqi_controller_forget(c);
    count = c->d.tasks.map.n;
    if (count > 0) {
        dwqi_log_warning(c->d.config.log,
                         "%zu result%s of this run %s never collected", count,
                         count == 1 ? "" : "s", count == 1 ? "was" : "were");
    }
    dwqi_dispatcher_finish(&c->d);
    free(c);
}

/* --- The calls ------------------------------------------------------------ */

dwq_status_t dwq_controller_progress(dwq_controller_t *controller)
{
    bool moved;
    dwq_status_t status = dwqi_controller_enter(controller);

    if (status != DWQ_OK) {
        return status;
    }
    status = dwqi_dispatcher_step(&controller->d, &moved);
    return dwqi_controller_leave(controller,
                                 dwqi_controller_answer(controller, status));
}

static dwq_status_t ready_worker(dwq_controller_t *controller, int *worker_out,
                                 dwq_value_t *data_out)
{
    bool moved;
    dwq_status_t status;
    int worker;

    if (!worker_out) {
        return dwqi_error_set(&controller->error, DWQ_E_ARG,
                              "worker_out is NULL");
    }
    status = dwqi_dispatcher_step(&controller->d, &moved);
    worker = controller->closed || controller->d.in_place
                 ? 0
                 : dwqi_scheduler_idle_worker(controller->d.scheduler);
    if (status != DWQ_OK || worker == 0) {
        return dwqi_controller_answer(controller,
                                      status == DWQ_OK ? DWQ_E_AGAIN : status);
    }
    *worker_out = worker;
    if (data_out) {
        *data_out = dwqi_dispatcher_cell(&controller->d, worker)->ready.value;
    }
    return DWQ_OK;
}

dwq_status_t dwq_controller_get_ready_worker(dwq_controller_t *controller,
                                             int *worker_out,
                                             dwq_value_t *data_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(
                     controller, ready_worker(controller, worker_out, data_out))
               : status;
}

static dwq_status_t report(dwq_controller_t *c, FILE *out)
{
    struct dwqi_backlog backlog;

    if (!out) {
        return dwqi_error_set(&c->error, DWQ_E_ARG, "the file is NULL");
    }
    backlog = dwqi_dispatcher_backlog(&c->d);
    dwqi_stats_print(&c->d.stats, &backlog, out);
    return ferror(out) ? dwqi_error_set(&c->error, DWQ_E_ARG,
                                        "the report could not be written")
                       : DWQ_OK;
}

dwq_status_t dwq_controller_info(dwq_controller_t *controller, FILE *out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(controller, report(controller, out))
               : status;
}

static dwq_status_t cancel(dwq_controller_t *c, uint64_t id)
{
    return dwqi_controller_answer(c,
                                  dwqi_dispatcher_cancel(&c->d, id, &c->error));
}

dwq_status_t dwq_controller_cancel(dwq_controller_t *controller, uint64_t id)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(controller, cancel(controller, id))
               : status;
}

static dwq_status_t tell_info(dwq_controller_t *c, int worker,
                              dwq_worker_info_t *info_out)
{
    const struct dwqi_cell *cell;

    if (!info_out) {
        return dwqi_error_set(&c->error, DWQ_E_ARG, "info_out is NULL");
    }
    if (worker < 1 || worker > c->config.n_workers) {
        return dwqi_error_set(&c->error, DWQ_E_ARG, "worker %d is not in 1..%d",
                              worker, c->config.n_workers);
    }
    cell = dwqi_dispatcher_cell(&c->d, worker);
    *info_out = (dwq_worker_info_t){ .host = cell->host,
                                     .n_ranks = cell->n_ranks,
                                     .n_cores = cell->n_cores };
    return DWQ_OK;
}

dwq_status_t dwq_worker_info(const dwq_controller_t *controller, int worker,
                             dwq_worker_info_t *info_out)
{
    dwq_controller_t *c = (dwq_controller_t *)controller; /* keeps its error */
    dwq_status_t status = dwqi_controller_enter(c);

    return status == DWQ_OK
               ? dwqi_controller_leave(c, tell_info(c, worker, info_out))
               : status;
}

dwq_status_t dwq_controller_exit(dwq_controller_t *controller)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    if (status == DWQ_OK) {
        status = dwqi_controller_close(controller, false);
        status = status == DWQ_E_TIME_LIMIT ? DWQ_OK : status;
        dwqi_controller_leave(controller,
                              dwqi_controller_answer(controller, status));
    }
    return status;
}

void dwq_controller_abort(dwq_controller_t *controller)
{
    if (!dwqi_controller_is_known(controller)) {
        dwqi_process_abort_without_handle("dwq_controller_abort");
    }
    dwqi_log_error(controller->d.config.log,
                   "the controller aborts the run: all ranks end now");
    controller->config.abort(controller->config.abort_arg);
}

dwq_kwargs_t dwq_controller_run_args(const dwq_controller_t *controller)
{
    return dwqi_controller_is_known(controller) ? controller->config.run_args
                                                : (dwq_kwargs_t){ 0, NULL };
}

const dwq_plan_t *dwq_controller_plan(const dwq_controller_t *controller)
{
    return dwqi_controller_is_known(controller) ? controller->config.plan
                                                : NULL;
}

dwq_world_t dwq_controller_world(const dwq_controller_t *controller)
{
    return dwqi_controller_is_known(controller) ? controller->config.world
                                                : (dwq_world_t){ .size = 0 };
}

/* What this rank does in a run: its role is made, the user's function runs around it or
 * before it, and it is stepped until it has left. */
#include <math.h>
#include <stdlib.h>

#include "libdwq/base/clock.h"
#include "libdwq/process/process.h"
#include "libdwq/run/run_private.h"
#include "workers/idle.h"
#include "workers/serve.h"

void dwqi_run_abort(void *arg)
{
    (void)arg;
    dwqi_mpi_abort(1);
}

double dwqi_run_clock(void *arg)
{
    (void)arg;
    return dwqi_clock_now();
}

double dwqi_run_limit(const struct run *run)
{
    return run->options.time_limit > 0 ? run->start + run->options.time_limit
                                       : INFINITY;
}

const _Atomic uint64_t *dwqi_run_cancelled(struct run *run,
                                           struct dwqi_transport *transport,
                                           int broker)
{
    struct dwqi_desk *desk = transport ? dwqi_desk(transport, broker) : NULL;
    _Atomic uint64_t *where = desk ? &desk->cancelled : &run->cancelled;

    if (run->facts.survives) {
        dwqi_lines_set_stop(dwqi_process_lines(), where);
    }
    return where;
}

double dwqi_run_grace_end(const struct run *run)
{
    return run->options.time_limit_grace > 0
               ? dwqi_run_limit(run) + run->options.time_limit_grace
               : INFINITY;
}

dwq_status_t dwqi_run_renewed(const struct run *run, dwq_status_t status)
{
    if (status != DWQ_OK) {
        dwqi_log_error(&run->log,
                       "MPI has no communicator for the call after a failed "
                       "one");
    }
    return status;
}

static dwq_status_t renew_self(void *arg, bool inner)
{
    struct run *run = arg;

    return dwqi_run_renewed(run, dwqi_world_renew_self(run->world, inner));
}

static dwq_status_t make_executor(struct run *run)
{
    return dwqi_executor_create(
        &(struct dwqi_executor_config){
            .registry = run->registry,
            .log = &run->log,
            .pool = dwqi_world_pool(run->world),
            .now = dwqi_run_clock,
            .rank = 0,
            .size = 1,
            .comm = dwqi_world_self(run->world, false),
            .inner_comm = dwqi_world_self(run->world, true),
            .renew = renew_self,
            .renew_arg = run,
            .witness = dwqi_world_witness(run->world),
            .survives = run->facts.survives,
            .end = dwqi_run_limit(run),
            .cancelled = dwqi_run_cancelled(run, run->transport, DWQI_SELF) },
        &run->executor);
}

/* --- Serving ----------------------------------------------------------------- */

static dwq_status_t give_up(struct run *run, const char *what,
                            dwq_status_t status)
{
    dwqi_log_error(&run->log, "this rank cannot %s: %s", what,
                   dwq_status_text(status));
    dwqi_run_abort(run);
    return status;
}

dwq_status_t dwqi_run_step(struct run *run)
{
    dwq_status_t status = run->role->ops->step(run->role);

    if (status == DWQ_E_AGAIN) {
        status = dwqi_pause(run->waits_with, run->role->look_again > 0
                                                 ? run->role->look_again
                                                 : INFINITY);
    }
    if (status == DWQ_E_TIME_LIMIT) {
        dwqi_witness_say_stuck(dwqi_world_witness(run->world));
        dwqi_run_abort(run);
    }
    return status == DWQ_OK ? DWQ_OK : give_up(run, "go on", status);
}

/* To the end of its part in the run. The controller is moved by its user, and what
 * serves in place stands still meanwhile. */
static dwq_status_t serve_steps(struct run *run)
{
    const struct dwqi_role_ops *ops = run->role->ops;
    dwq_status_t status = DWQ_OK;

    if (!ops->step) {
        dwqi_aside_pause(run->worker_function);
        return DWQ_OK;
    }
    while (status == DWQ_OK && !ops->is_closed(run->role)) {
        status = dwqi_run_step(run);
    }
    return status == DWQ_OK && run->role->has_failed ? DWQ_E_MESSAGE : status;
}

static dwq_status_t serve(void *arg)
{
    struct run *run = arg;
    const struct dwqi_role_ops *ops = run->role->ops;
    dwq_status_t status = ops->begin ? ops->begin(run->role) : DWQ_OK;

    return status == DWQ_OK ? serve_steps(run) : give_up(run, "serve", status);
}

static dwq_status_t withdraw(struct run *run, const char *function)
{
    char reason[80];
    dwq_status_t status;

    snprintf(reason, sizeof reason,
             "its %s function returned %d before it served", function,
             run->exit_code);
    status = run->role->ops->withdraw(run->role, reason);
    return status == DWQ_OK ? serve_steps(run) : status;
}

/* --- The user's functions ------------------------------------------------------ */

dwq_status_t dwqi_run_play_worker(struct run *run)
{
    dwq_status_t status = DWQ_OK;

    run->worker = (dwq_worker_t){
        .executor = run->executor,
        .log = &run->log,
        .role = run->role,
        .id = run->worker_id,
        .comm = run->group ? dwqi_group_comm(run->group)
                           : dwqi_world_self(run->world, false),
        .merged_comm = run->group ? dwqi_group_merged_comm(run->group) : NULL,
        .run_args = run->options.run_args,
        .world = run->facts,
        .serve = serve,
        .serve_arg = run,
        .access = run->access,
        .abort = dwqi_run_abort,
        .abort_arg = run,
    };
    dwqi_run_publish_service(run);
    if (run->options.worker) {
        unsigned long n = dwqi_process_n_entered();

        run->exit_code = run->options.worker(&run->worker, run->worker_arg);
        dwqi_process_end_child("worker");
        /* In one process others of the program's came while it stood still. */
        if (!run->worker_function || !run->worker.served) {
            dwqi_process_close_left(n, &run->log, 0, "worker");
        }
    }
    if (!run->worker.served) {
        status = run->exit_code != 0 ? withdraw(run, "worker")
                                     : dwq_worker_serve(&run->worker);
    }
    /* A worker that withdrew over a message leaves like any other. */
    return status == DWQ_E_MESSAGE ? DWQ_OK : status;
}

static dwq_status_t play_broker(struct run *run)
{
    dwq_status_t status = DWQ_OK;

    if (run->options.broker_is_worker && !run->options.broker) {
        return dwqi_run_play_worker(run);
    }
    run->broker = (dwq_broker_t){
        .role = run->role,
        .log = &run->log,
        .id = run->worker_id,
        .merged_comm = dwqi_group_merged_comm(run->group),
        .brokers_comm = dwqi_group_brokers_comm(run->group),
        .run_args = run->options.run_args,
        .world = run->facts,
        .serve = serve,
        .serve_arg = run,
        .abort = dwqi_run_abort,
        .abort_arg = run,
    };
    dwqi_run_publish_service(run);
    if (run->options.broker) {
        unsigned long n = dwqi_process_n_entered();

        run->exit_code = run->options.broker(&run->broker, run->broker_arg);
        dwqi_process_end_child("broker");
        dwqi_process_close_left(n, &run->log, 0, "broker");
    }
    if (!run->broker.served) {
        status = run->exit_code != 0 ? withdraw(run, "broker")
                                     : dwq_broker_serve(&run->broker);
    }
    return status == DWQ_E_MESSAGE ? DWQ_OK : status;
}

/* --- Every role ------------------------------------------------------------------ */

static dwq_status_t make_server(struct run *run)
{
    dwqi_solo_init(&run->solo, run->executor);
    dwqi_log_info(&run->log, "worker %d of %d", run->worker_id,
                  run->facts.n_workers);
    return dwqi_server_create(
        &(struct dwqi_server_config){ .transport = run->transport,
                                      .runner = &run->solo.runner,
                                      .log = &run->log,
                                      .controller = run->plan.shown.controller,
                                      .time_limit = dwqi_run_limit(run) },
        &run->role);
}

static dwq_status_t make_idle(struct run *run)
{
    dwqi_log_info(&run->log, "idle: %s",
                  dwqi_plan_idle_reason(&run->plan, run->rank));
    return dwqi_idle_create(run->transport, &run->role);
}

static const struct part {
    dwq_status_t (*make)(struct run *run); /* its role */
    dwq_status_t (*play)(struct run *run); /* to its end */
} parts[] = {
    [DWQI_ROLE_CONTROLLER] = { dwqi_run_make_controller,
                               dwqi_run_end_controller },
    [DWQI_ROLE_IN_PLACE] = { dwqi_run_make_in_place, dwqi_run_end_in_place },
    [DWQI_ROLE_WORKER] = { make_server, dwqi_run_play_worker },
    [DWQI_ROLE_BROKER] = { dwqi_run_make_relay, play_broker },
    [DWQI_ROLE_LEAF] = { dwqi_run_make_leaf, dwqi_run_play_worker },
    [DWQI_ROLE_IDLE] = { make_idle, serve_steps },
};

dwq_status_t dwqi_run_make_role(struct run *run)
{
    dwq_status_t status = DWQ_OK;

    /* The ranks of a group hear their broker only. */
    if (run->kind != DWQI_ROLE_LEAF) {
        status = dwqi_world_transport(run->world, &run->log, &run->transport);
        run->waits_with = run->transport;
    }
    dwqi_witness_set_who(dwqi_world_witness(run->world), run->log.who);
    if (!run->ends_with_allocation) {
        run->start = dwqi_clock_now();
    }
    if (status == DWQ_OK) {
        status = make_executor(run);
    }
    return status == DWQ_OK ? parts[run->kind].make(run) : status;
}

dwq_status_t dwqi_run_play(struct run *run)
{
    return parts[run->kind].play(run);
}

void dwqi_run_finish_role(struct run *run)
{
    dwqi_role_finish(run->role);
    dwqi_aside_destroy(run->worker_function);
    dwqi_solo_finish(&run->solo);
    dwqi_run_finish_service(run);
    dwqi_team_destroy(run->team);
    if (run->coll) {
        run->coll->ops->close(run->coll);
    }
    dwqi_executor_destroy(run->group_executor);
    dwqi_executor_destroy(run->executor);
    dwqi_registry_destroy(run->registry);
    dwqi_close(run->group_transport);
    dwqi_close(run->transport);
    dwqi_group_close(run->group);
}

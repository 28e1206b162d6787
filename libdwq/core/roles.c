/* What each role does in a run: the user's function, around or before the serving. */
#include <math.h>
#include <stdlib.h>

#include "libdwq/base/clock.h"
#include "libdwq/core/interrupt.h"
#include "libdwq/core/run_private.h"
#include "libdwq/wire/process.h"

void dwqi_run_abort(void *arg)
{
    (void)arg;
    dwqi_mpi_abort(1);
}

static double clock_now(void *arg)
{
    (void)arg;
    return dwqi_clock_now();
}

static double limit_time(const struct run *run)
{
    return run->options.time_limit > 0 ? run->start + run->options.time_limit
                                       : INFINITY;
}

double dwqi_run_grace_end(const struct run *run)
{
    return run->options.time_limit_grace > 0
               ? limit_time(run) + run->options.time_limit_grace
               : INFINITY;
}

/* After a call that failed. */
static dwq_status_t renewed(const struct run *run, dwq_status_t status)
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

    return renewed(run, dwqi_world_renew_self(run->world, inner));
}

static dwq_status_t make_executor(struct run *run)
{
    return dwqi_executor_create(
        &(struct dwqi_executor_config){
            .registry = run->registry,
            .log = &run->log,
            .pool = dwqi_world_pool(run->world),
            .now = clock_now,
            .rank = 0,
            .size = 1,
            .comm = dwqi_world_self(run->world, false),
            .inner_comm = dwqi_world_self(run->world, true),
            .renew = renew_self,
            .renew_arg = run,
            .witness = dwqi_world_witness(run->world) },
        &run->executor);
}

/* --- The controller -------------------------------------------------------- */

static dwq_status_t make_controller(struct run *run)
{
    int n = dwqi_plan_n_workers(&run->plan);
    int *peers = calloc((size_t)n + 1, sizeof *peers);
    struct dwqi_controller_config config = {
        .transport = n > 0 ? run->transport : NULL,
        .executor = run->executor,
        .log = &run->log,
        .pool = dwqi_world_pool(run->world),
        .n_workers = n,
        .peers = peers,
        .n_peers = run->facts.size,
        .queue_order = run->options.queue_order,
        .held_max = 1 + run->options.prefetch,
        .time_limit = limit_time(run),
        .grace_end = dwqi_run_grace_end(run),
        .run_args = run->options.run_args,
        .world = run->facts,
        .plan = &run->plan.shown,
        .lone_ranks = &run->lone_ranks,
        .abort = dwqi_run_abort,
        .abort_arg = run,
    };
    dwq_status_t status;

    if (!peers) {
        return DWQ_E_NOMEM;
    }
    for (int w = 1; w <= n; w++) {
        peers[w - 1] = dwqi_plan_rank_of(&run->plan, w);
    }
    status = dwqi_controller_create(&config, &run->controller);
    free(peers);
    return status;
}

/* Run the user's controller function, then the rest of the queue. */
static dwq_status_t run_controller(struct run *run)
{
    struct dwqi_interrupt interrupt;
    dwq_status_t status;

    dwqi_interrupt_watch(&interrupt);
    dwqi_world_witness(run->world)->controller = run->controller;
    run->controller_code =
        run->options.controller(run->controller, run->options.arg);
    dwqi_process_end_child("controller");
    status = dwqi_controller_close(run->controller, run->controller_code != 0);
    dwqi_world_witness(run->world)->controller = NULL;
    dwqi_interrupt_restore(&interrupt);
    if (status == DWQ_E_TIME_LIMIT) {
        run->overdue = true;
        status = DWQ_OK;
    }
    return status;
}

static dwq_status_t play_controller(struct run *run)
{
    dwq_status_t status = make_controller(run);

    if (status == DWQ_OK) {
        dwqi_log_info(&run->log, "controller of %d workers",
                      run->facts.n_workers);
        status = run_controller(run);
        run->exit_code = run->controller_code;
    }
    return status;
}

/* --- Serving ----------------------------------------------------------------- */

/* One of the three things that serve: steps until it is closed. */
struct service_loop {
    dwq_status_t (*step)(struct run *run);
    bool (*is_closed)(const struct run *run);
    struct dwqi_transport *transport; /* to wait with */
};

static dwq_status_t step_server(struct run *run)
{
    return dwqi_server_step(run->server);
}

static bool server_is_closed(const struct run *run)
{
    return dwqi_server_is_closed(run->server);
}

static dwq_status_t step_relay(struct run *run)
{
    return dwqi_relay_step(run->relay);
}

static bool relay_is_closed(const struct run *run)
{
    return dwqi_relay_is_closed(run->relay);
}

static dwq_status_t step_member(struct run *run)
{
    return dwqi_member_step(run->member);
}

static bool member_is_closed(const struct run *run)
{
    return dwqi_member_is_closed(run->member);
}

static struct service_loop loop_of(const struct run *run)
{
    if (run->relay) {
        return (struct service_loop){ step_relay, relay_is_closed,
                                      run->transport };
    }
    if (run->member) {
        return (struct service_loop){ step_member, member_is_closed,
                                      run->group_transport };
    }
    return (struct service_loop){ step_server, server_is_closed,
                                  run->transport };
}

static bool has_failed(const struct run *run)
{
    return run->relay    ? dwqi_relay_has_failed(run->relay)
           : run->server ? dwqi_server_has_failed(run->server)
                         : false;
}

static dwq_status_t serve_steps(struct run *run)
{
    struct service_loop loop = loop_of(run);
    dwq_status_t status = DWQ_OK;

    while (!loop.is_closed(run)) {
        status = loop.step(run);
        if (status == DWQ_E_AGAIN) {
            status = dwqi_pause(loop.transport, INFINITY);
        }
        if (status == DWQ_E_TIME_LIMIT) {
            dwqi_witness_say_stuck(dwqi_world_witness(run->world));
            dwqi_run_abort(run);
        }
        if (status != DWQ_OK) {
            dwqi_log_error(&run->log, "this rank cannot go on: %s",
                           dwq_status_text(status));
            dwqi_run_abort(run);
        }
    }
    return has_failed(run) ? DWQ_E_MESSAGE : DWQ_OK;
}

static dwq_status_t begin(struct run *run)
{
    return run->relay    ? dwqi_relay_begin(run->relay)
           : run->member ? dwqi_member_begin(run->member)
                         : dwqi_server_begin(run->server);
}

static dwq_status_t serve(void *arg)
{
    struct run *run = arg;
    dwq_status_t status = begin(run);

    if (status != DWQ_OK) {
        dwqi_log_error(&run->log, "this rank cannot serve: %s",
                       dwq_status_text(status));
        dwqi_run_abort(run);
    }
    return serve_steps(run);
}

static dwq_status_t withdraw(struct run *run, const char *function)
{
    char reason[80];
    dwq_status_t status;

    snprintf(reason, sizeof reason,
             "its %s function returned %d before it served", function,
             run->exit_code);
    if (run->relay) {
        status = dwqi_relay_withdraw(run->relay, reason);
    } else if (run->member) {
        status = dwqi_member_withdraw(run->member, reason);
    } else if (run->server) {
        status = dwqi_server_withdraw(run->server, reason);
    } else {
        dwqi_log_warning(&run->log, "calls cannot run in place: %s", reason);
        dwqi_controller_set_in_place(run->controller, false);
        return run_controller(run);
    }
    return status == DWQ_OK ? serve_steps(run) : status;
}

static dwq_status_t set_ready_data(void *arg, dwq_value_t data)
{
    struct run *run = arg;

    return run->relay    ? dwqi_relay_set_ready_data(run->relay, data)
           : run->member ? dwqi_member_set_ready_data(run->member, data)
                         : dwqi_server_set_ready_data(run->server, data);
}

/* The worker function around the serving, or the serving alone. */
static dwq_status_t play_worker_function(struct run *run,
                                         dwq_status_t (*serving)(void *))
{
    bool in_place = run->role == DWQI_ROLE_IN_PLACE;
    dwq_status_t status = DWQ_OK;

    run->worker = (dwq_worker_t){
        .executor = run->executor,
        .log = &run->log,
        .id = run->worker_id,
        .comm = run->group ? dwqi_group_comm(run->group)
                           : dwqi_world_self(run->world, false),
        .merged_comm = run->group ? dwqi_group_merged_comm(run->group) : NULL,
        .run_args = run->options.run_args,
        .world = run->facts,
        .serve = serving,
        .serve_arg = run,
        .set_ready_data = in_place ? NULL : set_ready_data,
        .set_ready_data_arg = run,
        .access = run->access,
        .abort = dwqi_run_abort,
        .abort_arg = run,
    };
    dwqi_run_publish_service(run);
    if (run->options.worker) {
        run->exit_code = run->options.worker(&run->worker, run->worker_arg);
        dwqi_process_end_child("worker");
    }
    if (!run->worker.served) {
        status = run->exit_code != 0 ? withdraw(run, "worker")
                                     : dwq_worker_serve(&run->worker);
    }
    /* A worker that withdrew over a message leaves like any other. */
    return status == DWQ_E_MESSAGE ? DWQ_OK : status;
}

static dwq_status_t play_worker(struct run *run)
{
    dwq_status_t status;

    dwqi_solo_init(&run->solo, run->executor);
    status = dwqi_server_create(
        &(struct dwqi_server_config){ .transport = run->transport,
                                      .runner = &run->solo.runner,
                                      .log = &run->log,
                                      .controller = run->plan.shown.controller,
                                      .time_limit = limit_time(run) },
        &run->server);
    if (status != DWQ_OK) {
        return status;
    }
    dwqi_log_info(&run->log, "worker %d of %d", run->worker_id,
                  run->facts.n_workers);
    return play_worker_function(run, serve);
}

/* --- Groups ------------------------------------------------------------------ */

static dwq_status_t agree(void *arg, uint64_t id, bool ok, bool *all_ok_out)
{
    struct run *run = arg;

    (void)id;
    return dwqi_team_agree(run->team, ok, all_ok_out);
}

static dwq_status_t renew_comms(void *arg)
{
    struct run *run = arg;

    return renewed(run, dwqi_group_renew(run->group));
}

/* Wire this rank to its group. */
static dwq_status_t make_team(struct run *run)
{
    bool gather = run->options.collective_mode != DWQ_COLLECTIVE_SENDRECV;
    struct dwqi_team_config config = {
        .log = &run->log,
        .pool = dwqi_world_pool(run->world),
        .rank = dwqi_group_rank(run->group),
        .size = dwqi_group_size(run->group),
        .first = run->options.broker_is_worker ? 0 : 1,
        .renew = renew_comms,
        .renew_arg = run,
    };
    dwq_status_t status =
        dwqi_group_transport(run->group, &run->log, &run->group_transport);

    if (status == DWQ_OK && gather) {
        status = dwqi_group_coll(run->group, &run->log, &run->coll);
    }
    if (status != DWQ_OK) {
        return status;
    }
    config.transport = run->group_transport;
    config.coll = run->coll;
    status = dwqi_team_create(&config, &run->team);
    if (status == DWQ_OK) {
        status = dwqi_run_make_service(run);
    }
    if (status != DWQ_OK || dwqi_team_rank(run->team) < 0) {
        return status;
    }
    return dwqi_executor_create(
        &(struct dwqi_executor_config){ .registry = run->registry,
                                        .log = &run->log,
                                        .pool = dwqi_world_pool(run->world),
                                        .now = clock_now,
                                        .rank = dwqi_team_rank(run->team),
                                        .size = dwqi_team_n_ranks(run->team),
                                        .comm = dwqi_group_comm(run->group),
                                        .agree = agree,
                                        .agree_arg = run,
                                        .witness =
                                            dwqi_world_witness(run->world) },
        &run->group_executor);
}

static dwq_status_t play_member(struct run *run)
{
    dwq_status_t status = make_team(run);

    if (status == DWQ_OK) {
        status = dwqi_member_create(
            &(struct dwqi_member_config){ .team = run->team,
                                          .executor = run->group_executor,
                                          .log = &run->log,
                                          .accept = dwqi_run_accept_client,
                                          .accept_arg = run },
            &run->member);
    }
    if (status != DWQ_OK) {
        return status;
    }
    dwqi_log_info(&run->log, "worker %d of %d: rank %d of %d of its group",
                  run->worker_id, run->facts.n_workers,
                  dwqi_team_rank(run->team), dwqi_team_n_ranks(run->team));
    return play_worker_function(run, serve);
}

/* The broker function around the serving, or the serving alone. */
static dwq_status_t play_broker_function(struct run *run)
{
    dwq_status_t status = DWQ_OK;

    run->broker = (dwq_broker_t){
        .relay = run->relay,
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
        run->exit_code = run->options.broker(&run->broker, run->broker_arg);
        dwqi_process_end_child("broker");
    }
    if (!run->broker.served) {
        status = run->exit_code != 0 ? withdraw(run, "broker")
                                     : dwq_broker_serve(&run->broker);
    }
    return status == DWQ_E_MESSAGE ? DWQ_OK : status;
}

static dwq_status_t play_broker(struct run *run)
{
    bool inside = run->options.broker_is_worker;
    dwq_status_t status = make_team(run);

    if (status == DWQ_OK) {
        status = dwqi_relay_create(
            &(struct dwqi_relay_config){ .transport = run->transport,
                                         .team = run->team,
                                         .service = run->service,
                                         .executor = run->group_executor,
                                         .log = &run->log,
                                         .controller =
                                             run->plan.shown.controller,
                                         .time_limit = limit_time(run) },
            &run->relay);
    }
    if (status != DWQ_OK) {
        return status;
    }
    dwqi_log_info(&run->log, "broker of worker %d of %d: %s its group of %d",
                  run->worker_id, run->facts.n_workers,
                  inside ? "inside" : "beside", dwqi_team_n_ranks(run->team));
    return inside && !run->options.broker ? play_worker_function(run, serve)
                                          : play_broker_function(run);
}

/* --- Every role ---------------------------------------------------------------- */

/* In place the worker function surrounds the controller's: what it prepares
 * before it serves is there for the calls, and serving is the run. */
static dwq_status_t serve_in_place(void *arg)
{
    return run_controller(arg);
}

static dwq_status_t play_in_place(struct run *run)
{
    dwq_status_t status = make_controller(run);

    if (status == DWQ_OK) {
        dwqi_log_info(&run->log, "one process: every call runs in place");
        status = play_worker_function(run, serve_in_place);
        run->exit_code = run->controller_code;
    }
    return status;
}

/* No part in the run: wait to be told that it is over, as cheaply as others. */
static dwq_status_t play_idle(struct run *run)
{
    struct dwqi_message message;
    bool told = false;
    dwq_status_t status = DWQ_OK;

    dwqi_log_info(&run->log, "idle: %s",
                  dwqi_plan_idle_reason(&run->plan, run->rank));
    while (!told && status == DWQ_OK) {
        status = dwqi_poll(run->transport, &message);
        if (status == DWQ_OK) {
            told = message.status == DWQ_OK && message.tag == DWQI_EXIT;
            dwqi_release(run->transport, &message);
        } else if (status == DWQ_E_AGAIN) {
            status = dwqi_pause(run->transport, INFINITY);
        }
    }
    return status;
}

static dwq_status_t play_role(struct run *run)
{
    switch (run->role) {
    case DWQI_ROLE_CONTROLLER:
        return play_controller(run);
    case DWQI_ROLE_WORKER:
        return play_worker(run);
    case DWQI_ROLE_BROKER:
        return play_broker(run);
    case DWQI_ROLE_MEMBER:
        return play_member(run);
    case DWQI_ROLE_IN_PLACE:
        return play_in_place(run);
    case DWQI_ROLE_IDLE:
        return play_idle(run);
    }
    return DWQ_OK;
}

dwq_status_t dwqi_run_play(struct run *run)
{
    dwq_status_t status = make_executor(run);

    /* The ranks of a group hear their broker only. */
    if (status == DWQ_OK && run->role != DWQI_ROLE_MEMBER) {
        status = dwqi_world_transport(run->world, &run->log, &run->transport);
    }
    dwqi_witness_set_who(dwqi_world_witness(run->world), run->log.who);
    run->start = dwqi_clock_now();
    return status == DWQ_OK ? play_role(run) : status;
}

void dwqi_run_finish_roles(struct run *run)
{
    dwqi_server_destroy(run->server);
    dwqi_solo_finish(&run->solo);
    dwqi_relay_destroy(run->relay);
    dwqi_member_destroy(run->member);
    dwqi_run_finish_service(run);
    dwqi_controller_destroy(run->controller);
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
    dwqi_gathered_finish(&run->lone_ranks);
    dwqi_arena_finish(&run->settings_arena);
    free(run->settings);
}

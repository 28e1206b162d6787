/* One run from start to end: agree on the options (start.c), give every rank its
 * role, wire the rooms together, and leave together. */
#include "libdwq/core/run.h"

#include <math.h>
#include <stdlib.h>

#include "libdwq/base/clock.h"
#include "libdwq/core/interrupt.h"
#include "libdwq/core/run_private.h"

/* --- Roles -------------------------------------------------------------- */

static dwq_world_t world_facts(const struct run *run)
{
    enum dwqi_role role = dwqi_plan_role(&run->plan, run->rank);

    return (dwq_world_t){
        .is_controller = run->rank == run->plan.controller,
        .is_worker = role == DWQI_ROLE_WORKER || role == DWQI_ROLE_IN_PLACE,
        .workers_available = run->plan.n_workers > 0,
        .size = run->plan.size,
        .rank = run->rank,
        .n_workers = run->plan.n_workers,
    };
}

static void abort_run(void *arg)
{
    struct run *run = arg;

    fflush(NULL);
    dwqi_world_abort(run->world, 1);
}

static double clock_now(void *arg)
{
    (void)arg;
    return dwqi_clock_now();
}

static dwq_status_t make_executor(struct run *run)
{
    return dwqi_executor_create(
        &(struct dwqi_executor_config){ .registry = run->registry,
                                        .log = &run->log,
                                        .now = clock_now,
                                        .rank = 0,
                                        .size = 1,
                                        .comm = dwqi_world_self(run->world) },
        &run->executor);
}

static double limit_time(const struct run *run)
{
    return run->options.time_limit > 0 ? run->start + run->options.time_limit
                                       : INFINITY;
}

static dwq_status_t make_controller(struct run *run)
{
    int n = run->plan.n_workers;
    int *peers = calloc((size_t)n + 1, sizeof *peers);
    struct dwqi_controller_config config = {
        .transport = run->transport,
        .executor = run->executor,
        .log = &run->log,
        .n_workers = n,
        .peers = peers,
        .n_peers = run->plan.size,
        .queue_order = run->options.queue_order,
        .held_max = 1 + run->options.prefetch,
        .time_limit = limit_time(run),
        .grace_end = run->options.time_limit_grace > 0
                         ? limit_time(run) + run->options.time_limit_grace
                         : INFINITY,
        .run_args = run->options.run_args,
        .world = world_facts(run),
        .abort = abort_run,
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
    run->controller_code =
        run->options.controller(run->controller, run->options.arg);
    status = dwqi_controller_close(run->controller, run->controller_code != 0);
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
                      run->plan.n_workers);
        status = run_controller(run);
        run->exit_code = run->controller_code;
    }
    return status;
}

/* Step the server until it has left. */
static dwq_status_t serve_steps(struct run *run)
{
    dwq_status_t status = DWQ_OK;

    while (!dwqi_server_is_closed(run->server)) {
        status = dwqi_server_step(run->server);
        if (status == DWQ_E_AGAIN) {
            status = dwqi_pause(run->transport, INFINITY);
        }
        if (status != DWQ_OK) {
            return status;
        }
    }
    return dwqi_server_has_failed(run->server) ? DWQ_E_MESSAGE : DWQ_OK;
}

static dwq_status_t serve(void *arg)
{
    struct run *run = arg;
    dwq_status_t status = dwqi_server_begin(run->server);

    status = status == DWQ_OK ? serve_steps(run) : status;
    if (status != DWQ_OK && status != DWQ_E_MESSAGE) {
        dwqi_log_error(&run->log, "this worker cannot go on: %s",
                       dwq_status_text(status));
        abort_run(run);
    }
    return status;
}

static dwq_status_t withdraw(struct run *run)
{
    char reason[80];
    dwq_status_t status;

    snprintf(reason, sizeof reason,
             "its worker function returned %d before it served",
             run->exit_code);
    if (!run->server) {
        dwqi_log_warning(&run->log, "calls cannot run in place: %s", reason);
        dwqi_controller_set_in_place(run->controller, false);
        return run_controller(run);
    }
    status = dwqi_server_withdraw(run->server, reason);
    return status == DWQ_OK ? serve_steps(run) : status;
}

/* The worker function around the serving, or the serving alone. */
static dwq_status_t play_worker_function(struct run *run, void *arg,
                                         dwq_status_t (*serving)(void *))
{
    dwq_status_t status = DWQ_OK;

    run->worker = (dwq_worker_t){
        .server = run->server,
        .executor = run->executor,
        .log = &run->log,
        .id = dwqi_plan_worker_of(&run->plan, run->rank),
        .comm = dwqi_world_self(run->world),
        .run_args = run->options.run_args,
        .world = world_facts(run),
        .serve = serving,
        .serve_arg = run,
        .abort = abort_run,
        .abort_arg = run,
    };
    if (run->options.worker) {
        run->exit_code = run->options.worker(&run->worker, arg);
    }
    if (!run->worker.served) {
        status = run->exit_code != 0 ? withdraw(run)
                                     : dwq_worker_serve(&run->worker);
    }
    /* A worker that withdrew over a message leaves like any other. */
    return status == DWQ_E_MESSAGE ? DWQ_OK : status;
}

static dwq_status_t play_worker(struct run *run, void *arg)
{
    dwq_status_t status = dwqi_server_create(
        &(struct dwqi_server_config){ .transport = run->transport,
                                      .executor = run->executor,
                                      .log = &run->log,
                                      .controller = run->plan.controller,
                                      .time_limit = limit_time(run) },
        &run->server);

    if (status != DWQ_OK) {
        return status;
    }
    dwqi_log_info(&run->log, "worker %d of %d",
                  dwqi_plan_worker_of(&run->plan, run->rank),
                  run->plan.n_workers);
    return play_worker_function(run, arg, serve);
}

/* In place the worker function surrounds the controller's: what it prepares
 * before it serves is there for the calls, and serving is the run. */
static dwq_status_t serve_in_place(void *arg)
{
    return run_controller(arg);
}

static dwq_status_t play_in_place(struct run *run, void *arg)
{
    dwq_status_t status = make_controller(run);

    if (status == DWQ_OK) {
        dwqi_log_info(&run->log, "one process: every call runs in place");
        status = play_worker_function(run, arg, serve_in_place);
        run->exit_code = run->controller_code;
    }
    return status;
}

static dwq_status_t play(struct run *run, void *worker_arg)
{
    switch (dwqi_plan_role(&run->plan, run->rank)) {
    case DWQI_ROLE_CONTROLLER:
        return play_controller(run);
    case DWQI_ROLE_WORKER:
        return play_worker(run, worker_arg);
    case DWQI_ROLE_IN_PLACE:
        return play_in_place(run, worker_arg);
    case DWQI_ROLE_IDLE:
        dwqi_log_info(&run->log, "idle: beyond max_workers %d",
                      run->options.max_workers);
        break;
    }
    return DWQ_OK;
}

/* --- From start to end --------------------------------------------------- */

static dwq_status_t run_roles(struct run *run, void *worker_arg)
{
    dwq_status_t status =
        dwqi_world_transport(run->world, &run->log, &run->transport);

    if (status == DWQ_OK) {
        status = make_executor(run);
    }
    run->start = dwqi_clock_now();
    if (status == DWQ_OK) {
        status = play(run, worker_arg);
    }
    if (status != DWQ_OK) {
        /* Others wait for this rank; there is no way to tell them. */
        dwqi_log_error(&run->log, "the run cannot go on: %s",
                       dwq_status_text(status));
        abort_run(run);
    }
    if (run->overdue) {
        dwqi_log_error(&run->log, "calls still run after the time limit and "
                                  "its grace: the job ends now");
        dwqi_controller_destroy(run->controller); /* counts what is left */
        fflush(NULL);
        dwqi_world_abort(run->world, run->controller_code);
    }
    return dwqi_world_barrier(run->world);
}

static void finish(struct run *run)
{
    dwqi_server_destroy(run->server);
    dwqi_controller_destroy(run->controller);
    dwqi_executor_destroy(run->executor);
    dwqi_registry_destroy(run->registry);
    dwqi_close(run->transport);
    dwqi_world_close(run->world);
}

/* Bring MPI up, and open the world of this run. */
static dwq_status_t open_world(struct run *run, const void *comm,
                               int thread_level)
{
    /* A level that is none is refused later, by all together. */
    bool is_level = thread_level >= 0 && thread_level <= 3;
    dwq_status_t status = dwqi_mpi_start(is_level ? thread_level : 0);

    if (status == DWQ_OK) {
        status = dwqi_world_open(comm, &run->world);
    }
    if (status == DWQ_OK) {
        run->rank = dwqi_world_rank(run->world);
        snprintf(run->log.who, sizeof run->log.who, "rank %d", run->rank);
        return DWQ_OK;
    }
    dwqi_log_error(&run->log, "dwq_run: %s",
                   status == DWQ_E_STATE ? "MPI has been finalized"
                   : status == DWQ_E_ARG
                       ? "the communicator is MPI_COMM_NULL, or connects two "
                         "groups"
                       : dwq_status_text(status));
    return status;
}

dwq_status_t dwqi_run(const void *comm, const dwq_options_t *options,
                      int *exit_code_out, bool *is_controller_out)
{
    struct run run = { .exit_code = 0 };
    void *worker_arg = NULL;
    dwq_status_t status;

    if (options) {
        run.log.line = options->log;
        run.log.arg = options->log_arg;
    }
    status = open_world(&run, comm, options ? options->thread_level : 0);
    if (status != DWQ_OK) {
        return status;
    }
    status = dwqi_run_start(&run, options, &worker_arg);
    if (status == DWQ_OK) {
        status = run_roles(&run, worker_arg);
    }
    if (status == DWQ_OK) {
        *is_controller_out = run.rank == run.plan.controller;
        *exit_code_out = run.exit_code;
    }
    finish(&run);
    return status;
}

/* --- Public ------------------------------------------------------------- */

dwq_status_t dwq_run(const dwq_options_t *options, int *exit_code_out)
{
    bool is_controller;
    int code;
    dwq_status_t status = dwqi_run(NULL, options, &code, &is_controller);

    if (status == DWQ_OK && exit_code_out) {
        *exit_code_out = code;
    }
    return status;
}

int dwq_main(int argc, char **argv, const dwq_options_t *options)
{
    dwq_options_t own;
    bool is_controller = false;
    int code = 0;
    dwq_status_t status;

    if (!options) {
        fprintf(stderr, "libdwq: error: dwq_main: options is NULL\n");
        return 1;
    }
    own = *options;
    if (!own.argv) {
        own.argc = argc;
        own.argv = argv;
    }
    status = dwqi_run(NULL, &own, &code, &is_controller);
    fflush(stdout);
    dwq_finalize();
    if (status != DWQ_OK) {
        return 1;
    }
    return is_controller ? code : 0;
}

void dwq_finalize(void)
{
    dwqi_mpi_finish();
}

dwq_status_t dwq_world(dwq_world_t *world_out)
{
    struct dwqi_log log = { .line = NULL };
    struct dwqi_fault fault;
    int rank, size, controller;
    dwq_status_t status;

    if (!world_out) {
        return DWQ_E_ARG;
    }
    status = dwqi_mpi_start(0);
    if (status == DWQ_OK) {
        status = dwqi_mpi_place(&rank, &size);
    }
    if (status != DWQ_OK) {
        return status;
    }
    status = dwqi_options_controller_rank(size, &controller, &fault);
    if (status != DWQ_OK) {
        dwqi_log_error(&log, "%s", fault.text);
        return status;
    }
    *world_out = (dwq_world_t){
        .is_controller = rank == controller,
        .is_worker = rank != controller || size == 1,
        .workers_available = size > 1,
        .size = size,
        .rank = rank,
        .n_workers = size - 1,
    };
    return DWQ_OK;
}

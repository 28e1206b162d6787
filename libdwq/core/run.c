/* One run from start to end: agree on the options (start.c), play the roles
 * (roles.c), and leave together. */
#include "libdwq/core/run.h"

#include <math.h>

#include "libdwq/base/clock.h"
#include "libdwq/base/ending.h"
#include "libdwq/core/run_private.h"
#include "libdwq/wire/process.h"
#include "libdwq/wire/spawn.h"
#include "libdwq/wire/watchdog.h"

/* --- From start to end --------------------------------------------------- */

/* Until when others are awaited that have no more to do. */
static double end_of(const struct run *run)
{
    return fmax(dwqi_run_grace_end(run), dwqi_clock_now() + DWQI_LEAVE_TIME);
}

static void end_overdue(struct run *run)
{
    dwqi_witness_say_late(true);
    dwqi_controller_destroy(run->controller); /* counts what is left */
    dwqi_mpi_abort(run->controller_code);
}

void dwqi_run_give_up(struct run *run, dwq_status_t status)
{
    dwqi_log_error(&run->log, "the run cannot go on: %s",
                   dwq_status_text(status));
    dwqi_run_abort(run);
}

static dwq_status_t run_roles(struct run *run)
{
    dwq_status_t status = dwqi_run_play(run);

    if (status != DWQ_OK) {
        dwqi_run_give_up(run, status);
    }
    if (run->overdue) {
        dwqi_log_error(&run->log, "workers have not come back after the time "
                                  "limit and its grace: the job ends now");
        end_overdue(run);
    }
    status = dwqi_world_barrier(
        run->world, run->facts.is_controller ? end_of(run) : INFINITY);
    if (status == DWQ_E_TIME_LIMIT) {
        dwqi_log_error(&run->log, "ranks have not come to the end of the run "
                                  "after the time limit and its grace: the "
                                  "job ends now");
        end_overdue(run);
    }
    return status;
}

static void finish(struct run *run)
{
    bool limited = run->start > 0 && !isinf(end_of(run));
    struct dwqi_watchdog *watchdog = NULL;

    if (limited) { /* groups part in calls of MPI that cannot be left */
        watchdog = dwqi_watchdog_start(
            end_of(run) - dwqi_clock_now(),
            "the run has not ended after the time limit and its grace: the "
            "job ends now");
    }
    dwqi_run_finish_roles(run);
    dwqi_run_unbind(run);
    dwqi_plan_finish(&run->plan);
    dwqi_run_finish_place(run);
    dwqi_world_close(run->world);
    dwqi_watchdog_stop(watchdog);
}

/* Nobody is told that this rank has no memory to come to the run over `comm`. */
static dwq_status_t end_without_memory(struct run *run, const void *comm)
{
    int rank = 0, size = 1;

    if (dwqi_mpi_is_up()) {
        dwqi_mpi_place(comm, &rank, &size);
    }
    snprintf(run->log.who, sizeof run->log.who, "rank %d%s", rank,
             dwqi_spawn_is_marked() ? " (spawned)" : "");
    if (size > 1 || dwqi_spawn_is_marked()) {
        dwqi_run_give_up(run, DWQ_E_NOMEM);
    }
    dwqi_log_error(&run->log, "dwq_run: %s", dwq_status_text(DWQ_E_NOMEM));
    return DWQ_E_NOMEM;
}

static dwq_status_t start_mpi(struct run *run, int thread_level)
{
    /* A level that is none is refused later, by all together. */
    bool is_level = thread_level >= 0 && thread_level <= 3;
    dwq_status_t status =
        dwqi_mpi_start(is_level ? thread_level : 0, dwqi_run_never_joined);

    if (status == DWQ_E_NOMEM) {
        return end_without_memory(run, NULL);
    }
    if (status != DWQ_OK) {
        dwqi_log_error(&run->log, "dwq_run: %s",
                       status != DWQ_E_STATE ? dwq_status_text(status)
                       : dwqi_process_is_ours()
                           ? "MPI has been finalized"
                           : "this process was made by fork(), and is no rank");
    }
    return status;
}

/* Whether those can come that this run needs, and this thread may. */
static dwq_status_t check_place(const struct run *run, const void *comm)
{
    const char *why = dwqi_mpi_why_no_run(comm);

    if (why) {
        dwqi_log_error(&run->log, "dwq_run: %s", why);
    }
    return why ? DWQ_E_STATE : DWQ_OK;
}

static dwq_status_t open_world(struct run *run, const void *comm)
{
    dwq_status_t status = dwqi_world_open(comm, &run->world);

    if (status == DWQ_OK) {
        run->rank = dwqi_world_rank(run->world);
        snprintf(run->log.who, sizeof run->log.who, "rank %d", run->rank);
        dwqi_witness_set_who(dwqi_world_witness(run->world), run->log.who);
        return DWQ_OK;
    }
    if (status == DWQ_E_NOMEM) {
        return end_without_memory(run, comm);
    }
    dwqi_log_error(&run->log, "dwq_run: %s",
                   status == DWQ_E_ARG
                       ? "the communicator is MPI_COMM_NULL, or connects two "
                         "groups"
                       : dwq_status_text(status));
    return status;
}

/* A process that a broker spawned plays its part in the one run it was started
 * for; every other run of the same program is nothing to it. */
static dwq_status_t run_spawned(struct run *run, const dwq_options_t *options,
                                const struct dwqi_spawn_marker *marker)
{
    dwq_status_t status;

    if (marker->run != run->ordinal) {
        return DWQ_OK;
    }
    status = open_world(run, NULL);
    if (status == DWQ_OK) {
        snprintf(run->log.who, sizeof run->log.who, "a spawned rank");
        dwqi_witness_set_who(dwqi_world_witness(run->world), run->log.who);
        status = dwqi_run_join(run, options, marker->token);
    }
    if (status == DWQ_OK) {
        status = run_roles(run);
    }
    finish(run);
    return status;
}

dwq_status_t dwqi_run(const void *comm, const dwq_options_t *options,
                      bool follows, int *exit_code_out, bool *is_controller_out)
{
    struct run run = { .follows = follows };
    struct dwqi_spawn_marker marker;
    dwq_status_t status;

    if (options) {
        run.log.line = options->log;
        run.log.arg = options->log_arg;
    }
    status = start_mpi(&run, options ? options->thread_level : 0);
    if (status == DWQ_OK) {
        status = check_place(&run, comm);
    }
    if (status != DWQ_OK) {
        return status;
    }
    run.ordinal = dwqi_process_count_run();
    /* In a call, a spawned rank may run over its group as any other. */
    if (!(run.ordinal == 0 && comm) && dwqi_spawned(&marker)) {
        status = run_spawned(&run, options, &marker);
        if (status == DWQ_OK) {
            *is_controller_out = false;
            *exit_code_out = run.exit_code;
        }
        return status;
    }
    status = open_world(&run, comm);
    if (status != DWQ_OK) {
        return status;
    }
    status = dwqi_run_start(&run, options);
    if (status == DWQ_OK) {
        status = run_roles(&run);
    }
    if (status == DWQ_OK) {
        *is_controller_out = run.facts.is_controller;
        *exit_code_out = run.exit_code;
    }
    finish(&run);
    return status;
}

/* --- No more than a plan --------------------------------------------------- */

static dwq_status_t show_plan(struct run *run, dwqi_show_plan *show, void *arg,
                              int *code_out)
{
    int controller = run->plan.shown.controller;

    if (run->rank == controller) {
        *code_out = show(&run->cluster, &run->placement, arg);
    }
    return dwqi_world_bcast(run->world, controller, code_out, sizeof *code_out);
}

dwq_status_t dwqi_run_only_plan(const dwq_options_t *options,
                                dwqi_show_plan *show, void *arg, int *code_out)
{
    struct run run = { .only_plan = true };
    dwq_status_t status = start_mpi(&run, 0);
    int code = 0;

    if (status == DWQ_OK) {
        status = open_world(&run, NULL);
    }
    if (status != DWQ_OK) {
        return status;
    }
    status = dwqi_world_size(run.world) > 1 ? dwqi_run_plan(&run, options)
                                            : DWQ_E_EMPTY;
    if (status == DWQ_OK) {
        status = show_plan(&run, show, arg, &code);
    }
    if (status == DWQ_OK) {
        *code_out = code;
    }
    finish(&run);
    return status;
}

/* --- Public ------------------------------------------------------------- */

dwq_status_t dwq_run(const dwq_options_t *options, int *exit_code_out)
{
    bool is_controller;
    int code;
    dwq_status_t status = dwqi_run(NULL, options, false, &code, &is_controller);

    if (status == DWQ_OK && exit_code_out) {
        *exit_code_out = code;
    }
    return status;
}

/* The marker of a spawned process is nothing that the program gave. */
static void strip_marker(int *argc, char **argv)
{
    int n = 0;

    for (int i = 0; argv && i < *argc && argv[i]; i++) {
        if (!dwqi_spawn_read_marker(argv[i], NULL)) {
            argv[n++] = argv[i];
        }
    }
    if (argv && n < *argc) {
        argv[n] = NULL;
        *argc = n;
    }
}

static int run_and_end(int argc, char **argv, const dwq_options_t *options,
                       bool follows)
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
    strip_marker(&argc, argv);
    strip_marker(&own.argc, own.argv);
    status = dwqi_run(NULL, &own, follows, &code, &is_controller);
    dwqi_flush_standard();
    dwq_finalize();
    if (status != DWQ_OK) {
        return 1;
    }
    return is_controller ? dwqi_exit_code(code) : 0;
}

int dwq_main(int argc, char **argv, const dwq_options_t *options)
{
    return run_and_end(argc, argv, options, false);
}

int dwq_worker_main(int argc, char **argv, const dwq_options_t *options)
{
    return run_and_end(argc, argv, options, true);
}

void dwq_finalize(void)
{
    if (!dwqi_process_is_ours()) {
        return;
    }
    dwqi_run_never_joined();
    dwqi_mpi_finish(0);
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
    status = dwqi_mpi_start(0, dwqi_run_never_joined);
    if (status == DWQ_OK) {
        status = dwqi_mpi_place(NULL, &rank, &size);
    }
    if (status != DWQ_OK) {
        return status;
    }
    if (dwqi_spawned(NULL)) {
        *world_out = (dwq_world_t){ .is_worker = true,
                                    .spawned = true,
                                    .workers_available = true,
                                    .size = size,
                                    .rank = rank };
        return DWQ_OK;
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

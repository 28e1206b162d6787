/* One run from open to close: agree on the options (start.c), play the roles (roles.c),
 * and leave together. dwq_run() has the controller function in between. */
#include "libdwq/run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/clock.h"
#include "libdwq/base/ending.h"
#include "libdwq/mpi/spawn.h"
#include "libdwq/process/process.h"
#include "libdwq/process/watchdog.h"
#include "libdwq/run/run_private.h"

/* --- From start to end --------------------------------------------------- */

void dwqi_run_give_up(struct run *run, dwq_status_t status)
{
    dwqi_log_error(&run->log, "the run cannot go on: %s",
                   dwq_status_text(status));
    dwqi_run_abort(run);
}

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

/* Play this rank's role to its end, and wait for the others. */
static dwq_status_t leave(struct run *run)
{
    dwq_status_t status = dwqi_run_play(run);

    if (status != DWQ_OK) {
        dwqi_run_give_up(run, status);
    }
    if (run->overdue && run->facts.survives) {
        dwqi_run_end_workers(run);
        run->overdue = false;
    }
    if (run->overdue) {
        dwqi_log_error(&run->log, "workers have not come back after the time "
                                  "limit and its grace: the job ends now");
        end_overdue(run);
    }
    status =
        dwqi_ranks_barrier(dwqi_world_ranks(run->world),
                           run->facts.is_controller ? end_of(run) : INFINITY);
    if (status == DWQ_E_TIME_LIMIT) {
        dwqi_log_error(&run->log, "ranks have not come to the end of the run "
                                  "after the time limit and its grace: the "
                                  "job ends now");
        end_overdue(run);
    }
    return status == DWQ_E_WORKER ? DWQ_OK : status; /* who lives has come */
}

static void finish(struct run *run)
{
    bool limited = run->start > 0 && !isinf(end_of(run));
    bool survives = run->facts.survives;
    struct dwqi_watchdog *watchdog = NULL;

    if (limited) { /* groups part in calls of MPI that cannot be left */
        watchdog = dwqi_watchdog_start(
            end_of(run) - dwqi_clock_now(),
            "the run has not ended after the time limit and its grace: the "
            "job ends now");
    }
    dwqi_run_ignore_deaths(run);
    dwqi_run_finish_role(run);
    dwqi_gathered_finish(&run->lone_ranks);
    dwq_kwargs_free(run->kept_args);
    dwqi_arena_finish(&run->settings_arena);
    free(run->settings);
    dwqi_run_unbind(run);
    dwqi_plan_finish(&run->plan);
    dwqi_run_finish_place(run);
    dwqi_world_close(run->world);
    dwqi_watchdog_stop(watchdog);
    dwqi_watchdog_stop(run->gone);
    free(run);
    if (survives) {
        dwqi_lines_set_wake(dwqi_process_lines(), NULL, NULL);
    }
}

/* --- Open --------------------------------------------------------------- */

static dwq_status_t begin_mpi(int thread_level, struct dwqi_error *error)
{
    /* A level that is none is refused later, by all together. */
    bool is_level = thread_level >= 0 && thread_level <= 3;
    dwq_status_t status =
        dwqi_mpi_start(is_level ? thread_level : 0, dwqi_run_never_joined);

    return status != DWQ_E_STATE ? status
           : dwqi_process_is_ours()
               ? dwqi_error_set(error, status, "MPI has been finalized")
               : dwqi_error_set(error, status,
                                "this process was made by fork(), and is no "
                                "rank");
}

/* Nobody is told that this rank has no memory to come to the run over `comm`. */
static void end_without_memory(struct run *run, const void *comm)
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
}

static const char some_are_dead[] =
    "a rank of the job is dead: no run over several of its ranks can begin any "
    "more";

/* Whether those can come that this run needs, and this thread may. */
static dwq_status_t check_place(struct run *run, const void *comm)
{
    const char *why = dwqi_mpi_why_no_run(comm);
    int rank, size = 1;

    if (!why && dwqi_lines_know_deaths(dwqi_process_lines()) &&
        !dwqi_process_run_of_thread()) {
        dwqi_mpi_place(comm, &rank, &size);
        why = size > 1 ? some_are_dead : NULL;
    }
    return why ? dwqi_error_set(&run->error, DWQ_E_STATE, "%s", why) : DWQ_OK;
}

static dwq_status_t refuse_comm(struct run *run)
{
    return dwqi_error_set(&run->error, DWQ_E_ARG,
                          "the communicator is MPI_COMM_NULL, or connects two "
                          "groups");
}

static dwq_status_t open_world(struct run *run, const void *comm)
{
    dwq_status_t status = dwqi_world_open(comm, &run->world);

    if (status == DWQ_E_ARG) {
        return refuse_comm(run);
    }
    if (status == DWQ_OK) {
        run->rank = dwqi_ranks_rank(dwqi_world_ranks(run->world));
        snprintf(run->log.who, sizeof run->log.who, "rank %d", run->rank);
        if (run->spawned) {
            strcpy(run->log.who, "a spawned rank");
        }
        dwqi_witness_set_who(dwqi_world_witness(run->world), run->log.who);
    }
    return status;
}

/* In the log, unless all ranks hear it and one of them says it; and to be asked for. */
static void say_why(struct run *run, const struct dwqi_run_request *request,
                    dwq_status_t status, bool together)
{
    dwqi_error_complete(&run->error, status);
    if (!together) {
        dwqi_log_error(&run->log, "%s: %s", request->caller, run->error.text);
    }
    dwqi_process_set_failure(run->error.text);
}

static dwq_status_t create(const struct dwqi_run_request *request,
                           struct run **run_out)
{
    struct run without = { .follows = request->follows,
                           .opened = request->opens,
                           .has_taker = request->has_taker };
    struct run *run = malloc(sizeof *run);

    if (request->options) {
        without.log.line = request->options->log;
        without.log.arg = request->options->log_arg;
    }
    if (!run) { /* which rank this is MPI knows */
        begin_mpi(0, &without.error);
        end_without_memory(&without, request->comm);
        say_why(&without, request, DWQ_E_NOMEM, false);
        return DWQ_E_NOMEM;
    }
    *run = without;
    *run_out = run;
    return DWQ_OK;
}

/* A process that a broker spawned plays its part in the one run it was started for. */
static bool is_absent(const struct run *run)
{
    return run->spawned && run->marker.run != run->ordinal;
}

/* This rank is in the world of the run, unless it is absent. */
static dwq_status_t come(struct run *run,
                         const struct dwqi_run_request *request)
{
    const dwq_options_t *options = request->options;
    const void *comm = request->comm;
    dwq_status_t status;

    /* MPI is not started for that; but a spawned rank does without `comm`. */
    if (dwqi_mpi_is_null(comm) && !dwqi_mpi_is_up() &&
        !dwqi_spawn_is_marked()) {
        dwqi_process_count_run();
        return refuse_comm(run);
    }
    status = begin_mpi(options ? options->thread_level : 0, &run->error);
    if (status == DWQ_OK) {
        status = check_place(run, comm);
    }
    if (status == DWQ_OK) {
        run->ordinal = dwqi_process_count_run();
        /* In a call, a spawned rank may run over its group as any other. */
        run->spawned =
            !(run->ordinal == 0 && comm) && dwqi_spawned(&run->marker);
        comm = run->spawned ? NULL : comm;
    }
    if (status == DWQ_OK && !is_absent(run)) {
        status = open_world(run, comm);
    }
    if (status == DWQ_E_NOMEM) {
        end_without_memory(run, comm);
    }
    return status;
}

dwq_status_t dwqi_run_open(const struct dwqi_run_request *request,
                           struct run **run_out)
{
    bool together = false;
    struct run *run;
    dwq_status_t status = create(request, &run);

    if (status != DWQ_OK) {
        return status;
    }
    status = come(run, request);
    if (status == DWQ_OK && is_absent(run)) {
        free(run);
        *run_out = NULL;
        return DWQ_OK;
    }
    if (status == DWQ_OK) {
        together = true;
        status = run->spawned
                     ? dwqi_run_join(run, request->options, run->marker.token)
                     : dwqi_run_start(run, request->options);
    }
    if (status == DWQ_E_WORKER) {
        status = dwqi_error_set(&run->error, DWQ_E_STATE, "%s", some_are_dead);
    }
    if (status != DWQ_OK) {
        say_why(run, request, status, together);
        finish(run);
        return status;
    }
    dwqi_world_witness(run->world)->opened = run->opened;
    status = dwqi_run_make_role(run);
    if (status != DWQ_OK) {
        dwqi_run_give_up(run, status);
    }
    *run_out = run;
    return status;
}

bool dwqi_run_is_controller(const struct run *run)
{
    return run && run->facts.is_controller;
}

dwq_status_t dwqi_run_close(struct run *run, int code, int *exit_code_out)
{
    dwq_status_t status;

    if (!run) {
        *exit_code_out = 0;
        return DWQ_OK;
    }
    run->controller_code = code;
    status = leave(run);
    if (status == DWQ_OK) {
        *exit_code_out = run->exit_code;
    }
    finish(run);
    return status;
}

/* --- Around a function, or around what comes between two calls --------------- */

/* The controller function between open and close. */
static dwq_status_t run_all(const struct dwqi_run_request *request,
                            int *exit_code_out, bool *is_controller_out)
{
    struct run *run;
    int code = 0;
    dwq_status_t status = dwqi_run_open(request, &run);

    if (status != DWQ_OK) {
        return status;
    }
    *is_controller_out = dwqi_run_is_controller(run);
    if (*is_controller_out) {
        code = run->options.controller(run->controller, run->options.arg);
        dwqi_process_end_child("controller");
    }
    return dwqi_run_close(run, code, exit_code_out);
}

dwq_status_t dwqi_run(const void *comm, const dwq_options_t *options,
                      int *exit_code_out)
{
    bool is_controller;
    int code;
    dwq_status_t status =
        run_all(&(struct dwqi_run_request){ .comm = comm,
                                            .options = options,
                                            .caller = "dwq_run",
                                            .has_taker = true },
                &code, &is_controller);

    if (status == DWQ_OK && exit_code_out) {
        *exit_code_out = code;
    }
    return status;
}

/* For a function that has come back without a close. What warns then is the rank of the
 * job: in the run it may be another. */
static void close_left(void *arg, const char *who)
{
    struct run *run = arg;
    int code;

    snprintf(run->log.who, sizeof run->log.who, "%s", who);
    (void)dwqi_run_close(run, 1, &code);
}

dwq_status_t dwqi_open(const void *comm, const dwq_options_t *options,
                       dwq_controller_t **controller_out, int *exit_code_out)
{
    struct dwqi_run_request request = { .comm = comm,
                                        .options = options,
                                        .caller = "dwq_open",
                                        .opens = true,
                                        .has_taker = controller_out != NULL };
    dwq_controller_t *controller = NULL;
    struct run *run;
    int code = 0;
    dwq_status_t status = dwqi_run_open(&request, &run);

    if (status == DWQ_OK && dwqi_run_is_controller(run)) {
        controller = run->controller;
        dwqi_world_witness(run->world)->run = run;
        dwqi_world_witness(run->world)->close = close_left;
    } else if (status == DWQ_OK) {
        status = dwqi_run_close(run, 0, &code);
    }
    if (status == DWQ_OK && controller_out) {
        *controller_out = controller;
    }
    if (status == DWQ_OK && exit_code_out) {
        *exit_code_out = code;
    }
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
    return dwqi_ranks_bcast(dwqi_world_ranks(run->world), controller, code_out,
                            sizeof *code_out);
}

dwq_status_t dwqi_run_only_plan(const dwq_options_t *options,
                                dwqi_show_plan *show, void *arg, int *code_out)
{
    const struct dwqi_run_request request = { .options = options,
                                              .caller = "dwq-plan" };
    struct run *run;
    int code = 0;
    dwq_status_t status = create(&request, &run);

    if (status != DWQ_OK) {
        return status;
    }
    run->only_plan = true;
    status = come(run, &request);
    if (status == DWQ_OK) {
        status = dwqi_ranks_size(dwqi_world_ranks(run->world)) > 1
                     ? dwqi_run_plan(run, options)
                     : DWQ_E_EMPTY;
    }
    if (status == DWQ_OK) {
        status = show_plan(run, show, arg, &code);
    }
    if (status == DWQ_OK) {
        *code_out = code;
    }
    finish(run);
    return status;
}

/* --- Public ------------------------------------------------------------- */

dwq_status_t dwq_run(const dwq_options_t *options, int *exit_code_out)
{
    return dwqi_run(NULL, options, exit_code_out);
}

dwq_status_t dwq_open(const dwq_options_t *options,
                      dwq_controller_t **controller_out, int *exit_code_out)
{
    return dwqi_open(NULL, options, controller_out, exit_code_out);
}

dwq_status_t dwq_close(dwq_controller_t *controller, int exit_code)
{
    struct run *run;
    int code;
    dwq_status_t status;

    if (!controller) {
        return DWQ_OK;
    }
    status = dwqi_controller_enter(controller);
    if (status != DWQ_OK) {
        return status;
    }
    run = dwqi_controller_owner(controller);
    if (!run->opened) {
        return dwqi_controller_leave_call(
            controller,
            dwqi_controller_refuse(
                controller, DWQ_E_STATE,
                "dwq_close: this run began by dwq_run(), which ends it when "
                "the controller function returns"));
    }
    if (dwqi_world_witness(run->world)->way) {
        return dwqi_controller_leave_call(
            controller,
            dwqi_controller_refuse(
                controller, DWQ_E_STATE,
                "dwq_close: a call runs in it, which has to end first"));
    }
    return dwqi_run_close(run, exit_code, &code);
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
    status = run_all(&(struct dwqi_run_request){ .options = &own,
                                                 .caller = "dwq_run",
                                                 .has_taker = true,
                                                 .follows = follows },
                     &code, &is_controller);
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

/* Kept for dwq_controller_error(), and logged. */
static dwq_status_t no_world(struct dwqi_error *error, dwq_status_t status)
{
    const struct dwqi_log log = { .line = NULL };

    dwqi_error_complete(error, status);
    dwqi_log_error(&log, "dwq_world: %s", error->text);
    dwqi_process_set_failure(error->text);
    return status;
}

dwq_status_t dwq_world(dwq_world_t *world_out)
{
    struct dwqi_error error = { .text = "" };
    int rank, size, controller;
    dwq_status_t status =
        world_out ? DWQ_OK
                  : dwqi_error_set(&error, DWQ_E_ARG, "world_out is NULL");

    if (status == DWQ_OK) {
        status = begin_mpi(0, &error);
    }
    if (status == DWQ_OK) {
        status = dwqi_mpi_place(NULL, &rank, &size);
    }
    if (status == DWQ_OK && dwqi_spawned(NULL)) {
        *world_out = (dwq_world_t){ .is_worker = true,
                                    .spawned = true,
                                    .workers_available = true,
                                    .size = size,
                                    .rank = rank };
        return DWQ_OK;
    }
    if (status == DWQ_OK) {
        status = dwqi_options_controller_rank(size, &controller, &error);
    }
    if (status != DWQ_OK) {
        return no_world(&error, status);
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

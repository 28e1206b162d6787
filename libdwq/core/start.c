/* The start of a run: everything that can be refused is refused here, by all
 * ranks alike, with one of them saying why. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/core/run_private.h"

/* --- Agreement at the start --------------------------------------------- */

dwq_status_t dwqi_run_agree(struct run *run, dwq_status_t status,
                            const struct dwqi_fault *fault)
{
    int first = INT_MAX;
    dwq_status_t asked = dwqi_world_min(
        run->world, status == DWQ_OK ? INT_MAX : run->rank, &first);

    if (asked != DWQ_OK || first == INT_MAX) {
        return asked;
    }
    if (first == run->rank) {
        dwqi_log_error(&run->log, "%s", fault->text);
    }
    return DWQ_E_OPTION;
}

/* Compare this rank's options with those of rank 0. */
static dwq_status_t compare(struct run *run, const struct dwqi_buffer *mine,
                            struct dwqi_fault *fault)
{
    size_t size = mine->size;
    char *theirs;
    dwq_status_t status = dwqi_world_bcast(run->world, 0, &size, sizeof size);

    if (status != DWQ_OK) {
        return status;
    }
    theirs = malloc(size);
    if (!theirs) {
        return DWQ_E_NOMEM; /* a few KiB: nothing else would work either */
    }
    if (run->rank == 0) {
        memcpy(theirs, mine->data, size);
    }
    status = dwqi_world_bcast(run->world, 0, theirs, size);
    if (status == DWQ_OK &&
        (size != mine->size || memcmp(theirs, mine->data, size) != 0)) {
        dwqi_options_difference((const char *)mine->data, theirs, run->rank, 0,
                                fault);
        status = DWQ_E_OPTION;
    }
    free(theirs);
    return status;
}

static dwq_status_t compare_options(struct run *run)
{
    struct dwqi_buffer text = { .data = NULL };
    struct dwqi_fault fault = { "" };
    dwq_status_t status = dwqi_options_text(&run->options, &text, &fault);

    status = dwqi_run_agree(run, status, &fault);
    if (status == DWQ_OK) {
        status = dwqi_run_agree(run, compare(run, &text, &fault), &fault);
    }
    dwqi_buffer_finish(&text);
    return status;
}

/* What each rank can find wrong by itself, with all that it was given. */
static dwq_status_t check_options(struct run *run, const dwq_options_t *given,
                                  struct dwqi_fault *fault)
{
    int size = dwqi_world_size(run->world);
    dwq_status_t status;

    if (!given) {
        return dwqi_option_fault(fault, "options is NULL");
    }
    status = dwqi_options_resolve(given, &run->options, fault);
    if (status == DWQ_OK && dwqi_mpi_thread_level() < given->thread_level) {
        return dwqi_option_fault(
            fault, "option thread_level is %d, but MPI provides %d",
            given->thread_level, dwqi_mpi_thread_level());
    }
    return status == DWQ_OK ? dwqi_options_check(&run->options, size, fault)
                            : status;
}

static void no_plan(const struct dwqi_plan_request *request, int needed,
                    struct dwqi_fault *fault)
{
    dwqi_option_fault(
        fault,
        "option nprocs_per_worker is %d, broker %s: one group and the "
        "controller need %d ranks, and %d are present",
        request->nprocs, request->inside ? "inside" : "beside", needed,
        request->size);
}

/* What the user is told of this rank. */
static dwq_world_t facts_of(const struct run *run)
{
    const dwq_plan_t *plan = &run->plan.shown;

    return (dwq_world_t){
        .is_controller = run->rank == plan->controller,
        .is_worker =
            run->role == DWQI_ROLE_WORKER || run->role == DWQI_ROLE_MEMBER ||
            run->role == DWQI_ROLE_IN_PLACE ||
            (run->role == DWQI_ROLE_BROKER && run->options.broker_is_worker),
        .workers_available = plan->n_groups > 0,
        .size = plan->size,
        .rank = run->rank,
        .n_workers = plan->n_groups,
    };
}

static dwq_status_t request_plan(const struct run *run,
                                 struct dwqi_plan_request *request_out,
                                 struct dwqi_fault *fault)
{
    const dwq_options_t *o = &run->options;
    struct dwqi_plan_request request = {
        .size = dwqi_world_size(run->world),
        .max_workers = o->max_workers,
        .grouping = dwqi_options_grouping(o),
        .nprocs = dwqi_options_nprocs(o),
        .inside = o->broker_is_worker,
    };
    dwq_status_t status =
        dwqi_options_controller_rank(request.size, &request.controller, fault);

    if (status != DWQ_OK) {
        return status;
    }
    if (run->rank == request.controller && !o->controller && !run->only_plan) {
        return dwqi_option_fault(
            fault, "option controller is not set on rank %d, the controller",
            request.controller);
    }
    *request_out = request;
    return DWQ_OK;
}

/* By what the hosts are made of, or in rank order. */
static dwq_status_t plan_roles(struct run *run,
                               const struct dwqi_plan_request *request,
                               struct dwqi_fault *fault)
{
    int needed;
    dwq_status_t status = DWQ_OK;

    if (request->size > 1 &&
        (run->only_plan || dwqi_options_placed(&run->options))) {
        status = dwqi_run_place(run, request, fault);
    }
    if (status == DWQ_OK && !run->placed) {
        status = dwqi_plan_make(request, &run->plan, &needed);
        if (status == DWQ_E_OPTION) {
            no_plan(request, needed, fault);
        }
        status = dwqi_run_agree(run, status, fault);
    }
    return status;
}

static dwq_status_t take_role(struct run *run, struct dwqi_fault *fault)
{
    struct dwqi_plan_request request = { .size = 0 };
    dwq_status_t status =
        dwqi_run_agree(run, request_plan(run, &request, fault), fault);

    if (status == DWQ_OK) {
        status = plan_roles(run, &request, fault);
    }
    if (status == DWQ_OK) {
        run->role = dwqi_plan_role(&run->plan, run->rank);
        run->worker_id = dwqi_plan_worker_of(&run->plan, run->rank);
        run->facts = facts_of(run);
    }
    return status;
}

/* Whether this rank runs a worker function. */
static bool runs_worker_function(const struct run *run)
{
    switch (run->role) {
    case DWQI_ROLE_WORKER:
    case DWQI_ROLE_MEMBER:
    case DWQI_ROLE_IN_PLACE:
        return true;
    case DWQI_ROLE_BROKER:
        return run->options.broker_is_worker && !run->options.broker;
    default:
        return false;
    }
}

static dwq_status_t find_broker(struct run *run, struct dwqi_fault *fault)
{
    struct dwqi_reason reason = { "" };
    dwq_options_t *o = &run->options;
    dwq_status_t status;

    run->broker_arg = o->arg;
    if (o->broker || !o->broker_module || run->role != DWQI_ROLE_BROKER) {
        return DWQ_OK;
    }
    status = dwqi_registry_find_broker(run->registry, o->broker_module,
                                       o->broker_name, &o->broker,
                                       &run->broker_arg, &reason);
    if (status != DWQ_OK) {
        dwqi_option_fault(fault, "option broker_module: %s", reason.text);
    }
    return status;
}

/* Find the worker function by name where no pointer was given. */
static dwq_status_t find_worker(struct run *run, struct dwqi_fault *fault)
{
    struct dwqi_reason reason = { "" };
    dwq_options_t *o = &run->options;
    dwq_status_t status;

    run->worker_arg = o->arg;
    if (o->worker || !o->worker_module || !runs_worker_function(run)) {
        return DWQ_OK;
    }
    status = dwqi_registry_find_worker(run->registry, o->worker_module,
                                       o->worker_name, &o->worker,
                                       &run->worker_arg, &reason);
    if (status != DWQ_OK) {
        dwqi_option_fault(fault, "option worker_module: %s", reason.text);
    }
    return status;
}

static dwq_status_t make_registry(struct run *run, struct dwqi_fault *fault)
{
    struct dwqi_reason reason = { "" };
    dwq_status_t status = dwqi_registry_create(
        run->options.functions, run->options.arg, run->options.module_path,
        &run->log, &run->registry, &reason);

    if (status != DWQ_OK) {
        dwqi_option_fault(fault, "option functions: %s", reason.text);
    }
    return status;
}

/* --- Names, warnings, all together --------------------------------------- */

static void name_rank(struct run *run)
{
    const char *role = run->role == DWQI_ROLE_BROKER   ? "broker"
                       : run->role == DWQI_ROLE_MEMBER ? "group"
                                                       : "worker";

    if (run->worker_id > 0) {
        snprintf(run->log.who, sizeof run->log.who, "rank %d (%s %d)",
                 run->rank, role, run->worker_id);
    } else {
        snprintf(run->log.who, sizeof run->log.who, "rank %d%s", run->rank,
                 run->facts.is_controller ? " (controller)" : "");
    }
}

static void warn_unused(struct run *run)
{
    struct dwqi_fault names;

    dwqi_options_unused(&run->options, run->facts.size, &names);
    if (run->facts.is_controller && names.text[0] != '\0') {
        dwqi_log_warning(&run->log,
                         "of no use in this run, and not looked at: %s",
                         names.text);
    }
}

dwq_status_t dwqi_run_find_functions(struct run *run, struct dwqi_fault *fault)
{
    dwq_status_t status = make_registry(run, fault);

    if (status == DWQ_OK) {
        status = find_broker(run, fault);
    }
    return status == DWQ_OK ? find_worker(run, fault) : status;
}

static dwq_status_t spawn_groups(struct run *run, struct dwqi_fault *fault)
{
    dwq_status_t status = DWQ_OK;

    if (run->role == DWQI_ROLE_BROKER) {
        status = dwqi_run_check_spawn(run, fault);
    }
    status = dwqi_run_agree(run, status, fault);
    if (status != DWQ_OK) {
        return status;
    }
    status = dwqi_run_agree(run, dwqi_run_spawn(run, fault), fault);
    if (status != DWQ_OK) {
        dwqi_run_tell_spawned(run, false);
        return status;
    }
    return dwqi_run_tell_spawned(run, true);
}

/* Cut the groups out of the world, or have the brokers start them. */
static dwq_status_t make_groups(struct run *run, struct dwqi_fault *fault)
{
    if (run->facts.size == 1) {
        return DWQ_OK;
    }
    switch (run->plan.request.grouping) {
    case DWQ_GROUPING_SPLIT:
        return dwqi_group_split(run->world, run->worker_id,
                                run->plan.place_of[run->rank],
                                run->options.broker_is_worker, &run->group);
    case DWQ_GROUPING_SPAWN:
        return spawn_groups(run, fault);
    case DWQ_GROUPING_NONE:
        break;
    }
    return DWQ_OK;
}

dwq_status_t dwqi_run_plan(struct run *run, const dwq_options_t *given)
{
    struct dwqi_fault fault = { "" };
    dwq_status_t status =
        dwqi_run_agree(run, check_options(run, given, &fault), &fault);

    if (status == DWQ_OK) {
        run->log.verbose = run->options.verbose;
        dwqi_world_set_idle_wait(run->world, run->options.idle_wait);
        status = compare_options(run);
    }
    return status == DWQ_OK ? take_role(run, &fault) : status;
}

dwq_status_t dwqi_run_start(struct run *run, const dwq_options_t *given)
{
    struct dwqi_fault fault = { "" };
    dwq_status_t status = dwqi_run_plan(run, given);

    if (status != DWQ_OK) {
        return status;
    }
    name_rank(run);
    warn_unused(run);
    status = dwqi_run_agree(run, dwqi_run_find_functions(run, &fault), &fault);
    if (status == DWQ_OK && run->facts.size > 1) {
        status = dwqi_world_connect_bells(run->world);
    }
    if (status == DWQ_OK) {
        status = make_groups(run, &fault);
    }
    return status == DWQ_OK && run->placed && run->options.bind
               ? dwqi_run_bind(run)
               : status;
}

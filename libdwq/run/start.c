/* The start of a run: everything that can be refused is refused here, by all
 * ranks alike, with one of them saying why. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "libdwq/mpi/spawn.h"
#include "libdwq/run/run_private.h"

/* --- Options are compared ----------------------------------------------- */

static dwq_status_t bcast_in_world(struct run *run, void *data, size_t size)
{
    return dwqi_ranks_bcast(dwqi_world_ranks(run->world), run->teller, data,
                            size);
}

static const struct dwqi_run_way in_world = { bcast_in_world, dwqi_run_agree };

/* The first rank that has options of its own tells them to those that follow. */
static dwq_status_t find_teller(struct run *run, bool *followed_out)
{
    int first, follower;
    dwq_status_t status =
        dwqi_ranks_min(dwqi_world_ranks(run->world),
                       run->follows ? INT_MAX : run->rank, &first);

    if (status == DWQ_OK) {
        status = dwqi_ranks_min(dwqi_world_ranks(run->world),
                                run->follows ? run->rank : INT_MAX, &follower);
    }
    if (status != DWQ_OK) {
        return status;
    }
    if (first == INT_MAX) {
        dwqi_error_set(&run->error, DWQ_E_OPTION,
                       "every rank of this job is a dwq-worker, and none "
                       "submits calls: start the program that does beside "
                       "them (mpirun -n 1 ./program : -n 4 dwq-worker)");
        if (run->rank == 0) {
            dwqi_log_error(&run->log, "%s", run->error.text);
        }
        return DWQ_E_OPTION;
    }
    run->teller = first;
    *followed_out = follower < INT_MAX;
    return DWQ_OK;
}

/* Compare this rank's options, if it has any, with those of the one that tells its
 * own. */
static dwq_status_t compare(struct run *run, const struct dwqi_buffer *mine,
                            struct dwqi_error *fault)
{
    void *theirs = NULL;
    size_t size;
    dwq_status_t status;

    status = run->rank == run->teller
                 ? dwqi_run_tell(run, &in_world, mine->data, mine->size, fault)
                 : dwqi_run_hear(run, &in_world, &theirs, &size, fault);
    if (status != DWQ_OK) {
        return status;
    }
    if (theirs && mine->data &&
        (size != mine->size || memcmp(theirs, mine->data, size) != 0)) {
        dwqi_options_difference((const char *)mine->data, theirs, run->rank,
                                run->teller, fault);
        status = DWQ_E_OPTION;
    }
    free(theirs);
    return dwqi_run_agree(run, status, fault);
}

static dwq_status_t check_thread_level(const struct run *run,
                                       struct dwqi_error *fault)
{
    int level = run->options.thread_level;

    return dwqi_mpi_thread_level() >= level
               ? DWQ_OK
               : dwqi_error_set(fault, DWQ_E_OPTION,
                                "option thread_level is %d, but MPI "
                                "provides %d",
                                level, dwqi_mpi_thread_level());
}

static dwq_status_t pack_for_followers(struct run *run, struct dwqi_pack *pack,
                                       struct dwqi_error *fault)
{
    int controller = 0;
    dwq_status_t status = dwqi_options_controller_rank(
        dwqi_ranks_size(dwqi_world_ranks(run->world)), &controller, fault);
    dwq_kwarg_t more[] = {
        { "controller", dwq_value_int(controller) },
        { "spawn_args_function",
          dwq_value_bool(run->options.spawn_args_function != NULL) },
    };

    return status == DWQ_OK ? dwqi_run_pack_options(
                                  run, (dwq_kwargs_t){ 2, more }, pack, fault)
                            : status;
}

/* What was told is there. */
static dwq_status_t follow(struct run *run, size_t size,
                           struct dwqi_error *fault)
{
    dwq_options_t own = run->options;
    struct dwqi_told told;
    bool has_function = false;
    dwq_status_t status = dwqi_run_read_options(run, size, &told);

    if (status == DWQ_OK) {
        status = dwqi_run_take_options(run, &own, &told);
    }
    if (status != DWQ_OK) {
        return status;
    }
    dwq_read_int(dwq_map_find(told.options, "controller"),
                 &run->told_controller);
    dwq_read_bool(dwq_map_find(told.options, "spawn_args_function"),
                  &has_function);
    if (has_function && !own.spawn_args_function &&
        run->options.grouping == DWQ_GROUPING_SPAWN) {
        return dwqi_error_set(
            fault, DWQ_E_OPTION,
            "option spawn_args_function is a function of another "
            "program, which a dwq-worker cannot call: use spawn_args");
    }
    return check_thread_level(run, fault);
}

/* The others hear it, too: a broadcast is for all. */
static dwq_status_t tell_followers(struct run *run, struct dwqi_error *fault)
{
    bool tells = run->rank == run->teller;
    struct dwqi_pack pack = { .block = NULL };
    void *unused = NULL;
    size_t size = 0;
    dwq_status_t status =
        tells ? pack_for_followers(run, &pack, fault) : DWQ_OK;

    status = dwqi_run_agree(run, status, fault);
    if (status == DWQ_OK) {
        status = tells ? dwqi_run_tell(run, &in_world, pack.block,
                                       pack.block_size, fault)
                       : dwqi_run_hear(run, &in_world,
                                       run->follows ? &run->settings : &unused,
                                       &size, fault);
    }
    if (status == DWQ_OK) {
        status = run->follows ? follow(run, size, fault) : DWQ_OK;
        status = dwqi_run_agree(run, status, fault);
    }
    free(unused);
    dwqi_pack_finish(&pack);
    return status;
}

static dwq_status_t compare_options(struct run *run)
{
    struct dwqi_buffer text = { .data = NULL };
    struct dwqi_error *fault = &run->error;
    bool followed = false;
    dwq_status_t status =
        run->follows ? DWQ_OK : dwqi_options_text(&run->options, &text, fault);

    status = dwqi_run_agree(run, status, fault);
    if (status == DWQ_OK) {
        status = find_teller(run, &followed);
    }
    if (status == DWQ_OK) {
        status = compare(run, &text, fault);
    }
    if (status == DWQ_OK && followed) {
        status = tell_followers(run, fault);
    }
    dwqi_buffer_finish(&text);
    return status;
}

/* What each rank can find wrong by itself, with all that it was given. */
static dwq_status_t check_options(struct run *run, const dwq_options_t *given,
                                  struct dwqi_error *fault)
{
    int size = dwqi_ranks_size(dwqi_world_ranks(run->world));
    dwq_status_t status;

    if (!given) {
        return dwqi_error_set(fault, DWQ_E_OPTION, "options is NULL");
    }
    if (run->follows) {
        run->options = *given;
        return DWQ_OK;
    }
    if (run->opened && given->controller) {
        return dwqi_error_set(fault, DWQ_E_OPTION,
                              "option controller is set, and dwq_open() gives "
                              "the controller to its caller: leave it NULL");
    }
    status = dwqi_options_resolve(given, &run->options, fault);
    if (status == DWQ_OK) {
        status = check_thread_level(run, fault);
    }
    return status == DWQ_OK ? dwqi_options_check(&run->options, size, fault)
                            : status;
}

static void no_plan(const struct dwqi_plan_request *request, int needed,
                    struct dwqi_error *fault)
{
    dwqi_error_set(
        fault, DWQ_E_OPTION,
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
            run->kind == DWQI_ROLE_WORKER || run->kind == DWQI_ROLE_LEAF ||
            run->kind == DWQI_ROLE_IN_PLACE ||
            (run->kind == DWQI_ROLE_BROKER && run->options.broker_is_worker),
        .workers_available = plan->n_groups > 0,
        .size = plan->size,
        .rank = run->rank,
        .n_workers = plan->n_groups,
    };
}

/* On its rank. The caller of dwq_open() goes on, with run_args of its own. */
static dwq_status_t check_controller(struct run *run, struct dwqi_error *fault)
{
    dwq_status_t status = DWQ_OK;

    if (!run->opened && !run->options.controller) {
        return dwqi_error_set(
            fault, DWQ_E_OPTION,
            "option controller is not set on rank %d, the controller",
            run->rank);
    }
    if (!run->has_taker) {
        return dwqi_error_set(
            fault, DWQ_E_ARG,
            "controller_out is NULL on rank %d, the controller", run->rank);
    }
    if (run->opened) {
        status = dwq_kwargs_copy(run->options.run_args, &run->kept_args);
        run->options.run_args = run->kept_args;
    }
    return status;
}

static dwq_status_t request_plan(struct run *run,
                                 struct dwqi_plan_request *request_out,
                                 struct dwqi_error *fault)
{
    const dwq_options_t *o = &run->options;
    struct dwqi_plan_request request = {
        .size = dwqi_ranks_size(dwqi_world_ranks(run->world)),
        .max_workers = o->max_workers,
        .grouping = dwqi_options_grouping(o),
        .nprocs = dwqi_options_nprocs(o),
        .inside = o->broker_is_worker,
    };
    dwq_status_t status = DWQ_OK;

    if (run->follows) {
        request.controller = run->told_controller;
    } else {
        status = dwqi_options_controller_rank(request.size, &request.controller,
                                              fault);
    }
    if (status != DWQ_OK) {
        return status;
    }
    if (run->rank == request.controller && run->follows) {
        return dwqi_error_set(
            fault, DWQ_E_OPTION,
            "rank %d would be the controller, and is a dwq-worker, which only "
            "serves: start the program that submits calls as that rank, or "
            "set " DWQI_CONTROLLER_RANK_ENV " to a rank of that program",
            request.controller);
    }
    if (run->rank == request.controller && !run->only_plan) {
        status = check_controller(run, fault);
    }
    *request_out = request;
    return status;
}

/* By what the hosts are made of, or in rank order. */
static dwq_status_t plan_roles(struct run *run,
                               const struct dwqi_plan_request *request,
                               struct dwqi_error *fault)
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

static dwq_status_t take_role(struct run *run, struct dwqi_error *fault)
{
    struct dwqi_plan_request request = { .size = 0 };
    dwq_status_t status =
        dwqi_run_agree(run, request_plan(run, &request, fault), fault);

    if (status == DWQ_OK) {
        status = plan_roles(run, &request, fault);
    }
    if (status == DWQ_OK) {
        run->kind = dwqi_plan_role(&run->plan, run->rank);
        run->worker_id = dwqi_plan_worker_of(&run->plan, run->rank);
        run->facts = facts_of(run);
    }
    return status;
}

/* Whether this rank runs a worker function. */
static bool runs_worker_function(const struct run *run)
{
    switch (run->kind) {
    case DWQI_ROLE_WORKER:
    case DWQI_ROLE_LEAF:
    case DWQI_ROLE_IN_PLACE:
        return true;
    case DWQI_ROLE_BROKER:
        return run->options.broker_is_worker && !run->options.broker;
    default:
        return false;
    }
}

/* The registry has said why. */
static dwq_status_t blame_option(struct dwqi_error *fault, dwq_status_t status,
                                 const char *option)
{
    const struct dwqi_error why = *fault;

    return status == DWQ_OK || status == DWQ_E_NOMEM
               ? status
               : dwqi_error_set(fault, DWQ_E_OPTION, "option %s: %s", option,
                                why.text);
}

static dwq_status_t find_broker(struct run *run, struct dwqi_error *fault)
{
    dwq_options_t *o = &run->options;

    run->broker_arg = o->arg;
    if (o->broker || !o->broker_module || run->kind != DWQI_ROLE_BROKER) {
        return DWQ_OK;
    }
    return blame_option(fault,
                        dwqi_registry_find_broker(
                            run->registry, o->broker_module, o->broker_name,
                            &o->broker, &run->broker_arg, fault),
                        "broker_module");
}

/* Find the worker function by name where no pointer was given. */
static dwq_status_t find_worker(struct run *run, struct dwqi_error *fault)
{
    dwq_options_t *o = &run->options;

    run->worker_arg = o->arg;
    if (o->worker || !o->worker_module || !runs_worker_function(run)) {
        return DWQ_OK;
    }
    return blame_option(fault,
                        dwqi_registry_find_worker(
                            run->registry, o->worker_module, o->worker_name,
                            &o->worker, &run->worker_arg, fault),
                        "worker_module");
}

static dwq_status_t make_registry(struct run *run, struct dwqi_error *fault)
{
    return blame_option(fault,
                        dwqi_registry_create(run->options.functions,
                                             run->options.arg,
                                             run->options.module_path,
                                             &run->log, &run->registry, fault),
                        "functions");
}

/* --- Names, warnings, all together --------------------------------------- */

static void name_rank(struct run *run)
{
    const char *role = run->kind == DWQI_ROLE_BROKER ? "broker"
                       : run->kind == DWQI_ROLE_LEAF ? "group"
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
    struct dwqi_error names;

    dwqi_options_unused(&run->options, run->facts.size, &names);
    if (run->facts.is_controller && names.text[0] != '\0') {
        dwqi_log_warning(&run->log, "options without effect in this run: %s",
                         names.text);
    }
}

dwq_status_t dwqi_run_find_functions(struct run *run, struct dwqi_error *fault)
{
    dwq_status_t status = make_registry(run, fault);

    if (status == DWQ_OK) {
        status = find_broker(run, fault);
    }
    return status == DWQ_OK ? find_worker(run, fault) : status;
}

static dwq_status_t spawn_groups(struct run *run, struct dwqi_error *fault)
{
    dwq_status_t status = DWQ_OK;

    if (run->kind == DWQI_ROLE_BROKER) {
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
static dwq_status_t make_groups(struct run *run, struct dwqi_error *fault)
{
    if (run->facts.size == 1) {
        return DWQ_OK;
    }
    switch (run->plan.request.grouping) {
    case DWQ_GROUPING_SPLIT:
        return dwqi_group_split(
            run->world, run->worker_id, run->plan.place_of[run->rank],
            run->options.broker_is_worker, &run->log, &run->group);
    case DWQ_GROUPING_SPAWN:
        return spawn_groups(run, fault);
    case DWQ_GROUPING_NONE:
        break;
    }
    return DWQ_OK;
}

/* Who is alone on its host: the controller has to speak for it. */
static dwq_status_t name_lone_ranks(struct run *run)
{
    const struct dwqi_witness *witness = dwqi_world_witness(run->world);
    struct dwqi_gathered names = { .data = NULL };
    char mine[128] = "";
    dwq_status_t status;

    if (!dwqi_world_spans_hosts(run->world)) {
        return DWQ_OK;
    }
    if (witness->is_alone) {
        dwqi_plain_format(mine, sizeof mine, "%s on host %s", run->log.who,
                          witness->words->host);
    }
    status =
        dwqi_ranks_gather_all(dwqi_world_ranks(run->world), mine,
                              mine[0] ? strlen(mine) + 1 : 0, NULL, &names);
    if (status == DWQ_OK && run->facts.is_controller) {
        run->lone_ranks = names;
    } else if (status == DWQ_OK) {
        dwqi_gathered_finish(&names);
    }
    return status == DWQ_E_NOMEM ? DWQ_OK : status; /* it goes without */
}

dwq_status_t dwqi_run_plan(struct run *run, const dwq_options_t *given)
{
    struct dwqi_error *fault = &run->error;
    dwq_status_t status =
        dwqi_run_agree(run, check_options(run, given, fault), fault);

    if (status == DWQ_OK) {
        status = compare_options(run);
    }
    if (status != DWQ_OK) {
        return status;
    }
    run->log.verbose = run->options.verbose;
    dwqi_world_set_idle_wait(run->world, run->options.idle_wait);
    return take_role(run, fault);
}

dwq_status_t dwqi_run_start(struct run *run, const dwq_options_t *given)
{
    struct dwqi_error *fault = &run->error;
    dwq_status_t status = dwqi_run_plan(run, given);

    if (status != DWQ_OK) {
        return status;
    }
    name_rank(run);
    warn_unused(run);
    if (run->facts.size == 1 && run->ordinal == 1 && dwqi_mpi_is_up()) {
        dwqi_run_warn_alone(run);
    }
    status = dwqi_run_find_end(run, fault);
    if (status == DWQ_OK) {
        status =
            dwqi_run_agree(run, dwqi_run_find_functions(run, fault), fault);
    }
    if (status == DWQ_OK && run->facts.size > 1) {
        status = dwqi_world_connect_bells(run->world);
    }
    if (status == DWQ_OK) {
        status = make_groups(run, fault);
    }
    if (status == DWQ_OK) {
        status = name_lone_ranks(run);
    }
    return status == DWQ_OK && run->placed && run->options.bind
               ? dwqi_run_bind(run)
               : status;
}

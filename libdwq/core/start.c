/* The start of a run: everything that can be refused is refused here, by all
 * ranks alike, with one of them saying why. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/core/run_private.h"

/* --- Agreement at the start --------------------------------------------- */

/* Whether no rank has a fault; the first that has one says it. */
static dwq_status_t agree(struct run *run, dwq_status_t status,
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

    status = agree(run, status, &fault);
    if (status == DWQ_OK) {
        status = agree(run, compare(run, &text, &fault), &fault);
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
        snprintf(fault->text, sizeof fault->text, "options is NULL");
        return DWQ_E_OPTION;
    }
    status = dwqi_options_resolve(given, &run->options, fault);
    if (status == DWQ_OK && dwqi_mpi_thread_level() < given->thread_level) {
        snprintf(fault->text, sizeof fault->text,
                 "option thread_level is %d, but MPI provides %d",
                 given->thread_level, dwqi_mpi_thread_level());
        return DWQ_E_OPTION;
    }
    return status == DWQ_OK ? dwqi_options_check(&run->options, size, fault)
                            : status;
}

static dwq_status_t plan_roles(struct run *run, struct dwqi_fault *fault)
{
    int size = dwqi_world_size(run->world), controller = 0;
    dwq_status_t status =
        dwqi_options_controller_rank(size, &controller, fault);

    if (status != DWQ_OK) {
        return status;
    }
    run->plan = dwqi_plan_make(size, controller, run->options.max_workers);
    if (run->rank == controller && !run->options.controller) {
        snprintf(fault->text, sizeof fault->text,
                 "option controller is not set on rank %d, the controller",
                 controller);
        return DWQ_E_OPTION;
    }
    return DWQ_OK;
}

/* Find the worker function by name where no pointer was given. */
static dwq_status_t find_worker(struct run *run, void **arg_out,
                                struct dwqi_fault *fault)
{
    struct dwqi_reason reason = { "" };
    enum dwqi_role role = dwqi_plan_role(&run->plan, run->rank);
    dwq_status_t status;

    *arg_out = run->options.arg;
    if (run->options.worker || !run->options.worker_module ||
        role == DWQI_ROLE_CONTROLLER || role == DWQI_ROLE_IDLE) {
        return DWQ_OK;
    }
    status = dwqi_registry_find_worker(
        run->registry, run->options.worker_module, run->options.worker_name,
        &run->options.worker, arg_out, &reason);
    if (status != DWQ_OK) {
        snprintf(fault->text, sizeof fault->text,
                 "option worker_module: %.200s", reason.text);
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
        snprintf(fault->text, sizeof fault->text, "option functions: %.200s",
                 reason.text);
    }
    return status;
}

/* --- Names, warnings, all together --------------------------------------- */

static void name_rank(struct run *run)
{
    int worker = dwqi_plan_worker_of(&run->plan, run->rank);

    if (worker > 0) {
        snprintf(run->log.who, sizeof run->log.who, "rank %d (worker %d)",
                 run->rank, worker);
    } else {
        snprintf(run->log.who, sizeof run->log.who, "rank %d%s", run->rank,
                 run->rank == run->plan.controller ? " (controller)" : "");
    }
}

static void warn_unused(struct run *run)
{
    struct dwqi_fault names;

    dwqi_options_unused(&run->options, run->plan.size, &names);
    if (run->rank == run->plan.controller && names.text[0] != '\0') {
        dwqi_log_warning(&run->log,
                         "of no use in this run, and not looked at: %s",
                         names.text);
    }
}

dwq_status_t dwqi_run_start(struct run *run, const dwq_options_t *given,
                            void **worker_arg_out)
{
    struct dwqi_fault fault = { "" };
    dwq_status_t status = agree(run, check_options(run, given, &fault), &fault);

    if (status == DWQ_OK) {
        run->log.verbose = run->options.verbose;
        dwqi_world_set_idle_wait(run->world, run->options.idle_wait);
        status = compare_options(run);
    }
    if (status == DWQ_OK) {
        status = agree(run, plan_roles(run, &fault), &fault);
    }
    if (status != DWQ_OK) {
        return status;
    }
    name_rank(run);
    warn_unused(run);
    status = make_registry(run, &fault);
    if (status == DWQ_OK) {
        status = find_worker(run, worker_arg_out, &fault);
    }
    return agree(run, status, &fault);
}

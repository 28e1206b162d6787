#include "workers/executor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "libdwq/process/process.h"
#include "workers/call.h"

struct dwqi_executor {
    struct dwqi_executor_config config;
    struct dwqi_arena arena;   /* decoded arguments of the outermost call */
    const dwq_call_t *running; /* the innermost: a call may execute others */
    unsigned n_started;
    struct dwqi_scratch scratch;
    uint64_t n_processed;
    double total_time;
};

dwq_status_t dwqi_executor_create(const struct dwqi_executor_config *config,
                                  struct dwqi_executor **executor_out)
{
    struct dwqi_executor *executor = calloc(1, sizeof *executor);

    if (!executor) {
        return DWQ_E_NOMEM;
    }
    executor->config = *config;
    executor->scratch.pool = config->pool;
    *executor_out = executor;
    return DWQ_OK;
}

void dwqi_executor_destroy(struct dwqi_executor *executor)
{
    if (executor) {
        dwqi_arena_finish(&executor->arena);
        dwqi_scratch_finish(&executor->scratch);
        free(executor);
    }
}

void dwqi_executor_set_around(struct dwqi_executor *executor,
                              const struct dwqi_executor *around)
{
    executor->config.around = around;
}

const struct dwq_call *dwqi_executor_running(
    const struct dwqi_executor *executor)
{
    return executor->running;
}

struct dwqi_pool *dwqi_executor_pool(const struct dwqi_executor *executor)
{
    return executor->config.pool;
}

void dwqi_done_finish(struct dwqi_done *done)
{
    dwqi_pack_finish(&done->pack);
    dwqi_owned_free(done->owned);
    *done = (struct dwqi_done){ .owned = NULL };
}

/* Runs that the function opened and did not close: this one, and it has failed. */
static int close_left(const struct dwqi_executor *executor, dwq_call_t *call,
                      unsigned long n_entered, int code)
{
    const struct dwqi_task_view *task = call->task;

    if (!dwqi_process_close_left(n_entered, executor->config.log, task->id,
                                 task->function) ||
        code != 0 || call->failed) {
        return code;
    }
    return dwq_call_fail(call, DWQ_E_STATE,
                         "the function opened a run, and came back without a "
                         "dwq_close(): the run was closed, and what it had not "
                         "started was cancelled");
}

/* A function that gives up (exit(), MPI_Finalize(), an exception) comes back here, too,
 * and what it left on the stack is lost. */
static int call_function(const struct dwqi_executor *executor, dwq_call_t *call,
                         const dwq_function_t *function)
{
    struct dwqi_witness *witness = executor->config.witness;
    unsigned long n_entered = dwqi_process_n_entered();
    struct dwqi_way_out way;
    int code;

    if (!witness) {
        return function->function(call, function->arg);
    }
    dwqi_witness_enter_call(witness, &way, call->task->id,
                            call->task->function);
    if (sigsetjmp(way.back, 0) == 0) {
        code = function->function(call, function->arg);
        code = close_left(executor, call, n_entered, code);
        dwqi_witness_leave_call(witness, &way);
        return code;
    }
    dwqi_witness_keep(witness, &way);
    dwqi_witness_leave_call(witness, &way);
    call->gave_up = true;
    return dwq_call_fail(call, way.code, "%s", way.text);
}

/* Decode, find, run: leaves in `call` what came of it, and the seconds in the
 * function. */
static double run_function(struct dwqi_executor *executor, dwq_call_t *call,
                           const void *item, const struct dwqi_task_head *head,
                           const struct dwqi_share *share,
                           struct dwqi_arena *arena,
                           struct dwqi_task_view *view)
{
    struct dwqi_error reason;
    dwq_function_t function;
    double start, seconds;
    int code;
    dwq_status_t status = dwqi_task_unpack(
        item, head, share, call->mark | DWQI_ARRAY_VIEW, arena, view);

    if (status != DWQ_OK) {
        dwq_call_fail(call, status, "the task could not be read: %s",
                      dwq_status_text(status));
        return 0;
    }
    status = dwqi_registry_find(executor->config.registry, view->module,
                                view->function, &function, &reason);
    if (status != DWQ_OK) {
        dwq_call_fail(call, status, "%s", reason.text);
        return 0;
    }
    start = executor->config.now(executor->config.clock);
    if (head->time_limit > 0) {
        call->limit = start + head->time_limit;
    }
    code = call_function(executor, call, &function);
    dwqi_process_end_child(view->function);
    seconds = executor->config.now(executor->config.clock) - start;
    if (code != 0 && !call->failed) {
        dwqi_plain_format(reason.text, sizeof reason.text,
                          "function '%s' returned %d", view->function, code);
        dwq_call_fail(call, code, "%s", reason.text);
    }
    return seconds;
}

/* Of a call that was asked to stop, and did not end well. */
static dwq_status_t status_of_failure(const dwq_call_t *call)
{
    switch (dwq_call_stop(call)) {
    case DWQ_STOP_NONE:
        return call->gave_up && call->config->survives ? DWQ_E_WORKER
                                                       : DWQ_E_TASK;
    case DWQ_STOP_CANCEL:
        return DWQ_E_CANCELLED;
    default:
        return DWQ_E_TIME_LIMIT;
    }
}

/* Bring the call's outcome into call->done.pack. A call that returned nothing
 * has no values; one that failed has a message instead, and needs nothing else. */
static dwq_status_t finish_part(dwq_call_t *call,
                                const struct dwqi_part_head *times)
{
    struct dwqi_part_head head = *times;
    struct dwqi_pack pack;
    const char *why;
    dwq_status_t status;

    if (call->done.pack.block && !call->failed) {
        struct dwqi_part_head *packed = (void *)call->done.pack.block;

        packed->this_time = head.this_time;
        packed->attempt = head.attempt;
        return DWQ_OK;
    }
    dwqi_done_finish(&call->done);
    head.status = call->failed ? status_of_failure(call) : DWQ_OK;
    head.code = call->code;
    status =
        dwqi_pack_part(&head, call->failed ? call->message : NULL,
                       (dwq_values_t){ 0, NULL }, call->scratch, &pack, &why);
    if (status == DWQ_OK) {
        call->done.pack = pack;
    }
    return status;
}

static uint32_t n_parts(const struct dwqi_executor *executor)
{
    return (uint32_t)executor->config.size;
}

dwq_status_t dwqi_executor_run(struct dwqi_executor *executor, const void *item,
                               const struct dwqi_task_head *head,
                               const struct dwqi_share *share,
                               struct dwqi_done *done_out)
{
    struct dwqi_task_view view = { .id = head->id };
    struct dwqi_part_head times = { .id = head->id,
                                    .n_parts = n_parts(executor),
                                    .attempt = head->attempt };
    dwq_status_t status;
    struct dwqi_arena inner = { .chunks = NULL };
    struct dwqi_arena *arena = executor->running ? &inner : &executor->arena;
    dwq_call_t call; /* its message is not cleared: 512 bytes on a hot path */

    call.config = &executor->config;
    call.task = &view;
    call.outer = executor->running;
    call.mark = ++executor->n_started << DWQI_ARRAY_CALL_SHIFT;
    call.comm =
        call.outer ? executor->config.inner_comm : executor->config.comm;
    call.scratch = &executor->scratch;
    call.done = (struct dwqi_done){ .owned = NULL };
    call.failed = false;
    call.gave_up = false;
    call.bad_return = false;
    call.code = 0;
    call.limit = INFINITY;
    dwqi_arena_reset(arena);
    executor->running = &call;
    times.this_time =
        run_function(executor, &call, item, head, share, arena, &view);
    executor->running = call.outer;
    dwqi_arena_finish(&inner);
    executor->total_time += times.this_time;
    executor->n_processed++;
    status = finish_part(&call, &times);
    if (status == DWQ_OK && call.failed && executor->config.renew) {
        status = executor->config.renew(executor->config.renew_arg,
                                        call.outer != NULL);
    }
    if (status != DWQ_OK) {
        dwqi_done_finish(&call.done);
        return status;
    }
    if (call.done.pack.n_extents == 0) {
        dwqi_owned_free(call.done.owned);
        call.done.owned = NULL;
    }
    *done_out = call.done;
    done_out->gave_up = call.gave_up;
    return DWQ_OK;
}

void dwqi_executor_totals(const struct dwqi_executor *executor,
                          uint64_t *n_processed_out, double *total_time_out)
{
    *n_processed_out = executor->n_processed;
    *total_time_out = executor->total_time;
}

dwq_status_t dwqi_executor_fail(struct dwqi_executor *executor,
                                const struct dwqi_task_head *head,
                                uint64_t size, struct dwqi_done *done_out)
{
    struct dwqi_part_head part = { .id = head->id,
                                   .status = DWQ_E_TASK,
                                   .code = DWQ_E_NOMEM,
                                   .n_parts = n_parts(executor),
                                   .attempt = head->attempt };
    char text[DWQI_NO_MEMORY_SIZE];
    const char *why;

    dwqi_no_memory_text(text, executor->config.log, "a task", size);
    *done_out = (struct dwqi_done){ .owned = NULL };
    return dwqi_pack_part(&part, text, (dwq_values_t){ 0, NULL },
                          &executor->scratch, &done_out->pack, &why);
}

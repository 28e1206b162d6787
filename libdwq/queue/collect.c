/* The calls that collect results. */
#include <inttypes.h>
#include <math.h>

#include "libdwq/queue/controller_private.h"

/* One turn of waiting until `until`. */
static dwq_status_t turn(dwq_controller_t *c, double until)
{
    dwq_status_t status = dwqi_dispatcher_turn(&c->d, until);

    /* All that was submitted here has ended. */
    return status == DWQ_E_STATE && c->d.in_place
               ? dwqi_error_set(&c->error, status,
                                "a call waits for its own result, or for one "
                                "behind it: it runs in this process")
               : status;
}

static void take(dwq_controller_t *c, struct dwqi_task *task,
                 dwq_result_t *result_out)
{
    dwqi_dispatcher_take(&c->d, task, result_out);
}

/* Where a result goes is not NULL. */
static dwq_status_t check(dwq_controller_t *c, const void *result_out)
{
    return result_out
               ? DWQ_OK
               : dwqi_error_set(&c->error, DWQ_E_ARG, "result_out is NULL");
}

static dwq_status_t take_one(dwq_controller_t *controller, uint64_t id,
                             dwq_result_t *result_out)
{
    struct dwqi_task *task;
    dwq_status_t status = check(controller, result_out);

    if (status != DWQ_OK) {
        return status;
    }
    task = dwqi_task_find(&controller->d.tasks, id);
    if (!task) {
        return dwqi_error_set(
            &controller->error, DWQ_E_ID,
            "no task has the id %" PRIu64 ", or its result was collected", id);
    }
    while (task->entry.state != DWQI_TASK_DONE) {
        status = turn(controller, INFINITY);
        if (status != DWQ_OK) {
            return dwqi_controller_answer(controller, status);
        }
    }
    take(controller, task, result_out);
    return DWQ_OK;
}

dwq_status_t dwq_controller_get_result(dwq_controller_t *controller,
                                       uint64_t id, dwq_result_t *result_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(controller,
                                       take_one(controller, id, result_out))
               : status;
}

/* The oldest of the results that are there, or the first that comes until `end` (on the
 * transport's clock; INFINITY: however long). */
static dwq_status_t take_next(dwq_controller_t *c, double end,
                              dwq_result_t *result_out)
{
    dwq_status_t status = check(c, result_out);

    while (status == DWQ_OK && !c->d.done) {
        status = c->d.tasks.map.n == 0 ? DWQ_E_EMPTY : turn(c, end);
        if (status == DWQ_OK && !c->d.done && !isinf(end) &&
            dwqi_now(c->d.config.transport) >= end) {
            status = DWQ_E_AGAIN;
        }
        dwqi_controller_answer(c, status);
    }
    if (status == DWQ_OK) {
        take(c, c->d.done, result_out);
    }
    return status;
}

dwq_status_t dwq_controller_get_next_result(dwq_controller_t *controller,
                                            dwq_result_t *result_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(
                     controller, take_next(controller, INFINITY, result_out))
               : status;
}

static dwq_status_t probe(dwq_controller_t *controller,
                          dwq_result_t *result_out)
{
    bool moved;
    dwq_status_t status = check(controller, result_out);

    if (status != DWQ_OK) {
        return status;
    }
    status = dwqi_dispatcher_step(&controller->d, &moved);
    if (controller->d.done) {
        take(controller, controller->d.done, result_out);
        return DWQ_OK;
    }
    if (status == DWQ_OK) {
        status = controller->d.tasks.map.n == 0 ? DWQ_E_EMPTY : DWQ_E_AGAIN;
    }
    return dwqi_controller_answer(controller, status);
}

dwq_status_t dwq_controller_probe_next_result(dwq_controller_t *controller,
                                              dwq_result_t *result_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK ? dwqi_controller_leave(
                                  controller, probe(controller, result_out))
                            : status;
}

static dwq_status_t wait_for_next(dwq_controller_t *controller, double seconds,
                                  dwq_result_t *result_out)
{
    if (result_out && !(seconds >= 0)) {
        return dwqi_error_set(&controller->error, DWQ_E_ARG,
                              "seconds is %g: it is 0 or more", seconds);
    }
    if (seconds == 0 || (controller->d.in_place && !isinf(seconds))) {
        return probe(controller, result_out);
    }
    return take_next(controller,
                     isinf(seconds)
                         ? INFINITY
                         : dwqi_now(controller->d.config.transport) + seconds,
                     result_out);
}

dwq_status_t dwq_controller_wait_next_result(dwq_controller_t *controller,
                                             double seconds,
                                             dwq_result_t *result_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(
                     controller, wait_for_next(controller, seconds, result_out))
               : status;
}

static dwq_status_t probe_all(dwq_controller_t *controller,
                              dwq_result_t *results_out, size_t max,
                              size_t *n_out)
{
    bool moved;
    size_t n = 0;
    dwq_status_t status;

    if (!n_out || (max > 0 && !results_out)) {
        return dwqi_error_set(&controller->error, DWQ_E_ARG,
                              n_out ? "results_out is NULL, and max is %zu"
                                    : "n_out is NULL (max is %zu)",
                              max);
    }
    status = dwqi_dispatcher_step(&controller->d, &moved);
    while (n < max && controller->d.done) {
        take(controller, controller->d.done, &results_out[n]);
        n++;
    }
    *n_out = n;
    return dwqi_controller_answer(controller, n > 0 ? DWQ_OK : status);
}

dwq_status_t dwq_controller_probe_all_next_results(dwq_controller_t *controller,
                                                   dwq_result_t *results_out,
                                                   size_t max, size_t *n_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(
                     controller, probe_all(controller, results_out, max, n_out))
               : status;
}

/* The calls that submit: a task is checked, packed and queued, and sent if somebody waits
 * for it. */
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "libdwq/queue/controller_private.h"

/* Seconds between two polls in a burst of submits. */
#define POLL_AGAIN 3e-6
/* Short calls that may wait for others to travel with: for how long (seconds), and
 * how many per worker. */
#define GATHER_TIME DWQI_HELD_MAX
#define GATHER_CALLS 32

static dwq_status_t refuse(dwq_controller_t *c, dwq_status_t status,
                           const dwq_task_t *task, const char *why)
{
    const char *name = task->function ? task->function : "";

    return dwqi_error_set(&c->error, status, "task '%.*s' refused: %s",
                          dwqi_plain_fit(name, 80), name, why);
}

/* A checked task in the map, in no queue yet. */
static dwq_status_t make_task(dwq_controller_t *c, const dwq_task_t *given,
                              bool binding, struct dwqi_task **task_out)
{
    int max_worker = c->d.cells.n;
    struct dwqi_error fault;
    const char *why = "";
    dwq_task_t fitted;
    bool bound;
    dwq_status_t status;

    if (!given) {
        return dwqi_error_set(&c->error, DWQ_E_ARG, "task is NULL");
    }
    if (c->closed) {
        return refuse(c, DWQ_E_STATE, given, "the run is over");
    }
    if (given->worker < 0 || given->worker > max_worker) {
        char text[80];

        snprintf(text, sizeof text, "worker %d is not in 0..%d", given->worker,
                 max_worker);
        return refuse(c, DWQ_E_ARG, given, text);
    }
    bound = binding && given->worker > 0;
    fitted = *given;
    if (dwqi_dispatcher_fit(&c->d, given, &binding, &fitted.worker, &fault) !=
        DWQ_OK) {
        return refuse(c, DWQ_E_ARG, given, fault.text);
    }
    status = dwqi_task_create(&c->d.tasks, &fitted, binding, task_out, &why);
    if (status != DWQ_OK) {
        return refuse(c, status, given, why);
    }
    if (!bound && (*task_out)->job.binding) {
        dwqi_dispatcher_set_fit(&c->d, given, *task_out);
    }
    return DWQ_OK;
}

/* All of them, or none. */
static dwq_status_t enter_all(dwq_controller_t *c, struct dwqi_task **made,
                              size_t n)
{
    dwq_status_t status = DWQ_OK;
    size_t n_entered = 0;

    while (n_entered < n && status == DWQ_OK) {
        status = dwqi_dispatcher_enter(&c->d, made[n_entered]);
        n_entered += status == DWQ_OK;
    }
    for (size_t i = 0; i < n && status != DWQ_OK; i++) {
        dwqi_dispatcher_drop(&c->d, made[i]);
    }
    return status;
}

/* Whether a new task may wait for the next ones, to travel with them: it is short,
 * and the user has results to take, so nobody waits for this one. The workers are
 * faster than the user, then, and a message per call would be the limit. It waits no longer
 * than the user's thread is back at once: then it is fed (queue/feeder.h). */
static bool may_wait(dwq_controller_t *c, const struct dwqi_task *task,
                     double now)
{
    double expected = dwqi_task_expected(task);

    return c->d.n_done > 0 && expected >= 0 && expected < DWQI_SHORT_CALL &&
           now < c->last_look + GATHER_TIME &&
           dwqi_scheduler_n_waiting(c->d.scheduler) <
               (size_t)GATHER_CALLS * (size_t)c->d.cells.n &&
           c->d.n_near == c->d.cells.n && task->pack.size <= DWQI_INLINE_MAX &&
           dwqi_controller_is_fed(c);
}

static dwq_status_t poll_and_send(dwq_controller_t *c)
{
    bool moved;
    dwq_status_t status = dwqi_dispatcher_step(&c->d, &moved);

    c->last_look = dwqi_now(c->d.config.transport);
    return status;
}

static dwq_status_t send(dwq_controller_t *c, double now)
{
    c->d.now = now;
    c->last_look = now;
    return dwqi_dispatcher_dispatch(&c->d);
}

/* After a submit (`task`: of one that is queued): hear what came (a worker may have
 * become ready), and send if somebody waits for it. */
static dwq_status_t look_and_send(dwq_controller_t *c,
                                  const struct dwqi_task *task)
{
    double now = dwqi_now(c->d.config.transport);

    if (c->d.limit_passed || now >= c->d.config.time_limit) {
        return poll_and_send(c);
    }
    if (task && may_wait(c, task, now)) {
        return DWQ_OK;
    }
    if (dwqi_scheduler_idle_worker(c->d.scheduler) != 0) {
        return send(c, now);
    }
    /* A poll costs as much as a submit: in a burst of submits, not each time. */
    return now < c->last_look + POLL_AGAIN ? DWQ_OK : poll_and_send(c);
}

/* These tasks are queued, or over, and so the answer is DWQ_OK or DWQ_E_MPI: what there is
 * no memory to send now, a later step sends. In place they run now. */
static dwq_status_t after_submit(dwq_controller_t *c, const uint64_t *ids,
                                 size_t n, const struct dwqi_task *task)
{
    dwq_status_t status = c->d.in_place
                              ? dwqi_dispatcher_run_here(&c->d, ids, n)
                              : look_and_send(c, task);

    return status == DWQ_E_NOMEM ? DWQ_OK : status;
}

static dwq_status_t submit_one(dwq_controller_t *c, const dwq_task_t *given,
                               bool binding, uint64_t *id_out)
{
    struct dwqi_task *task;
    uint64_t id;
    dwq_status_t status = make_task(c, given, binding, &task);

    if (status != DWQ_OK) {
        return dwqi_controller_refuse(c, status, NULL);
    }
    id = task->id;
    status = dwqi_dispatcher_enter(&c->d, task);
    if (status != DWQ_OK) {
        dwqi_dispatcher_drop(&c->d, task);
        refuse(c, status, given, dwq_status_text(status));
        return dwqi_controller_refuse(c, status, NULL);
    }
    if (id_out) {
        *id_out = id;
    }
    return dwqi_controller_answer(
        c, after_submit(c, &id, 1,
                        task->entry.state == DWQI_TASK_QUEUED ? task : NULL));
}

static dwq_status_t submit(dwq_controller_t *c, const dwq_task_t *given,
                           bool binding, uint64_t *id_out)
{
    dwq_status_t status = dwqi_controller_enter(c);

    return status == DWQ_OK
               ? dwqi_controller_leave(c, submit_one(c, given, binding, id_out))
               : status;
}

dwq_status_t dwq_controller_submit_call(dwq_controller_t *controller,
                                        const dwq_task_t *task,
                                        uint64_t *id_out)
{
    return submit(controller, task, true, id_out);
}

dwq_status_t dwq_controller_queue_call(dwq_controller_t *controller,
                                       const dwq_task_t *task, uint64_t *id_out)
{
    return submit(controller, task, false, id_out);
}

/* All n in the map, or none. */
static dwq_status_t make_all(dwq_controller_t *c, const dwq_task_t *tasks,
                             size_t n, bool numbered, struct dwqi_task **made)
{
    dwq_status_t status = DWQ_OK;
    struct dwqi_error why;
    size_t n_made = 0;

    while (n_made < n && status == DWQ_OK) {
        status = make_task(c, &tasks[n_made], true, &made[n_made]);
        n_made += status == DWQ_OK;
    }
    if (status != DWQ_OK && numbered) {
        why = c->error;
        dwqi_error_set(&c->error, status, "tasks[%zu]: %s", n_made, why.text);
    }
    for (size_t i = 0; i < n_made && status != DWQ_OK; i++) {
        dwqi_dispatcher_drop(&c->d, made[i]);
    }
    return status;
}

dwq_status_t dwqi_controller_submit_all(dwq_controller_t *c,
                                        const dwq_task_t *tasks, size_t n,
                                        bool numbered, uint64_t *ids_out)
{
    struct dwqi_task **made = calloc(n + 1, sizeof(struct dwqi_task *));
    uint64_t *ids = calloc(n + 1, sizeof *ids);
    dwq_status_t status =
        made && ids ? make_all(c, tasks, n, numbered, made) : DWQ_E_NOMEM;

    if (status == DWQ_OK) {
        status = enter_all(c, made, n);
    }
    for (size_t i = 0; i < n && status == DWQ_OK; i++) {
        ids[i] = made[i]->id;
    }
    free(made);
    if (status != DWQ_OK) {
        free(ids);
        return dwqi_controller_refuse(c, status, NULL);
    }
    if (ids_out && n > 0) {
        memcpy(ids_out, ids, n * sizeof *ids);
    }
    status = after_submit(c, ids, n, NULL);
    free(ids);
    return dwqi_controller_answer(c, status);
}

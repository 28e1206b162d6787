/* The calls of <dwq/controller.h> but those that collect. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "libdwq/base/clock.h"
#include "libdwq/base/plain.h"
#include "libdwq/queue/controller_private.h"

/* Seconds between two polls in a burst of submits. */
#define POLL_AGAIN 3e-6
/* Short calls that may wait for others to travel with: for how long (seconds), and
 * how many per worker. */
#define GATHER_TIME DWQI_HELD_MAX
#define GATHER_CALLS 32

static void free_parts(dwq_controller_t *c)
{
    dwqi_cell_list_finish(&c->cells);
    free(c->parts);
    dwqi_scheduler_destroy(c->scheduler);
    free(c);
}

static void log_step(void *arg, const struct dwqi_step *step)
{
    const dwq_controller_t *c = arg;
    const struct dwqi_task *task = step->task;

    if (task->worker > 0) {
        dwqi_log_info(c->config.log,
                      step->event == DWQI_EVENT_ASSIGN
                          ? "task %" PRIu64 " to worker %d"
                          : "task %" PRIu64 " done by worker %d",
                      task->id, task->worker);
    }
}

static void watch_steps(dwq_controller_t *c, const struct dwqi_log *log)
{
    const struct dwqi_observer observers[] = {
        { DWQI_STATS_EVENTS, dwqi_stats_see, &c->stats, NULL },
        { DWQI_RATES_EVENTS, dwqi_rates_see, NULL, NULL },
        { DWQI_EVENT_BIT(ASSIGN) | DWQI_EVENT_BIT(RESULT), log_step, c, NULL },
    };
    size_t n = log->verbose ? 3 : 2;

    c->ledger.log = log;
    for (size_t i = 0; i < n; i++) {
        c->observers[i] = observers[i];
        dwqi_ledger_watch(&c->ledger, &c->observers[i]);
    }
}

dwq_status_t dwqi_controller_create(const struct dwqi_controller_config *config,
                                    dwq_controller_t **controller_out)
{
    int n = config->n_workers;
    dwq_controller_t *c = calloc(1, sizeof *c);
    dwq_status_t status;

    if (!c) {
        return DWQ_E_NOMEM;
    }
    c->config = *config;
    c->thread = pthread_self();
    c->in_place = n == 0;
    c->leave_end = INFINITY;
    c->tasks.scratch.pool = config->pool;
    c->tasks.est_seconds = config->time_est_seconds;
    c->tasks.retry_failed = config->retry_failed;
    c->stats.cells = &c->cells;
    c->scheduler =
        dwqi_scheduler_create(n, config->queue_order, config->held_max);
    c->parts = calloc((size_t)config->held_max + 1, sizeof *c->parts);
    c->n_waiting = c->scheduler ? dwqi_scheduler_waiting(c->scheduler) : NULL;
    status =
        c->scheduler && c->parts ? dwqi_cell_list_init(&c->cells) : DWQ_E_NOMEM;
    for (int w = 1; w <= n && status == DWQ_OK; w++) {
        status = dwqi_cell_list_add(&c->cells, config->peers[w - 1]);
    }
    if (status != DWQ_OK) {
        free_parts(c);
        return status;
    }
    watch_steps(c, config->log);
    dwqi_process_add_handle(&c->handle);
    *controller_out = c;
    return DWQ_OK;
}

void *dwqi_controller_owner(const dwq_controller_t *controller)
{
    return controller->config.abort_arg;
}

void dwqi_controller_set_in_place(dwq_controller_t *controller, bool can)
{
    controller->in_place = can;
}

void dwqi_controller_destroy(dwq_controller_t *c)
{
    size_t count;

    if (!c) {
        return;
    }
    dwqi_controller_end_feeding(c);
    dwqi_controller_forget(c);
    count = c->tasks.map.n;
    if (count > 0) {
        dwqi_log_warning(c->config.log,
                         "%zu result%s of this run %s never collected", count,
                         count == 1 ? "" : "s", count == 1 ? "was" : "were");
    }
    dwqi_tasks_finish(&c->tasks);
    free_parts(c);
}

/* --- Submitting --------------------------------------------------------- */

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
    int max_worker = c->config.n_workers > 0 ? c->config.n_workers : 1;
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
    if (dwqi_controller_fit(c, given, &binding, &fitted.worker, &fault) !=
        DWQ_OK) {
        return refuse(c, DWQ_E_ARG, given, fault.text);
    }
    status = dwqi_task_create(&c->tasks, &fitted, binding, task_out, &why);
    if (status != DWQ_OK) {
        return refuse(c, status, given, why);
    }
    if (!bound && (*task_out)->job.binding) {
        dwqi_controller_set_fit(c, given, *task_out);
    }
    return DWQ_OK;
}

/* A task of a submit that fails, before anything was sent. */
static void drop(dwq_controller_t *c, struct dwqi_task *task)
{
    if (task->entry.state == DWQI_TASK_QUEUED) {
        dwqi_scheduler_remove(c->scheduler, &task->job);
    } else if (task->entry.state == DWQI_TASK_DONE) {
        dwqi_controller_take_done(c, task);
    }
    (void)dwqi_task_step(&c->ledger, task, DWQI_EVENT_DROP);
    dwqi_task_remove(&c->tasks, task);
}

/* Queue a task, run it here, or end it when it can never run. The task is
 * out of the map again unless DWQ_OK, which is sure where calls run here. */
static dwq_status_t enter(dwq_controller_t *c, struct dwqi_task *task)
{
    dwq_status_t status;

    if (dwqi_controller_settle(c, task)) {
        return DWQ_OK;
    }
    if (c->config.n_workers == 0) {
        return dwqi_controller_run_in_place(c, task);
    }
    status = dwqi_scheduler_add(c->scheduler, &task->job);
    if (status != DWQ_OK) {
        drop(c, task);
        return status;
    }
    return dwqi_task_step(&c->ledger, task, DWQI_EVENT_QUEUE);
}

/* All of them, or none. */
static dwq_status_t enter_all(dwq_controller_t *c, struct dwqi_task **made,
                              size_t n)
{
    dwq_status_t status = DWQ_OK;
    size_t n_entered = 0;

    while (n_entered < n && status == DWQ_OK) {
        status = enter(c, made[n_entered]);
        n_entered += status == DWQ_OK;
    }
    for (size_t i = 0; i < n && status != DWQ_OK; i++) {
        if (i != n_entered) { /* that one is dropped */
            drop(c, made[i]);
        }
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

    return c->n_done > 0 && expected >= 0 && expected < DWQI_SHORT_CALL &&
           now < c->last_look + GATHER_TIME &&
           dwqi_scheduler_n_waiting(c->scheduler) <
               (size_t)GATHER_CALLS * (size_t)c->config.n_workers &&
           c->n_near == c->config.n_workers &&
           task->pack.size <= DWQI_INLINE_MAX && dwqi_controller_is_fed(c);
}

static dwq_status_t poll_and_send(dwq_controller_t *c)
{
    bool moved;
    dwq_status_t status = dwqi_controller_step(c, &moved);

    c->last_look = dwqi_now(c->config.transport);
    return status;
}

static dwq_status_t send(dwq_controller_t *c, double now)
{
    c->now = now;
    c->last_look = now;
    return dwqi_controller_dispatch(c);
}

/* After a submit (`task`: of one that is queued): hear what came (a worker may have
 * become ready), and send if somebody waits for it. */
static dwq_status_t after_submit(dwq_controller_t *c,
                                 const struct dwqi_task *task)
{
    double now;

    if (c->config.n_workers == 0) {
        return DWQ_OK;
    }
    now = dwqi_now(c->config.transport);
    if (c->limit_passed || now >= c->config.time_limit) {
        return poll_and_send(c);
    }
    if (task && may_wait(c, task, now)) {
        return DWQ_OK;
    }
    if (dwqi_scheduler_idle_worker(c->scheduler) != 0) {
        return send(c, now);
    }
    /* A poll costs as much as a submit: in a burst of submits, not each time. */
    return now < c->last_look + POLL_AGAIN ? DWQ_OK : poll_and_send(c);
}

/* The tasks are queued, and so the answer is DWQ_OK or DWQ_E_MPI: what there is no
 * memory to send now, a later step sends. */
static dwq_status_t after_queueing(dwq_controller_t *c,
                                   const struct dwqi_task *task)
{
    dwq_status_t status = after_submit(c, task);

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
    status = enter(c, task);
    if (status != DWQ_OK) {
        refuse(c, status, given, dwq_status_text(status));
        return dwqi_controller_refuse(c, status, NULL);
    }
    if (id_out) {
        *id_out = id;
    }
    return dwqi_controller_answer(
        c,
        after_queueing(c, task->entry.state == DWQI_TASK_QUEUED ? task : NULL));
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
        drop(c, made[i]);
    }
    return status;
}

dwq_status_t dwqi_controller_submit_all(dwq_controller_t *c,
                                        const dwq_task_t *tasks, size_t n,
                                        bool numbered, uint64_t *ids_out)
{
    struct dwqi_task **made = calloc(n + 1, sizeof(struct dwqi_task *));
    dwq_status_t status =
        made ? make_all(c, tasks, n, numbered, made) : DWQ_E_NOMEM;

    if (status == DWQ_OK) {
        status = enter_all(c, made, n);
    }
    for (size_t i = 0; i < n && status == DWQ_OK && ids_out; i++) {
        ids_out[i] = made[i]->id;
    }
    free(made);
    return status == DWQ_OK ? dwqi_controller_answer(c, after_queueing(c, NULL))
                            : dwqi_controller_refuse(c, status, NULL);
}

/* --- The rest ----------------------------------------------------------- */

dwq_status_t dwq_controller_progress(dwq_controller_t *controller)
{
    bool moved;
    dwq_status_t status = dwqi_controller_enter(controller);

    if (status != DWQ_OK) {
        return status;
    }
    status = dwqi_controller_step(controller, &moved);
    return dwqi_controller_leave(controller,
                                 dwqi_controller_answer(controller, status));
}

static dwq_status_t ready_worker(dwq_controller_t *controller, int *worker_out,
                                 dwq_value_t *data_out)
{
    bool moved;
    dwq_status_t status;
    int worker;

    if (!worker_out) {
        return dwqi_error_set(&controller->error, DWQ_E_ARG,
                              "worker_out is NULL");
    }
    status = dwqi_controller_step(controller, &moved);
    worker = controller->closed
                 ? 0
                 : dwqi_scheduler_idle_worker(controller->scheduler);
    if (status != DWQ_OK || worker == 0) {
        return dwqi_controller_answer(controller,
                                      status == DWQ_OK ? DWQ_E_AGAIN : status);
    }
    *worker_out = worker;
    if (data_out) {
        *data_out = dwqi_controller_cell(controller, worker)->ready.value;
    }
    return DWQ_OK;
}

dwq_status_t dwq_controller_get_ready_worker(dwq_controller_t *controller,
                                             int *worker_out,
                                             dwq_value_t *data_out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(
                     controller, ready_worker(controller, worker_out, data_out))
               : status;
}

static dwq_status_t report(dwq_controller_t *c, FILE *out)
{
    struct dwqi_backlog backlog;

    if (!out) {
        return dwqi_error_set(&c->error, DWQ_E_ARG, "the file is NULL");
    }
    backlog = dwqi_controller_backlog(c);
    dwqi_stats_print(&c->stats, &backlog, out);
    return ferror(out) ? dwqi_error_set(&c->error, DWQ_E_ARG,
                                        "the report could not be written")
                       : DWQ_OK;
}

dwq_status_t dwq_controller_info(dwq_controller_t *controller, FILE *out)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    return status == DWQ_OK
               ? dwqi_controller_leave(controller, report(controller, out))
               : status;
}

dwq_status_t dwq_controller_exit(dwq_controller_t *controller)
{
    dwq_status_t status = dwqi_controller_enter(controller);

    if (status == DWQ_OK) {
        status = dwqi_controller_close(controller, false);
        status = status == DWQ_E_TIME_LIMIT ? DWQ_OK : status;
        dwqi_controller_leave(controller,
                              dwqi_controller_answer(controller, status));
    }
    return status;
}

void dwq_controller_abort(dwq_controller_t *controller)
{
    if (!dwqi_controller_is_known(controller)) {
        dwqi_process_abort_without_handle("dwq_controller_abort");
    }
    dwqi_log_error(controller->config.log,
                   "the controller aborts the run: all ranks end now");
    controller->config.abort(controller->config.abort_arg);
}

dwq_kwargs_t dwq_controller_run_args(const dwq_controller_t *controller)
{
    return dwqi_controller_is_known(controller) ? controller->config.run_args
                                                : (dwq_kwargs_t){ 0, NULL };
}

const dwq_plan_t *dwq_controller_plan(const dwq_controller_t *controller)
{
    return dwqi_controller_is_known(controller) ? controller->config.plan
                                                : NULL;
}

dwq_world_t dwq_controller_world(const dwq_controller_t *controller)
{
    return dwqi_controller_is_known(controller) ? controller->config.world
                                                : (dwq_world_t){ .size = 0 };
}

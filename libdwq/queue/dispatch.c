/* The dispatcher's loop: assignments, what is taken back for idle cells, the limits, and the
 * end. */
#include <inttypes.h>
#include <math.h>

#include "libdwq/queue/lost.h"

/* Expected seconds that a worker must hold for others to be worth a RECALL. */
#define RECALL_MIN 1e-4
/* Messages handled in one step before assignments are looked at. */
#define RECEIVE_MAX 64

void dwqi_dispatcher_cell_step(struct dwqi_dispatcher *d, int worker,
                               enum dwqi_cell_event event)
{
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);

    if (dwqi_cell_step(cell, event) != DWQ_OK) {
        dwqi_log_error(
            d->config.log,
            "worker %d: the event %s in the state %s: a fault of the "
            "library",
            worker, dwqi_cell_event_name(event),
            dwqi_cell_state_name(cell->state));
    }
}

dwq_status_t dwqi_dispatcher_assign(struct dwqi_dispatcher *d,
                                    struct dwqi_task *task, int worker)
{
    dwq_status_t status;

    task->worker = worker;
    status = dwqi_task_step(&d->ledger, task, DWQI_EVENT_ASSIGN);
    dwqi_pack_set_attempt(&task->pack, task->entry.attempt);
    if (dwqi_scheduler_n_held(d->scheduler, worker) == 1) {
        dwqi_dispatcher_cell_step(d, worker, DWQI_CELL_EVENT_GIVE);
        dwqi_dispatcher_cell(d, worker)->last_heard = d->now;
    }
    return status;
}

bool dwqi_dispatcher_fits(const struct dwqi_dispatcher *d,
                          const struct dwqi_task *task)
{
    return !d->config.has_to_fit ||
           d->now + fmax(dwqi_task_expected(task), 0) < d->config.time_limit;
}

/* It was not started, and will not be. */
static dwq_status_t refuse(struct dwqi_dispatcher *d, struct dwqi_task *task)
{
    dwqi_scheduler_give_back(d->scheduler, &task->job);
    dwqi_scheduler_remove(d->scheduler, &task->job);
    return dwqi_dispatcher_end_local(
        d, task, DWQI_EVENT_LIMIT,
        "by what is known of its function it would not end before the time "
        "limit");
}

/* Assigned by the scheduler: the cell has it from now on. */
static dwq_status_t give(struct dwqi_dispatcher *d, struct dwqi_task *task,
                         int worker)
{
    dwq_status_t status;

    if (!dwqi_dispatcher_fits(d, task)) {
        return refuse(d, task);
    }
    status = dwqi_dispatcher_assign(d, task, worker);
    return status == DWQ_OK
               ? dwqi_dispatcher_cell(d, worker)->ops->give(d, worker, task)
               : status;
}

dwq_status_t dwqi_dispatcher_dispatch(struct dwqi_dispatcher *d)
{
    struct dwqi_job *job;
    int worker;
    dwq_status_t status = DWQ_OK;

    while (status == DWQ_OK && !d->limit_passed &&
           dwqi_scheduler_next(d->scheduler, &job, &worker)) {
        status = give(d, dwqi_task_of(job), worker);
    }
    return status == DWQ_OK ? dwqi_dispatcher_send_touched(d) : status;
}

/* --- Back ---------------------------------------------------------------- */

bool dwqi_dispatcher_take_unstarted(struct dwqi_dispatcher *d, int worker,
                                    const struct dwqi_job *last)
{
    const struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);
    struct dwqi_job *job = dwqi_scheduler_held(d->scheduler, worker), *next;
    bool ends = !job;

    for (; cell->desk && !ends && job != cell->unsent; job = next) {
        struct dwqi_task *task = dwqi_task_of(job);

        if (dwqi_task_is_sent(task)) {
            break; /* its bytes are leaving */
        }
        next = job->next;
        ends = job == last || !next;
        if (dwqi_claim(&cell->desk->n_claimed, task->number)) {
            (void)dwqi_dispatcher_take_back(d, task);
        }
    }
    return ends;
}

void dwqi_dispatcher_await(struct dwqi_dispatcher *d, int worker,
                           enum dwqi_cell_awaited what)
{
    dwqi_dispatcher_cell(d, worker)->awaited = (uint8_t)what;
    dwqi_scheduler_worker_pause(d->scheduler, worker,
                                what != DWQI_AWAITED_NOTHING);
}

dwq_status_t dwqi_dispatcher_recall(struct dwqi_dispatcher *d, int worker,
                                    const struct dwqi_job *last)
{
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);

    return cell->awaited == DWQI_AWAITED_RETURN || dwqi_cell_is_over(cell) ||
                   !cell->ops->recall || d->exit_sent ||
                   dwqi_dispatcher_take_unstarted(d, worker, last)
               ? DWQ_OK
               : cell->ops->recall(d, worker);
}

/* One that holds tasks behind another, which any worker could run: it has not been
 * heard of for longer than it should, or its tasks take longer than to move them. 0:
 * none. */
static int to_relieve(const struct dwqi_dispatcher *d, bool *late_out)
{
    for (int w = dwqi_scheduler_next_holder(d->scheduler, 0); w != 0;
         w = dwqi_scheduler_next_holder(d->scheduler, w)) {
        const struct dwqi_cell *cell = &d->cells.items[w];
        double expected = dwqi_scheduler_held_expected(d->scheduler, w);

        *late_out = d->now > cell->last_heard + expected + DWQI_HELD_MAX;
        if (cell->awaited == DWQI_AWAITED_NOTHING &&
            (*late_out || expected > RECALL_MIN)) {
            return w;
        }
    }
    return 0;
}

/* The last job of the list that any worker could run: there is one. */
static const struct dwqi_job *last_movable(const struct dwqi_job *held)
{
    const struct dwqi_job *job = held->prev;

    while (job != held && job->binding && job->worker > 0) {
        job = job->prev;
    }
    return job;
}

/* What it did not start goes to others, and it gets nothing new until it is heard of: when
 * it is late, has started all, or not even the first, so that one that stands still is not
 * sent the same again and again. In the last case it is asked for a word. */
static dwq_status_t relieve(struct dwqi_dispatcher *d, int worker, bool late)
{
    int n_before = dwqi_scheduler_n_held(d->scheduler, worker), n;
    const struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);
    dwq_status_t status = dwqi_dispatcher_recall(
        d, worker, last_movable(dwqi_scheduler_held(d->scheduler, worker)));

    n = dwqi_scheduler_n_held(d->scheduler, worker);
    if (status == DWQ_OK && cell->awaited == DWQI_AWAITED_NOTHING) {
        if (n == 0) {
            status = cell->ops->recall(d, worker);
        } else if (late || n == n_before) {
            dwqi_dispatcher_await(d, worker, DWQI_AWAITED_WORD);
        }
    }
    return status == DWQ_OK ? dwqi_dispatcher_dispatch(d) : status;
}

/* No task waits behind a running one while a worker is idle. */
static dwq_status_t balance(struct dwqi_dispatcher *d)
{
    dwq_status_t status = DWQ_OK;
    bool late;
    int worker;

    while (status == DWQ_OK && !d->limit_passed &&
           dwqi_scheduler_idle_worker(d->scheduler) != 0 &&
           (worker = to_relieve(d, &late)) != 0) {
        status = relieve(d, worker, late);
    }
    return status;
}

/* --- Limits ------------------------------------------------------------- */

/* What is still sent to a worker that does not receive it is not awaited. */
static void settle_all(struct dwqi_dispatcher *d)
{
    const struct dwqi_idmap *map = &d->tasks.map;

    for (size_t i = 0; i < map->capacity; i++) {
        struct dwqi_task *task = map->slots[i].id ? map->slots[i].item : NULL;

        if (task && task->entry.state == DWQI_TASK_SETTLING) {
            dwqi_dispatcher_settled(d, task, DWQI_EVENT_FORSAKE);
        }
    }
}

/* It is waited for no longer, but only the end of the job may end it. */
static void give_up(struct dwqi_dispatcher *d, int worker)
{
    dwqi_dispatcher_cell_step(d, worker, DWQI_CELL_EVENT_LOSE);
    dwqi_dispatcher_cell(d, worker)->overdue = true;
}

/* Whether it has ended all that it was sent, or keeps results: they come in a moment. */
static bool has_results(const struct dwqi_dispatcher *d, int worker)
{
    const struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);

    return cell->desk && !cell->unsent &&
           d->now < d->config.grace_end + DWQI_LEAVE_TIME &&
           (atomic_load_explicit(&cell->desk->idle_at, memory_order_acquire) ==
                cell->n_sent ||
            atomic_load_explicit(&cell->desk->keeps, memory_order_relaxed));
}

/* Those whose results are on their way are waited for: they come at once. */
static void pass_grace(struct dwqi_dispatcher *d)
{
    bool all = true;

    for (int w = 1; w <= d->cells.n; w++) {
        const struct dwqi_job *job = dwqi_scheduler_held(d->scheduler, w);

        if (job && has_results(d, w)) {
            all = false;
        } else if (job) {
            dwqi_log_warning(d->config.log,
                             "worker %d still runs task %" PRIu64
                             " after the time limit and its grace: given up",
                             w,
                             ((const struct dwqi_task *)(const void *)job)->id);
            give_up(d, w);
            dwqi_scheduler_worker_gone(d->scheduler, w);
            dwqi_dispatcher_drop_held(
                d, w, DWQI_EVENT_LIMIT,
                "still running after the time limit and its grace");
        }
    }
    d->grace_passed = all;
    if (all) {
        settle_all(d);
    }
}

static void pass_limit(struct dwqi_dispatcher *d)
{
    size_t n = dwqi_scheduler_n_waiting(d->scheduler);

    d->limit_passed = true;
    if (n > 0 || !d->in_place) {
        dwqi_log_warning(d->config.log,
                         "the time limit has passed: %zu waiting task(s) will "
                         "not run",
                         n);
    }
    dwqi_dispatcher_drop_waiting(d, DWQI_EVENT_LIMIT,
                                 "the time limit has passed");
}

/* has_heard: all messages that have come. */
static void check_limits(struct dwqi_dispatcher *d, bool has_heard)
{
    if (!d->limit_passed && d->now >= d->config.time_limit) {
        pass_limit(d);
    }
    /* In place, what still runs is around this call. */
    if (!d->grace_passed && !d->in_place && has_heard &&
        d->now >= d->config.grace_end) {
        pass_grace(d);
    }
}

/* --- The loop ----------------------------------------------------------- */

/* Whether time alone, or a task that waits or was not sent, may give something to do. */
static bool is_watchful(const struct dwqi_dispatcher *d)
{
    return d->touched != 0 || dwqi_scheduler_n_waiting(d->scheduler) > 0 ||
           dwqi_scheduler_next_holder(d->scheduler, 0) != 0 ||
           (!d->limit_passed && !isinf(d->config.time_limit)) ||
           (!d->grace_passed && !isinf(d->config.grace_end)) ||
           !isinf(d->leave_end);
}

dwq_status_t dwqi_dispatcher_step(struct dwqi_dispatcher *d, bool *moved_out)
{
    struct dwqi_transport *transport = d->config.transport;
    struct dwqi_message message;
    dwq_status_t status = DWQ_OK;
    size_t n_done = d->n_done;
    int n = 0;

    while (n < RECEIVE_MAX && status == DWQ_OK) {
        status = dwqi_poll(transport, &message);
        if (status == DWQ_OK) {
            d->now = n == 0 ? dwqi_now(transport) : d->now;
            status = dwqi_dispatcher_receive(d, &message);
            dwqi_release(transport, &message);
            n++;
        }
        if (d->n_done != n_done &&
            dwqi_scheduler_n_running(d->scheduler) == 0) {
            break; /* that was all: a poll in vain gives the core away */
        }
    }
    if (status != DWQ_OK && status != DWQ_E_AGAIN) {
        return status;
    }
    if (n == 0 && !is_watchful(d)) {
        *moved_out = false; /* the clock is not free, and this is polled */
        return DWQ_OK;
    }
    d->now = n == 0 ? dwqi_now(transport) : d->now;
    check_limits(d, n < RECEIVE_MAX);
    status = dwqi_dispatcher_dispatch(d);
    if (status == DWQ_OK) {
        status = balance(d);
    }
    *moved_out = n > 0 || d->n_done != n_done;
    return status;
}

static dwq_status_t pause_until_due(struct dwqi_dispatcher *d, double until)
{
    if (!d->limit_passed) {
        until = fmin(until, d->config.time_limit);
    } else if (!d->grace_passed) { /* behind it, results are on their way */
        until = fmin(until, fmax(d->config.grace_end, d->now + DWQI_HELD_MAX));
    }
    until = fmin(until, d->leave_end);
    if (dwqi_scheduler_idle_worker(d->scheduler) != 0 &&
        dwqi_scheduler_next_holder(d->scheduler, 0) != 0) {
        until = fmin(until, d->now + DWQI_HELD_MAX); /* look again: balance() */
    }
    return dwqi_pause(d->config.transport, until);
}

dwq_status_t dwqi_dispatcher_turn(struct dwqi_dispatcher *d, double until)
{
    bool moved = false;
    dwq_status_t status = dwqi_dispatcher_step(d, &moved);

    return status == DWQ_OK && !moved ? pause_until_due(d, until) : status;
}

dwq_status_t dwqi_dispatcher_run_here(struct dwqi_dispatcher *d,
                                      const uint64_t *ids, size_t n)
{
    dwq_status_t status = DWQ_OK;

    for (size_t i = 0; i < n && status == DWQ_OK;) {
        struct dwqi_task *task = dwqi_task_find(&d->tasks, ids[i]);

        d->now = dwqi_now(d->config.transport);
        check_limits(d, true);
        if (task && task->entry.state == DWQI_TASK_QUEUED) {
            dwqi_scheduler_give(d->scheduler, &task->job, 1);
            status = give(d, task, 1); /* it may wait for its next attempt */
        } else {
            i++;
        }
    }
    return status;
}

/* --- The end ------------------------------------------------------------ */

static dwq_status_t drain(struct dwqi_dispatcher *d)
{
    dwq_status_t status = DWQ_OK;

    while (status == DWQ_OK && (dwqi_scheduler_n_waiting(d->scheduler) > 0 ||
                                dwqi_scheduler_n_running(d->scheduler) > 0)) {
        status = dwqi_dispatcher_turn(d, INFINITY);
    }
    return status;
}

static bool all_left(const struct dwqi_dispatcher *d)
{
    for (int w = 1; w <= d->cells.n; w++) {
        if (!dwqi_cell_is_over(dwqi_dispatcher_cell(d, w))) {
            return false;
        }
    }
    return true;
}

static dwq_status_t dismiss(struct dwqi_dispatcher *d)
{
    dwq_status_t status = DWQ_OK;

    for (int w = 1; w <= d->cells.n && status == DWQ_OK; w++) {
        if (dwqi_dispatcher_cell(d, w)->state != DWQI_CELL_GONE) {
            dwqi_dispatcher_cell_step(d, w, DWQI_CELL_EVENT_EXIT);
            status = dwqi_dispatcher_cell(d, w)->ops->close(d, w);
        }
    }
    d->exit_sent = true;
    d->leave_end = fmax(d->config.grace_end,
                        dwqi_now(d->config.transport) + DWQI_LEAVE_TIME);
    return status;
}

/* Those that have not left in time are left to the end of the job. */
static dwq_status_t await_leaving(struct dwqi_dispatcher *d)
{
    dwq_status_t status = DWQ_OK;

    while (status == DWQ_OK && !all_left(d) && d->now < d->leave_end) {
        status = dwqi_dispatcher_turn(d, INFINITY);
    }
    for (int w = 1; w <= d->cells.n && status == DWQ_OK; w++) {
        if (!dwqi_cell_is_over(dwqi_dispatcher_cell(d, w))) {
            dwqi_log_warning(d->config.log,
                             "worker %d has not left after the time limit and "
                             "its grace: given up",
                             w);
            give_up(d, w);
        }
    }
    return status;
}

int dwqi_dispatcher_next_overdue(const struct dwqi_dispatcher *d, int worker)
{
    for (int w = worker + 1; w <= d->cells.n; w++) {
        const struct dwqi_cell *cell = dwqi_dispatcher_cell(d, w);

        if (cell->overdue && cell->state != DWQI_CELL_GONE) {
            return w;
        }
    }
    return 0;
}

dwq_status_t dwqi_dispatcher_close(struct dwqi_dispatcher *d, bool cancel)
{
    dwq_status_t status = DWQ_OK;

    d->cancels_all = cancel;
    if (cancel) {
        status = dwqi_dispatcher_cancel(d, 0, NULL);
    }
    if (d->in_place) { /* what still runs is around this call */
        return status;
    }
    if (status == DWQ_OK) {
        status = drain(d);
    }
    if (status == DWQ_OK && !d->exit_sent) {
        status = dismiss(d);
    }
    if (status == DWQ_OK) {
        status = await_leaving(d);
    }
    return status == DWQ_OK && dwqi_dispatcher_next_overdue(d, 0)
               ? DWQ_E_TIME_LIMIT
               : status;
}

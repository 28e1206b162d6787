/* The controller's loop: what goes out, who is asked to give back, the limits, and
 * the end of the run. What comes in is in receive.c. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "libdwq/base/clock.h"
#include "libdwq/queue/controller_private.h"

/* Expected seconds that a worker must hold for others to be worth a RECALL. */
#define RECALL_MIN 1e-4
/* Messages handled in one step before assignments are looked at. */
#define RECEIVE_MAX 64

/* --- Out: tasks --------------------------------------------------------- */

static dwq_controller_t *controller_of(const struct dwqi_task *task)
{
    return (dwq_controller_t *)(void *)((char *)task->tasks -
                                        offsetof(struct dwq_controller, tasks));
}

static void release_task(void *owner)
{
    struct dwqi_task *task = owner;
    bool all_left = task->tasks && task->refs == 2;

    dwqi_task_unref(task);
    if (all_left) {
        dwqi_controller_settled(controller_of(task), task, DWQI_EVENT_SENT);
    }
}

/* One task whose body does not fit into a frame, from where it is. */
static dwq_status_t send_large(dwq_controller_t *c, int peer,
                               struct dwqi_task *task)
{
    size_t n_parts = 1 + task->pack.n_extents;
    struct dwqi_extent *parts = malloc(n_parts * sizeof *parts);
    dwq_status_t status;

    if (!parts) {
        return DWQ_E_NOMEM;
    }
    parts[0] = (struct dwqi_extent){ task->pack.block, task->pack.block_size };
    for (size_t i = 1; i < n_parts; i++) {
        parts[i] = task->pack.extents[i - 1];
    }
    task->refs++;
    status = dwqi_send(c->config.transport, peer,
                       &(struct dwqi_outgoing){ .tag = DWQI_TASK,
                                                .n_items = 1,
                                                .parts = parts,
                                                .n_parts = n_parts,
                                                .release = release_task,
                                                .owner = task });
    free(parts);
    return status;
}

/* The unsent tasks of a worker, as many as fit together in each message. */
static dwq_status_t send_unsent(dwq_controller_t *c, int worker)
{
    struct dwqi_cell *cell = dwqi_controller_cell(c, worker);
    dwq_status_t status = DWQ_OK;

    while (cell->unsent && status == DWQ_OK) {
        size_t n = 0, size = 0;
        struct dwqi_job *job = cell->unsent;

        for (; job && size + dwqi_task_of(job)->pack.size <= DWQI_INLINE_MAX;
             job = job->next) {
            const struct dwqi_pack *pack = &dwqi_task_of(job)->pack;

            dwqi_task_of(job)->number = cell->n_sent + (uint32_t)n;
            c->parts[n++] =
                (struct dwqi_extent){ pack->block, pack->block_size };
            size += pack->size;
        }
        if (n > 0) {
            status = dwqi_send(c->config.transport, cell->peer,
                               &(struct dwqi_outgoing){ .tag = DWQI_TASK,
                                                        .n_items = (uint32_t)n,
                                                        .parts = c->parts,
                                                        .n_parts = n });
        } else {
            n = 1;
            dwqi_task_of(job)->number = cell->n_sent;
            status = send_large(c, cell->peer, dwqi_task_of(job));
            job = job->next;
        }
        if (status == DWQ_OK) {
            cell->n_sent += (uint32_t)n;
            cell->unsent = job;
        }
    }
    return status;
}

static void touch(dwq_controller_t *c, int worker)
{
    dwqi_controller_cell(c, worker)->next_touched = 0;
    if (c->touched) {
        dwqi_controller_cell(c, c->last_touched)->next_touched = worker;
    } else {
        c->touched = worker;
    }
    c->last_touched = worker;
}

/* What there is no memory to send is sent by a later step. */
static dwq_status_t send_touched(dwq_controller_t *c)
{
    dwq_status_t status = DWQ_OK;
    int worker = c->touched;

    c->touched = 0;
    while (worker) {
        const struct dwqi_cell *cell = dwqi_controller_cell(c, worker);
        int next = cell->next_touched;
        dwq_status_t sent = send_unsent(c, worker);

        status = status == DWQ_OK ? sent : status;
        if (cell->unsent) {
            touch(c, worker);
        }
        worker = next;
    }
    return status;
}

void dwqi_controller_cell_step(dwq_controller_t *c, int worker,
                               enum dwqi_cell_event event)
{
    struct dwqi_cell *cell = dwqi_controller_cell(c, worker);

    if (dwqi_cell_step(cell, event) != DWQ_OK) {
        dwqi_log_error(
            c->config.log,
            "worker %d: the event %s in the state %s: a fault of the "
            "library",
            worker, dwqi_cell_event_name(event),
            dwqi_cell_state_name(cell->state));
    }
}

static inline dwq_status_t give(dwq_controller_t *c, struct dwqi_task *task,
                                int worker)
{
    struct dwqi_cell *cell = dwqi_controller_cell(c, worker);
    dwq_status_t status;

    task->worker = worker;
    status = dwqi_task_step(&c->ledger, task, DWQI_EVENT_ASSIGN);
    dwqi_pack_set_attempt(&task->pack, task->entry.attempt);
    if (dwqi_scheduler_n_held(c->scheduler, worker) == 1) {
        dwqi_controller_cell_step(c, worker, DWQI_CELL_EVENT_GIVE);
        cell->last_heard = c->now;
    }
    return status;
}

dwq_status_t dwqi_controller_give(dwq_controller_t *c, struct dwqi_task *task,
                                  int worker)
{
    return give(c, task, worker);
}

dwq_status_t dwqi_controller_dispatch(dwq_controller_t *c)
{
    struct dwqi_job *job;
    int worker;
    dwq_status_t status = DWQ_OK;

    while (status == DWQ_OK && !c->limit_passed &&
           dwqi_scheduler_next(c->scheduler, &job, &worker)) {
        struct dwqi_cell *cell = dwqi_controller_cell(c, worker);

        if (!cell->unsent) {
            cell->unsent = job;
            touch(c, worker);
        }
        status = give(c, dwqi_task_of(job), worker);
    }
    return status == DWQ_OK ? send_touched(c) : status;
}

/* --- Back ---------------------------------------------------------------- */

/* Up to `last`, or all. A task whose bytes are still leaving stays, with those behind
 * it. Whether no other did. */
static bool take_up_to(dwq_controller_t *c, int worker,
                       const struct dwqi_job *last)
{
    const struct dwqi_cell *cell = dwqi_controller_cell(c, worker);
    struct dwqi_job *job = dwqi_scheduler_held(c->scheduler, worker), *next;
    bool ends = !job;

    for (; cell->desk && !ends && job != cell->unsent; job = next) {
        struct dwqi_task *task = dwqi_task_of(job);

        if (dwqi_task_is_sent(task)) {
            break;
        }
        next = job->next;
        ends = job == last || !next;
        if (dwqi_claim(&cell->desk->n_claimed, task->number)) {
            (void)dwqi_controller_take_back(c, task);
        }
    }
    return ends;
}

void dwqi_controller_take_unstarted(dwq_controller_t *c, int worker)
{
    (void)take_up_to(c, worker, NULL);
}

void dwqi_controller_await(dwq_controller_t *c, int worker,
                           enum dwqi_cell_awaited what)
{
    dwqi_controller_cell(c, worker)->awaited = (uint8_t)what;
    dwqi_scheduler_worker_pause(c->scheduler, worker,
                                what != DWQI_AWAITED_NOTHING);
}

/* Until RETURN it gets nothing: every task it was sent before is then either started or
 * returned. */
static dwq_status_t ask(dwq_controller_t *c, int worker)
{
    dwq_status_t status =
        dwqi_send_bare(c->config.transport,
                       dwqi_controller_cell(c, worker)->peer, DWQI_RECALL);

    if (status == DWQ_OK) {
        dwqi_controller_cell(c, worker)->n_recalled++;
        dwqi_controller_await(c, worker, DWQI_AWAITED_RETURN);
    }
    return status;
}

static dwq_status_t recall(dwq_controller_t *c, int worker,
                           const struct dwqi_job *last)
{
    struct dwqi_cell *cell = dwqi_controller_cell(c, worker);

    return cell->awaited == DWQI_AWAITED_RETURN || dwqi_cell_is_over(cell) ||
                   c->exit_sent || take_up_to(c, worker, last)
               ? DWQ_OK
               : ask(c, worker);
}

dwq_status_t dwqi_controller_recall(dwq_controller_t *c, int worker)
{
    return recall(c, worker, NULL);
}

/* One that holds tasks behind another, which any worker could run: it has not been
 * heard of for longer than it should, or its tasks take longer than to move them. 0:
 * none. */
static int to_relieve(const dwq_controller_t *c, bool *late_out)
{
    for (int w = dwqi_scheduler_next_holder(c->scheduler, 0); w != 0;
         w = dwqi_scheduler_next_holder(c->scheduler, w)) {
        const struct dwqi_cell *cell = &c->cells.items[w];
        double expected = dwqi_scheduler_held_expected(c->scheduler, w);

        *late_out = c->now > cell->last_heard + expected + DWQI_HELD_MAX;
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
static dwq_status_t relieve(dwq_controller_t *c, int worker, bool late)
{
    int n_before = dwqi_scheduler_n_held(c->scheduler, worker), n;
    const struct dwqi_cell *cell = dwqi_controller_cell(c, worker);
    dwq_status_t status = recall(
        c, worker, last_movable(dwqi_scheduler_held(c->scheduler, worker)));

    n = dwqi_scheduler_n_held(c->scheduler, worker);
    if (status == DWQ_OK && cell->awaited == DWQI_AWAITED_NOTHING) {
        if (n == 0) {
            status = ask(c, worker);
        } else if (late || n == n_before) {
            dwqi_controller_await(c, worker, DWQI_AWAITED_WORD);
        }
    }
    return status == DWQ_OK ? dwqi_controller_dispatch(c) : status;
}

/* No task waits behind a running one while a worker is idle. */
static dwq_status_t balance(dwq_controller_t *c)
{
    dwq_status_t status = DWQ_OK;
    bool late;
    int worker;

    while (status == DWQ_OK && !c->limit_passed &&
           dwqi_scheduler_idle_worker(c->scheduler) != 0 &&
           (worker = to_relieve(c, &late)) != 0) {
        status = relieve(c, worker, late);
    }
    return status;
}

/* --- Limits ------------------------------------------------------------- */

/* What is still sent to a worker that does not receive it is not awaited. */
static void settle_all(dwq_controller_t *c)
{
    const struct dwqi_idmap *map = &c->tasks.map;

    for (size_t i = 0; i < map->capacity; i++) {
        struct dwqi_task *task = map->slots[i].id ? map->slots[i].item : NULL;

        if (task && task->entry.state == DWQI_TASK_SETTLING) {
            dwqi_controller_settled(c, task, DWQI_EVENT_FORSAKE);
        }
    }
}

/* It is waited for no longer, but only the end of the job may end it. */
static void give_up(dwq_controller_t *c, int worker)
{
    dwqi_controller_cell_step(c, worker, DWQI_CELL_EVENT_LOSE);
    dwqi_controller_cell(c, worker)->overdue = true;
}

static void pass_grace(dwq_controller_t *c)
{
    c->grace_passed = true;
    settle_all(c);
    for (int w = 1; w <= c->config.n_workers; w++) {
        const struct dwqi_job *job = dwqi_scheduler_held(c->scheduler, w);

        if (job) {
            dwqi_log_warning(c->config.log,
                             "worker %d still runs task %" PRIu64
                             " after the time limit and its grace: given up",
                             w,
                             ((const struct dwqi_task *)(const void *)job)->id);
            give_up(c, w);
            dwqi_scheduler_worker_gone(c->scheduler, w);
            dwqi_controller_drop_held(
                c, w, DWQI_EVENT_LIMIT,
                "still running after the time limit and its grace");
        }
    }
}

static void check_limits(dwq_controller_t *c)
{
    if (!c->limit_passed && c->now >= c->config.time_limit) {
        c->limit_passed = true;
        dwqi_log_warning(c->config.log,
                         "the time limit has passed: %zu waiting task(s) will "
                         "not run",
                         dwqi_scheduler_n_waiting(c->scheduler));
        dwqi_controller_drop_waiting(c, DWQI_EVENT_LIMIT,
                                     "the time limit has passed");
    }
    if (!c->grace_passed && c->now >= c->config.grace_end) {
        pass_grace(c);
    }
}

/* --- The loop ----------------------------------------------------------- */

/* Whether time alone, or a task that waits or was not sent, may give something to do. */
static bool is_watchful(const dwq_controller_t *c)
{
    return c->touched != 0 || dwqi_scheduler_n_waiting(c->scheduler) > 0 ||
           dwqi_scheduler_next_holder(c->scheduler, 0) != 0 ||
           (!c->limit_passed && !isinf(c->config.time_limit)) ||
           (!c->grace_passed && !isinf(c->config.grace_end)) ||
           !isinf(c->leave_end);
}

dwq_status_t dwqi_controller_step(dwq_controller_t *c, bool *moved_out)
{
    struct dwqi_transport *transport = c->config.transport;
    struct dwqi_message message;
    dwq_status_t status = DWQ_OK;
    size_t n_done = c->n_done;
    int n = 0;

    if (!transport) {
        *moved_out = false;
        return DWQ_OK;
    }
    while (n < RECEIVE_MAX && status == DWQ_OK) {
        status = dwqi_poll(transport, &message);
        if (status == DWQ_OK) {
            c->now = n == 0 ? dwqi_now(transport) : c->now;
            status = dwqi_controller_receive(c, &message);
            dwqi_release(transport, &message);
            n++;
        }
        if (c->n_done != n_done &&
            dwqi_scheduler_n_running(c->scheduler) == 0) {
            break; /* that was all: a poll in vain gives the core away */
        }
    }
    if (status != DWQ_OK && status != DWQ_E_AGAIN) {
        return status;
    }
    if (n == 0 && !is_watchful(c)) {
        *moved_out = false; /* the clock is not free, and this is polled */
        return DWQ_OK;
    }
    c->now = n == 0 ? dwqi_now(transport) : c->now;
    check_limits(c);
    status = dwqi_controller_dispatch(c);
    if (status == DWQ_OK) {
        status = balance(c);
    }
    *moved_out = n > 0 || c->n_done != n_done;
    return status;
}

static dwq_status_t pause_until_due(dwq_controller_t *c, double until)
{
    if (!c->limit_passed) {
        until = fmin(until, c->config.time_limit);
    } else if (!c->grace_passed) {
        until = fmin(until, c->config.grace_end);
    }
    until = fmin(until, c->leave_end);
    if (dwqi_scheduler_idle_worker(c->scheduler) != 0 &&
        dwqi_scheduler_next_holder(c->scheduler, 0) != 0) {
        until = fmin(until, c->now + DWQI_HELD_MAX); /* look again: balance() */
    }
    return dwqi_pause(c->config.transport, until);
}

dwq_status_t dwqi_controller_turn(dwq_controller_t *c, double until)
{
    bool moved = false;
    dwq_status_t status;

    if (!c->config.transport) { /* all that was submitted here has ended */
        return dwqi_error_set(&c->error, DWQ_E_STATE,
                              "a call waits for its own result, or for one "
                              "behind it: it runs in this process");
    }
    status = dwqi_controller_step(c, &moved);
    return status == DWQ_OK && !moved ? pause_until_due(c, until) : status;
}

/* --- The end ------------------------------------------------------------ */

static dwq_status_t drain(dwq_controller_t *c)
{
    dwq_status_t status = DWQ_OK;

    while (status == DWQ_OK && (dwqi_scheduler_n_waiting(c->scheduler) > 0 ||
                                dwqi_scheduler_n_running(c->scheduler) > 0)) {
        status = dwqi_controller_turn(c, INFINITY);
    }
    return status;
}

static bool all_left(const dwq_controller_t *c)
{
    for (int w = 1; w <= c->config.n_workers; w++) {
        if (!dwqi_cell_is_over(dwqi_controller_cell(c, w))) {
            return false;
        }
    }
    return true;
}

static dwq_status_t send_exit(dwq_controller_t *c)
{
    const dwq_plan_t *plan = c->config.plan;
    dwq_status_t status = DWQ_OK;

    for (int w = 1; w <= c->config.n_workers && status == DWQ_OK; w++) {
        dwqi_controller_cell_step(c, w, DWQI_CELL_EVENT_EXIT);
        status = dwqi_send_bare(c->config.transport,
                                dwqi_controller_cell(c, w)->peer, DWQI_EXIT);
    }
    for (int i = 0; plan && i < plan->n_idle && status == DWQ_OK; i++) {
        status =
            dwqi_send_bare(c->config.transport, plan->idle[i].rank, DWQI_EXIT);
    }
    c->exit_sent = true;
    if (c->config.transport) {
        c->leave_end = fmax(c->config.grace_end,
                            dwqi_now(c->config.transport) + DWQI_LEAVE_TIME);
    }
    return status;
}

/* Those that have not left in time are left to the end of the job. */
static dwq_status_t await_leaving(dwq_controller_t *c)
{
    dwq_status_t status = DWQ_OK;

    while (status == DWQ_OK && !all_left(c) && c->now < c->leave_end) {
        status = dwqi_controller_turn(c, INFINITY);
    }
    for (int w = 1; w <= c->config.n_workers && status == DWQ_OK; w++) {
        if (!dwqi_cell_is_over(dwqi_controller_cell(c, w))) {
            dwqi_log_warning(c->config.log,
                             "worker %d has not left after the time limit and "
                             "its grace: given up",
                             w);
            give_up(c, w);
        }
    }
    return status;
}

dwq_status_t dwqi_controller_close(dwq_controller_t *c, bool cancel)
{
    dwq_status_t status = DWQ_OK;

    dwqi_controller_end_feeding(c);
    c->closed = true;
    c->cancels_all = cancel;
    if (cancel) {
        status = dwq_controller_cancel(c, 0);
    }
    if (status == DWQ_OK) {
        status = drain(c);
    }
    if (status == DWQ_OK && !c->exit_sent) {
        status = send_exit(c);
    }
    if (status == DWQ_OK) {
        status = await_leaving(c);
    }
    if (status != DWQ_OK) {
        return status;
    }
    for (int w = 1; w <= c->config.n_workers; w++) {
        const struct dwqi_cell *cell = dwqi_controller_cell(c, w);

        if (cell->overdue && cell->state != DWQI_CELL_GONE) {
            return DWQ_E_TIME_LIMIT;
        }
    }
    return DWQ_OK;
}

/* While the user's thread computes (queue/feeder.h): tasks that wait go to workers that have
 * nothing to do, through the memory that they share with the controller. What workers have
 * sent meanwhile is not heard, so a worker's desk says whether it waits. */
#include <stdlib.h>

#include "libdwq/queue/controller_private.h"

/* Tasks that one worker may have been given whose results were not heard: what MPI does
 * not buffer, of which Open MPI has 512 in shared memory, it would keep, and poll for.
 * Results of short calls travel together. */
#define UNHEARD_MAX 256
#define UNHEARD_SHORT_MAX 2048

static bool can_be_fed(const dwq_controller_t *c, int worker)
{
    const struct dwqi_cell *cell = dwqi_controller_cell(c, worker);

    return cell->desk && !cell->unsent && !dwqi_cell_is_over(cell) &&
           (cell->awaited != DWQI_AWAITED_RETURN ||
            dwqi_desk_has_returned(cell->desk, cell->n_recalled)) &&
           dwqi_desk_waits(cell->desk, cell->n_sent);
}

static bool is_short(const struct dwqi_task *task)
{
    double expected = dwqi_task_expected(task);

    return expected >= 0 && expected < DWQI_SHORT_CALL;
}

/* The next task for a letter that has n, of so many bytes, or NULL. */
static struct dwqi_task *next_task(const dwq_controller_t *c, int worker,
                                   size_t n, size_t size)
{
    struct dwqi_job *job = dwqi_scheduler_first_for(c->scheduler, worker);
    struct dwqi_task *task = job ? dwqi_task_of(job) : NULL;
    int n_held = dwqi_scheduler_n_held(c->scheduler, worker);

    return task &&
                   n_held <
                       (is_short(task) ? UNHEARD_SHORT_MAX : UNHEARD_MAX) &&
                   task->pack.n_extents == 0 &&
                   size + task->pack.size <= DWQI_LETTER_MAX &&
                   (n == 0 || is_short(task))
               ? task
               : NULL;
}

static void leave_letter(dwq_controller_t *c, int worker, size_t most)
{
    struct dwqi_cell *cell = dwqi_controller_cell(c, worker);
    struct dwqi_desk *desk = cell->desk;
    struct dwqi_task *task;
    size_t n = 0, size = 0;

    if (cell->awaited != DWQI_AWAITED_NOTHING) {
        /* That it waits is a word, too. */
        dwqi_controller_await(c, worker, DWQI_AWAITED_NOTHING);
    }
    while (n < most && (task = next_task(c, worker, n, size)) != NULL) {
        dwqi_scheduler_give(c->scheduler, &task->job, worker);
        (void)dwqi_controller_give(c, task, worker);
        task->number = cell->n_sent + (uint32_t)n;
        c->parts[n++] =
            (struct dwqi_extent){ task->pack.block, task->pack.block_size };
        size += task->pack.size;
    }
    if (n == 0) {
        return;
    }
    dwqi_parts_copy(c->parts, n, desk->letter);
    cell->first_fed = cell->n_sent;
    desk->size = (uint32_t)dwqi_parts_size(c->parts, n);
    desk->n_items = (uint32_t)n;
    cell->n_sent += (uint32_t)n;
    atomic_store_explicit(&desk->has_letter, true, memory_order_release);
    dwqi_ring(c->config.transport, cell->peer);
}

void dwqi_controller_feed(void *controller)
{
    dwq_controller_t *c = controller;
    size_t n_idle = 0, most;

    c->now = dwqi_now(c->config.transport);
    if (c->limit_passed || c->now >= c->config.time_limit) {
        return;
    }
    for (int w = 1; w <= c->config.n_workers; w++) {
        n_idle += can_be_fed(c, w);
    }
    if (n_idle == 0) {
        return;
    }
    most = (dwqi_scheduler_n_waiting(c->scheduler) + n_idle - 1) / n_idle;
    most =
        most < (size_t)c->config.held_max ? most : (size_t)c->config.held_max;
    for (int w = 1; w <= c->config.n_workers; w++) {
        if (can_be_fed(c, w)) {
            leave_letter(c, w, most);
        }
    }
}

bool dwqi_controller_is_fed(dwq_controller_t *c)
{
    if (c->config.feeding == DWQI_FED_BY_A_THREAD && !c->feeder) {
        c->desk = dwqi_desk(c->config.transport, DWQI_SELF);
        c->feeder = c->desk
                        ? dwqi_feeder_create(c->desk, dwqi_controller_feed, c)
                        : NULL;
        c->config.feeding = c->feeder ? DWQI_FED_BY_A_THREAD : DWQI_FED_NOT;
    }
    return c->config.feeding != DWQI_FED_NOT;
}

/* Those that sleep, as nothing waited, look from now on. The feeder may have the
 * controller: nothing is read that it writes. */
static void wake_workers(const dwq_controller_t *c)
{
    for (int w = 1; w <= c->config.n_workers; w++) {
        const struct dwqi_cell *cell = dwqi_controller_cell(c, w);

        if (cell->desk) {
            dwqi_ring(c->config.transport, cell->peer);
        }
    }
}

void dwqi_controller_leave_anew(dwq_controller_t *c, bool wait)
{
    if (wait && !dwqi_controller_is_fed(c)) {
        return;
    }
    if (wait) {
        dwqi_feeder_leave(c->feeder);
    }
    c->n_left++;
    atomic_store_explicit(&c->desk->left, wait ? c->n_left : 0,
                          memory_order_release);
    if (wait) {
        wake_workers(c);
    }
}

void dwqi_controller_end_feeding(dwq_controller_t *c)
{
    dwqi_feeder_destroy(c->feeder);
    c->feeder = NULL;
    c->config.feeding = DWQI_FED_NOT;
    if (c->desk) {
        atomic_store(&c->desk->left, 0); /* the next run begins so */
    }
}

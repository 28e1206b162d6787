/* While the user's thread computes (queue/feeder.h): tasks that wait go to workers that have
 * nothing to do, through the memory that they share with the controller. What workers have
 * sent meanwhile is not heard, so a worker's desk says whether it waits. */
#include "libdwq/queue/dispatcher.h"

static bool can_be_fed(const struct dwqi_dispatcher *d, int worker)
{
    const struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);

    return cell->desk && !cell->unsent && !dwqi_cell_is_over(cell) &&
           (cell->awaited != DWQI_AWAITED_RETURN ||
            dwqi_desk_has_returned(cell->desk, cell->n_recalled)) &&
           dwqi_desk_waits(cell->desk, cell->n_sent);
}

/* Beyond DWQI_UNHEARD_MAX results the worker keeps them, and sends none inside of a call: they
 * may come late by as much as a call takes, which is to be no more than this. */
#define LATE_MAX 1e-2

static bool is_known_below(const struct dwqi_task *task, double seconds)
{
    double expected = dwqi_task_expected(task);

    return expected >= 0 && expected < seconds;
}

/* The next task for a letter that has n, of so many bytes, or NULL. */
static struct dwqi_task *next_task(const struct dwqi_dispatcher *d, int worker,
                                   size_t n, size_t size)
{
    struct dwqi_job *job = dwqi_scheduler_first_for(d->scheduler, worker);
    struct dwqi_task *task = job ? dwqi_task_of(job) : NULL;
    bool many = dwqi_scheduler_n_held(d->scheduler, worker) >= DWQI_UNHEARD_MAX;

    return task && dwqi_dispatcher_fits(d, task) && task->pack.n_extents == 0 &&
                   size + task->pack.size <= DWQI_LETTER_MAX &&
                   (n == 0 || is_known_below(task, DWQI_SHORT_CALL)) &&
                   (!many || is_known_below(task, LATE_MAX))
               ? task
               : NULL;
}

static void leave_letter(struct dwqi_dispatcher *d, int worker, size_t most)
{
    struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);
    struct dwqi_desk *desk = cell->desk;
    struct dwqi_task *task;
    size_t n = 0, size = 0;

    if (cell->awaited != DWQI_AWAITED_NOTHING) {
        /* That it waits is a word, too. */
        dwqi_dispatcher_await(d, worker, DWQI_AWAITED_NOTHING);
    }
    while (n < most && (task = next_task(d, worker, n, size)) != NULL) {
        dwqi_scheduler_give(d->scheduler, &task->job, worker);
        (void)dwqi_dispatcher_assign(d, task, worker);
        task->number = cell->n_sent + (uint32_t)n;
        d->parts[n++] =
            (struct dwqi_extent){ task->pack.block, task->pack.block_size };
        size += task->pack.size;
    }
    if (n == 0) {
        return;
    }
    dwqi_parts_copy(d->parts, n, desk->letter);
    cell->first_fed = cell->n_sent;
    desk->size = (uint32_t)dwqi_parts_size(d->parts, n);
    desk->n_items = (uint32_t)n;
    cell->n_sent += (uint32_t)n;
    atomic_store_explicit(&desk->has_letter, true, memory_order_release);
    dwqi_ring(d->config.transport, cell->peer);
}

void dwqi_dispatcher_feed(struct dwqi_dispatcher *d)
{
    size_t n_idle = 0, most;

    d->now = dwqi_now(d->config.transport);
    if (d->limit_passed || d->now >= d->config.time_limit) {
        return;
    }
    for (int w = 1; w <= d->cells.n; w++) {
        n_idle += can_be_fed(d, w);
    }
    if (n_idle == 0) {
        return;
    }
    most = (dwqi_scheduler_n_waiting(d->scheduler) + n_idle - 1) / n_idle;
    most =
        most < (size_t)d->config.held_max ? most : (size_t)d->config.held_max;
    for (int w = 1; w <= d->cells.n; w++) {
        if (can_be_fed(d, w)) {
            leave_letter(d, w, most);
        }
    }
}

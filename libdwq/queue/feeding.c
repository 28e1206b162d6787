/* The feeder of a controller (feeder.h): made when a task first waits for it, and told
 * whether tasks wait whenever the user's thread leaves. */
#include "libdwq/queue/controller_private.h"

void dwqi_controller_feed(dwq_controller_t *c)
{
    dwqi_dispatcher_feed(&c->d);
}

static void feed(void *controller)
{
    dwqi_controller_feed(controller);
}

bool dwqi_controller_is_fed(dwq_controller_t *c)
{
    if (c->feeding == DWQI_FED_BY_A_THREAD && !c->feeder) {
        c->desk = dwqi_desk(c->d.config.transport, DWQI_SELF);
        c->feeder = c->desk ? dwqi_feeder_create(c->desk, feed, c) : NULL;
        c->feeding = c->feeder ? DWQI_FED_BY_A_THREAD : DWQI_FED_NOT;
    }
    return c->feeding != DWQI_FED_NOT;
}

/* Those that sleep, as nothing waited, look from now on. The feeder may have the
 * controller: nothing is read that it writes. */
static void wake_workers(const dwq_controller_t *c)
{
    for (int w = 1; w <= c->d.cells.n; w++) {
        const struct dwqi_cell *cell = dwqi_dispatcher_cell(&c->d, w);

        if (cell->desk) {
            dwqi_ring(c->d.config.transport, cell->peer);
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
    c->feeding = DWQI_FED_NOT;
    if (c->desk) {
        atomic_store(&c->desk->left, 0); /* the next run begins so */
    }
}

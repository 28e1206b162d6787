#include "workers/desk.h"

#include <math.h>

#include "libdwq/wait/doorbell.h"

/* Seconds for which the user's thread is away before a letter is asked for. */
#define LETTER_TIME 2e-4
/* Seconds between two looks, at most, while tasks wait that it does not get. */
#define PAUSE_MAX 2e-2

void dwqi_worker_desk_find(struct dwqi_worker_desk *desk)
{
    struct dwqi_desk *shared = desk->shared;

    if (shared || !(shared = dwqi_desk(desk->transport, DWQI_SELF))) {
        return;
    }
    desk->shared = shared;
    desk->controllers = dwqi_desk(desk->transport, desk->controller);
    desk->n_decided = shared->n_claimed;
    shared->can_ask = desk->controllers != NULL;
    shared->has_letter = false; /* one of an earlier run */
    shared->cancelled = 0;      /* the same */
    shared->n_heard = 0;        /* the same */
    shared->is_counted = false;
    shared->keeps = false;
    shared->idle_at = desk->n_decided - 1; /* not yet */
}

double dwqi_worker_desk_wait(struct dwqi_worker_desk *desk)
{
    uint32_t left;
    double now;

    if (!desk->shared) {
        return 0;
    }
    atomic_store_explicit(&desk->shared->idle_at, desk->n_decided,
                          memory_order_release);
    if (!desk->controllers) {
        return 0;
    }
    left = atomic_load_explicit(&desk->controllers->left, memory_order_acquire);
    if (left == 0) {
        return 0;
    }
    now = dwqi_now(desk->transport);
    if (left != desk->left) {
        desk->left = left;
        desk->has_asked = false;
        desk->is_fed = false;
        desk->seen = now;
        desk->pause = LETTER_TIME;
    } else if (now >= desk->seen + LETTER_TIME &&
               (!desk->has_asked || desk->asked_at != desk->n_decided)) {
        desk->has_asked = true;
        desk->asked_at = desk->n_decided;
        dwqi_desk_ask(desk->controllers);
    } else if (desk->has_asked) {
        desk->pause = fmin(2 * desk->pause, PAUSE_MAX);
    }
    return desk->has_asked ? now + desk->pause : desk->seen + LETTER_TIME;
}

void dwqi_worker_desk_clear(struct dwqi_worker_desk *desk)
{
    desk->reading = false;
    desk->has_asked = false; /* there may be more */
    desk->is_fed = desk->controllers && desk->left != 0;
    desk->pause = LETTER_TIME;
    atomic_store_explicit(&desk->shared->has_letter, false,
                          memory_order_release);
}

#include "libdwq/wire/backoff.h"

#include <sched.h>
#include <time.h>

#define FIRST_SLEEP 5e-6

void dwqi_backoff_init(struct dwqi_backoff *backoff, double idle_wait,
                       bool crowded)
{
    *backoff = (struct dwqi_backoff){ .idle_wait = idle_wait,
                                      .spins = crowded ? 20 : 500,
                                      .yields = crowded ? 50 : 20 };
}

static void sleep_for(double seconds)
{
    struct timespec pause = { .tv_sec = (time_t)seconds };

    pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
    nanosleep(&pause, NULL);
}

void dwqi_backoff_pause(struct dwqi_backoff *backoff, double remaining,
                        bool may_sleep)
{
    unsigned n = backoff->n_pauses++;

    if (n < backoff->spins) {
        return;
    }
    if (!may_sleep || backoff->idle_wait <= 0) {
        /* Spin, but let a rank that shares this core run now and then. */
        backoff->n_pauses = 0;
        sched_yield();
        return;
    }
    if (n < backoff->spins + backoff->yields) {
        backoff->step = FIRST_SLEEP;
        sched_yield();
        return;
    }
    sleep_for(
        fmax(0, fmin(fmin(backoff->step, backoff->idle_wait), remaining)));
    backoff->step = fmin(2 * backoff->step, backoff->idle_wait);
    backoff->n_pauses = backoff->spins + backoff->yields;
}

#include "libdwq/wait/backoff.h"

#include <sched.h>
#include <time.h>

#define FIRST_SLEEP 5e-6

void dwqi_backoff_init(struct dwqi_backoff *backoff, double idle_wait,
                       bool crowded)
{
    *backoff = (struct dwqi_backoff){ .idle_wait = idle_wait };
    dwqi_backoff_set_crowded(backoff, crowded);
}

void dwqi_backoff_set_crowded(struct dwqi_backoff *backoff, bool crowded)
{
    backoff->spins = crowded ? 20 : 500;
    backoff->yields = crowded ? 50 : 20;
}

void dwqi_backoff_set_bell(struct dwqi_backoff *backoff, struct dwqi_bell *bell,
                           double bell_wait)
{
    dwqi_backoff_reset(backoff);
    backoff->bell = bell;
    backoff->bell_wait = fmax(bell_wait, backoff->idle_wait);
}

void dwqi_backoff_wake(struct dwqi_backoff *backoff)
{
    dwqi_bell_disarm(backoff->bell);
    backoff->armed = false;
}

static void sleep_for(double seconds)
{
    struct timespec pause = { .tv_sec = (time_t)seconds };

    pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
    nanosleep(&pause, NULL);
}

/* Sleep one step. With a bell, the first pause only arms it, for one more poll;
 * the next one waits. */
static void rest(struct dwqi_backoff *backoff, double remaining)
{
    double longest = dwqi_bell_is_reached(backoff->bell) ? backoff->bell_wait
                                                         : backoff->idle_wait;

    if (!backoff->bell) {
        sleep_for(fmax(0, fmin(backoff->step, remaining)));
    } else if (!backoff->armed) {
        dwqi_bell_arm(backoff->bell);
        backoff->armed = true;
        return;
    } else {
        dwqi_bell_wait(backoff->bell, fmax(0, fmin(backoff->step, remaining)));
        dwqi_backoff_wake(backoff);
    }
    backoff->step = fmin(2 * backoff->step, longest);
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
        dwqi_backoff_reset(backoff);
        sched_yield();
        return;
    }
    if (n < backoff->spins + backoff->yields) {
        backoff->step = dwqi_bell_is_reached(backoff->bell)
                            ? backoff->idle_wait
                            : fmin(FIRST_SLEEP, backoff->idle_wait);
        sched_yield();
        return;
    }
    rest(backoff, remaining);
    backoff->n_pauses = backoff->spins + backoff->yields;
}

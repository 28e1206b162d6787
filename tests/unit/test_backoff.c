/* What a pause does, without a clock: sched_yield() and nanosleep() of this
 * program are the ones below, which write down what was asked. */
#include <criterion/criterion.h>
#include <math.h>
#include <sched.h>
#include <time.h>

#include "libdwq/wait/backoff.h"

static struct {
    int n_yields;
    int n_sleeps;
    double last;  /* seconds of the last sleep */
    double total; /* seconds of all */
} seen;

int sched_yield(void)
{
    seen.n_yields++;
    return 0;
}

int nanosleep(const struct timespec *pause, struct timespec *rest)
{
    (void)rest;
    cr_assert(pause->tv_sec >= 0 && pause->tv_nsec >= 0 &&
                  pause->tv_nsec < 1000000000,
              "not a time: %lld s, %ld ns", (long long)pause->tv_sec,
              pause->tv_nsec);
    seen.n_sleeps++;
    seen.last = (double)pause->tv_sec + (double)pause->tv_nsec * 1e-9;
    seen.total += seen.last;
    return 0;
}

/* A pause until the next sleep; its length. */
static double next_sleep(struct dwqi_backoff *backoff, double remaining)
{
    int before = seen.n_sleeps;

    for (int i = 0; seen.n_sleeps == before; i++) {
        cr_assert_lt(i, 10000, "it never sleeps");
        dwqi_backoff_pause(backoff, remaining, true);
    }
    return seen.last;
}

Test(backoff, spins_then_yields_then_sleeps)
{
    for (int crowded = 0; crowded <= 1; crowded++) {
        struct dwqi_backoff backoff;
        int before = seen.n_yields, sleeps = seen.n_sleeps;

        dwqi_backoff_init(&backoff, 1e-3, crowded);
        cr_assert_gt(backoff.spins, 0);
        cr_assert_gt(backoff.yields, 0);
        for (unsigned i = 0; i < backoff.spins; i++) {
            dwqi_backoff_pause(&backoff, INFINITY, true);
        }
        cr_assert_eq(seen.n_yields, before, "the first polls are free");
        for (unsigned i = 0; i < backoff.yields; i++) {
            dwqi_backoff_pause(&backoff, INFINITY, true);
        }
        cr_assert_eq(seen.n_yields, before + (int)backoff.yields);
        cr_assert_eq(seen.n_sleeps, sleeps);
        for (int i = 1; i <= 100; i++) {
            dwqi_backoff_pause(&backoff, INFINITY, true);
            cr_assert_eq(seen.n_sleeps, sleeps + i);
        }
        cr_assert_eq(seen.n_yields, before + (int)backoff.yields);
    }
}

Test(backoff, crowded_host_polls_less_before_it_yields)
{
    struct dwqi_backoff alone, crowded;

    dwqi_backoff_init(&alone, 1e-3, false);
    dwqi_backoff_init(&crowded, 1e-3, true);
    cr_assert_lt(crowded.spins, alone.spins);
}

Test(backoff, sleeps_double_up_to_idle_wait)
{
    struct dwqi_backoff backoff;
    double last;

    dwqi_backoff_init(&backoff, 1e-3, false);
    last = next_sleep(&backoff, INFINITY);
    cr_assert(last > 0 && last < 1e-4, "the first sleep is short: %g", last);
    for (int i = 0; i < 50; i++) {
        double now = next_sleep(&backoff, INFINITY);

        cr_assert(fabs(now - fmin(2 * last, 1e-3)) < 2e-9, "%g after %g", now,
                  last);
        last = now;
    }
    cr_assert(fabs(last - 1e-3) < 2e-9, "%g", last);
}

Test(backoff, no_sleep_is_longer_than_idle_wait)
{
    static const double waits[] = { 1e-9, 1e-6, 3e-6, 7e-5, 1e-3, 0.25, 3.5 };

    for (size_t w = 0; w < sizeof waits / sizeof waits[0]; w++) {
        struct dwqi_backoff backoff;

        dwqi_backoff_init(&backoff, waits[w], true);
        for (int i = 0; i < 100; i++) {
            cr_assert_leq(next_sleep(&backoff, INFINITY), waits[w] + 1e-12);
        }
        cr_assert(fabs(seen.last - waits[w]) < 2e-9, "%g", seen.last);
    }
}

Test(backoff, no_sleep_is_longer_than_what_remains)
{
    struct dwqi_backoff backoff;

    dwqi_backoff_init(&backoff, 1, false);
    for (int i = 0; i < 30; i++) {
        next_sleep(&backoff, INFINITY);
    }
    cr_assert(fabs(seen.last - 1) < 2e-9, "it has come to the longest");
    cr_assert_leq(next_sleep(&backoff, 0.125), 0.125 + 1e-12);
    cr_assert_leq(next_sleep(&backoff, 1e-6), 1e-6 + 1e-12);
    cr_assert_eq(next_sleep(&backoff, 0), 0);
    cr_assert_eq(next_sleep(&backoff, -5), 0);
    cr_assert(fabs(next_sleep(&backoff, INFINITY) - 1) < 2e-9);
}

Test(backoff, reset_starts_over)
{
    struct dwqi_backoff backoff;
    double first;
    int sleeps, yields;

    dwqi_backoff_init(&backoff, 1e-3, false);
    first = next_sleep(&backoff, INFINITY);
    for (int i = 0; i < 20; i++) {
        next_sleep(&backoff, INFINITY);
    }
    dwqi_backoff_reset(&backoff);
    sleeps = seen.n_sleeps;
    yields = seen.n_yields;
    for (unsigned i = 0; i < backoff.spins; i++) {
        dwqi_backoff_pause(&backoff, INFINITY, true);
    }
    cr_assert_eq(seen.n_sleeps, sleeps);
    cr_assert_eq(seen.n_yields, yields);
    cr_assert_eq(next_sleep(&backoff, INFINITY), first);
}

/* However long it waits. */
static void never_sleeps(double idle_wait, bool may_sleep)
{
    struct dwqi_backoff backoff;

    dwqi_backoff_init(&backoff, idle_wait, true);
    for (int i = 0; i < 100000; i++) {
        dwqi_backoff_pause(&backoff, INFINITY, may_sleep);
    }
    cr_assert_eq(seen.n_sleeps, 0);
    cr_assert_gt(seen.n_yields, 100, "a neighbour gets the core at times");
    cr_assert_lt(seen.n_yields, 100000, "but it polls more than it yields");
}

Test(backoff, never_sleeps_while_a_transfer_needs_polling)
{
    never_sleeps(1e-3, false);
}

Test(backoff, never_sleeps_when_idle_wait_is_zero)
{
    never_sleeps(0, true);
}

Test(backoff, sleeps_again_after_the_transfer)
{
    struct dwqi_backoff backoff;

    dwqi_backoff_init(&backoff, 1e-3, false);
    next_sleep(&backoff, INFINITY);
    for (int i = 0; i < 5000; i++) {
        dwqi_backoff_pause(&backoff, INFINITY, false);
    }
    cr_assert_eq(seen.n_sleeps, 1);
    cr_assert_gt(next_sleep(&backoff, INFINITY), 0);
}

/* The thread that has the controller while the user's thread is outside. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "libdwq/base/clock.h"
#include "libdwq/queue/feeder.h"
#include "libdwq/wait/doorbell.h"

#define N_FED 1000
#define WAIT 20. /* seconds: far longer than the test may take */

struct shared {
    struct dwqi_desk desk;
    long n; /* counted up by whoever has it */
    long n_fed;
    _Atomic long n_seen; /* n_fed, for the other thread */
    _Atomic bool stop;
};

static void feed(void *arg)
{
    struct shared *shared = arg;
    long n = shared->n;

    for (volatile int i = 0; i < 20; i++) {
    }
    shared->n = n + 1;
    shared->n_fed++;
    atomic_store(&shared->n_seen, shared->n_fed);
}

/* A worker that asks all the time. */
static void *ask(void *arg)
{
    struct shared *shared = arg;

    while (!atomic_load(&shared->stop)) {
        dwqi_desk_ask(&shared->desk);
    }
    return NULL;
}

static bool is_fed(const struct shared *shared, long n)
{
    double end = dwqi_clock_now() + WAIT;

    while (atomic_load(&shared->n_seen) < n && dwqi_clock_now() < end) {
    }
    return atomic_load(&shared->n_seen) >= n;
}

Test(feeder, one_thread_at_a_time_has_the_controller)
{
    struct shared *shared = calloc(1, sizeof *shared);
    struct dwqi_feeder *feeder =
        dwqi_feeder_create(&shared->desk, feed, shared);
    pthread_t worker;
    long n_calls = 0;

    cr_assert_not_null(feeder);
    pthread_create(&worker, NULL, ask, shared);
    dwqi_feeder_leave(feeder);
    for (; atomic_load(&shared->n_seen) < N_FED; n_calls++) {
        dwqi_feeder_enter(feeder);
        shared->n++;
        dwqi_feeder_leave(feeder);
        for (volatile int i = 0; i < (int)(n_calls % 2000); i++) {
        }
    }
    dwqi_feeder_enter(feeder);
    cr_assert_eq(shared->n, n_calls + shared->n_fed);
    atomic_store(&shared->stop, true);
    pthread_join(worker, NULL);
    dwqi_feeder_destroy(feeder);
    free(shared);
}

Test(feeder, who_asks_is_fed_only_while_the_users_thread_is_outside)
{
    struct shared *shared = calloc(1, sizeof *shared);
    struct dwqi_feeder *feeder =
        dwqi_feeder_create(&shared->desk, feed, shared);

    cr_assert_not_null(feeder);
    for (int i = 1; i <= 1000; i++) {
        long n = shared->n_fed;

        dwqi_desk_ask(&shared->desk);
        cr_assert_eq(shared->n_fed, n);
        dwqi_feeder_leave(feeder);
        dwqi_desk_ask(&shared->desk);
        cr_assert(is_fed(shared, n + 1));
        dwqi_feeder_enter(feeder);
    }
    dwqi_feeder_destroy(feeder);
    dwqi_feeder_destroy(NULL);
    free(shared);
}

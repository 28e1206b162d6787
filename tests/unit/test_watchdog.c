/* The watchdog ends the process in time, and counts on a clock that nobody sets. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "libdwq/process/watchdog.h"

static clockid_t clock_of_last_wait = CLOCK_REALTIME;

/* In the place of the system's: the tests do not set the machine's clock. */
int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
    int (*next)(pthread_cond_t *, const pthread_condattr_t *) = NULL;

    *(void **)&next = dlsym(RTLD_NEXT, "pthread_cond_init");
    clock_of_last_wait = CLOCK_REALTIME;
    if (attr) {
        pthread_condattr_getclock(attr, &clock_of_last_wait);
    }
    return next(cond, attr);
}

Test(watchdog, counts_on_the_monotonic_clock)
{
    struct dwqi_watchdog *watchdog = dwqi_watchdog_start(3600, "too late");

    cr_assert_not_null(watchdog);
    cr_expect_eq(clock_of_last_wait, CLOCK_MONOTONIC);
    dwqi_watchdog_stop(watchdog);
    dwqi_watchdog_stop(NULL);
}

Test(watchdog, ends_the_process, .exit_code = 1, .timeout = 60)
{
    cr_assert_not_null(dwqi_watchdog_start(0.01, "as it should be"));
    for (;;) {
        pause();
    }
}

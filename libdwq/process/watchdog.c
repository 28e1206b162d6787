#include "libdwq/process/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "libdwq/process/witness.h"

struct dwqi_watchdog {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stopped;
    bool stop;
    struct timespec until;
    const char *message;
};

static void *watch(void *arg)
{
    struct dwqi_watchdog *w = arg;
    int answer = 0;

    pthread_mutex_lock(&w->mutex);
    while (!w->stop && answer != ETIMEDOUT) {
        answer = pthread_cond_timedwait(&w->stopped, &w->mutex, &w->until);
    }
    if (!w->stop) {
        dwqi_witness_say_late(false);
        dwqi_witness_hush();
        fprintf(stderr, "libdwq: error: %s\n", w->message);
        _exit(1);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static struct timespec in_seconds(double seconds)
{
    struct timespec t;
    time_t whole = (time_t)seconds;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += whole;
    t.tv_nsec += (long)((seconds - (double)whole) * 1e9);
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

struct dwqi_watchdog *dwqi_watchdog_start(double seconds, const char *message)
{
    struct dwqi_watchdog *w = calloc(1, sizeof *w);
    pthread_condattr_t monotonic; /* the wall clock may be set meanwhile */

    if (!w) {
        return NULL;
    }
    w->message = message;
    w->until = in_seconds(seconds);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->stopped, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&w->thread, NULL, watch, w) != 0) {
        pthread_cond_destroy(&w->stopped);
        pthread_mutex_destroy(&w->mutex);
        free(w);
        return NULL;
    }
    return w;
}

void dwqi_watchdog_stop(struct dwqi_watchdog *w)
{
    if (w) {
        pthread_mutex_lock(&w->mutex);
        w->stop = true;
        pthread_cond_signal(&w->stopped);
        pthread_mutex_unlock(&w->mutex);
        pthread_join(w->thread, NULL);
        pthread_cond_destroy(&w->stopped);
        pthread_mutex_destroy(&w->mutex);
        free(w);
    }
}

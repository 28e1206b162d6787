#include "libdwq/base/ending.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FLUSH_MAX 300 /* milliseconds */

static void flush_if_free(FILE *stream)
{
    if (ftrylockfile(stream) == 0) {
        fflush(stream);
        funlockfile(stream);
    }
}

void dwqi_flush_standard(void)
{
    flush_if_free(stdout);
    flush_if_free(stderr);
}

static void *flush_all(void *arg)
{
    atomic_bool *done = arg;

    fflush(NULL);
    atomic_store(done, true);
    return NULL;
}

bool dwqi_flush_all(void)
{
    const struct timespec step = { .tv_nsec = 1000000 };
    atomic_bool *done = calloc(1, sizeof *done);
    pthread_t thread;

    dwqi_flush_standard();
    if (!done || pthread_create(&thread, NULL, flush_all, done) != 0) {
        free(done);
        return true;
    }
    for (int i = 0; i < FLUSH_MAX && !atomic_load(done); i++) {
        nanosleep(&step, NULL);
    }
    if (!atomic_load(done)) {
        return false; /* the thread holds a lock of stdio, and waits */
    }
    pthread_join(thread, NULL);
    free(done);
    return true;
}

int dwqi_exit_code(int code)
{
    int seen = (int)((unsigned)code & 255u);

    return code != 0 && seen == 0 ? 1 : seen;
}

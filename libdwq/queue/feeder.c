#define _GNU_SOURCE /* syscall */
#include "libdwq/queue/feeder.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "libdwq/wait/doorbell.h"

#ifdef __linux__
#include <linux/membarrier.h>
#include <sys/syscall.h>
#endif

struct thread {
    struct dwqi_feeder shared; /* first: it is found by that */
    pthread_t thread;
    _Atomic bool stop;
    struct dwqi_desk *desk;
    void (*feed)(void *arg);
    void *arg;
};

/* What the other threads of this process did before is seen, and what this one did is seen
 * by what they do after. */
static bool fence_others(bool first)
{
#ifdef __linux__
    return syscall(SYS_membarrier,
                   first ? MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
                         : MEMBARRIER_CMD_PRIVATE_EXPEDITED,
                   0, 0) == 0;
#else
    (void)first;
    return false;
#endif
}

static void *run(void *arg)
{
    struct thread *t = arg;
    uint32_t n_asked = atomic_load(&t->desk->n_asked);

    while (!atomic_load(&t->stop)) {
        atomic_store_explicit(&t->shared.feeding, true, memory_order_relaxed);
        if (fence_others(false) &&
            !atomic_load_explicit(&t->shared.inside, memory_order_acquire)) {
            t->feed(t->arg);
        }
        atomic_store_explicit(&t->shared.feeding, false, memory_order_release);
        n_asked = dwqi_desk_await(t->desk, n_asked);
    }
    return NULL;
}

/* Signals are the user's: they go to threads of the user's. */
static bool start(struct thread *t)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&t->thread, NULL, run, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code == 0;
}

struct dwqi_feeder *dwqi_feeder_create(struct dwqi_desk *desk,
                                       void (*feed)(void *arg), void *arg)
{
    struct thread *t = calloc(1, sizeof *t);

    if (!t) {
        return NULL;
    }
    atomic_store(&t->shared.inside, true);
    t->desk = desk;
    t->feed = feed;
    t->arg = arg;
    if (!fence_others(true) || !start(t)) {
        free(t);
        return NULL;
    }
    return &t->shared;
}

void dwqi_feeder_destroy(struct dwqi_feeder *feeder)
{
    struct thread *t = (struct thread *)(void *)feeder;

    if (feeder) {
        dwqi_feeder_enter(feeder);
        atomic_store(&t->stop, true);
        dwqi_desk_ask(t->desk);
        pthread_join(t->thread, NULL);
        free(t);
    }
}

void dwqi_feeder_await(struct dwqi_feeder *feeder)
{
    while (atomic_load_explicit(&feeder->feeding, memory_order_acquire)) {
        sched_yield();
    }
}

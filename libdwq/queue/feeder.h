/* A thread that gives waiting tasks to idle workers while the user's thread is outside of
 * the library, in a computation of its own, however long. It sleeps until a worker asks:
 *
 *     user's thread:  enter ... leave (tasks wait)        ...          enter
 *     a worker:                 idle, sees them wait, asks
 *     this thread:                                    feeds, sleeps
 *
 * One of the two threads at a time has the controller: each says that it wants it, and then
 * looks whether the other does (Dekker's way). The user's thread, which does so in each
 * call, needs no fence between the two: this thread has the kernel put one there
 * (membarrier()). */
#ifndef DWQI_QUEUE_FEEDER_H
#define DWQI_QUEUE_FEEDER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "libdwq/item/transport.h"

struct dwqi_feeder {
    _Atomic bool inside;  /* the user's thread has it */
    _Atomic bool feeding; /* this thread has it, or looks whether it can */
};

/* The desk (borrowed) is the controller's; feed(arg) gives what can be given. It begins
 * inside. NULL: there can be no thread. */
struct dwqi_feeder *dwqi_feeder_create(struct dwqi_desk *desk,
                                       void (*feed)(void *arg), void *arg);
/* In the user's thread, inside: it has ended. NULL is allowed. */
void dwqi_feeder_destroy(struct dwqi_feeder *feeder);

void dwqi_feeder_await(struct dwqi_feeder *feeder);

/* The user's thread has the controller from now on. */
static inline void dwqi_feeder_enter(struct dwqi_feeder *feeder)
{
    atomic_store_explicit(&feeder->inside, true, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&feeder->feeding, memory_order_acquire)) {
        dwqi_feeder_await(feeder);
    }
}

static inline void dwqi_feeder_leave(struct dwqi_feeder *feeder)
{
    atomic_store_explicit(&feeder->inside, false, memory_order_release);
}

#endif

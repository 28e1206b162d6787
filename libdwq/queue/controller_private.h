/* The user's handle on a dispatcher, shared by its files: controller.c, submit.c, each.c,
 * collect.c, feeding.c, controller_error.c and running.c. */
#ifndef DWQI_QUEUE_CONTROLLER_PRIVATE_H
#define DWQI_QUEUE_CONTROLLER_PRIVATE_H

#include <pthread.h>

#include "libdwq/process/process.h"
#include "libdwq/queue/controller.h"
#include "libdwq/queue/feeder.h"

struct dwq_controller {
    struct dwqi_process_handle handle; /* first: it is found by that */
    struct dwqi_controller_config config;
    struct dwqi_dispatcher d;
    bool closed;      /* no more submits */
    double last_look; /* the end of the last one, in a submit */
    int depth;        /* calls of the user's, each in the one before */
    enum dwqi_feeding feeding;
    struct dwqi_desk *desk; /* with the feeder */
    uint32_t n_left;        /* odd: tasks waited when the user's thread left */
    struct dwqi_feeder *feeder; /* NULL: not made yet, or not wanted */
    pthread_t thread;           /* of the user's calls */
    struct dwqi_error error; /* of the last one; code DWQ_OK: it did not fail */
};

/* At the end of a call of the user's, whose answer it is. */
static inline dwq_status_t dwqi_controller_answer(dwq_controller_t *c,
                                                  dwq_status_t status)
{
    if (c->error.code != (int)status) {
        c->error.code = (int)status;
        c->error.text[0] = '\0'; /* the status says it all */
    }
    return status;
}

/* Tasks wait now, and did not when the user's thread left the last time; or the reverse. */
void dwqi_controller_leave_anew(dwq_controller_t *c, bool wait);
/* What waits is sent by calls of the user's only, from now on. */
void dwqi_controller_end_feeding(dwq_controller_t *c);
/* Whether a task that waits goes to an idle worker while the user's thread is outside. */
bool dwqi_controller_is_fed(dwq_controller_t *c);
/* Queue n tasks, all or none; `numbered`: a refusal says which of them it is about. */
dwq_status_t dwqi_controller_submit_all(dwq_controller_t *c,
                                        const dwq_task_t *tasks, size_t n,
                                        bool numbered, uint64_t *ids_out);

/* At the end of a call of the user's that has entered, whose answer it is: the feeder may
 * have the controller. It gets it before workers are told, as they ask only once. */
static inline dwq_status_t dwqi_controller_leave(dwq_controller_t *c,
                                                 dwq_status_t status)
{
    bool wait;

    if (--c->depth > 0) { /* a call from a log function */
        return status;
    }
    wait = c->feeding == DWQI_FED_BY_A_THREAD && c->d.n_near > 0 &&
           *c->d.n_waiting > 0;
    if (wait != (c->n_left % 2 != 0)) {
        dwqi_controller_leave_anew(c, wait);
    } else if (wait) {
        dwqi_feeder_leave(c->feeder);
        c->n_left += 2;
        atomic_store_explicit(&c->desk->left, c->n_left, memory_order_release);
    }
    return status;
}

#endif

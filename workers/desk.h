/* A worker's desk (item/transport.h): which of its tasks are its own, the letters that it
 * finds there, and how it asks for one. */
#ifndef DWQI_WORKERS_DESK_H
#define DWQI_WORKERS_DESK_H

#include "libdwq/item/transport.h"

struct dwqi_worker_desk {
    struct dwqi_transport *transport; /* borrowed */
    int controller;                   /* a peer */
    struct dwqi_desk *shared;         /* NULL: none, or not looked for yet */
    struct dwqi_desk *controllers;    /* or NULL */
    _Atomic uint32_t own_claims;      /* in the place of a desk's */
    uint32_t n_decided; /* of its tasks: the first ones, claimed */
    bool reading;       /* the letter */
    uint32_t left;      /* as last seen with the controller */
    bool has_asked;     /* for a letter, since then */
    uint32_t asked_at;  /* n_decided, then */
    double seen;        /* when `left` was new */
    bool is_fed;        /* there was a letter, since then */
    double pause;       /* seconds till the next look */
};

/* Before READY leaves: the controller, which reads the same count when it hears that,
 * may have claimed tasks before this rank does anything more. */
void dwqi_worker_desk_find(struct dwqi_worker_desk *desk);

/* Whether the next task is this worker's, to start or to give back: the controller may
 * have taken it back. */
static inline bool dwqi_worker_desk_claim(struct dwqi_worker_desk *desk)
{
    return dwqi_claim(desk->shared ? &desk->shared->n_claimed
                                   : &desk->own_claims,
                      desk->n_decided++);
}

/* Whether its last task was a letter's, and the user's thread is away as it was then: more
 * may come the same way at once. */
static inline bool dwqi_worker_desk_is_fed(const struct dwqi_worker_desk *desk)
{
    return desk->is_fed && !desk->has_asked &&
           atomic_load_explicit(&desk->controllers->left,
                                memory_order_acquire) == desk->left;
}

/* The worker has nothing to do, and its waiting rests (dwqi_rests()), or it is fed. While
 * tasks wait with the controller, it is to look again at the time that is returned (0:
 * whenever something comes): if the user's thread did not come back meanwhile, it asks for a letter, once. */
double dwqi_worker_desk_wait(struct dwqi_worker_desk *desk);

/* Whether a letter lies there that was not read yet: its tasks, as a message without
 * memory, valid until dwqi_worker_desk_clear(). */
static inline bool dwqi_worker_desk_read(struct dwqi_worker_desk *desk,
                                         struct dwqi_message *letter_out)
{
    struct dwqi_desk *shared = desk->shared;

    if (!shared || desk->reading ||
        !atomic_load_explicit(&shared->has_letter, memory_order_acquire)) {
        return false;
    }
    desk->reading = true;
    *letter_out = (struct dwqi_message){ .peer = desk->controller,
                                         .tag = DWQI_TASK,
                                         .n_items = shared->n_items,
                                         .body = shared->letter,
                                         .body_size = shared->size,
                                         .in_frame = true };
    return true;
}

/* RETURN has left, as RECALL asked. */
static inline void dwqi_worker_desk_answer(struct dwqi_worker_desk *desk)
{
    if (desk->shared) {
        atomic_fetch_add_explicit(&desk->shared->n_returned, 1,
                                  memory_order_release);
    }
}

/* There is room for the next one. */
void dwqi_worker_desk_clear(struct dwqi_worker_desk *desk);

#endif

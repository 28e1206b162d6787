/* The one wait primitive: poll at once a few times, then yield the core, then
 * sleep in steps that double up to idle_wait. With a doorbell the sleep ends
 * when somebody rings, and the steps go from idle_wait up to bell_wait, if all can
 * ring. A rank has one, which all it waits for share. Whoever waits calls pause()
 * between two polls and reset() when something came, so a wait ends within the
 * current step. */
#ifndef DWQI_WAIT_BACKOFF_H
#define DWQI_WAIT_BACKOFF_H

#include <math.h>
#include <stdbool.h>

#include "libdwq/wait/doorbell.h"

/* Seconds: the longest sleep where all peers can ring. */
#define DWQI_BELL_WAIT 0.1

struct dwqi_backoff {
    double idle_wait;  /* seconds: the longest sleep; 0 or less: never sleep */
    unsigned spins;    /* polls before the first yield */
    unsigned yields;   /* yields before the first sleep */
    unsigned n_pauses; /* since the last reset */
    double step;       /* seconds: the next sleep */
    struct dwqi_bell *bell; /* borrowed, or NULL */
    double bell_wait;       /* seconds: the longest sleep with it */
    bool armed;             /* the bell: the next pause is the sleep */
    int n_moving;           /* transfers under way: no pause sleeps */
};

/* crowded: more ranks than cores on this host, so that a poll that nobody can
 * answer is followed by a yield soon. */
void dwqi_backoff_init(struct dwqi_backoff *backoff, double idle_wait,
                       bool crowded);
/* It is seen later. */
void dwqi_backoff_set_crowded(struct dwqi_backoff *backoff, bool crowded);
/* Sleep on this bell (NULL: none) from now on: up to bell_wait, or up to idle_wait
 * while there is a peer that cannot ring it. */
void dwqi_backoff_set_bell(struct dwqi_backoff *backoff, struct dwqi_bell *bell,
                           double bell_wait);

void dwqi_backoff_wake(struct dwqi_backoff *backoff);
static inline void dwqi_backoff_reset(struct dwqi_backoff *backoff)
{
    backoff->n_pauses = 0;
    if (backoff->armed) {
        dwqi_backoff_wake(backoff);
    }
}

/* Whether the next pause is a sleep, or prepares one. */
static inline bool dwqi_backoff_sleeps(const struct dwqi_backoff *backoff)
{
    return backoff->armed ||
           backoff->n_pauses >= backoff->spins + backoff->yields;
}

/* Whether the next pause does more than spin. */
static inline bool dwqi_backoff_rests(const struct dwqi_backoff *backoff)
{
    return backoff->armed || backoff->n_pauses >= backoff->spins;
}

/* One step; `remaining` seconds (INFINITY: no bound) is the longest sleep, and
 * may_sleep is false while a transfer needs polling. */
void dwqi_backoff_pause(struct dwqi_backoff *backoff, double remaining,
                        bool may_sleep);

#endif

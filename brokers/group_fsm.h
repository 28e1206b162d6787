/* A group's call on its broker, in both collective modes. A pure table: a pair that is
 * not in it is an error. The other ranks' end is an order, a call and a part
 * (workers/serve_team.c). */
#ifndef DWQI_BROKERS_GROUP_FSM_H
#define DWQI_BROKERS_GROUP_FSM_H

#include "libdwq/base/fsm.h"

enum dwqi_group_state {
    DWQI_GS_IDLE,
    DWQI_GS_HELD,    /* given, and no task may start now */
    DWQI_GS_SENDING, /* between a task and what came of sending it */
    DWQI_GS_DOWN,    /* on its way; a share of it is this rank's */
    DWQI_GS_UP,      /* this rank has run its share, or has none */
    DWQI_GS_REFUSED, /* it cannot be read, or has no memory: nothing was sent */
    DWQI_GS_MERGING, /* all parts are here */
    DWQI_GS_RENEWING, /* the call failed: its result waits for new communicators */
    DWQI_GS_COUNT
};

enum dwqi_group_event {
    DWQI_GE_GIVEN,      /* a task */
    DWQI_GE_GIVEN_HELD, /* the same, for later */
    DWQI_GE_LOST,       /* one that there was no memory for */
    DWQI_GE_RELEASED,   /* tasks may start again */
    DWQI_GE_SENT,       /* begun to be sent, with a share for this rank */
    DWQI_GE_SENT_ALL,   /* the same, by a broker beside its group */
    DWQI_GE_UNREADABLE, /* the task's values are malformed */
    DWQI_GE_IS_DOWN,    /* the task has left */
    DWQI_GE_IS_UP,      /* all parts are here */
    DWQI_GE_SUCCEEDED,  /* the result, on every rank */
    DWQI_GE_FAILED,     /* the call, on some rank */
    DWQI_GE_RENEWED,    /* every rank has new communicators */
    DWQI_GE_COUNT
};

enum dwqi_group_action {
    DWQI_GA_NONE,
    DWQI_GA_SEND,
    DWQI_GA_RUN,    /* this rank's share */
    DWQI_GA_MERGE,  /* the parts to a result */
    DWQI_GA_REFUSE, /* a failure of each rank as the result */
    DWQI_GA_RENEW,  /* tell every rank to */
    DWQI_GA_REPORT
};

/* See dwqi_edge_find(). */
struct dwqi_edge dwqi_group_edge(enum dwqi_group_state state,
                                 enum dwqi_group_event event);

#endif

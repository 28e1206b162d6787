/* What a worker may do when. A pure table: a pair that is not in it is an
 * error. */
#ifndef DWQI_WORKERS_FSM_H
#define DWQI_WORKERS_FSM_H

#include "libdwq/base/fsm.h"

enum dwqi_worker_state {
    DWQI_WS_STARTING,
    DWQI_WS_SERVING,
    DWQI_WS_DRAINING, /* told to leave, still holds tasks */
    DWQI_WS_WITHDRAWN,
    DWQI_WS_CLOSED,
    DWQI_WS_COUNT
};

enum dwqi_worker_event {
    DWQI_WE_BEGIN,    /* the worker function serves */
    DWQI_WE_WITHDRAW, /* it will not, or this rank cannot go on */
    DWQI_WE_TASK,
    DWQI_WE_RECALL,
    DWQI_WE_EXIT,
    DWQI_WE_EMPTY, /* it holds no task (any more) */
    DWQI_WE_COUNT
};

enum dwqi_worker_action {
    DWQI_WA_NONE,
    DWQI_WA_REPORT_READY,
    DWQI_WA_REPORT_WITHDRAWN,
    DWQI_WA_REPORT_AND_SAY_BYE, /* the same, and it leaves */
    DWQI_WA_HOLD,
    DWQI_WA_DROP, /* the controller has given these up already */
    DWQI_WA_GIVE_BACK,
    DWQI_WA_SAY_BYE
};

/* See dwqi_edge_find(). */
struct dwqi_edge dwqi_worker_edge(enum dwqi_worker_state state,
                                  enum dwqi_worker_event event);
const char *dwqi_worker_state_name(enum dwqi_worker_state state);
const char *dwqi_worker_event_name(enum dwqi_worker_event event);

#endif

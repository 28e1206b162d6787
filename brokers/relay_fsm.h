/* What a broker may do when. A pure table: a pair that is not in it is an error. */
#ifndef DWQI_BROKERS_RELAY_FSM_H
#define DWQI_BROKERS_RELAY_FSM_H

#include "libdwq/base/fsm.h"

enum dwqi_relay_state {
    DWQI_RS_STARTING,  /* the broker's function runs */
    DWQI_RS_GATHERING, /* until every rank of the group has said READY, or not */
    DWQI_RS_SERVING, /* tasks, or the wait for EXIT of a group that withdrew */
    DWQI_RS_LEAVING, /* EXIT is on its way to the group */
    DWQI_RS_CLOSED,
    DWQI_RS_COUNT
};

enum dwqi_relay_event {
    DWQI_RE_BEGIN,     /* the broker's function serves */
    DWQI_RE_WITHDRAW,  /* it will not */
    DWQI_RE_ALL_READY, /* the group serves */
    DWQI_RE_REFUSED,   /* a rank of it will not */
    DWQI_RE_DISMISSED, /* the controller needs this group no more */
    DWQI_RE_GONE,      /* EXIT has reached the group */
    DWQI_RE_COUNT
};

enum dwqi_relay_action {
    DWQI_RA_NONE,
    DWQI_RA_REPORT_READY,
    DWQI_RA_REPORT_WITHDRAWN,
    DWQI_RA_SEND_EXIT
};

/* See dwqi_edge_find(). */
struct dwqi_edge dwqi_relay_edge(enum dwqi_relay_state state,
                                 enum dwqi_relay_event event);

#endif

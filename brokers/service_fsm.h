/* The service at the broker of the group that offers it: one client at a time. A pure
 * table: a pair that is not in it is an error. */
#ifndef DWQI_BROKERS_SERVICE_FSM_H
#define DWQI_BROKERS_SERVICE_FSM_H

#include "libdwq/base/fsm.h"

enum dwqi_service_state {
    DWQI_SS_UNPUBLISHED, /* requests wait: the group has no port (yet) */
    DWQI_SS_OPEN,        /* requests wait until no call runs */
    DWQI_SS_OFFERED,     /* to one client; no task starts */
    DWQI_SS_ACCEPTING,   /* the group is in MPI_Comm_accept, or on its way */
    DWQI_SS_RENEWED,     /* the same, and it has the port for the next client */
    DWQI_SS_GONE,        /* requests are refused */
    DWQI_SS_COUNT
};

enum dwqi_service_event {
    DWQI_SE_PUBLISH,  /* the group has a port */
    DWQI_SE_NEXT,     /* a request waits, the group serves, and no call runs */
    DWQI_SE_COMMIT,   /* the client takes the offer */
    DWQI_SE_CANCEL,   /* the client gave it up */
    DWQI_SE_ACCEPTED, /* by every rank of the group */
    DWQI_SE_LEAVE,    /* the group withdrew, or leaves the run */
    DWQI_SE_COUNT
};

enum dwqi_service_action {
    DWQI_SA_NONE,
    DWQI_SA_SEND_OFFER,
    DWQI_SA_SEND_ACCEPT,
    DWQI_SA_REFUSE_ALL
};

/* See dwqi_edge_find(). */
struct dwqi_edge dwqi_service_edge(enum dwqi_service_state state,
                                   enum dwqi_service_event event);

#endif

#include "brokers/relay_fsm.h"

/* The group hears EXIT only when the controller has let the broker go, and the
 * controller hears BYE (in the server) before: it waits for nobody but the broker. */
static const struct dwqi_edge edges[DWQI_RS_COUNT][DWQI_RE_COUNT] = {
    [DWQI_RS_STARTING] = {
        [DWQI_RE_BEGIN] = { true, DWQI_RS_GATHERING, DWQI_RA_NONE },
        [DWQI_RE_WITHDRAW] = { true, DWQI_RS_SERVING,
                               DWQI_RA_REPORT_WITHDRAWN },
    },
    [DWQI_RS_GATHERING] = {
        [DWQI_RE_ALL_READY] = { true, DWQI_RS_SERVING, DWQI_RA_REPORT_READY },
        [DWQI_RE_REFUSED] = { true, DWQI_RS_SERVING,
                              DWQI_RA_REPORT_WITHDRAWN },
    },
    [DWQI_RS_SERVING] = {
        [DWQI_RE_DISMISSED] = { true, DWQI_RS_LEAVING, DWQI_RA_SEND_EXIT },
    },
    [DWQI_RS_LEAVING] = {
        [DWQI_RE_GONE] = { true, DWQI_RS_CLOSED, DWQI_RA_NONE },
    },
};

struct dwqi_edge dwqi_relay_edge(enum dwqi_relay_state state,
                                 enum dwqi_relay_event event)
{
    return dwqi_edge_find(&edges[0][0], DWQI_RE_COUNT, (int)state, (int)event);
}

/* The whole table of a broker's states and events. */
#include <criterion/criterion.h>

#include "brokers/relay_fsm.h"
#include "tests/unit/fsm_walk.h"

static const struct listed_edge allowed[] = {
    { DWQI_RS_STARTING, DWQI_RE_BEGIN, DWQI_RS_GATHERING, DWQI_RA_NONE },
    { DWQI_RS_STARTING, DWQI_RE_WITHDRAW, DWQI_RS_SERVING,
      DWQI_RA_REPORT_WITHDRAWN },
    { DWQI_RS_GATHERING, DWQI_RE_ALL_READY, DWQI_RS_SERVING,
      DWQI_RA_REPORT_READY },
    { DWQI_RS_GATHERING, DWQI_RE_REFUSED, DWQI_RS_SERVING,
      DWQI_RA_REPORT_WITHDRAWN },
    { DWQI_RS_SERVING, DWQI_RE_DISMISSED, DWQI_RS_LEAVING, DWQI_RA_SEND_EXIT },
    { DWQI_RS_LEAVING, DWQI_RE_GONE, DWQI_RS_CLOSED, DWQI_RA_NONE },
};

static struct dwqi_edge find(int state, int event)
{
    return dwqi_relay_edge((enum dwqi_relay_state)state,
                           (enum dwqi_relay_event)event);
}

Test(relay_fsm, every_pair_is_allowed_as_listed_or_refused)
{
    expect_edges(allowed, sizeof allowed / sizeof allowed[0], DWQI_RS_COUNT,
                 DWQI_RE_COUNT, find);
}

/* The whole table of a group's call, against the list of what is allowed: written down a
 * second time, so that no edge comes or goes unseen. */
#include <criterion/criterion.h>

#include "brokers/group_fsm.h"
#include "tests/unit/fsm_walk.h"

static const struct listed_edge allowed[] = {
    { DWQI_GS_IDLE, DWQI_GE_GIVEN, DWQI_GS_SENDING, DWQI_GA_SEND },
    { DWQI_GS_IDLE, DWQI_GE_GIVEN_HELD, DWQI_GS_HELD, DWQI_GA_NONE },
    { DWQI_GS_IDLE, DWQI_GE_LOST, DWQI_GS_REFUSED, DWQI_GA_NONE },
    { DWQI_GS_HELD, DWQI_GE_RELEASED, DWQI_GS_SENDING, DWQI_GA_SEND },
    { DWQI_GS_SENDING, DWQI_GE_SENT, DWQI_GS_DOWN, DWQI_GA_NONE },
    { DWQI_GS_SENDING, DWQI_GE_SENT_ALL, DWQI_GS_UP, DWQI_GA_NONE },
    { DWQI_GS_SENDING, DWQI_GE_UNREADABLE, DWQI_GS_REFUSED, DWQI_GA_NONE },
    { DWQI_GS_DOWN, DWQI_GE_IS_DOWN, DWQI_GS_UP, DWQI_GA_RUN },
    { DWQI_GS_UP, DWQI_GE_IS_UP, DWQI_GS_MERGING, DWQI_GA_MERGE },
    { DWQI_GS_REFUSED, DWQI_GE_IS_UP, DWQI_GS_MERGING, DWQI_GA_REFUSE },
    { DWQI_GS_MERGING, DWQI_GE_SUCCEEDED, DWQI_GS_IDLE, DWQI_GA_REPORT },
    { DWQI_GS_MERGING, DWQI_GE_FAILED, DWQI_GS_RENEWING, DWQI_GA_RENEW },
    { DWQI_GS_RENEWING, DWQI_GE_RENEWED, DWQI_GS_IDLE, DWQI_GA_REPORT },
};

static struct dwqi_edge find(int state, int event)
{
    return dwqi_group_edge((enum dwqi_group_state)state,
                           (enum dwqi_group_event)event);
}

Test(group_fsm, every_pair_is_allowed_as_listed_or_refused)
{
    expect_edges(allowed, sizeof allowed / sizeof allowed[0], DWQI_GS_COUNT,
                 DWQI_GE_COUNT, find);
}

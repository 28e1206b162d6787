#include "brokers/group_fsm.h"

/* Nobody knows what a failed call left on the group's communicators: its result is
 * reported when every rank has others. A task that was refused reached no rank. */
static const struct dwqi_edge edges[DWQI_GS_COUNT][DWQI_GE_COUNT] = {
    [DWQI_GS_IDLE] = {
        [DWQI_GE_GIVEN] = { true, DWQI_GS_SENDING, DWQI_GA_SEND },
        [DWQI_GE_GIVEN_HELD] = { true, DWQI_GS_HELD, DWQI_GA_NONE },
        [DWQI_GE_LOST] = { true, DWQI_GS_REFUSED, DWQI_GA_NONE },
    },
    [DWQI_GS_HELD] = {
        [DWQI_GE_RELEASED] = { true, DWQI_GS_SENDING, DWQI_GA_SEND },
    },
    [DWQI_GS_SENDING] = {
        [DWQI_GE_SENT] = { true, DWQI_GS_DOWN, DWQI_GA_NONE },
        [DWQI_GE_SENT_ALL] = { true, DWQI_GS_UP, DWQI_GA_NONE },
        [DWQI_GE_UNREADABLE] = { true, DWQI_GS_REFUSED, DWQI_GA_NONE },
    },
    [DWQI_GS_DOWN] = {
        [DWQI_GE_IS_DOWN] = { true, DWQI_GS_UP, DWQI_GA_RUN },
    },
    [DWQI_GS_UP] = {
        [DWQI_GE_IS_UP] = { true, DWQI_GS_MERGING, DWQI_GA_MERGE },
    },
    [DWQI_GS_REFUSED] = {
        [DWQI_GE_IS_UP] = { true, DWQI_GS_MERGING, DWQI_GA_REFUSE },
    },
    [DWQI_GS_MERGING] = {
        [DWQI_GE_SUCCEEDED] = { true, DWQI_GS_IDLE, DWQI_GA_REPORT },
        [DWQI_GE_FAILED] = { true, DWQI_GS_RENEWING, DWQI_GA_RENEW },
    },
    [DWQI_GS_RENEWING] = {
        [DWQI_GE_RENEWED] = { true, DWQI_GS_IDLE, DWQI_GA_REPORT },
    },
};

struct dwqi_edge dwqi_group_edge(enum dwqi_group_state state,
                                 enum dwqi_group_event event)
{
    return dwqi_edge_find(&edges[0][0], DWQI_GE_COUNT, (int)state, (int)event);
}

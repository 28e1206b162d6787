/* The whole table of a group's call, against the list of what is allowed: written down a
 * second time, so that no edge comes or goes unseen. */
#include <criterion/criterion.h>

#include "brokers/group_fsm.h"

static const struct {
    enum dwqi_group_state state;
    enum dwqi_group_event event;
    enum dwqi_group_state next;
    enum dwqi_group_action action;
} allowed[] = {
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
#define N_ALLOWED (sizeof allowed / sizeof allowed[0])

/* Index into `allowed`, or N_ALLOWED. */
static size_t look_up(int state, int event)
{
    size_t i = 0;

    while (i < N_ALLOWED &&
           ((int)allowed[i].state != state || (int)allowed[i].event != event)) {
        i++;
    }
    return i;
}

Test(group_fsm, every_pair_is_allowed_as_listed_or_refused)
{
    for (int s = 0; s < DWQI_GS_COUNT; s++) {
        for (int e = 0; e < DWQI_GE_COUNT; e++) {
            struct dwqi_group_edge edge = dwqi_group_edge(
                (enum dwqi_group_state)s, (enum dwqi_group_event)e);
            size_t listed = look_up(s, e);
            bool is_listed = listed < N_ALLOWED;

            cr_assert_eq(edge.allowed, is_listed, "state %d, event %d", s, e);
            cr_assert_eq((int)edge.next,
                         is_listed ? (int)allowed[listed].next : s,
                         "state %d, event %d", s, e);
            cr_assert_eq(edge.action,
                         is_listed ? allowed[listed].action : DWQI_GA_NONE,
                         "state %d, event %d", s, e);
        }
    }
}

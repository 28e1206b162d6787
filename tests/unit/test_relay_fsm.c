/* The whole table of a broker's states and events, against the list of what is
 * allowed: written down a second time, so that no edge comes or goes unseen. */
#include <criterion/criterion.h>

#include "brokers/relay_fsm.h"

static const struct {
    enum dwqi_relay_state state;
    enum dwqi_relay_event event;
    enum dwqi_relay_state next;
    enum dwqi_relay_action action;
} allowed[] = {
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

Test(relay_fsm, every_pair_is_allowed_as_listed_or_refused)
{
    size_t n_allowed = 0;

    for (int s = 0; s < DWQI_RS_COUNT; s++) {
        for (int e = 0; e < DWQI_RE_COUNT; e++) {
            struct dwqi_relay_edge edge = dwqi_relay_edge(
                (enum dwqi_relay_state)s, (enum dwqi_relay_event)e);
            size_t listed = look_up(s, e);

            if (listed == N_ALLOWED) {
                cr_assert(!edge.allowed, "state %d, event %d", s, e);
                cr_assert_eq((int)edge.next, s, "state %d, event %d", s, e);
                cr_assert_eq(edge.action, DWQI_RA_NONE);
                continue;
            }
            n_allowed++;
            cr_assert(edge.allowed, "state %d, event %d", s, e);
            cr_assert_eq(edge.next, allowed[listed].next, "state %d, event %d",
                         s, e);
            cr_assert_eq(edge.action, allowed[listed].action,
                         "state %d, event %d", s, e);
        }
    }
    cr_assert_eq(n_allowed, N_ALLOWED);
}

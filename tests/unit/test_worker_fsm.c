/* The whole table of a worker's states and events, against the list of what is
 * allowed: written down a second time, so that no edge comes or goes unseen. */
#include <criterion/criterion.h>
#include <string.h>

#include "workers/fsm.h"

static const struct {
    enum dwqi_worker_state state;
    enum dwqi_worker_event event;
    enum dwqi_worker_state next;
    enum dwqi_worker_action action;
} allowed[] = {
    { DWQI_WS_STARTING, DWQI_WE_BEGIN, DWQI_WS_SERVING, DWQI_WA_REPORT_READY },
    { DWQI_WS_STARTING, DWQI_WE_WITHDRAW, DWQI_WS_WITHDRAWN,
      DWQI_WA_REPORT_WITHDRAWN },

    { DWQI_WS_SERVING, DWQI_WE_WITHDRAW, DWQI_WS_WITHDRAWN,
      DWQI_WA_REPORT_WITHDRAWN },
    { DWQI_WS_SERVING, DWQI_WE_TASK, DWQI_WS_SERVING, DWQI_WA_HOLD },
    { DWQI_WS_SERVING, DWQI_WE_RECALL, DWQI_WS_SERVING, DWQI_WA_GIVE_BACK },
    { DWQI_WS_SERVING, DWQI_WE_EXIT, DWQI_WS_DRAINING, DWQI_WA_NONE },
    { DWQI_WS_SERVING, DWQI_WE_EMPTY, DWQI_WS_SERVING, DWQI_WA_NONE },

    { DWQI_WS_DRAINING, DWQI_WE_WITHDRAW, DWQI_WS_CLOSED,
      DWQI_WA_REPORT_AND_SAY_BYE },
    { DWQI_WS_DRAINING, DWQI_WE_EMPTY, DWQI_WS_CLOSED, DWQI_WA_SAY_BYE },

    { DWQI_WS_WITHDRAWN, DWQI_WE_TASK, DWQI_WS_WITHDRAWN, DWQI_WA_DROP },
    { DWQI_WS_WITHDRAWN, DWQI_WE_RECALL, DWQI_WS_WITHDRAWN, DWQI_WA_NONE },
    { DWQI_WS_WITHDRAWN, DWQI_WE_EXIT, DWQI_WS_CLOSED, DWQI_WA_SAY_BYE },
    { DWQI_WS_WITHDRAWN, DWQI_WE_EMPTY, DWQI_WS_WITHDRAWN, DWQI_WA_NONE },
};
#define N_ALLOWED (sizeof allowed / sizeof allowed[0])

/* Index into `allowed`, or N_ALLOWED. */
static size_t look_up(enum dwqi_worker_state state,
                      enum dwqi_worker_event event)
{
    size_t i = 0;

    while (i < N_ALLOWED &&
           (allowed[i].state != state || allowed[i].event != event)) {
        i++;
    }
    return i;
}

Test(worker_fsm, every_pair_is_allowed_as_listed_or_refused)
{
    size_t n_allowed = 0;

    for (int s = 0; s < DWQI_WS_COUNT; s++) {
        for (int e = 0; e < DWQI_WE_COUNT; e++) {
            enum dwqi_worker_state state = (enum dwqi_worker_state)s;
            enum dwqi_worker_event event = (enum dwqi_worker_event)e;
            struct dwqi_worker_edge edge = dwqi_worker_edge(state, event);
            size_t listed = look_up(state, event);
            const char *what = dwqi_worker_state_name(state);
            const char *when = dwqi_worker_event_name(event);

            if (listed == N_ALLOWED) {
                cr_assert(!edge.allowed, "%s, %s", what, when);
                cr_assert_eq(edge.next, state, "%s, %s", what, when);
                cr_assert_eq(edge.action, DWQI_WA_NONE, "%s, %s", what, when);
                continue;
            }
            n_allowed++;
            cr_assert(edge.allowed, "%s, %s", what, when);
            cr_assert_eq(edge.next, allowed[listed].next, "%s, %s", what, when);
            cr_assert_eq(edge.action, allowed[listed].action, "%s, %s", what,
                         when);
        }
    }
    cr_assert_eq(n_allowed, N_ALLOWED);
}

Test(worker_fsm, closed_is_the_end)
{
    for (int e = 0; e < DWQI_WE_COUNT; e++) {
        cr_assert(!dwqi_worker_edge(DWQI_WS_CLOSED, (enum dwqi_worker_event)e)
                       .allowed);
    }
}

Test(worker_fsm, every_state_and_event_has_a_name_of_its_own)
{
    for (int a = 0; a < DWQI_WS_COUNT; a++) {
        cr_assert_not_null(dwqi_worker_state_name((enum dwqi_worker_state)a));
        for (int b = 0; b < a; b++) {
            cr_assert_neq(
                strcmp(dwqi_worker_state_name((enum dwqi_worker_state)a),
                       dwqi_worker_state_name((enum dwqi_worker_state)b)),
                0);
        }
    }
    for (int a = 0; a < DWQI_WE_COUNT; a++) {
        cr_assert_not_null(dwqi_worker_event_name((enum dwqi_worker_event)a));
        for (int b = 0; b < a; b++) {
            cr_assert_neq(
                strcmp(dwqi_worker_event_name((enum dwqi_worker_event)a),
                       dwqi_worker_event_name((enum dwqi_worker_event)b)),
                0);
        }
    }
}

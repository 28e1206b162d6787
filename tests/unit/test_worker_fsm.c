/* The whole table of a worker's states and events. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/fsm_walk.h"
#include "workers/fsm.h"

static const struct listed_edge allowed[] = {
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

static struct dwqi_edge find(int state, int event)
{
    return dwqi_worker_edge((enum dwqi_worker_state)state,
                            (enum dwqi_worker_event)event);
}

Test(worker_fsm, every_pair_is_allowed_as_listed_or_refused)
{
    expect_edges(allowed, sizeof allowed / sizeof allowed[0], DWQI_WS_COUNT,
                 DWQI_WE_COUNT, find);
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

#include "workers/fsm.h"

/* EXIT never interrupts: what is held is run or given back first, so that the
 * controller can count what it sent. */
static const struct dwqi_edge edges[DWQI_WS_COUNT][DWQI_WE_COUNT] = {
    [DWQI_WS_STARTING] = {
        [DWQI_WE_BEGIN] = { true, DWQI_WS_SERVING, DWQI_WA_REPORT_READY },
        [DWQI_WE_WITHDRAW] = { true, DWQI_WS_WITHDRAWN,
                               DWQI_WA_REPORT_WITHDRAWN },
    },
    [DWQI_WS_SERVING] = {
        [DWQI_WE_WITHDRAW] = { true, DWQI_WS_WITHDRAWN,
                               DWQI_WA_REPORT_WITHDRAWN },
        [DWQI_WE_TASK] = { true, DWQI_WS_SERVING, DWQI_WA_HOLD },
        [DWQI_WE_RECALL] = { true, DWQI_WS_SERVING, DWQI_WA_GIVE_BACK },
        [DWQI_WE_EXIT] = { true, DWQI_WS_DRAINING, DWQI_WA_NONE },
        [DWQI_WE_EMPTY] = { true, DWQI_WS_SERVING, DWQI_WA_NONE },
    },
    [DWQI_WS_DRAINING] = {
        /* EXIT comes once, and the controller may be gone by now. */
        [DWQI_WE_WITHDRAW] = { true, DWQI_WS_CLOSED,
                               DWQI_WA_REPORT_AND_SAY_BYE },
        [DWQI_WE_EMPTY] = { true, DWQI_WS_CLOSED, DWQI_WA_SAY_BYE },
    },
    [DWQI_WS_WITHDRAWN] = {
        [DWQI_WE_TASK] = { true, DWQI_WS_WITHDRAWN, DWQI_WA_DROP },
        [DWQI_WE_RECALL] = { true, DWQI_WS_WITHDRAWN, DWQI_WA_NONE },
        [DWQI_WE_EXIT] = { true, DWQI_WS_CLOSED, DWQI_WA_SAY_BYE },
        [DWQI_WE_EMPTY] = { true, DWQI_WS_WITHDRAWN, DWQI_WA_NONE },
    },
};

struct dwqi_edge dwqi_worker_edge(enum dwqi_worker_state state,
                                  enum dwqi_worker_event event)
{
    return dwqi_edge_find(&edges[0][0], DWQI_WE_COUNT, (int)state, (int)event);
}

const char *dwqi_worker_state_name(enum dwqi_worker_state state)
{
    static const char *const names[DWQI_WS_COUNT] = {
        "starting", "serving", "draining", "withdrawn", "closed",
    };

    return names[state];
}

const char *dwqi_worker_event_name(enum dwqi_worker_event event)
{
    static const char *const names[DWQI_WE_COUNT] = {
        "begin", "withdraw", "task", "recall", "exit", "empty",
    };

    return names[event];
}

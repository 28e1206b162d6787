#include "libdwq/queue/ledger.h"

#include <inttypes.h>

#include "libdwq/queue/task.h"

#define GO(state)                                 \
    {                                             \
        true, DWQI_TASK_##state, DWQI_END_NONE, 0 \
    }
#define TRY(state, attempt)                             \
    {                                                   \
        true, DWQI_TASK_##state, DWQI_END_NONE, attempt \
    }
#define END(end)                                    \
    {                                               \
        true, DWQI_TASK_SETTLING, DWQI_END_##end, 0 \
    }

/* The bytes of one attempt may leave when the next has begun, or when the task is
 * over: SENT is news only while it settles. */
const struct dwqi_task_edge dwqi_task_edges[DWQI_TASK_STATE_COUNT]
                                           [DWQI_TASK_EVENT_COUNT] = {
    [DWQI_TASK_MADE] = {
        [DWQI_EVENT_WAIT] = GO(WAITING),
        [DWQI_EVENT_QUEUE] = GO(QUEUED),
        [DWQI_EVENT_LIMIT] = END(LIMIT),
        [DWQI_EVENT_LOSE] = END(LOST),
        [DWQI_EVENT_DROP] = GO(COLLECTED),
    },
    [DWQI_TASK_WAITING] = {
        [DWQI_EVENT_QUEUE] = GO(QUEUED),
        [DWQI_EVENT_CANCEL] = END(CANCELLED),
        [DWQI_EVENT_LIMIT] = END(LIMIT),
        [DWQI_EVENT_LOSE] = END(LOST),
        [DWQI_EVENT_DROP] = GO(COLLECTED),
    },
    [DWQI_TASK_QUEUED] = {
        [DWQI_EVENT_ASSIGN] = TRY(ASSIGNED, 1),
        [DWQI_EVENT_CANCEL] = END(CANCELLED),
        [DWQI_EVENT_LIMIT] = END(LIMIT),
        [DWQI_EVENT_LOSE] = END(LOST),
        [DWQI_EVENT_SENT] = GO(QUEUED),
        [DWQI_EVENT_DROP] = GO(COLLECTED),
    },
    [DWQI_TASK_ASSIGNED] = {
        [DWQI_EVENT_START] = GO(RUNNING),
        [DWQI_EVENT_RETURN] = TRY(QUEUED, -1),
        [DWQI_EVENT_AGAIN] = GO(QUEUED),
        [DWQI_EVENT_RESULT] = END(RESULT),
        [DWQI_EVENT_CANCEL] = GO(ASKED_BACK),
        [DWQI_EVENT_LIMIT] = END(LIMIT),
        [DWQI_EVENT_LOSE] = END(LOST),
        [DWQI_EVENT_SENT] = GO(ASSIGNED),
    },
    [DWQI_TASK_ASKED_BACK] = {
        [DWQI_EVENT_START] = GO(RUNNING),
        [DWQI_EVENT_RETURN] = { true, DWQI_TASK_SETTLING, DWQI_END_CANCELLED,
                                -1 },
        [DWQI_EVENT_RESULT] = END(RESULT),
        [DWQI_EVENT_CANCEL] = GO(ASKED_BACK),
        [DWQI_EVENT_LIMIT] = END(LIMIT),
        [DWQI_EVENT_LOSE] = END(CANCELLED),
        [DWQI_EVENT_SENT] = GO(ASKED_BACK),
    },
    [DWQI_TASK_RUNNING] = {
        [DWQI_EVENT_AGAIN] = GO(QUEUED),
        [DWQI_EVENT_RESULT] = END(RESULT),
        [DWQI_EVENT_LIMIT] = END(LIMIT),
        [DWQI_EVENT_LOSE] = END(LOST),
        [DWQI_EVENT_SENT] = GO(RUNNING),
    },
    [DWQI_TASK_SETTLING] = {
        [DWQI_EVENT_SENT] = GO(DONE),
        [DWQI_EVENT_FORSAKE] = GO(DONE),
    },
    [DWQI_TASK_DONE] = {
        [DWQI_EVENT_SENT] = GO(DONE),
        [DWQI_EVENT_COLLECT] = GO(COLLECTED),
        [DWQI_EVENT_DROP] = GO(COLLECTED),
    },
};

const char *dwqi_task_state_name(enum dwqi_task_state state)
{
    static const char *const names[DWQI_TASK_STATE_COUNT] = {
#define STATE_NAME(name, comment) #name,
        DWQI_TASK_STATE_LIST(STATE_NAME)
#undef STATE_NAME
    };

    return names[state];
}

const char *dwqi_task_event_name(enum dwqi_task_event event)
{
    static const char *const names[DWQI_TASK_EVENT_COUNT] = {
#define EVENT_NAME(name, comment) #name,
        DWQI_TASK_EVENT_LIST(EVENT_NAME)
#undef EVENT_NAME
    };

    return names[event];
}

void dwqi_ledger_watch(struct dwqi_ledger *ledger,
                       struct dwqi_observer *observer)
{
    observer->next = ledger->observers;
    ledger->observers = observer;
    ledger->watched |= observer->events;
}

static void tell(const struct dwqi_ledger *ledger, const struct dwqi_step *step,
                 uint32_t event)
{
    for (const struct dwqi_observer *o = ledger->observers; o; o = o->next) {
        if (o->events & event) {
            o->see(o->arg, step);
        }
    }
}

static dwq_status_t refuse(const struct dwqi_ledger *ledger,
                           const struct dwqi_task *task,
                           enum dwqi_task_event event)
{
    dwqi_log_error(ledger->log,
                   "task %" PRIu64 ": the event %s in the state %s: a fault of "
                   "the library",
                   task->id, dwqi_task_event_name(event),
                   dwqi_task_state_name(task->entry.state));
    return DWQ_E_STATE;
}

dwq_status_t dwqi_ledger_step(struct dwqi_ledger *ledger,
                              struct dwqi_step *step)
{
    struct dwqi_entry *entry = &step->task->entry;

    step->from = entry->state;
    if (!dwqi_entry_follow(entry, step->event)) {
        return refuse(ledger, step->task, step->event);
    }
    step->to = entry->state;
    tell(ledger, step, (uint32_t)1 << step->event);
    return DWQ_OK;
}

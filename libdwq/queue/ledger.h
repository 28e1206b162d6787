/* The life of a task: a pure table of states and events, and the only writer of a
 * task's state. Each step is one record, which the observers get.
 *
 *     MADE -> QUEUED -> ASSIGNED -> (RUNNING) -> SETTLING -> DONE -> COLLECTED
 *       \      ^  ^        |  \                    ^
 *      WAITING-'  '--------'   '-> ASKED_BACK -----'
 *
 * A task ends once: by its result, or cancelled, at a limit, or lost. From then on it
 * settles, until all bytes of it have left: what the user lent is the user's again
 * with the result. */
#ifndef DWQI_QUEUE_LEDGER_H
#define DWQI_QUEUE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "libdwq/base/log.h"

/* X(name, comment) */
#define DWQI_TASK_STATE_LIST(X)                                \
    X(MADE, "checked and packed, in no queue")                 \
    X(WAITING, "for other tasks to end")                       \
    X(QUEUED, "for a worker")                                  \
    X(ASSIGNED, "a worker holds it, started or behind others") \
    X(ASKED_BACK, "assigned, and to be cancelled: recalled")   \
    X(RUNNING, "it is known to have started")                  \
    X(SETTLING, "over; bytes of it are still being sent")      \
    X(DONE, "can be collected")                                \
    X(COLLECTED, "or dropped: out of the ledger")

/* X(name, comment) */
#define DWQI_TASK_EVENT_LIST(X)                               \
    X(WAIT, "others have to end first")                       \
    X(QUEUE, "it is in the queue")                            \
    X(ASSIGN, "a worker gets it: one attempt more")           \
    X(START, "its function is entered")                       \
    X(RETURN, "not started: that was no attempt")             \
    X(AGAIN, "this attempt is given up, and another follows") \
    X(RESULT, "its worker reports it")                        \
    X(CANCEL, "by the user")                                  \
    X(LIMIT, "the time limit, or the grace behind it")        \
    X(LOSE, "no worker will report it")                       \
    X(SENT, "its bytes have all left")                        \
    X(FORSAKE, "its bytes are awaited no longer")             \
    X(COLLECT, "the user takes the result")                   \
    X(DROP, "the submit that made it fails")

enum dwqi_task_state {
#define DWQI_TASK_ENUM(name, comment) DWQI_TASK_##name,
    DWQI_TASK_STATE_LIST(DWQI_TASK_ENUM)
#undef DWQI_TASK_ENUM
    DWQI_TASK_STATE_COUNT
};

enum dwqi_task_event {
#define DWQI_EVENT_ENUM(name, comment) DWQI_EVENT_##name,
    DWQI_TASK_EVENT_LIST(DWQI_EVENT_ENUM)
#undef DWQI_EVENT_ENUM
    DWQI_TASK_EVENT_COUNT
};

/* How a task ended. */
enum dwqi_task_end {
    DWQI_END_NONE,
    DWQI_END_RESULT,
    DWQI_END_CANCELLED,
    DWQI_END_LIMIT,
    DWQI_END_LOST
};

struct dwqi_task_edge {
    bool allowed;
    uint8_t to;     /* enum dwqi_task_state */
    uint8_t end;    /* enum dwqi_task_end; NONE: as it was */
    int8_t attempt; /* added to the number of attempts */
};

extern const struct dwqi_task_edge dwqi_task_edges[DWQI_TASK_STATE_COUNT]
                                                  [DWQI_TASK_EVENT_COUNT];
const char *dwqi_task_state_name(enum dwqi_task_state state);
const char *dwqi_task_event_name(enum dwqi_task_event event);

/* What the ledger keeps of a task; all zero is one that was just made. */
struct dwqi_entry {
    uint8_t state;    /* enum dwqi_task_state */
    uint8_t end;      /* enum dwqi_task_end */
    uint32_t attempt; /* starts so far, given back ones not counted */
};

/* The one place where a task's state is written. false: no such edge, and nothing has
 * changed. (A task has no end before the one that it gets.) */
static inline bool dwqi_entry_follow(struct dwqi_entry *entry,
                                     enum dwqi_task_event event)
{
    const struct dwqi_task_edge *edge = &dwqi_task_edges[entry->state][event];

    if (!edge->allowed) {
        return false;
    }
    entry->state = edge->to;
    entry->end |= edge->end;
    entry->attempt += (uint32_t)edge->attempt;
    return true;
}

struct dwqi_task;

/* The record of one step. Who takes it gives task, event and what is known: */
struct dwqi_step {
    struct dwqi_task *task;
    enum dwqi_task_event event;
    enum dwqi_task_state from, to; /* the ledger's */
    int n_behind;   /* RESULT: tasks its worker holds behind it */
    double seconds; /* RESULT: in the function; < 0: not known */
};

struct dwqi_observer {
    uint32_t events; /* those it is told of: DWQI_EVENT_BIT() of each */
    void (*see)(void *arg, const struct dwqi_step *step);
    void *arg;
    struct dwqi_observer *next;
};

#define DWQI_EVENT_BIT(name) ((uint32_t)1 << DWQI_EVENT_##name)

struct dwqi_ledger {
    const struct dwqi_log *log; /* borrowed */
    struct dwqi_observer *observers;
    uint32_t watched; /* what any of them is told of */
};

/* The observer is borrowed as long as the ledger serves. */
void dwqi_ledger_watch(struct dwqi_ledger *ledger,
                       struct dwqi_observer *observer);

/**
 * One step of one task, of which all observers are told then.
 *
 * @return DWQ_OK; DWQ_E_STATE: the table has no such pair. It was logged, and nothing
 *         has changed.
 */
dwq_status_t dwqi_ledger_step(struct dwqi_ledger *ledger,
                              struct dwqi_step *step);

#endif

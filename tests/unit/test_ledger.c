/* The whole table of a task's states and events, against the list of what is allowed:
 * written down a second time, so that no edge comes or goes unseen. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "libdwq/queue/task.h"

#define EDGE(from, event, to, end, attempt)                                   \
    {                                                                         \
        DWQI_TASK_##from, DWQI_EVENT_##event, DWQI_TASK_##to, DWQI_END_##end, \
            attempt                                                           \
    }

static const struct {
    enum dwqi_task_state from;
    enum dwqi_task_event event;
    enum dwqi_task_state to;
    enum dwqi_task_end end;
    int attempt;
} allowed[] = {
    EDGE(MADE, WAIT, WAITING, NONE, 0),
    EDGE(MADE, QUEUE, QUEUED, NONE, 0),
    EDGE(MADE, LIMIT, SETTLING, LIMIT, 0),
    EDGE(MADE, LOSE, SETTLING, LOST, 0),
    EDGE(MADE, DROP, COLLECTED, NONE, 0),

    EDGE(WAITING, QUEUE, QUEUED, NONE, 0),
    EDGE(WAITING, CANCEL, SETTLING, CANCELLED, 0),
    EDGE(WAITING, LIMIT, SETTLING, LIMIT, 0),
    EDGE(WAITING, LOSE, SETTLING, LOST, 0),
    EDGE(WAITING, DROP, COLLECTED, NONE, 0),

    EDGE(QUEUED, ASSIGN, ASSIGNED, NONE, 1),
    EDGE(QUEUED, CANCEL, SETTLING, CANCELLED, 0),
    EDGE(QUEUED, LIMIT, SETTLING, LIMIT, 0),
    EDGE(QUEUED, LOSE, SETTLING, LOST, 0),
    EDGE(QUEUED, SENT, QUEUED, NONE, 0),
    EDGE(QUEUED, DROP, COLLECTED, NONE, 0),

    EDGE(ASSIGNED, START, RUNNING, NONE, 0),
    EDGE(ASSIGNED, RETURN, QUEUED, NONE, -1),
    EDGE(ASSIGNED, AGAIN, QUEUED, NONE, 0),
    EDGE(ASSIGNED, RESULT, SETTLING, RESULT, 0),
    EDGE(ASSIGNED, CANCEL, ASKED_BACK, NONE, 0),
    EDGE(ASSIGNED, LIMIT, SETTLING, LIMIT, 0),
    EDGE(ASSIGNED, LOSE, SETTLING, LOST, 0),
    EDGE(ASSIGNED, SENT, ASSIGNED, NONE, 0),

    EDGE(ASKED_BACK, START, RUNNING, NONE, 0),
    EDGE(ASKED_BACK, RETURN, SETTLING, CANCELLED, -1),
    EDGE(ASKED_BACK, RESULT, SETTLING, RESULT, 0),
    EDGE(ASKED_BACK, CANCEL, ASKED_BACK, NONE, 0),
    EDGE(ASKED_BACK, LIMIT, SETTLING, LIMIT, 0),
    EDGE(ASKED_BACK, LOSE, SETTLING, CANCELLED, 0),
    EDGE(ASKED_BACK, SENT, ASKED_BACK, NONE, 0),

    EDGE(RUNNING, AGAIN, QUEUED, NONE, 0),
    EDGE(RUNNING, RESULT, SETTLING, RESULT, 0),
    EDGE(RUNNING, LIMIT, SETTLING, LIMIT, 0),
    EDGE(RUNNING, LOSE, SETTLING, LOST, 0),
    EDGE(RUNNING, SENT, RUNNING, NONE, 0),

    EDGE(SETTLING, SENT, DONE, NONE, 0),
    EDGE(SETTLING, FORSAKE, DONE, NONE, 0),

    EDGE(DONE, SENT, DONE, NONE, 0),
    EDGE(DONE, COLLECT, COLLECTED, NONE, 0),
    EDGE(DONE, DROP, COLLECTED, NONE, 0),
};
#define N_ALLOWED (sizeof allowed / sizeof allowed[0])

/* Index into `allowed`, or N_ALLOWED. */
static size_t look_up(enum dwqi_task_state state, enum dwqi_task_event event)
{
    size_t i = 0;

    while (i < N_ALLOWED &&
           (allowed[i].from != state || allowed[i].event != event)) {
        i++;
    }
    return i;
}

/* What an observer was told, and what was logged. */
struct seen {
    int n;
    struct dwqi_step last;
    int n_lines;
    char line[256];
};

static void see(void *arg, const struct dwqi_step *step)
{
    struct seen *seen = arg;

    seen->n++;
    seen->last = *step;
}

static void keep_line(const char *line, void *arg)
{
    struct seen *seen = arg;

    seen->n_lines++;
    snprintf(seen->line, sizeof seen->line, "%s", line);
}

/* One step of a task in this state, of whose end nothing is known and that is in its
 * third attempt, in a ledger of its own. */
static dwq_status_t step_from(enum dwqi_task_state state,
                              enum dwqi_task_event event,
                              struct dwqi_entry *entry_out,
                              struct seen *seen_out)
{
    struct dwqi_log log = { .line = keep_line, .arg = seen_out };
    struct dwqi_ledger ledger = { .log = &log };
    struct dwqi_observer all = { UINT32_MAX, see, seen_out, NULL };
    struct dwqi_observer none = { 0, see, NULL, NULL };
    struct dwqi_task task = { .id = 42,
                              .entry = { .state = state, .attempt = 3 } };
    dwq_status_t status;

    *seen_out = (struct seen){ .n = 0 };
    dwqi_ledger_watch(&ledger, &all);
    dwqi_ledger_watch(&ledger, &none);
    status = dwqi_task_step(&ledger, &task, event);
    *entry_out = task.entry;
    return status;
}

static void check_allowed(size_t i)
{
    struct dwqi_entry entry;
    struct seen seen;

    cr_assert_eq(step_from(allowed[i].from, allowed[i].event, &entry, &seen),
                 DWQ_OK);
    cr_assert_eq(entry.state, allowed[i].to);
    cr_assert_eq(entry.end, allowed[i].end);
    cr_assert_eq((int)entry.attempt, 3 + allowed[i].attempt);
    cr_assert_eq(seen.n, 1, "a step is one record");
    cr_assert_eq(seen.last.from, allowed[i].from);
    cr_assert_eq(seen.last.to, allowed[i].to);
    cr_assert_eq(seen.last.event, allowed[i].event);
    cr_assert_eq(seen.n_lines, 0, "%s", seen.line);
}

static void check_refused(enum dwqi_task_state state,
                          enum dwqi_task_event event)
{
    struct dwqi_entry entry;
    struct seen seen;

    cr_assert_eq(step_from(state, event, &entry, &seen), DWQ_E_STATE);
    cr_assert_eq(entry.state, state);
    cr_assert_eq(entry.end, DWQI_END_NONE);
    cr_assert_eq(entry.attempt, 3);
    cr_assert_eq(seen.n, 0, "nothing has happened");
    cr_assert_eq(seen.n_lines, 1, "never silent");
    cr_assert(strstr(seen.line, "42") &&
                  strstr(seen.line, dwqi_task_state_name(state)) &&
                  strstr(seen.line, dwqi_task_event_name(event)),
              "%s", seen.line);
}

Test(ledger, every_pair_is_a_step_as_listed_or_an_error)
{
    size_t n_allowed = 0;

    for (int s = 0; s < DWQI_TASK_STATE_COUNT; s++) {
        for (int e = 0; e < DWQI_TASK_EVENT_COUNT; e++) {
            enum dwqi_task_state state = (enum dwqi_task_state)s;
            enum dwqi_task_event event = (enum dwqi_task_event)e;
            struct dwqi_task_edge edge = dwqi_task_edges[state][event];
            size_t listed = look_up(state, event);

            cr_assert_eq(edge.allowed, listed < N_ALLOWED, "%s, %s",
                         dwqi_task_state_name(state),
                         dwqi_task_event_name(event));
            if (listed < N_ALLOWED) {
                n_allowed++;
                check_allowed(listed);
            } else {
                check_refused(state, event);
            }
        }
    }
    cr_assert_eq(n_allowed, N_ALLOWED);
}

/* Whatever happens, it is over once: no way leads back from an end. */
Test(ledger, a_task_ends_once)
{
    static const enum dwqi_task_state ends[] = { DWQI_TASK_SETTLING,
                                                 DWQI_TASK_DONE,
                                                 DWQI_TASK_COLLECTED };

    for (size_t i = 0; i < 3; i++) {
        for (int e = 0; e < DWQI_TASK_EVENT_COUNT; e++) {
            struct dwqi_task_edge edge = dwqi_task_edges[ends[i]][e];

            cr_assert(!edge.allowed || edge.to >= ends[i]);
            cr_assert_eq(edge.end, DWQI_END_NONE);
            cr_assert_eq(edge.attempt, 0);
        }
    }
}

Test(ledger, an_observer_is_told_of_its_events_alone)
{
    struct dwqi_log log = { .line = NULL };
    struct dwqi_ledger ledger = { .log = &log };
    struct seen seen = { .n = 0 };
    struct dwqi_observer observer = { DWQI_EVENT_BIT(RESULT), see, &seen,
                                      NULL };
    struct dwqi_task task = { .id = 1 };
    struct dwqi_step result = {
        .task = &task, .event = DWQI_EVENT_RESULT, .n_behind = 4, .seconds = 0.5
    };

    dwqi_ledger_watch(&ledger, &observer);
    cr_assert_eq(dwqi_task_step(&ledger, &task, DWQI_EVENT_QUEUE), DWQ_OK);
    cr_assert_eq(dwqi_task_step(&ledger, &task, DWQI_EVENT_ASSIGN), DWQ_OK);
    cr_assert_eq(seen.n, 0);
    cr_assert_eq(dwqi_ledger_step(&ledger, &result), DWQ_OK);
    cr_assert_eq(seen.n, 1);
    cr_assert_eq(seen.last.task, &task);
    cr_assert_eq(seen.last.n_behind, 4);
    cr_assert_eq(seen.last.seconds, 0.5);
    cr_assert_eq(task.entry.attempt, 1);
    cr_assert_eq(dwqi_task_step(&ledger, &task, DWQI_EVENT_SENT), DWQ_OK);
    cr_assert_eq(seen.n, 1);
    cr_assert_eq(task.entry.end, DWQI_END_RESULT);
}

Test(ledger, every_state_and_event_has_a_name_of_its_own)
{
    for (int a = 0; a < DWQI_TASK_STATE_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            cr_assert_str_neq(dwqi_task_state_name((enum dwqi_task_state)a),
                              dwqi_task_state_name((enum dwqi_task_state)b));
        }
    }
    for (int a = 0; a < DWQI_TASK_EVENT_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            cr_assert_str_neq(dwqi_task_event_name((enum dwqi_task_event)a),
                              dwqi_task_event_name((enum dwqi_task_event)b));
        }
    }
}

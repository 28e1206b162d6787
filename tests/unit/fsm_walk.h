/* The whole table of a life cycle, against the list of what is allowed: written down a
 * second time, so that no edge comes or goes unseen. */
#ifndef TESTS_UNIT_FSM_WALK_H
#define TESTS_UNIT_FSM_WALK_H

#include <criterion/criterion.h>

#include "libdwq/base/fsm.h"

struct listed_edge {
    int state, event, next, action;
};

static inline const struct listed_edge *find_listed(
    const struct listed_edge *listed, size_t n, int state, int event)
{
    size_t i = 0;

    while (i < n && (listed[i].state != state || listed[i].event != event)) {
        i++;
    }
    return i < n ? &listed[i] : NULL;
}

static inline void expect_edges(const struct listed_edge *listed, size_t n,
                                int n_states, int n_events,
                                struct dwqi_edge (*find)(int state, int event))
{
    size_t n_allowed = 0;

    for (int s = 0; s < n_states; s++) {
        for (int e = 0; e < n_events; e++) {
            const struct listed_edge *wanted = find_listed(listed, n, s, e);
            struct dwqi_edge edge = find(s, e);

            cr_assert_eq(edge.allowed, wanted != NULL, "state %d, event %d", s,
                         e);
            cr_assert_eq(edge.next, wanted ? wanted->next : s,
                         "state %d, event %d", s, e);
            cr_assert_eq(edge.action, wanted ? wanted->action : 0,
                         "state %d, event %d", s, e);
            n_allowed += wanted != NULL;
        }
    }
    cr_assert_eq(n_allowed, n);
}

#endif

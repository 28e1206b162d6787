/* A life cycle as a pure table, [state][event]. A pair that is not in it is an error. */
#ifndef DWQI_BASE_FSM_H
#define DWQI_BASE_FSM_H

#include <stdbool.h>
#include <stdint.h>

struct dwqi_edge {
    bool allowed;
    uint8_t next;   /* the state then */
    uint8_t action; /* what is to be done; 0: nothing */
};

/* Of a table with so many events. Not allowed: .allowed is false and .next the same
 * state. */
static inline struct dwqi_edge dwqi_edge_find(const struct dwqi_edge *edges,
                                              int n_events, int state,
                                              int event)
{
    struct dwqi_edge edge = edges[state * n_events + event];

    if (!edge.allowed) {
        edge.next = (uint8_t)state;
    }
    return edge;
}

#endif

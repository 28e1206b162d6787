#include "libdwq/queue/cell.h"

#include <stdlib.h>

#include "libdwq/base/memory.h"
#include "libdwq/base/pool.h"

#define GO(state)               \
    {                           \
        true, DWQI_CELL_##state \
    }

/* Who was told to leave may still say that it serves, or that it does not: the words
 * cross. */
const struct dwqi_cell_edge dwqi_cell_edges[DWQI_CELL_STATE_COUNT]
                                           [DWQI_CELL_EVENT_COUNT] = {
    [DWQI_CELL_FORMING] = {
        [DWQI_CELL_EVENT_SERVE] = GO(READY),
        [DWQI_CELL_EVENT_WITHDRAW] = GO(DRAINING),
        [DWQI_CELL_EVENT_EXIT] = GO(DRAINING),
        [DWQI_CELL_EVENT_LOSE] = GO(LOST),
        [DWQI_CELL_EVENT_DIE] = GO(GONE),
    },
    [DWQI_CELL_READY] = {
        [DWQI_CELL_EVENT_SERVE] = GO(READY),
        [DWQI_CELL_EVENT_GIVE] = GO(BUSY),
        [DWQI_CELL_EVENT_WITHDRAW] = GO(DRAINING),
        [DWQI_CELL_EVENT_EXIT] = GO(DRAINING),
        [DWQI_CELL_EVENT_LOSE] = GO(LOST),
        [DWQI_CELL_EVENT_DIE] = GO(GONE),
    },
    [DWQI_CELL_BUSY] = {
        [DWQI_CELL_EVENT_SERVE] = GO(BUSY),
        [DWQI_CELL_EVENT_EMPTY] = GO(READY),
        [DWQI_CELL_EVENT_WITHDRAW] = GO(DRAINING),
        [DWQI_CELL_EVENT_LOSE] = GO(LOST),
        [DWQI_CELL_EVENT_DIE] = GO(GONE),
    },
    [DWQI_CELL_DRAINING] = {
        [DWQI_CELL_EVENT_SERVE] = GO(DRAINING),
        [DWQI_CELL_EVENT_WITHDRAW] = GO(DRAINING),
        [DWQI_CELL_EVENT_EXIT] = GO(DRAINING),
        [DWQI_CELL_EVENT_LOSE] = GO(LOST),
        [DWQI_CELL_EVENT_BYE] = GO(GONE),
        [DWQI_CELL_EVENT_DIE] = GO(GONE),
    },
    [DWQI_CELL_LOST] = {
        [DWQI_CELL_EVENT_EXIT] = GO(LOST),
        [DWQI_CELL_EVENT_BYE] = GO(GONE),
        [DWQI_CELL_EVENT_DIE] = GO(GONE),
    },
    [DWQI_CELL_GONE] = {
        [DWQI_CELL_EVENT_EXIT] = GO(GONE),
    },
};

const char *dwqi_cell_state_name(enum dwqi_cell_state state)
{
    static const char *const names[DWQI_CELL_STATE_COUNT] = {
#define STATE_NAME(name, comment) #name,
        DWQI_CELL_STATE_LIST(STATE_NAME)
#undef STATE_NAME
    };

    return names[state];
}

const char *dwqi_cell_event_name(enum dwqi_cell_event event)
{
    static const char *const names[DWQI_CELL_EVENT_COUNT] = {
#define EVENT_NAME(name, comment) #name,
        DWQI_CELL_EVENT_LIST(EVENT_NAME)
#undef EVENT_NAME
    };

    return names[event];
}

/* --- The list ------------------------------------------------------------- */

dwq_status_t dwqi_cell_list_init(struct dwqi_cell_list *cells)
{
    *cells = (struct dwqi_cell_list){ .n = 0 };
    if (!dwqi_memory_grow(&cells->items, &cells->room, 1,
                          sizeof *cells->items)) {
        return DWQ_E_NOMEM;
    }
    cells->items[0] = (struct dwqi_cell){ .peer = 0 };
    return DWQ_OK;
}

static bool make_room_for_peer(struct dwqi_cell_list *cells, int peer)
{
    int had = cells->n_peers;

    if (!dwqi_memory_grow(&cells->of_peer, &cells->n_peers, peer + 1,
                          sizeof *cells->of_peer)) {
        return false;
    }
    for (int i = had; i < cells->n_peers; i++) {
        cells->of_peer[i] = 0;
    }
    return true;
}

dwq_status_t dwqi_cell_list_add(struct dwqi_cell_list *cells, int peer)
{
    if (!dwqi_memory_grow(&cells->items, &cells->room, cells->n + 2,
                          sizeof *cells->items) ||
        !make_room_for_peer(cells, peer)) {
        return DWQ_E_NOMEM;
    }
    cells->n++;
    cells->items[cells->n] = (struct dwqi_cell){ .peer = peer };
    cells->of_peer[peer] = cells->n;
    return DWQ_OK;
}

void dwqi_cell_list_finish(struct dwqi_cell_list *cells)
{
    for (int i = 1; i <= cells->n; i++) {
        dwqi_pool_give(cells->items[i].ready.memory);
        dwqi_arena_finish(&cells->items[i].ready.arena);
    }
    free(cells->items);
    free(cells->of_peer);
}

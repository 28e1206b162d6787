/* The whole table of a cell's states and events, against the list of what is allowed;
 * and the list of cells. */
#include <criterion/criterion.h>

#include "libdwq/queue/cell.h"

#define EDGE(from, event, to)                                     \
    {                                                             \
        DWQI_CELL_##from, DWQI_CELL_EVENT_##event, DWQI_CELL_##to \
    }

static const struct {
    enum dwqi_cell_state from;
    enum dwqi_cell_event event;
    enum dwqi_cell_state to;
} allowed[] = {
    EDGE(FORMING, SERVE, READY),     EDGE(FORMING, WITHDRAW, DRAINING),
    EDGE(FORMING, EXIT, DRAINING),   EDGE(FORMING, LOSE, LOST),
    EDGE(FORMING, DIE, GONE),

    EDGE(READY, SERVE, READY),       EDGE(READY, GIVE, BUSY),
    EDGE(READY, WITHDRAW, DRAINING), EDGE(READY, EXIT, DRAINING),
    EDGE(READY, LOSE, LOST),         EDGE(READY, DIE, GONE),

    EDGE(BUSY, SERVE, BUSY),         EDGE(BUSY, EMPTY, READY),
    EDGE(BUSY, WITHDRAW, DRAINING),  EDGE(BUSY, LOSE, LOST),
    EDGE(BUSY, DIE, GONE),

    EDGE(DRAINING, SERVE, DRAINING), EDGE(DRAINING, WITHDRAW, DRAINING),
    EDGE(DRAINING, EXIT, DRAINING),  EDGE(DRAINING, LOSE, LOST),
    EDGE(DRAINING, BYE, GONE),       EDGE(DRAINING, DIE, GONE),

    EDGE(LOST, EXIT, LOST),          EDGE(LOST, BYE, GONE),
    EDGE(LOST, DIE, GONE),

    EDGE(GONE, EXIT, GONE),
};
#define N_ALLOWED (sizeof allowed / sizeof allowed[0])

/* Index into `allowed`, or N_ALLOWED. */
static size_t look_up(enum dwqi_cell_state state, enum dwqi_cell_event event)
{
    size_t i = 0;

    while (i < N_ALLOWED &&
           (allowed[i].from != state || allowed[i].event != event)) {
        i++;
    }
    return i;
}

Test(cell, every_pair_is_a_step_as_listed_or_an_error)
{
    size_t n_allowed = 0;

    for (int s = 0; s < DWQI_CELL_STATE_COUNT; s++) {
        for (int e = 0; e < DWQI_CELL_EVENT_COUNT; e++) {
            struct dwqi_cell cell = { .state = (uint8_t)s };
            enum dwqi_cell_event event = (enum dwqi_cell_event)e;
            size_t listed = look_up((enum dwqi_cell_state)s, event);
            dwq_status_t status = dwqi_cell_step(&cell, event);
            const char *what = dwqi_cell_state_name((enum dwqi_cell_state)s);
            const char *when = dwqi_cell_event_name(event);

            if (listed < N_ALLOWED) {
                n_allowed++;
                cr_assert_eq(status, DWQ_OK, "%s, %s", what, when);
                cr_assert_eq(cell.state, allowed[listed].to, "%s, %s", what,
                             when);
            } else {
                cr_assert_eq(status, DWQ_E_STATE, "%s, %s", what, when);
                cr_assert_eq(cell.state, s, "%s, %s", what, when);
            }
        }
    }
    cr_assert_eq(n_allowed, N_ALLOWED);
}

Test(cell, every_state_and_event_has_a_name_of_its_own)
{
    for (int a = 0; a < DWQI_CELL_STATE_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            cr_assert_str_neq(dwqi_cell_state_name((enum dwqi_cell_state)a),
                              dwqi_cell_state_name((enum dwqi_cell_state)b));
        }
    }
    for (int a = 0; a < DWQI_CELL_EVENT_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            cr_assert_str_neq(dwqi_cell_event_name((enum dwqi_cell_event)a),
                              dwqi_cell_event_name((enum dwqi_cell_event)b));
        }
    }
}

/* Peers in any order, with gaps between them. */
Test(cell, a_list_grows_and_finds_by_peer)
{
    struct dwqi_cell_list cells;

    cr_assert_eq(dwqi_cell_list_init(&cells), DWQ_OK);
    cr_assert_eq(dwqi_cell_list_find(&cells, 0), 0);
    for (int i = 1; i <= 1000; i++) {
        cr_assert_eq(dwqi_cell_list_add(&cells, 3 * ((i * 7) % 1009)), DWQ_OK);
        cr_assert_eq(cells.n, i);
        cr_assert_eq(cells.items[i].state, DWQI_CELL_FORMING);
        cells.items[i].last_heard = i;
    }
    for (int i = 1; i <= 1000; i++) {
        int peer = 3 * ((i * 7) % 1009);

        cr_assert_eq(cells.items[i].peer, peer);
        cr_assert_eq(cells.items[i].last_heard, i);
        cr_assert_eq(dwqi_cell_list_find(&cells, peer), i);
        cr_assert_eq(dwqi_cell_list_find(&cells, peer + 1), 0);
    }
    cr_assert_eq(dwqi_cell_list_find(&cells, -1), 0);
    cr_assert_eq(dwqi_cell_list_find(&cells, 1 << 30), 0);
    dwqi_cell_list_finish(&cells);
}

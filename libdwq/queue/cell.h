/* What runs tasks: a rank, a group behind its broker (both remote), or this process. A cell
 * has a number from 1, for the user's eyes a worker's; a pure table of states and events is
 * the only writer of its state, and what is done with it is done by the operations of its
 * kind. */
#ifndef DWQI_QUEUE_CELL_H
#define DWQI_QUEUE_CELL_H

#include "libdwq/base/arena.h"
#include "libdwq/base/log.h"
#include "libdwq/queue/scheduler.h"
#include "libdwq/queue/stats.h"

/* X(name, comment) */
#define DWQI_CELL_STATE_LIST(X)                                 \
    X(FORMING, "it has not said that it serves")                \
    X(READY, "it holds nothing")                                \
    X(BUSY, "it holds tasks")                                   \
    X(DRAINING, "it takes no tasks any more, and is to leave")  \
    X(LOST, "it cannot be trusted, or is waited for no longer") \
    X(GONE, "it has said its last word, or its ranks are no more")

/* X(name, comment) */
#define DWQI_CELL_EVENT_LIST(X)               \
    X(SERVE, "it says that it serves")        \
    X(GIVE, "it gets a task, and held none")  \
    X(EMPTY, "it holds none any more")        \
    X(WITHDRAW, "it takes no tasks any more") \
    X(EXIT, "it is told to leave")            \
    X(LOSE, "nothing more is expected of it") \
    X(DIE, "its ranks are no more")           \
    X(BYE, "its last word")

enum dwqi_cell_state {
#define DWQI_CELL_ENUM(name, comment) DWQI_CELL_##name,
    DWQI_CELL_STATE_LIST(DWQI_CELL_ENUM)
#undef DWQI_CELL_ENUM
    DWQI_CELL_STATE_COUNT
};

enum dwqi_cell_event {
#define DWQI_CELL_EVENT_ENUM(name, comment) DWQI_CELL_EVENT_##name,
    DWQI_CELL_EVENT_LIST(DWQI_CELL_EVENT_ENUM)
#undef DWQI_CELL_EVENT_ENUM
    DWQI_CELL_EVENT_COUNT
};

struct dwqi_cell_edge {
    bool allowed;
    uint8_t to; /* enum dwqi_cell_state */
};

extern const struct dwqi_cell_edge dwqi_cell_edges[DWQI_CELL_STATE_COUNT]
                                                  [DWQI_CELL_EVENT_COUNT];
const char *dwqi_cell_state_name(enum dwqi_cell_state state);
const char *dwqi_cell_event_name(enum dwqi_cell_event event);

/* What a cell said with READY. */
struct dwqi_ready_data {
    void *memory;
    struct dwqi_arena arena;
    dwq_value_t value;
};

/* What has to come from a cell before it gets a task again. */
enum dwqi_cell_awaited {
    DWQI_AWAITED_NOTHING,
    DWQI_AWAITED_WORD,  /* whatever it sends */
    DWQI_AWAITED_RETURN /* it was sent RECALL */
};

struct dwqi_dispatcher;
struct dwqi_task;

/* What a kind of cells does. */
struct dwqi_cell_ops {
    /* A task that was assigned to it: it leaves soon, or runs now. DWQ_OK, DWQ_E_MPI,
     * DWQ_E_STATE. */
    dwq_status_t (*give)(struct dwqi_dispatcher *d, int worker,
                         struct dwqi_task *task);
    /* It is asked for what it has not started, and answers. NULL: it starts at once. */
    dwq_status_t (*recall)(struct dwqi_dispatcher *d, int worker);
    /* Whether a word can reach the call that it runs, to stop it; which task that is may
     * be another now. NULL: no word can. */
    bool (*stop)(struct dwqi_dispatcher *d, int worker);
    /* It is told to leave. DWQ_OK, DWQ_E_MPI, DWQ_E_NOMEM. */
    dwq_status_t (*close)(struct dwqi_dispatcher *d, int worker);
};

/* What is touched with every result comes first: there may be thousands. */
struct dwqi_cell {
    const struct dwqi_cell_ops *ops;
    int peer;
    uint8_t state;       /* enum dwqi_cell_state */
    uint8_t awaited;     /* enum dwqi_cell_awaited */
    bool overdue;        /* lost, and it may run on */
    int n_cancelled;     /* tasks that it holds, and that are to be cancelled */
    uint32_t n_sent;     /* tasks: their numbers at `desk` */
    uint32_t n_recalled; /* RECALLs that it was sent */
    uint32_t n_heard;    /* results: see its desk */
    uint32_t first_fed;  /* of the last letter: those before it had ended */
    struct dwqi_desk *desk; /* see item/transport.h; NULL: none */
    double last_heard;
    struct dwqi_job *unsent; /* first of its held jobs that was not sent */
    int next_touched;        /* list of cells with unsent tasks; 0 ends it */
    struct dwqi_worker_stats stats;
    struct dwqi_ready_data ready;
    const char *host; /* of all its ranks, borrowed; NULL: not known */
    int n_ranks;
    int n_cores; /* of these ranks; 0: not known */
};

/* By number, [0] being no cell; all zero is an empty list. */
struct dwqi_cell_list {
    struct dwqi_cell *items;
    int n;        /* cells: the last one's number */
    int room;     /* of items */
    int *of_peer; /* [n_peers]: numbers; 0: none */
    int n_peers;  /* above them all */
};

/* An empty list with room for [0]. DWQ_E_NOMEM. */
dwq_status_t dwqi_cell_list_init(struct dwqi_cell_list *cells);
/* One more, FORMING; its number is cells->n. DWQ_E_NOMEM: none. */
dwq_status_t dwqi_cell_list_add(struct dwqi_cell_list *cells, int peer);
void dwqi_cell_list_finish(struct dwqi_cell_list *cells);

/* The number of the one at this peer, or 0. */
static inline int dwqi_cell_list_find(const struct dwqi_cell_list *cells,
                                      int peer)
{
    return peer >= 0 && peer < cells->n_peers ? cells->of_peer[peer] : 0;
}

/* DWQ_E_STATE: the table has no such pair, and nothing has changed. Of what a cell says
 * it is for the caller to log. */
static inline dwq_status_t dwqi_cell_step(struct dwqi_cell *cell,
                                          enum dwqi_cell_event event)
{
    struct dwqi_cell_edge edge = dwqi_cell_edges[cell->state][event];

    if (!edge.allowed) {
        return DWQ_E_STATE;
    }
    cell->state = edge.to;
    return DWQ_OK;
}

/* Whether nothing more is awaited of it. */
static inline bool dwqi_cell_is_over(const struct dwqi_cell *cell)
{
    return cell->state == DWQI_CELL_LOST || cell->state == DWQI_CELL_GONE;
}

#endif

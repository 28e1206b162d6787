/* A plan as text: a table, a drawing for the terminal, SVG, JSON. Each appends to
 * the buffer, without an end mark; out of memory: the buffer has failed. */
#ifndef DWQI_TOPOLOGY_DRAW_H
#define DWQI_TOPOLOGY_DRAW_H

#include "topology/placer.h"

/* Hosts that a drawing shows at most; the others are counted. */
#define DWQI_DRAW_HOSTS 100

void dwqi_draw_table(const struct dwqi_cluster *cluster,
                     const struct dwqi_placement *plan,
                     struct dwqi_buffer *text);
/* One letter for each core. */
void dwqi_draw_terminal(const struct dwqi_cluster *cluster,
                        const struct dwqi_placement *plan, bool colours,
                        struct dwqi_buffer *text);
void dwqi_draw_svg(const struct dwqi_cluster *cluster,
                   const struct dwqi_placement *plan, struct dwqi_buffer *text);
/* An object with controller, groups (id, hosts, ranks, cpuset: a list of core
 * numbers for each rank, broker, ...), idle, idle_cores, oversubscribed_hosts. */
void dwqi_draw_json(const struct dwqi_cluster *cluster,
                    const struct dwqi_placement *plan,
                    struct dwqi_buffer *text);

/* Who is on each core. */
struct dwqi_cell {
    int group;       /* index, or -1 */
    int rank;        /* of the group's rank there, or -1 */
    bool broker;     /* of the group, or on a thread of it */
    bool controller; /* the same for the controller */
};

struct dwqi_cells {
    struct dwqi_cell *cells; /* by host and index of the core */
    int *first;              /* by host: where its cells begin */
};

/* DWQ_E_NOMEM. */
dwq_status_t dwqi_cells_init(struct dwqi_cells *cells,
                             const struct dwqi_cluster *cluster,
                             const struct dwqi_placement *plan);
void dwqi_cells_finish(struct dwqi_cells *cells);
/* The numbers of a host's cores that nobody has; how many they are. numbers: room for
 * all cores of the host. */
int dwqi_cells_idle(const struct dwqi_cells *cells,
                    const struct dwqi_cluster *cluster,
                    const struct dwqi_placement *plan, int host, int *numbers);
/* The index of the core with this number, or -1. */
int dwqi_machine_find_core(const struct dwqi_machine *machine, int number);

#endif

#include <stdlib.h>

#include "topology/plan/draw.h"

int dwqi_machine_find_core(const struct dwqi_machine *machine, int number)
{
    int low = 0, high = machine->n_cores;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (machine->cores[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < machine->n_cores && machine->cores[low].number == number ? low
                                                                          : -1;
}

static struct dwqi_cell *cell_at(struct dwqi_cells *cells,
                                 const struct dwqi_cluster *cluster,
                                 const struct dwqi_placement *plan,
                                 const struct dwqi_seat *seat, int i)
{
    const struct dwqi_machine *machine =
        dwqi_cluster_machine(cluster, seat->host);
    int index =
        dwqi_machine_find_core(machine, plan->cores[seat->first_core + i]);

    return &cells->cells[cells->first[seat->host] + index];
}

static void mark_group(struct dwqi_cells *cells,
                       const struct dwqi_cluster *cluster,
                       const struct dwqi_placement *plan, int number)
{
    const struct dwqi_placed_group *group = &plan->groups[number];

    for (int s = 0; s < group->width; s++) {
        const struct dwqi_seat *seat = &plan->seats[group->first_seat + s];

        for (int i = 0; i < seat->n_cores; i++) {
            struct dwqi_cell *cell = cell_at(cells, cluster, plan, seat, i);

            cell->group = number;
            cell->rank = seat->rank;
        }
    }
    for (int i = 0; i < group->broker.n_cores; i++) {
        struct dwqi_cell *cell =
            cell_at(cells, cluster, plan, &group->broker, i);

        cell->group = cell->group < 0 ? number : cell->group;
        cell->rank = cell->rank < 0 ? group->broker.rank : cell->rank;
        cell->broker = true;
        if (plan->broker == DWQI_BROKER_INSIDE) {
            break; /* its first core is enough */
        }
    }
}

dwq_status_t dwqi_cells_init(struct dwqi_cells *cells,
                             const struct dwqi_cluster *cluster,
                             const struct dwqi_placement *plan)
{
    int n = 0;

    cells->first = malloc(((size_t)cluster->n_hosts + 1) * sizeof(int));
    for (int i = 0; i < cluster->n_hosts && cells->first; i++) {
        cells->first[i] = n;
        n += dwqi_cluster_machine(cluster, i)->n_cores;
    }
    cells->cells = malloc((n > 0 ? (size_t)n : 1) * sizeof *cells->cells);
    if (!cells->first || !cells->cells) {
        dwqi_cells_finish(cells);
        return DWQ_E_NOMEM;
    }
    cells->first[cluster->n_hosts] = n;
    for (int i = 0; i < n; i++) {
        cells->cells[i] = (struct dwqi_cell){ .group = -1, .rank = -1 };
    }
    for (int i = 0; i < plan->n_groups; i++) {
        mark_group(cells, cluster, plan, i);
    }
    for (int i = 0; i < plan->controller.n_cores; i++) {
        cell_at(cells, cluster, plan, &plan->controller, i)->controller = true;
    }
    return DWQ_OK;
}

void dwqi_cells_finish(struct dwqi_cells *cells)
{
    free(cells->cells);
    free(cells->first);
    *cells = (struct dwqi_cells){ .cells = NULL };
}

int dwqi_cells_idle(const struct dwqi_cells *cells,
                    const struct dwqi_cluster *cluster,
                    const struct dwqi_placement *plan, int host, int *numbers)
{
    const struct dwqi_machine *machine = dwqi_cluster_machine(cluster, host);
    const struct dwqi_cell *own = cells->cells + cells->first[host];
    int n = 0;

    for (int i = 0; i < machine->n_cores && !plan->oversubscribed[host]; i++) {
        if (own[i].group < 0 && !own[i].controller) {
            numbers[n++] = machine->cores[i].number;
        }
    }
    return n;
}

#include "topology/plan/blocks.h"

#include <stdlib.h>

#include "topology/plan/draw.h"

/* --- Consecutive blocks ------------------------------------------------- */

struct cutter {
    const struct dwqi_cluster *cluster;
    struct dwqi_placement *plan;
    int threads;
    int *next_core; /* by host: index */
};

static struct dwqi_seat seat_of(struct cutter *cutter, int rank, int threads)
{
    struct dwqi_placement *plan = cutter->plan;
    int host = cutter->cluster->ranks[rank].host;
    const struct dwqi_machine *machine =
        dwqi_cluster_machine(cutter->cluster, host);
    struct dwqi_seat seat = { .rank = rank,
                              .host = host,
                              .first_core = plan->n_cores,
                              .first_pu = plan->n_pus };

    for (int i = 0; i < threads; i++) {
        int index = cutter->next_core[host];

        if (index < machine->n_cores) {
            cutter->next_core[host]++;
            plan->cores[plan->n_cores++] = machine->cores[index].number;
            seat.n_cores++;
        }
    }
    return seat;
}

static dwq_status_t allocate(struct cutter *cutter, int n_groups)
{
    struct dwqi_placement *plan = cutter->plan;
    size_t n_ranks = (size_t)cutter->cluster->n_ranks + 1;

    plan->groups = calloc((size_t)n_groups + 1, sizeof *plan->groups);
    plan->seats = calloc(n_ranks, sizeof *plan->seats);
    plan->cores =
        calloc(n_ranks * (size_t)cutter->threads, sizeof *plan->cores);
    plan->oversubscribed = calloc((size_t)cutter->cluster->n_hosts + 1,
                                  sizeof *plan->oversubscribed);
    cutter->next_core =
        calloc((size_t)cutter->cluster->n_hosts + 1, sizeof *cutter->next_core);
    return plan->groups && plan->seats && plan->cores && plan->oversubscribed &&
                   cutter->next_core
               ? DWQ_OK
               : DWQ_E_NOMEM;
}

static void cut(struct cutter *cutter, int controller, int width, int extra,
                int n_groups)
{
    struct dwqi_placement *plan = cutter->plan;
    struct dwqi_placed_group *group = NULL;

    for (int rank = 0, n = 0; rank < cutter->cluster->n_ranks; rank++) {
        int at = n % (width + extra);

        if (rank == controller) {
            plan->controller = seat_of(cutter, rank, 1);
            continue;
        }
        if (at == 0 && plan->n_groups == n_groups) {
            break;
        }
        if (at == 0) {
            group = &plan->groups[plan->n_groups++];
            group->first_seat = plan->n_seats;
            group->width = width;
        }
        if (at == 0 && extra) {
            group->broker = seat_of(cutter, rank, 1);
            group->first_seat = plan->n_seats;
        } else {
            plan->seats[plan->n_seats++] =
                seat_of(cutter, rank, cutter->threads);
        }
        if (at == 0 && !extra) {
            group->broker = plan->seats[group->first_seat];
        }
        n++;
    }
}

dwq_status_t dwqi_blocks(const struct dwqi_cluster *cluster,
                         const struct dwqi_place_request *request, int width,
                         struct dwqi_placement *out)
{
    struct dwqi_placement plan = { .broker = request->broker,
                                   .grouping = request->grouping };
    struct cutter cutter = { .cluster = cluster,
                             .plan = &plan,
                             .threads =
                                 request->threads > 0 ? request->threads : 1 };
    int extra = request->broker != DWQI_BROKER_INSIDE;
    int n_groups = width > 0 ? (cluster->n_ranks - 1) / (width + extra) : 0;
    dwq_status_t status = n_groups > 0 ? DWQ_OK : DWQ_E_OPTION;

    if (request->max_workers > 0 && n_groups > request->max_workers) {
        n_groups = request->max_workers;
    }
    if (status == DWQ_OK) {
        status = allocate(&cutter, n_groups);
    }
    free(status == DWQ_OK ? NULL : cutter.next_core);
    if (status != DWQ_OK) {
        dwqi_placement_finish(&plan);
        return status;
    }
    cut(&cutter, request->controller, width, extra, n_groups);
    free(cutter.next_core);
    *out = plan;
    return DWQ_OK;
}

/* --- Figures ------------------------------------------------------------ */

/* The most cores that one part of the kind has. */
static int widest(const struct dwqi_machine *machine, enum dwqi_domain kind)
{
    int *counts = calloc(DWQI_CORE_LIMIT, sizeof *counts), most = 0;

    for (int i = 0; i < machine->n_cores && counts; i++) {
        int n = ++counts[dwqi_core_part(&machine->cores[i], kind)];

        most = n > most ? n : most;
    }
    free(counts);
    return most;
}

struct widths { /* by machine: cores of its widest part */
    int numa, package, host;
};

static bool is_straddling(const struct dwqi_cluster *cluster,
                          const struct dwqi_placement *plan,
                          const struct dwqi_placed_group *group,
                          const struct widths *widths, int widest_host)
{
    const struct dwqi_seat *seats = plan->seats + group->first_seat;
    const struct dwqi_core *first = NULL;
    bool numa = false, package = false, host = false;
    int n_cores = 0;
    const struct widths *here = &widths[cluster->hosts[seats[0].host].machine];

    for (int s = 0; s < group->width; s++) {
        const struct dwqi_machine *machine =
            dwqi_cluster_machine(cluster, seats[s].host);

        host = host || seats[s].host != seats[0].host;
        for (int i = 0; i < seats[s].n_cores; i++) {
            int number = plan->cores[seats[s].first_core + i];
            const struct dwqi_core *core =
                &machine->cores[dwqi_machine_find_core(machine, number)];

            first = first ? first : core;
            numa = numa || core->numa != first->numa;
            package = package || core->package != first->package;
            n_cores++;
        }
    }
    if (host) {
        return n_cores <= widest_host;
    }
    return (package && n_cores <= here->package) ||
           (numa && n_cores <= here->numa);
}

static int count_idle(const struct dwqi_cluster *cluster,
                      const struct dwqi_cells *cells)
{
    int count = 0;

    for (int i = 0; i < cells->first[cluster->n_hosts]; i++) {
        count += cells->cells[i].group < 0 && !cells->cells[i].controller;
    }
    return count;
}

dwq_status_t dwqi_figures(const struct dwqi_cluster *cluster,
                          const struct dwqi_placement *plan,
                          struct dwqi_figures *out)
{
    struct dwqi_figures figures = { .n_groups = plan->n_groups };
    struct widths *widths =
        calloc((size_t)cluster->n_machines + 1, sizeof *widths);
    struct dwqi_cells cells = { .cells = NULL };
    int widest_host = 0;

    if (!widths || dwqi_cells_init(&cells, cluster, plan) != DWQ_OK) {
        free(widths);
        return DWQ_E_NOMEM;
    }
    for (int i = 0; i < cluster->n_machines; i++) {
        widths[i].numa = widest(&cluster->machines[i], DWQI_DOMAIN_NUMA);
        widths[i].package = widest(&cluster->machines[i], DWQI_DOMAIN_PACKAGE);
        widths[i].host = cluster->machines[i].n_cores;
        widest_host =
            widths[i].host > widest_host ? widths[i].host : widest_host;
    }
    for (int i = 0; i < plan->n_groups; i++) {
        figures.n_straddling +=
            is_straddling(cluster, plan, &plan->groups[i], widths, widest_host);
    }
    figures.n_idle_cores = count_idle(cluster, &cells);
    dwqi_cells_finish(&cells);
    free(widths);
    *out = figures;
    return DWQ_OK;
}

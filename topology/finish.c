/* From the workspace to the plan. */
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/memory.h"
#include "topology/placer_private.h"

static const struct dwqi_core *core_at(const struct work *work,
                                       const struct dwqi_seat *seat, int i)
{
    const struct tree *tree = work->hosts[seat->host].tree;
    int position = work->plan.cores[seat->first_core + i];

    return &tree->machine->cores[tree->order[position]];
}

static size_t count_pus(const struct work *work)
{
    size_t count = 0;

    for (int s = 0; s < work->plan.n_seats; s++) {
        const struct dwqi_seat *seat = &work->plan.seats[s];

        for (int i = 0; i < seat->n_cores; i++) {
            count += (size_t)core_at(work, seat, i)->n_pus;
        }
    }
    return count;
}

/* The threads of a core that are not lent, as far as the rank may use them. */
static void list_pus_of(struct work *work, struct dwqi_seat *seat,
                        const struct dwqi_core *core, int n_pus)
{
    struct dwqi_placement *plan = &work->plan;
    const int *pus = work->hosts[seat->host].tree->machine->pus;

    for (int i = 0; i < n_pus; i++) {
        int pu = pus[core->first_pu + i];

        if (dwqi_cluster_allows(work->cluster, seat->rank, pu)) {
            plan->pus[plan->n_pus++] = pu;
            seat->n_pus++;
        }
    }
}

static void list_pus(struct work *work, int number)
{
    struct dwqi_placement *plan = &work->plan;
    struct dwqi_seat *seat = &plan->seats[number];
    const struct work_host *host = &work->hosts[seat->host];
    int thread = work->thread_of_seat[number];

    seat->first_pu = plan->n_pus;
    for (int i = 0; i < seat->n_cores; i++) {
        const struct dwqi_core *core = core_at(work, seat, i);
        int position = plan->cores[seat->first_core + i];

        if (thread >= 0) {
            plan->pus[plan->n_pus++] =
                host->tree->machine->pus[core->first_pu + thread];
            seat->n_pus++;
        } else {
            list_pus_of(work, seat, core,
                        core->n_pus -
                            work->core_lent[host->first_core + position]);
        }
    }
}

static void number_cores(struct work *work)
{
    struct dwqi_placement *plan = &work->plan;

    for (int s = 0; s < plan->n_seats; s++) {
        const struct dwqi_seat *seat = &plan->seats[s];

        for (int i = 0; i < seat->n_cores; i++) {
            plan->cores[seat->first_core + i] = core_at(work, seat, i)->number;
        }
    }
}

/* --- The order of groups ------------------------------------------------ */

static void mark_group(int *group_of, const struct dwqi_placement *plan,
                       int number)
{
    const struct dwqi_placed_group *group = &plan->groups[number];

    for (int i = 0; i < group->width; i++) {
        int rank = plan->seats[group->first_seat + i].rank;

        if (rank >= 0) {
            group_of[rank] = number;
        }
    }
    if (group->broker.rank >= 0) {
        group_of[group->broker.rank] = number;
    }
}

static int lowest_rank(const struct dwqi_placement *plan,
                       const struct dwqi_placed_group *group)
{
    int lowest = group->broker.rank;

    for (int i = 0; i < group->width; i++) {
        int rank = plan->seats[group->first_seat + i].rank;

        if (rank >= 0 && (lowest < 0 || rank < lowest)) {
            lowest = rank;
        }
    }
    return lowest;
}

static bool is_ordered(const struct dwqi_placement *plan)
{
    int before = -1;

    for (int i = 0; i < plan->n_groups; i++) {
        int lowest = lowest_rank(plan, &plan->groups[i]);

        if (lowest < before) {
            return false;
        }
        before = lowest;
    }
    return true;
}

static bool order_groups(struct work *work)
{
    struct dwqi_placement *plan = &work->plan;
    int n_ranks = work->cluster->n_ranks, n = 0;
    struct dwqi_placed_group *ordered;
    int *group_of;

    if (n_ranks == 0 || is_ordered(plan)) {
        return true;
    }
    ordered = dwqi_memory_get(0, (size_t)plan->n_groups * sizeof *ordered);
    group_of = dwqi_memory_get(0, (size_t)n_ranks * sizeof *group_of);
    if (!ordered || !group_of) {
        free(ordered);
        free(group_of);
        return false;
    }
    memset(group_of, -1, (size_t)n_ranks * sizeof *group_of);
    for (int i = 0; i < plan->n_groups; i++) {
        mark_group(group_of, plan, i);
    }
    for (int rank = 0; rank < n_ranks; rank++) {
        int number = group_of[rank];

        if (number >= 0 && plan->groups[number].width > 0) {
            ordered[n++] = plan->groups[number];
            plan->groups[number].width = 0; /* has its number */
        }
    }
    free(group_of);
    free(plan->groups);
    plan->groups = ordered;
    return true;
}

/* --- What is idle ------------------------------------------------------- */

static bool has_all_groups(const struct work *work, const struct work_host *h)
{
    int root = h->oversubscribed ? 0 : h->tree->n_nodes - 1;

    return work->request.size.kind == DWQI_SIZE_PER_HOST &&
           work->node_groups[h->first_node + root] >= work->request.size.n;
}

/* Whether the cores that are left would do for a group and its broker. */
static bool has_cores(const struct work *work, const struct work_host *h)
{
    long long unit = (long long)h->width * work->request.threads;

    return h->width > 0 &&
           h->n_free >= unit + (work->request.broker == DWQI_BROKER_BESIDE);
}

static bool has_ranks(const struct work *work, const struct work_host *h)
{
    int width = h->width > 0 ? h->width : 1;

    if (dwqi_work_is_split(work)) {
        return h->n_unused >= (long long)width + dwqi_work_has_extra(work);
    }
    return !dwqi_work_has_brokers(work) ||
           work->plan.n_groups < work->cluster->n_ranks - 1;
}

/* What holds for ranks and cores of a host alike; false: neither. */
static bool is_common(const struct work *work, int number,
                      enum dwqi_idle_why *why_out)
{
    if (work->plan.n_groups >= work->limit) {
        *why_out = DWQI_IDLE_MAX_WORKERS;
    } else if (has_all_groups(work, &work->hosts[number])) {
        *why_out = DWQI_IDLE_PER_HOST;
    } else if (work->plan.controller_costs > 0 &&
               number == work->plan.controller.host) {
        *why_out = DWQI_IDLE_CONTROLLER;
    } else {
        return false;
    }
    return true;
}

static enum dwqi_idle_why why_idle(const struct work *work, int rank)
{
    int number = work->cluster->ranks[rank].host;
    const struct work_host *host = &work->hosts[number];
    enum dwqi_idle_why why;

    if (is_common(work, number, &why)) {
        return why;
    }
    if (host->oversubscribed) {
        return DWQI_IDLE_LEFT_OVER;
    }
    if (host->n_free == 0) {
        return DWQI_IDLE_NO_CORE;
    }
    if (!host->would_straddle && host->class_ < 0) {
        return DWQI_IDLE_TOO_SMALL;
    }
    if (host->would_straddle ||
        (has_cores(work, host) && has_ranks(work, host))) {
        return DWQI_IDLE_STRADDLE;
    }
    return dwqi_work_is_split(work) ? DWQI_IDLE_LEFT_OVER : DWQI_IDLE_NO_CORE;
}

static enum dwqi_idle_why why_cores_idle(const struct work *work, int number)
{
    const struct work_host *host = &work->hosts[number];
    bool cores = has_cores(work, host);
    enum dwqi_idle_why why;

    if (is_common(work, number, &why)) {
        return why;
    }
    if (host->would_straddle) {
        return DWQI_IDLE_STRADDLE;
    }
    if (!cores && (host->class_ < 0 || host->width > 0)) {
        return host->class_ < 0 ? DWQI_IDLE_TOO_SMALL : DWQI_IDLE_LEFT_OVER;
    }
    if (!has_ranks(work, host)) {
        return DWQI_IDLE_NO_RANK;
    }
    return cores ? DWQI_IDLE_STRADDLE : DWQI_IDLE_LEFT_OVER;
}

static bool list_idle_cores(struct work *work)
{
    int n_hosts = work->cluster->n_hosts;
    enum dwqi_idle_why *why = malloc((size_t)n_hosts * sizeof *why);

    for (int i = 0; i < n_hosts && why; i++) {
        why[i] = why_cores_idle(work, i);
    }
    work->plan.core_idle = why;
    return why != NULL;
}

static bool list_idle(struct work *work)
{
    struct dwqi_placement *plan = &work->plan;
    int n_ranks = work->cluster->n_ranks, n = 0;

    for (int rank = 0; rank < n_ranks; rank++) {
        n += !work->rank_used[rank];
    }
    plan->idle = malloc((n > 0 ? (size_t)n : 1) * sizeof *plan->idle);
    if (!plan->idle) {
        return false;
    }
    for (int rank = 0; rank < n_ranks; rank++) {
        if (!work->rank_used[rank]) {
            plan->idle[plan->n_idle++] =
                (struct dwqi_idle){ .rank = rank, .why = why_idle(work, rank) };
        }
    }
    return true;
}

dwq_status_t dwqi_work_plan(struct work *work, struct dwqi_placement *out)
{
    struct dwqi_placement *plan = &work->plan;
    size_t n_pus = count_pus(work);

    plan->pus = dwqi_memory_get(0, (n_pus > 0 ? n_pus : 1) * sizeof *plan->pus);
    if (!plan->pus || !list_idle(work) || !list_idle_cores(work)) {
        return DWQ_E_NOMEM;
    }
    for (int s = 0; s < plan->n_seats; s++) {
        list_pus(work, s);
    }
    number_cores(work);
    for (int i = 0; i < plan->n_groups; i++) {
        struct dwqi_placed_group *group = &plan->groups[i];

        group->broker =
            plan->seats[group->first_seat +
                        (dwqi_work_has_extra(work) ? group->width : 0)];
    }
    if (!order_groups(work)) {
        return DWQ_E_NOMEM;
    }
    plan->controller = plan->seats[0];
    plan->controller_on_thread = work->thread_of_seat[0] >= 0;
    plan->grouping = work->request.grouping;
    plan->broker = work->request.broker;
    *out = *plan;
    *plan = (struct dwqi_placement){ .groups = NULL };
    return DWQ_OK;
}

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/memory.h"
#include "topology/placer_private.h"

bool dwqi_work_is_split(const struct work *work)
{
    return work->request.grouping != DWQ_GROUPING_SPAWN;
}

bool dwqi_work_has_extra(const struct work *work)
{
    return work->request.broker != DWQI_BROKER_INSIDE;
}

bool dwqi_work_has_brokers(const struct work *work)
{
    return !dwqi_work_is_split(work) && work->cluster->n_ranks > 0;
}

const struct mask *dwqi_work_mask(struct work *work, int host, int rank)
{
    int set = rank >= 0 && rank < work->cluster->n_ranks
                  ? work->cluster->ranks[rank].set
                  : -1;
    const struct mask *mask = dwqi_tree_mask(work->hosts[host].tree,
                                             work->cluster, set, &work->arena);

    work->no_memory = work->no_memory || !mask;
    return mask;
}

/* The tightest bound rank is the first. */
bool dwqi_work_is_plain(struct work *work, int host)
{
    const struct work_host *h = &work->hosts[host];
    const struct mask *mask =
        h->n_ranks > 0 ? dwqi_work_mask(work, host, work->ranks[h->first_rank])
                       : NULL;

    return !mask || !mask->allowed;
}

/* One item more than asked for: the first node of a host that has none is the one
 * behind the last. */
void *dwqi_work_array(struct work *work, int n, size_t size)
{
    void *items = dwqi_arena_alloc(&work->arena, (size_t)n + 1, size);

    if (items) {
        memset(items, 0, ((size_t)n + 1) * size);
    }
    work->no_memory = work->no_memory || !items;
    return items;
}

static void make_trees(struct work *work)
{
    const struct dwqi_cluster *cluster = work->cluster;

    work->trees =
        dwqi_work_array(work, 2 * cluster->n_machines, sizeof *work->trees);
    work->threads =
        dwqi_work_array(work, cluster->n_machines, sizeof *work->threads);
    for (int i = 0; i < cluster->n_machines && !work->no_memory; i++) {
        work->no_memory = !dwqi_tree_init(&work->trees[i],
                                          &cluster->machines[i], &work->arena);
    }
}

/* Ranks that spare threads may take: of brokers, where these sit there. */
static long long thread_room(const struct work *work, int number)
{
    const struct dwqi_place_request *request = &work->request;
    const struct work_host *host = &work->hosts[number];
    int n_cores = host->tree->machine->n_cores;
    int level;

    if (!host->tree->has_spare || request->broker != DWQI_BROKER_THREAD) {
        return 0;
    }
    if (!dwqi_work_is_split(work)) {
        return n_cores;
    }
    switch (request->size.kind) {
    case DWQI_SIZE_FIXED:
        return n_cores / ((long long)request->size.n * request->threads);
    case DWQI_SIZE_PER_HOST:
        return request->size.n;
    default:
        level = dwqi_tree_level(host->tree, request->size.domain);
        return level < 0 ? 0 : host->tree->levels[level].n_nodes;
    }
}

static void use_threads(struct work *work, int number)
{
    struct work_host *host = &work->hosts[number];
    int machine = work->cluster->hosts[number].machine;
    struct tree *tree = &work->trees[work->cluster->n_machines + machine];

    if (!tree->machine) {
        work->no_memory =
            !dwqi_tree_threads(&work->cluster->machines[machine],
                               &work->threads[machine], &work->arena) ||
            !dwqi_tree_init(tree, &work->threads[machine], &work->arena);
    }
    host->tree = tree;
    host->by_thread = work->plan.on_threads[number] = true;
    work->plan.n_on_threads++;
}

/* More ranks than cores, those on spare threads not counted. `fits`: the controller
 * shares a core, one rank idles, or each has a thread; else nothing is bound. */
static void find_crowd(struct work *work, int number)
{
    struct work_host *host = &work->hosts[number];
    const struct dwqi_machine *machine = host->tree->machine;
    bool split = dwqi_work_is_split(work);
    bool is_home = number == work->plan.controller.host;
    bool own_core = is_home && !host->tree->has_spare;
    bool shares = work->request.controller_shares;
    long long room = machine->n_cores + thread_room(work, number);
    bool crowded = host->n_ranks + (own_core && !shares) > room;
    bool fits = crowded && split && host->n_ranks + is_home <= room + 1;
    bool by_thread = crowded && split && !fits &&
                     work->request.broker != DWQI_BROKER_THREAD &&
                     host->n_ranks + is_home <= machine->n_pus;

    work->n_fitted += fits || by_thread;
    if (is_home) {
        work->controller_shares = shares || (fits && work->fits);
    }
    if (by_thread && work->fits) {
        use_threads(work, number);
    } else if ((crowded && !(fits && work->fits)) ||
               (work->unbound && work->unbound[number])) {
        host->oversubscribed = work->plan.oversubscribed[number] = true;
        work->plan.n_oversubscribed++;
    }
}

static int make_hosts(struct work *work)
{
    const struct dwqi_cluster *cluster = work->cluster;
    int most_cores = 0;

    for (int i = 0; i < cluster->n_hosts && !work->no_memory; i++) {
        struct work_host *host = &work->hosts[i];
        int n_cores;

        host->tree = &work->trees[cluster->hosts[i].machine];
        find_crowd(work, i);
        if (work->no_memory) {
            break;
        }
        n_cores = host->tree->machine->n_cores;
        host->first_core = work->n_cores;
        host->first_node = work->n_nodes;
        host->n_free = n_cores;
        host->class_ = -1;
        if (work->n_cores > INT_MAX - n_cores) {
            work->no_memory = true;
            break;
        }
        work->n_cores += n_cores;
        work->n_nodes += host->tree->n_nodes;
        most_cores = n_cores > most_cores ? n_cores : most_cores;
    }
    return most_cores;
}

/* The controller is on no list. */
static void list_ranks(struct work *work)
{
    const struct dwqi_cluster *cluster = work->cluster;
    int n = 0;

    work->ranks = dwqi_work_array(work, cluster->n_ranks, sizeof *work->ranks);
    work->rank_used = dwqi_work_array(work, cluster->n_ranks, 1);
    work->rank_stuck = dwqi_work_array(work, cluster->n_ranks, 1);
    if (work->no_memory) {
        return;
    }
    for (int rank = 0; rank < cluster->n_ranks; rank++) {
        work->hosts[cluster->ranks[rank].host].n_ranks +=
            rank != work->request.controller;
    }
    for (int i = 0; i < cluster->n_hosts; i++) {
        work->hosts[i].first_rank = n;
        n += work->hosts[i].n_ranks;
    }
    for (int rank = 0; rank < cluster->n_ranks; rank++) {
        struct work_host *host = &work->hosts[cluster->ranks[rank].host];

        if (rank != work->request.controller) {
            work->ranks[host->first_rank + host->n_unused++] = rank;
        } else {
            work->rank_used[rank] = 1;
        }
    }
}

static void make_attempt(struct work *work, int most_cores)
{
    struct attempt *attempt = &work->attempt;

    attempt->ranks = dwqi_work_array(work, most_cores, sizeof *attempt->ranks);
    attempt->masks = dwqi_work_array(work, most_cores, sizeof(void *));
    attempt->slot_at =
        dwqi_work_array(work, most_cores, sizeof *attempt->slot_at);
    attempt->closed = dwqi_work_array(work, most_cores, 1);
    attempt->seen = dwqi_work_array(work, most_cores, sizeof *attempt->seen);
    attempt->core_of =
        dwqi_work_array(work, most_cores, sizeof *attempt->core_of);
}

static void count_free(struct work *work)
{
    for (int i = 0; i < work->cluster->n_hosts; i++) {
        const struct tree *tree = work->hosts[i].tree;
        int *node_free = work->node_free + work->hosts[i].first_node;

        for (int l = 0; l < tree->n_levels; l++) {
            const struct level *level = &tree->levels[l];

            for (int k = 0; k < level->n_nodes; k++) {
                node_free[level->base + k] =
                    level->first[k + 1] - level->first[k];
            }
        }
    }
}

/* Most often no array has to grow: each rank has one seat, each core one. */
static bool reserve(struct work *work)
{
    struct dwqi_placement *plan = &work->plan;
    int n_seats = work->cluster->n_ranks;
    int least = work->request.size.kind == DWQI_SIZE_FIXED
                    ? work->request.size.n
                    : 1; /* ranks of a group */

    n_seats = n_seats < work->n_cores ? n_seats : work->n_cores;
    work->seat_room = n_seats + 1;
    work->core_room = work->n_cores + 1;
    work->group_room = n_seats / least + 1;
    plan->seats =
        dwqi_memory_get(0, (size_t)work->seat_room * sizeof *plan->seats);
    plan->groups =
        dwqi_memory_get(0, (size_t)work->group_room * sizeof *plan->groups);
    plan->cores =
        dwqi_memory_get(0, (size_t)work->core_room * sizeof *plan->cores);
    work->thread_of_seat = dwqi_memory_get(0, (size_t)work->seat_room *
                                                  sizeof *work->thread_of_seat);
    return plan->seats && plan->groups && plan->cores && work->thread_of_seat;
}

dwq_status_t dwqi_work_init(struct work *work)
{
    const struct dwqi_cluster *cluster = work->cluster;
    int most_cores = 0;

    work->limit =
        work->request.max_workers > 0 ? work->request.max_workers : INT_MAX;
    work->plan.controller.host =
        cluster->n_ranks > 0 ? cluster->ranks[work->request.controller].host
                             : 0;
    make_trees(work);
    work->hosts = dwqi_work_array(work, cluster->n_hosts, sizeof *work->hosts);
    work->plan.oversubscribed =
        calloc((size_t)cluster->n_hosts, sizeof *work->plan.oversubscribed);
    work->plan.on_threads =
        calloc((size_t)cluster->n_hosts, sizeof *work->plan.on_threads);
    work->no_memory =
        work->no_memory || !work->plan.oversubscribed || !work->plan.on_threads;
    if (!work->no_memory) {
        list_ranks(work);
    }
    if (!work->no_memory) {
        most_cores = make_hosts(work);
    }
    make_attempt(work, most_cores);
    work->core_used = dwqi_work_array(work, work->n_cores, 1);
    work->core_lent = dwqi_work_array(work, work->n_cores, 1);
    work->node_free =
        dwqi_work_array(work, work->n_nodes, sizeof *work->node_free);
    work->node_groups =
        dwqi_work_array(work, work->n_nodes, sizeof *work->node_groups);
    work->node_failed = dwqi_work_array(work, work->n_nodes, 1);
    work->room = dwqi_work_array(work, cluster->n_hosts, sizeof *work->room);
    work->picked =
        dwqi_work_array(work, cluster->n_hosts, sizeof *work->picked);
    if (work->no_memory || !reserve(work)) {
        return DWQ_E_NOMEM;
    }
    count_free(work);
    return DWQ_OK;
}

void dwqi_work_finish(struct work *work)
{
    dwqi_arena_finish(&work->arena);
    free(work->thread_of_seat);
    dwqi_placement_finish(&work->plan);
}

/* Where one more process may sit: a core that no group misses, or a hardware
 * thread of a core that has several. */
#include <limits.h>

#include "topology/placer_private.h"

/* The innermost part that counts as straddled and can hold a group; else the
 * host. */
static const struct level *home_level(const struct tree *tree, long long unit)
{
    for (int l = 0; l < tree->n_levels; l++) {
        const struct level *level = &tree->levels[l];

        for (int k = 0; k < level->n_nodes && dwqi_level_is_hard(level); k++) {
            if (level->first[k + 1] - level->first[k] >= unit) {
                return level;
            }
        }
    }
    return &tree->levels[tree->n_levels - 1];
}

/* Whether a part that loses this core holds a group less. */
static int costs_group(const struct work *work, const struct work_host *h,
                       const struct level *level, int position, long long unit)
{
    int n_free =
        work->node_free[h->first_node + level->base + level->node_of[position]];

    return unit > 0 && n_free % unit == 0;
}

int dwqi_spare_core(const struct work *work, int host, const struct mask *mask,
                    int low, int high)
{
    const struct work_host *h = &work->hosts[host];
    long long unit = (long long)h->width * work->request.threads;
    const struct level *home = home_level(h->tree, unit);
    int best = -1, best_cost = INT_MAX;

    for (int p = mask->low; p < mask->high && best_cost > 0; p++) {
        int cost;

        if (work->core_used[h->first_core + p] ||
            (mask->allowed && !mask->allowed[p])) {
            continue;
        }
        cost = 4 * costs_group(work, h, home, p, unit) +
               2 * (p < low || p >= high) +
               costs_group(work, h, &h->tree->levels[0], p, unit);
        if (cost < best_cost) {
            best = p;
            best_cost = cost;
        }
    }
    return best;
}

/* Both the lent thread and one that stays have to be allowed. */
static bool may_lend(const struct work *work, int rank, int host, int position)
{
    const struct work_host *h = &work->hosts[host];
    const struct dwqi_machine *machine = h->tree->machine;
    const struct dwqi_core *core = &machine->cores[h->tree->order[position]];
    int lent = work->core_lent[h->first_core + position];
    int set = rank >= 0 && rank < work->cluster->n_ranks
                  ? work->cluster->ranks[rank].set
                  : -1;

    return core->n_pus - lent >= 2 &&
           (set < 0 ||
            dwqi_cpuset_has(
                &work->cluster->sets[set],
                machine->pus[core->first_pu + core->n_pus - 1 - lent]));
}

/* A rank that sits there keeps a thread that it may use. */
static bool is_left(const struct work *work, int rank, int host, int position)
{
    const struct work_host *h = &work->hosts[host];
    const struct dwqi_machine *machine = h->tree->machine;
    const struct dwqi_core *core = &machine->cores[h->tree->order[position]];
    int left = core->n_pus - work->core_lent[h->first_core + position] - 1;
    int set = rank >= 0 ? work->cluster->ranks[rank].set : -1;

    for (int i = 0; i < left; i++) {
        if (set < 0 || dwqi_cpuset_has(&work->cluster->sets[set],
                                       machine->pus[core->first_pu + i])) {
            return true;
        }
    }
    return false;
}

bool dwqi_lend_thread(struct work *work, int rank, int host, int position)
{
    struct work_host *h = &work->hosts[host];
    struct dwqi_placement *plan = &work->plan;
    int lent = work->core_lent[h->first_core + position];

    if (!may_lend(work, rank, host, position)) {
        return false;
    }
    dwqi_add_seat(work, rank, host, -1);
    if (!dwqi_pool_core(work, position)) {
        return false;
    }
    work->thread_of_seat[plan->n_seats - 1] =
        h->tree->machine->cores[h->tree->order[position]].n_pus - 1 - lent;
    work->core_lent[h->first_core + position]++;
    return true;
}

/* On a thread of one of its group's cores on that host. */
static bool broker_on_thread(struct work *work, int rank, int host,
                             int first_seat)
{
    const struct dwqi_placement *plan = &work->plan;
    int n_seats = plan->n_seats;

    for (int s = first_seat; s < n_seats; s++) {
        struct dwqi_seat seat = plan->seats[s];

        for (int i = 0; i < seat.n_cores && seat.host == host; i++) {
            int position = plan->cores[seat.first_core + i];

            if (is_left(work, seat.rank, host, position) &&
                dwqi_lend_thread(work, rank, host, position)) {
                return true;
            }
        }
    }
    return false;
}

/* A broker whose group is on another host: any core but the controller's. */
static bool broker_elsewhere(struct work *work, int rank, int host)
{
    const struct work_host *h = &work->hosts[host];
    const struct dwqi_seat *controller = &work->plan.controller;
    int not_here = -1;

    if (controller->host == host && !work->controller_on_thread &&
        controller->n_cores > 0) {
        not_here = work->plan.cores[controller->first_core];
    }
    for (int p = 0; p < h->tree->machine->n_cores; p++) {
        if (p != not_here && dwqi_lend_thread(work, rank, host, p)) {
            return true;
        }
    }
    return false;
}

/* Where the broker of the group in an interval may sit. */
struct broker_place {
    int first_seat; /* of the group's members */
    int host, low, high;
    bool inside; /* on no core but the interval's */
};

static bool seat_broker(struct work *work, int rank,
                        const struct broker_place *place)
{
    int home = rank < 0 ? place->host : work->cluster->ranks[rank].host;
    bool near = home == place->host;
    const struct mask *mask;
    int position;

    if (work->hosts[home].oversubscribed) {
        dwqi_add_seat(work, rank, home, -1);
        return true;
    }
    if (work->request.broker == DWQI_BROKER_THREAD) {
        return near ? broker_on_thread(work, rank, home, place->first_seat)
                    : broker_elsewhere(work, rank, home);
    }
    mask = dwqi_work_mask(work, home, rank);
    if (!mask) {
        return false;
    }
    position = dwqi_spare_core(work, home, mask, near ? place->low : 0,
                               near ? place->high : 0);
    if (position < 0 ||
        (place->inside && (position < place->low || position >= place->high))) {
        return false;
    }
    dwqi_add_seat(work, rank, home, position);
    return true;
}

/* One of the host's ranks. */
static bool seat_rank_of(struct work *work, const struct broker_place *place)
{
    int at = work->hosts[place->host].next_rank;

    for (int rank; (rank = dwqi_next_rank(work, place->host, &at)) >= 0;) {
        if (seat_broker(work, rank, place)) {
            return true;
        }
    }
    return false;
}

static bool has_free_core(const struct work *work, int host, int low, int high)
{
    const unsigned char *used = work->core_used + work->hosts[host].first_core;

    for (int p = low; p < high; p++) {
        if (!used[p]) {
            return true;
        }
    }
    return false;
}

/* A rank of another host. One that finds no seat there now finds none later, so
 * each is tried once. */
static bool seat_any(struct work *work, const struct broker_place *place)
{
    const struct dwqi_place *ranks = work->cluster->ranks;

    for (int rank = work->next_broker; rank < work->cluster->n_ranks; rank++) {
        bool is_out = work->rank_used[rank] || work->rank_stuck[rank];

        if (is_out) {
            work->next_broker += rank == work->next_broker;
        } else if (ranks[rank].host != place->host) {
            if (seat_broker(work, rank, place)) {
                return true;
            }
            work->rank_stuck[rank] = 1;
        }
    }
    return false;
}

bool dwqi_add_broker(struct work *work, int first_seat, int host, int low,
                     int high)
{
    struct broker_place place = {
        .first_seat = first_seat, .host = host, .low = low, .high = high
    };

    if (!dwqi_work_is_split(work) && !dwqi_work_has_brokers(work)) {
        return seat_broker(work, -1, &place);
    }
    /* A rank that is bound elsewhere is left for a group there. */
    place.inside = work->request.broker == DWQI_BROKER_BESIDE &&
                   has_free_core(work, host, low, high);
    if (place.inside && seat_rank_of(work, &place)) {
        return true;
    }
    place.inside = false;
    if (seat_rank_of(work, &place)) {
        return true;
    }
    return work->any_broker && seat_any(work, &place);
}

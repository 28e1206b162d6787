/* Which rank gets which cores. A group's ranks and the free cores of one part of
 * a host are matched; a rank that is bound to few cores can push one that is
 * bound to more to another core (augmenting paths). */
#include <limits.h>
#include <string.h>

#include "libdwq/base/memory.h"
#include "topology/placer_private.h"

#define MAX_DEPTH 1000 /* of a search: bounds the stack */

int dwqi_next_rank(const struct work *work, int host, int *at)
{
    const struct work_host *h = &work->hosts[host];

    while (*at < h->n_ranks) {
        int rank = work->ranks[h->first_rank + (*at)++];

        if (!work->rank_used[rank]) {
            return rank;
        }
    }
    return -1;
}

bool dwqi_has_thread(const struct work *work, int host, int rank, int position,
                     int n_more)
{
    const struct work_host *h = &work->hosts[host];
    const struct dwqi_machine *machine = h->tree->machine;
    const struct dwqi_core *core = &machine->cores[h->tree->order[position]];
    int left = core->n_pus - work->core_lent[h->first_core + position] - n_more;

    for (int i = 0; i < left; i++) {
        if (dwqi_cluster_allows(work->cluster, rank,
                                machine->pus[core->first_pu + i])) {
            return true;
        }
    }
    return false;
}

static bool is_open(const struct work *work, int member, int position)
{
    const struct attempt *a = &work->attempt;
    const struct mask *mask = a->masks[member];
    int core = work->hosts[a->host].first_core + position;

    if (work->core_used[core] || a->closed[position - a->low] ||
        (mask->allowed && !mask->allowed[position])) {
        return false;
    }
    return work->core_lent[core] == 0 ||
           dwqi_has_thread(work, a->host, a->ranks[member], position, 0);
}

static int clip_low(const struct attempt *a, int member)
{
    int low = a->masks[member]->low;

    return low > a->low ? low : a->low;
}

static int clip_high(const struct attempt *a, int member)
{
    int high = a->masks[member]->high;

    return high < a->high ? high : a->high;
}

/* A core for this slot, moving others if need be. */
static bool search(struct work *work, int slot, int depth)
{
    struct attempt *a = &work->attempt;
    int member = slot / work->request.threads;
    int high = clip_high(a, member);

    if (depth > MAX_DEPTH) {
        return false;
    }
    for (int p = clip_low(a, member); p < high; p++) {
        int *slot_at = &a->slot_at[p - a->low];
        int *seen = &a->seen[p - a->low];

        if (*seen == a->round || !is_open(work, member, p)) {
            continue;
        }
        *seen = a->round;
        if (*slot_at < 0 || search(work, *slot_at, depth + 1)) {
            *slot_at = slot;
            return true;
        }
    }
    return false;
}

static bool take_first_free(struct work *work, int slot)
{
    struct attempt *a = &work->attempt;
    int member = slot / work->request.threads;
    bool all = !a->masks[member]->allowed;
    int p = all ? a->next_free : clip_low(a, member);
    int high = clip_high(a, member);

    while (p < high &&
           (a->slot_at[p - a->low] >= 0 || !is_open(work, member, p))) {
        p++;
    }
    if (all) {
        a->next_free = p < high ? p + 1 : p;
    }
    if (p >= high) {
        return false;
    }
    a->slot_at[p - a->low] = slot;
    return true;
}

static bool add_slot(struct work *work, int slot)
{
    struct attempt *a = &work->attempt;

    if (take_first_free(work, slot)) {
        return true;
    }
    if (!a->masks[slot / work->request.threads]->allowed) {
        return false; /* every open core is taken */
    }
    a->round++;
    return search(work, slot, 0);
}

static bool add_member(struct work *work, int rank, const struct mask *mask)
{
    struct attempt *a = &work->attempt;
    int first = a->n_members * work->request.threads;

    a->ranks[a->n_members] = rank;
    a->masks[a->n_members] = mask;
    for (int i = 0; i < work->request.threads; i++) {
        if (!add_slot(work, first + i)) {
            for (int p = a->low; p < a->high; p++) {
                if (a->slot_at[p - a->low] >= first) {
                    a->slot_at[p - a->low] = -1;
                }
            }
            a->next_free = a->low;
            return false;
        }
    }
    a->n_members++;
    return true;
}

/* Ranks that are there, the tightest bound first. */
static void try_ranks(struct work *work, int host, int width)
{
    struct attempt *a = &work->attempt;
    int at = work->hosts[host].next_rank;

    while (a->n_members < width) {
        int rank = dwqi_next_rank(work, host, &at);
        const struct mask *mask =
            rank < 0 ? NULL : dwqi_work_mask(work, host, rank);

        if (!mask || (mask->low >= a->high && mask->n_cores > 0)) {
            if (!mask) {
                break;
            }
            continue;
        }
        if (mask->high > a->low && !add_member(work, rank, mask) &&
            !mask->allowed) {
            break;
        }
    }
}

/* Members on what is open of the interval. */
static int match(struct work *work, int width)
{
    struct attempt *a = &work->attempt;

    a->next_free = a->low;
    a->n_members = 0;
    a->round = 0;
    memset(a->slot_at, -1, (size_t)(a->high - a->low) * sizeof *a->slot_at);
    memset(a->seen, 0, (size_t)(a->high - a->low) * sizeof *a->seen);
    if (dwqi_work_is_split(work)) {
        try_ranks(work, a->host, width);
        return a->n_members;
    }
    if (!dwqi_work_has_extra(work) && dwqi_work_has_brokers(work) &&
        work->plan.n_seats == a->first_seat) {
        try_ranks(work, a->host, width < 1 ? width : 1);
        if (a->n_members == 0) {
            return 0;
        }
    }
    while (a->n_members < width) {
        const struct mask *all = dwqi_work_mask(work, a->host, -1);

        if (!all || !add_member(work, -1, all)) {
            break;
        }
    }
    return a->n_members;
}

int dwqi_try(struct work *work, int host, int low, int high, int width)
{
    const struct level *inner = &work->hosts[host].tree->levels[0];
    struct attempt *a = &work->attempt;
    int threads = work->request.threads, n_free = 0;

    a->host = host;
    a->low = low;
    a->high = high;
    for (int p = low; p < high; p++) {
        n_free += !work->core_used[work->hosts[host].first_core + p];
    }
    width = width < n_free / threads ? width : n_free / threads;
    a->narrowed = false;
    if (!a->whole && width * threads < n_free &&
        inner->first[inner->node_of[low] + 1] < high) {
        dwqi_narrow(work, width * threads);
        a->narrowed = match(work, width) == width;
        memset(a->closed, 0, (size_t)(high - low));
        work->narrowed_bound |= a->narrowed && !dwqi_work_is_plain(work, host);
    }
    return a->narrowed ? width : match(work, width);
}

/* --- Taking and giving back --------------------------------------------- */

static bool make_room(struct work *work)
{
    struct dwqi_placement *plan = &work->plan;
    int room = work->seat_room;

    work->no_memory =
        work->no_memory ||
        !dwqi_memory_grow(&plan->seats, &room, plan->n_seats + 1,
                          sizeof *plan->seats) ||
        !dwqi_memory_grow(&work->thread_of_seat, &work->seat_room,
                          plan->n_seats + 1, sizeof *work->thread_of_seat);
    return !work->no_memory;
}

static void mark_core(struct work *work, int host, int position, int used)
{
    struct work_host *h = &work->hosts[host];
    int change = used ? -1 : 1;

    work->core_used[h->first_core + position] = (unsigned char)used;
    h->n_free += change;
    for (int l = 0; l < h->tree->n_levels; l++) {
        const struct level *level = &h->tree->levels[l];

        work->node_free[h->first_node + level->base +
                        level->node_of[position]] += change;
    }
}

bool dwqi_pool_core(struct work *work, int position)
{
    struct dwqi_placement *plan = &work->plan;

    if (work->no_memory ||
        !dwqi_memory_grow(&plan->cores, &work->core_room, plan->n_cores + 1,
                          sizeof *plan->cores)) {
        work->no_memory = true;
        return false;
    }
    plan->cores[plan->n_cores++] = position;
    plan->seats[plan->n_seats - 1].n_cores++;
    return true;
}

static void add_core(struct work *work, int host, int position)
{
    if (dwqi_pool_core(work, position)) {
        mark_core(work, host, position, 1);
    }
}

static void use_rank(struct work *work, int rank)
{
    struct work_host *h = &work->hosts[work->cluster->ranks[rank].host];

    work->rank_used[rank] = 1;
    h->n_unused--;
    while (h->next_rank < h->n_ranks &&
           work->rank_used[work->ranks[h->first_rank + h->next_rank]]) {
        h->next_rank++;
    }
}

void dwqi_add_seat(struct work *work, int rank, int host, int position)
{
    struct dwqi_placement *plan = &work->plan;

    if (!make_room(work)) {
        return;
    }
    work->thread_of_seat[plan->n_seats] = -1;
    plan->seats[plan->n_seats++] = (struct dwqi_seat){
        .rank = rank, .host = host, .first_core = plan->n_cores
    };
    if (rank >= 0 && rank < work->cluster->n_ranks &&
        rank != work->request.controller) {
        use_rank(work, rank);
    }
    if (position >= 0) {
        add_core(work, host, position);
    }
}

void dwqi_settle_seat(struct work *work, int number, int position, bool own,
                      int thread)
{
    struct dwqi_placement *plan = &work->plan;
    struct dwqi_seat *seat = &plan->seats[number];

    if (!dwqi_pool_core(work, position)) {
        return;
    }
    plan->seats[plan->n_seats - 1].n_cores--; /* of the last seat */
    seat->first_core = plan->n_cores - 1;
    seat->n_cores = 1;
    work->thread_of_seat[number] = thread;
    if (own) {
        mark_core(work, seat->host, position, 1);
    }
}

static void give_back(struct work *work, int number)
{
    const struct dwqi_seat *seat = &work->plan.seats[number];
    struct work_host *h = &work->hosts[seat->host];

    for (int i = 0; i < seat->n_cores; i++) {
        int position = work->plan.cores[seat->first_core + i];

        if (work->thread_of_seat[number] >= 0) {
            work->core_lent[h->first_core + position]--;
        } else {
            mark_core(work, seat->host, position, 0);
        }
    }
    if (seat->rank >= 0) {
        h = &work->hosts[work->cluster->ranks[seat->rank].host];
        work->rank_used[seat->rank] = 0;
        h->n_unused++;
        h->next_rank = 0;
    }
}

void dwqi_undo(struct work *work, int first_seat)
{
    struct dwqi_placement *plan = &work->plan;

    while (plan->n_seats > first_seat) {
        give_back(work, plan->n_seats - 1);
        plan->n_seats--;
        plan->n_cores = plan->seats[plan->n_seats].first_core;
    }
}

/* Members in the order of their ranks; those to be spawned come last. */
static void sort_members(struct attempt *a, int *order)
{
    for (int i = 0; i < a->n_members; i++) {
        int at = i;

        while (at > 0 && a->ranks[i] >= 0 &&
               a->ranks[order[at - 1]] > a->ranks[i]) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
}

void dwqi_commit(struct work *work)
{
    struct attempt *a = &work->attempt;
    int threads = work->request.threads;
    int *filled = a->seen; /* by member: slots whose core is known */

    /* A member's cores come in ascending order. */
    memset(filled, 0, (size_t)a->n_members * sizeof *filled);
    for (int p = a->low; p < a->high; p++) {
        int slot = a->slot_at[p - a->low];

        if (slot >= 0) {
            int member = slot / threads;

            a->core_of[member * threads + filled[member]++] = p;
        }
    }
    sort_members(a, filled);
    for (int i = 0; i < a->n_members && !work->no_memory; i++) {
        int member = filled[i];

        dwqi_add_seat(work, a->ranks[member], a->host,
                      a->core_of[member * threads]);
        for (int k = 1; k < threads && !work->no_memory; k++) {
            add_core(work, a->host, a->core_of[member * threads + k]);
        }
    }
}

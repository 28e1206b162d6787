/* Where one more process may sit: a core that no group misses, or a hardware
 * thread of a core that has several. */
#include <limits.h>
#include <string.h>

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

/* Of groups that straddle parts: a core of a small one is missed least. */
static int count_around(const struct work *work, const struct work_host *h,
                        const struct level *home, int position)
{
    int count = 0;

    for (const struct level *l = h->tree->levels; l < home; l++) {
        count +=
            work->node_free[h->first_node + l->base + l->node_of[position]];
    }
    return count;
}

int dwqi_spare_core(const struct work *work, int host, const struct mask *mask,
                    int low, int high)
{
    const struct work_host *h = &work->hosts[host];
    long long unit = (long long)h->width * work->request.threads;
    const struct level *home = home_level(h->tree, unit);
    bool wide = unit > h->tree->levels[0].first[1];
    int best = -1, best_cost = INT_MAX, least = INT_MAX;

    for (int p = mask->low; p < mask->high && (wide || best_cost > 0); p++) {
        int cost, around;

        if (work->core_used[h->first_core + p] ||
            (mask->allowed && !mask->allowed[p])) {
            continue;
        }
        cost = 4 * costs_group(work, h, home, p, unit) +
               2 * (p < low || p >= high) +
               costs_group(work, h, &h->tree->levels[0], p, unit);
        around = wide ? count_around(work, h, home, p) : 0;
        if (cost < best_cost || (cost == best_cost && around < least)) {
            best = p;
            best_cost = cost;
            least = around;
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

    return core->n_pus - lent >= 2 &&
           dwqi_cluster_allows(
               work->cluster, rank,
               machine->pus[core->first_pu + core->n_pus - 1 - lent]);
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

            if (dwqi_has_thread(work, host, seat.rank, position, 1) &&
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

/* --- The controller that shares ------------------------------------------ */

/* The first core that it may use and that nobody has. */
static int first_free(const struct work *work, const struct mask *mask)
{
    const struct work_host *h = &work->hosts[work->plan.controller.host];

    for (int p = mask->low; p < mask->high; p++) {
        if (!work->core_used[h->first_core + p] &&
            (!mask->allowed || mask->allowed[p])) {
            return p;
        }
    }
    return -1;
}

/* A core that it may use of somebody on its host. with_thread: that can do without
 * one of its threads. */
static int shared_core(const struct work *work, const struct mask *mask,
                       int first_seat, int n_seats, bool with_thread)
{
    const struct dwqi_placement *plan = &work->plan;
    int home = plan->controller.host, rank = work->request.controller;

    for (int s = first_seat; s < first_seat + n_seats; s++) {
        const struct dwqi_seat *seat = &plan->seats[s];

        for (int i = 0; i < seat->n_cores && seat->host == home; i++) {
            int p = plan->cores[seat->first_core + i];

            if ((!mask->allowed || mask->allowed[p]) &&
                (!with_thread ||
                 (may_lend(work, rank, home, p) &&
                  dwqi_has_thread(work, home, seat->rank, p, 1)))) {
                return p;
            }
        }
    }
    return -1;
}

/* A broker beside its group is seldom at work. */
static int brokers_core(const struct work *work, const struct mask *mask)
{
    const struct dwqi_placement *plan = &work->plan;
    int position = -1;

    for (int g = 0; g < plan->n_groups && position < 0 &&
                    work->request.broker == DWQI_BROKER_BESIDE;
         g++) {
        position = shared_core(
            work, mask, plan->groups[g].first_seat + plan->groups[g].width, 1,
            false);
    }
    return position;
}

void dwqi_settle_controller(struct work *work)
{
    int home = work->plan.controller.host, n = work->plan.n_seats - 1;
    const struct work_host *h = &work->hosts[home];
    const struct mask *mask =
        dwqi_work_mask(work, home, work->request.controller);
    int position = mask ? first_free(work, mask) : -1, thread = -1;
    bool own = position >= 0;

    if (!mask || h->oversubscribed || work->plan.seats[0].n_cores > 0) {
        return;
    }
    if (position < 0 && (position = shared_core(work, mask, 1, n, true)) >= 0) {
        thread = h->tree->machine->cores[h->tree->order[position]].n_pus - 1 -
                 work->core_lent[h->first_core + position]++;
    }
    if (position < 0) {
        position = brokers_core(work, mask);
        position =
            position >= 0 ? position : shared_core(work, mask, 1, n, false);
    }
    if (position >= 0) {
        work->plan.controller_shares = !own && thread < 0;
        dwqi_settle_seat(work, 0, position, own, thread);
    }
}

/* --- Brokers ---------------------------------------------------------------- */

/* Where the broker of the group in an interval may sit. */
struct broker_place {
    int first_seat; /* of the group's members */
    int host, low, high;
    bool inside; /* on no core but the interval's */
};

/* rank -1: made up */
static bool seat_broker(struct work *work, int rank, int home,
                        const struct broker_place *place)
{
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

/* One of that host's ranks; or one that is made up. */
static bool seat_one_of(struct work *work, int host,
                        const struct broker_place *place)
{
    bool near = host == place->host;
    int at = work->hosts[host].next_rank;

    if (!dwqi_work_is_split(work) && !dwqi_work_has_brokers(work)) {
        return seat_broker(work, -1, host, place);
    }
    for (int rank; (rank = dwqi_next_rank(work, host, &at)) >= 0;) {
        if (near ? seat_broker(work, rank, host, place)
                 : !work->rank_stuck[rank] &&
                       seat_broker(work, rank, host, place)) {
            return true;
        }
        work->rank_stuck[rank] |= !near;
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

/* --- On another host ---------------------------------------------------- */

/* Whether a host that has a broker more holds a group less. */
static bool is_dear(const struct work *work, int host)
{
    const struct work_host *h = &work->hosts[host];
    long long unit = (long long)h->width * work->request.threads;
    const struct level *level = &h->tree->levels[h->most_level];
    bool split = dwqi_work_is_split(work), has_spare = false;
    long long n_groups = 0, less;

    if (h->oversubscribed || h->class_ < 0 || unit < 1) {
        return false;
    }
    for (int k = 0; k < level->n_nodes; k++) {
        int n = work->node_free[h->first_node + level->base + k];

        n_groups += n / unit;
        has_spare = has_spare || n % unit > 0;
    }
    less =
        n_groups - (work->request.broker == DWQI_BROKER_BESIDE && !has_spare);
    if (split && n_groups > h->n_unused / h->width) {
        n_groups = h->n_unused / h->width;
    }
    if (split && less > (h->n_unused - 1) / h->width) {
        less = (h->n_unused - 1) / h->width;
    }
    return less < n_groups;
}

static bool may_have_broker(const struct work *work, int host)
{
    const struct work_host *h = &work->hosts[host];
    bool made_up = !dwqi_work_is_split(work) && !dwqi_work_has_brokers(work);

    return !h->no_broker && (made_up || h->n_unused > 0) &&
           (h->oversubscribed || h->n_free > 0 ||
            work->request.broker == DWQI_BROKER_THREAD);
}

/* First where it costs no group; where one was taken at a cost the next ones are
 * free. -1: none. */
static int find_broker_host(struct work *work, int not_here, bool cheap)
{
    struct broker_hosts *at = &work->broker_hosts;
    int n_hosts = work->cluster->n_hosts;

    if (at->last >= 0 && at->last != not_here &&
        may_have_broker(work, at->last) && !is_dear(work, at->last)) {
        return at->last;
    }
    if (at->given_back >= 0 && at->given_back != not_here &&
        may_have_broker(work, at->given_back) &&
        !(cheap && is_dear(work, at->given_back))) {
        return at->given_back;
    }
    for (int h = at->cheap; h < n_hosts; h++) {
        bool fits = may_have_broker(work, h) && !is_dear(work, h);

        if (fits && h != not_here) {
            return h;
        }
        at->cheap += h == at->cheap && !fits;
    }
    for (int h = at->dear; h >= 0 && !cheap; h--) {
        bool fits = may_have_broker(work, h);

        if (fits && h != not_here) {
            return h;
        }
        at->dear -= h == at->dear && !fits;
    }
    return -1;
}

static bool seat_elsewhere(struct work *work, const struct broker_place *place,
                           bool cheap)
{
    int host;

    while (!work->no_memory &&
           (host = find_broker_host(work, place->host, cheap)) >= 0) {
        if (seat_one_of(work, host, place)) {
            work->broker_hosts.last = host;
            return true;
        }
        work->hosts[host].no_broker = true; /* nor has it one later */
    }
    return false;
}

void dwqi_give_back(struct work *work, int first_seat, int host)
{
    int *given_back = &work->broker_hosts.given_back;

    dwqi_undo(work, first_seat);
    if (*given_back < 0 || !may_have_broker(work, *given_back)) {
        *given_back = host;
    }
}

void dwqi_reset_brokers(struct work *work)
{
    work->broker_hosts = (struct broker_hosts){
        .last = -1, .given_back = -1, .dear = work->cluster->n_hosts - 1
    };
    for (int i = 0; i < work->cluster->n_hosts; i++) {
        work->hosts[i].no_broker = false;
    }
    if (work->cluster->n_ranks > 0) {
        memset(work->rank_stuck, 0, (size_t)work->cluster->n_ranks);
    }
}

static bool seat_at_home(struct work *work, struct broker_place *place)
{
    bool made_up = !dwqi_work_is_split(work) && !dwqi_work_has_brokers(work);

    /* A rank that is bound elsewhere is left for a group there. */
    place->inside = work->request.broker == DWQI_BROKER_BESIDE && !made_up &&
                    has_free_core(work, place->host, place->low, place->high);
    if (place->inside && seat_one_of(work, place->host, place)) {
        return true;
    }
    place->inside = false;
    return seat_one_of(work, place->host, place);
}

bool dwqi_add_broker(struct work *work, int first_seat, int host, int low,
                     int high)
{
    struct broker_place place = {
        .first_seat = first_seat, .host = host, .low = low, .high = high
    };

    if (work->brokers_roam && is_dear(work, host) &&
        seat_elsewhere(work, &place, true)) {
        return true;
    }
    if (seat_at_home(work, &place)) {
        if (work->brokers_roam) {
            work->broker_hosts.last = host; /* what is left there is spare */
        }
        return true;
    }
    return work->any_broker && seat_elsewhere(work, &place, false);
}

#include <limits.h>
#include <string.h>

#include "libdwq/base/memory.h"
#include "topology/placer_private.h"

/* The seats from first_seat on are one group; its extra broker is the last. */
static void add_group(struct work *work, int first_seat, bool oversubscribed)
{
    struct dwqi_placement *plan = &work->plan;
    int extra = dwqi_work_has_extra(work);
    int width = plan->n_seats - first_seat - extra;

    if (!dwqi_memory_grow(&plan->groups, &work->group_room, plan->n_groups + 1,
                          sizeof *plan->groups)) {
        work->no_memory = true;
        return;
    }
    plan->groups[plan->n_groups++] = (struct dwqi_placed_group){
        .first_seat = first_seat,
        .width = width,
        .broker = plan->seats[first_seat + (extra ? width : 0)],
        .oversubscribed = oversubscribed,
    };
}

static bool try_group(struct work *work, int host, int low, int high, int width,
                      int least)
{
    int first_seat = work->plan.n_seats;

    work->attempt.first_seat = first_seat;
    if (dwqi_try(work, host, low, high, width) < least || work->no_memory) {
        return false;
    }
    dwqi_commit(work);
    if (dwqi_work_has_extra(work) &&
        !dwqi_add_broker(work, first_seat, host, low, high)) {
        dwqi_give_back(work, first_seat, host);
        return false;
    }
    add_group(work, first_seat, false);
    return !work->no_memory;
}

/* With its members in as few parts as can be, its broker may find no place. */
bool dwqi_place_group(struct work *work, int host, int low, int high, int width,
                      int least)
{
    bool placed = try_group(work, host, low, high, width, least);

    if (!placed && work->attempt.narrowed && !work->no_memory) {
        work->attempt.whole = true;
        placed = try_group(work, host, low, high, width, least);
        work->attempt.whole = false;
    }
    return placed;
}

/* The next `count` ranks of a host without cores. */
static int take_unbound(struct work *work, int host, int count)
{
    int at = work->hosts[host].next_rank, taken = 0;

    for (int rank; taken < count && !work->no_memory &&
                   (rank = dwqi_next_rank(work, host, &at)) >= 0;
         taken++) {
        dwqi_add_seat(work, rank, host, -1);
    }
    return taken;
}

static void move_to_end(struct work *work, int number)
{
    struct dwqi_placement *plan = &work->plan;
    int n_behind = plan->n_seats - number - 1;
    struct dwqi_seat seat = plan->seats[number];
    int thread = work->thread_of_seat[number];

    memmove(plan->seats + number, plan->seats + number + 1,
            (size_t)n_behind * sizeof seat);
    memmove(work->thread_of_seat + number, work->thread_of_seat + number + 1,
            (size_t)n_behind * sizeof thread);
    plan->seats[plan->n_seats - 1] = seat;
    work->thread_of_seat[plan->n_seats - 1] = thread;
}

bool dwqi_place_unbound(struct work *work, int host, int width)
{
    bool extra = dwqi_work_has_extra(work), split = dwqi_work_is_split(work);
    int first_seat = work->plan.n_seats;
    int n_there = split ? width + extra : 1;

    if (width < 1 || work->hosts[host].n_unused < n_there) {
        return false;
    }
    take_unbound(work, host, n_there);
    for (int i = 0; !split && i < width + extra - 1 && !work->no_memory; i++) {
        dwqi_add_seat(work, -1, host, -1);
    }
    if (work->no_memory) {
        return false;
    }
    if (extra) {
        move_to_end(work, first_seat);
    }
    add_group(work, first_seat, true);
    return !work->no_memory;
}

/* --- Over several hosts ------------------------------------------------- */

/* Members that a host could have. One with more ranks than cores binds none. */
static int count_room(struct work *work, int host)
{
    const struct work_host *h = &work->hosts[host];
    bool split = dwqi_work_is_split(work);
    int n = h->n_free / work->request.threads;
    bool keeps = work->keep_broker && (h->oversubscribed || h->tree->has_spare);
    int n_ranks = h->n_unused - (keeps && h->n_unused > 0);

    if (h->oversubscribed) {
        return split ? n_ranks : 0;
    }
    n = split && n_ranks < n ? n_ranks : n;
    return n <= 0 || !split || dwqi_work_is_plain(work, host)
               ? n
               : dwqi_try(work, host, 0, h->tree->machine->n_cores, n);
}

static void count_rooms(struct work *work)
{
    work->attempt.first_seat = work->plan.n_seats;
    for (int i = 0; i < work->cluster->n_hosts; i++) {
        work->room[i] = count_room(work, i);
    }
}

/* The host with the least room for all that is left; else the one with the most.
 * Oversubscribed ones come last where the others have enough; of equals, those that
 * brokers do not need come first. */
static bool is_roomier(const struct work *work, int a, int b, int left)
{
    const struct work_host *x = &work->hosts[a], *y = &work->hosts[b];
    bool fits = work->room[a] >= left;

    if (work->unbound_last && x->oversubscribed != y->oversubscribed) {
        return y->oversubscribed;
    }
    if (work->room[a] == work->room[b]) {
        return x->n_unused == 0 && y->n_unused > 0;
    }
    return fits ? work->room[b] < left || work->room[a] < work->room[b]
                : work->room[a] > work->room[b];
}

/* -1: none has any. */
static int next_host(const struct work *work, int left, bool for_broker)
{
    bool tell_equals = work->unbound_last || dwqi_work_has_brokers(work);
    const int *room = work->room;
    int best = -1;

    for (int i = 0; i < work->cluster->n_hosts; i++) {
        if (room[i] > 0 && (tell_equals || best < 0 || room[i] != room[best]) &&
            (!for_broker || work->hosts[i].n_unused > 0) &&
            (best < 0 || is_roomier(work, i, best, left))) {
            best = i;
        }
    }
    return best;
}

/* What this host has for the group: up to `count` members. */
static int take_some(struct work *work, int host, int count)
{
    if (work->hosts[host].oversubscribed) {
        return take_unbound(work, host, count);
    }
    count = dwqi_try(work, host, 0, work->hosts[host].tree->machine->n_cores,
                     count);
    dwqi_commit(work);
    return count;
}

/* On a spare thread of one of its hosts, or of another one. */
static bool add_broker_anywhere(struct work *work, int first_seat)
{
    int last = -1, n_seats = work->plan.n_seats;
    bool any = work->any_broker, found = false;

    work->any_broker = false;
    for (int s = first_seat; s < n_seats && !found; s++) {
        int host = work->plan.seats[s].host;

        found = host != last && dwqi_add_broker(work, first_seat, host, 0, 0);
        last = host;
    }
    work->any_broker = any;
    return found || dwqi_add_broker(work, first_seat, last, 0, 0);
}

/* Whether it can do without hosts where nothing is bound. */
static bool has_bound_room(const struct work *work)
{
    int left = work->request.size.n;

    for (int i = 0; i < work->cluster->n_hosts && left > 0; i++) {
        left -= work->hosts[i].oversubscribed ? 0 : work->room[i];
    }
    return left <= 0;
}

/* Picks hosts for the members; -room is then what each is to have. That of a broker
 * that is a member stays the first. false: there is not enough room. */
static bool pick_hosts(struct work *work, int first)
{
    int left = work->request.size.n;
    bool fixed = first >= 0;

    work->unbound_last =
        work->plan.n_oversubscribed > 0 && has_bound_room(work);
    for (int host = first; left > 0; host = -1) {
        int taken, at = work->n_picked;

        host = host < 0 ? next_host(work, left, false) : host;
        if (host < 0) {
            return false;
        }
        for (; at > fixed && work->picked[at - 1] > host; at--) {
            work->picked[at] = work->picked[at - 1];
        }
        work->picked[at] = host;
        work->n_picked++;
        taken = work->room[host] < left ? work->room[host] : left;
        work->room[host] = -taken;
        left -= taken;
    }
    return true;
}

static bool is_unbound(const struct work *work, int first_member)
{
    const struct dwqi_seat *seats = work->plan.seats + first_member;

    for (int i = 0; i < work->request.size.n; i++) {
        if (work->hosts[seats[i].host].oversubscribed) {
            return true;
        }
    }
    return false;
}

static bool take_members(struct work *work, int first, bool *enough_out)
{
    int n_missing = 0;

    *enough_out = pick_hosts(work, first);
    for (int i = 0; i < work->n_picked && *enough_out; i++) {
        int host = work->picked[i], n = -work->room[host];

        n_missing += n - take_some(work, host, n);
        work->room[host] = count_room(work, host);
    }
    return *enough_out && n_missing == 0 && !work->no_memory;
}

/* Where a broker takes least: no member's place, or one of a host with few of
 * them. -1: nowhere. */
static int broker_host(const struct work *work)
{
    bool split = dwqi_work_is_split(work);
    bool made_up = !split && !dwqi_work_has_brokers(work);
    long long least = LLONG_MAX;
    int best = -1;

    for (int i = 0; i < work->cluster->n_hosts; i++) {
        const struct work_host *h = &work->hosts[i];
        int after = (h->n_free - 1) / work->request.threads;
        long long cost = work->room[i];

        if ((h->n_free == 0 && !h->oversubscribed) ||
            (!made_up && h->n_unused == 0)) {
            continue;
        }
        after = split && h->n_unused - 1 < after ? h->n_unused - 1 : after;
        cost += after < work->room[i] ? INT_MAX : 0;
        cost += h->oversubscribed ? 2LL * INT_MAX : 0;
        if (cost < least) {
            least = cost;
            best = i;
        }
    }
    return best;
}

static void undo_across(struct work *work, int first_seat)
{
    int n_seats = work->plan.n_seats;
    int host = n_seats > first_seat ? work->plan.seats[first_seat].host : -1;

    dwqi_undo(work, first_seat);
    for (int i = 0; i < work->n_picked; i++) {
        work->room[work->picked[i]] = count_room(work, work->picked[i]);
    }
    if (host >= 0) { /* a broker's */
        work->room[host] = count_room(work, host);
    }
}

/* from: the host of the group's broker, or else of its first members; -1: any. The
 * broker has its core before the members take the rest. *enough_out: false when
 * all hosts have too little. */
static bool place_one_across(struct work *work, int from, bool *enough_out)
{
    enum dwqi_broker_place broker = work->request.broker;
    bool beside = broker == DWQI_BROKER_BESIDE, placed;
    int first_seat = work->plan.n_seats, first = beside ? -1 : from;

    work->attempt.first_seat = first_seat;
    work->n_picked = 0;
    if (beside) {
        from = from < 0 ? broker_host(work) : from;
        if (from < 0 || !dwqi_add_broker(work, first_seat, from, 0, 0)) {
            return false;
        }
        from = work->plan.seats[first_seat].host;
        work->room[from] = count_room(work, from);
    } else if (broker == DWQI_BROKER_INSIDE && dwqi_work_has_brokers(work) &&
               from < 0) {
        work->unbound_last = false;
        first = next_host(work, work->request.size.n, true);
        if (first < 0) {
            *enough_out = false;
            return false;
        }
    }
    placed =
        take_members(work, first, enough_out) &&
        (broker != DWQI_BROKER_THREAD || add_broker_anywhere(work, first_seat));
    if (!placed) {
        undo_across(work, first_seat);
        return false;
    }
    if (beside) {
        move_to_end(work, first_seat);
    }
    add_group(work, first_seat, is_unbound(work, first_seat));
    return !work->no_memory;
}

static void place_from(struct work *work, int from, bool *enough_out)
{
    bool beside = work->request.broker == DWQI_BROKER_BESIDE;

    while ((from < 0 || work->room[from] > 0 || beside) &&
           work->plan.n_groups < work->limit && !work->no_memory &&
           place_one_across(work, from, enough_out)) {
    }
}

/* The best hosts first; then, when a broker finds no place, each in turn. Brokers
 * on threads need a rank of a host that has spare ones. */
void dwqi_place_across(struct work *work)
{
    bool enough = true;

    work->keep_broker =
        dwqi_work_is_split(work) && work->request.broker == DWQI_BROKER_THREAD;
    count_rooms(work);
    if (work->keep_broker) {
        place_from(work, -1, &enough);
        work->keep_broker = false;
        count_rooms(work);
        enough = true;
    }
    for (int from = -1; from < work->cluster->n_hosts && enough; from++) {
        place_from(work, from, &enough);
    }
}

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "topology/placer_private.h"

void dwqi_add_group(struct work *work, int first_seat, bool oversubscribed)
{
    struct dwqi_placement *plan = &work->plan;
    struct dwqi_placed_group *groups = plan->groups;
    int extra = dwqi_work_has_extra(work);
    int width = plan->n_seats - first_seat - extra;

    if (plan->n_groups == work->group_room) {
        int room = work->group_room ? work->group_room * 2 : 64;

        groups = room > INT_MAX / 2
                     ? NULL
                     : realloc(groups, (size_t)room * sizeof *groups);
        if (!groups) {
            work->no_memory = true;
            return;
        }
        plan->groups = groups;
        work->group_room = room;
    }
    groups[plan->n_groups++] = (struct dwqi_placed_group){
        .first_seat = first_seat,
        .width = width,
        .broker = plan->seats[first_seat + (extra ? width : 0)],
        .oversubscribed = oversubscribed,
    };
}

bool dwqi_place_group(struct work *work, int host, int low, int high, int width,
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
    dwqi_add_group(work, first_seat, false);
    return !work->no_memory;
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
    dwqi_add_group(work, first_seat, true);
    return !work->no_memory;
}

/* --- Over several hosts ------------------------------------------------- */

static bool is_exhausted(const struct work *work, int host)
{
    const struct work_host *h = &work->hosts[host];
    bool no_ranks = dwqi_work_is_split(work) && h->n_unused == 0;

    return no_ranks || (h->oversubscribed ? !dwqi_work_is_split(work)
                                          : h->n_free < work->request.threads);
}

/* What this host has for the group: up to `count` members. */
static int take_some(struct work *work, int host, int count)
{
    int n_cores = work->hosts[host].tree->machine->n_cores;

    if (is_exhausted(work, host)) {
        return 0;
    }
    if (work->hosts[host].oversubscribed) {
        return take_unbound(work, host, count);
    }
    count = dwqi_try(work, host, 0, n_cores, count);
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

/* Members from `from` on, then from the hosts before it. Returns how many are
 * missing. */
static int take_members(struct work *work, int from, int first_host,
                        bool *unbound_out)
{
    int first_seat = work->plan.n_seats, left = work->request.size.n;
    int n_hosts = work->cluster->n_hosts;

    for (int i = 0; i < n_hosts && left > 0 && !work->no_memory; i++) {
        int host = from + i, taken;

        if (host >= n_hosts) {
            host += first_host - n_hosts;
            if (host >= from) {
                break;
            }
        }
        taken = take_some(work, host, left);
        if (taken == 0 && work->plan.n_seats == first_seat &&
            !dwqi_work_has_extra(work)) {
            break; /* its broker is to be on `from` */
        }
        *unbound_out =
            *unbound_out || (taken > 0 && work->hosts[host].oversubscribed);
        left -= taken;
    }
    return left;
}

/* The broker has a core of the first host, or of any; it is there before the
 * members take the rest. No host before first_host has anything left.
 * *enough_out: false when all hosts have too little. */
static bool place_one_across(struct work *work, int from, int first_host,
                             bool *enough_out)
{
    struct dwqi_placement *plan = &work->plan;
    bool beside = work->request.broker == DWQI_BROKER_BESIDE;
    bool unbound = false;
    int first_seat = plan->n_seats, left;

    *enough_out = true;
    work->attempt.first_seat = first_seat;
    if (beside && !dwqi_add_broker(work, first_seat, from, 0, 0)) {
        return false;
    }
    left = take_members(work, from, first_host, &unbound);
    *enough_out = left == 0 || plan->n_seats == first_seat;
    if (left > 0 || work->no_memory ||
        (work->request.broker == DWQI_BROKER_THREAD &&
         !add_broker_anywhere(work, first_seat))) {
        dwqi_undo(work, first_seat);
        return false;
    }
    if (beside) {
        move_to_end(work, first_seat);
    }
    dwqi_add_group(work, first_seat, unbound);
    return !work->no_memory;
}

void dwqi_place_across(struct work *work)
{
    bool enough = true;
    int host = 0, first_host = 0;

    while (host < work->cluster->n_hosts && enough && !work->no_memory &&
           work->plan.n_groups < work->limit) {
        while (first_host < host && is_exhausted(work, first_host)) {
            first_host++;
        }
        if (is_exhausted(work, host) ||
            !place_one_across(work, host, first_host, &enough)) {
            host++;
        }
    }
}

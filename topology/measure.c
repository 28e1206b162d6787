/* What a host can hold: whether it is oversubscribed, how wide its groups are,
 * and the widest part that one may use. */
#include <limits.h>
#include <stdlib.h>

#include "topology/placer_private.h"

#define CLASS_UNBOUND 3 /* behind NUMA node, package, host */

struct tightness {
    int n_cores; /* all: one more than there are */
    int rank;
};

static int compare_tightness(const void *a, const void *b)
{
    const struct tightness *x = a, *y = b;

    if (x->n_cores != y->n_cores) {
        return x->n_cores < y->n_cores ? -1 : 1;
    }
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* The tightest bound first, then by rank. */
static void sort_ranks(struct work *work, int host)
{
    struct work_host *h = &work->hosts[host];
    int *ranks = work->ranks + h->first_rank;
    struct tightness *keys = NULL;
    bool sorted = true;

    for (int i = 1; i < h->n_ranks && sorted; i++) {
        sorted = work->cluster->ranks[ranks[i]].set ==
                 work->cluster->ranks[ranks[0]].set;
    }
    if (sorted) {
        return;
    }
    keys = malloc((size_t)h->n_ranks * sizeof *keys);
    if (!keys) {
        work->no_memory = true;
        return;
    }
    for (int i = 0; i < h->n_ranks; i++) {
        const struct mask *mask = dwqi_work_mask(work, host, ranks[i]);

        keys[i].rank = ranks[i];
        keys[i].n_cores = mask ? mask->n_cores + !mask->allowed : 0;
    }
    qsort(keys, (size_t)h->n_ranks, sizeof *keys, compare_tightness);
    for (int i = 0; i < h->n_ranks; i++) {
        ranks[i] = keys[i].rank;
    }
    free(keys);
}

void dwqi_sort_ranks(struct work *work)
{
    for (int i = 0; i < work->cluster->n_hosts && !work->no_memory; i++) {
        if (!work->hosts[i].oversubscribed) {
            sort_ranks(work, i);
        }
    }
}

/* --- One width for all groups of a host --------------------------------- */

/* Ranks that could sit in a part, up to `most`. */
static int node_capacity(struct work *work, int host, const struct level *level,
                         int node, bool plain, int most)
{
    const struct work_host *h = &work->hosts[host];
    int n = work->node_free[h->first_node + level->base + node] /
            work->request.threads;

    if (dwqi_work_is_split(work) && h->n_unused < n) {
        n = h->n_unused;
    }
    if (n < most) {
        most = n;
    }
    if (plain) {
        return most;
    }
    work->attempt.first_seat = work->plan.n_seats;
    return dwqi_try(work, host, level->first[node], level->first[node + 1],
                    most);
}

/* Groups of this width that fit on the level, the ranks of the host allowing;
 * with PER_HOST: else one is as good as all. *fits_out: one would if the host
 * were empty. */
static long long count_groups(struct work *work, int host, int at, int width,
                              bool plain, bool *fits_out)
{
    const struct work_host *h = &work->hosts[host];
    const struct level *level = &h->tree->levels[at];
    bool all = work->request.size.kind == DWQI_SIZE_PER_HOST;
    long long count = 0, most, unit = (long long)width * work->request.threads;

    *fits_out = false;
    for (int k = 0; k < level->n_nodes && (all || !*fits_out); k++) {
        int capacity =
            node_capacity(work, host, level, k, plain, all ? INT_MAX : width);

        *fits_out = *fits_out || capacity >= width;
        count += capacity / width;
    }
    if (dwqi_work_is_split(work)) {
        most = h->n_unused / ((long long)width + dwqi_work_has_extra(work));
        count = most < count ? most : count;
    }
    if (work->request.broker == DWQI_BROKER_BESIDE &&
        !dwqi_work_has_brokers(work)) { /* those may sit elsewhere */
        most = h->n_free / (unit + 1);
        count = most < count ? most : count;
    }
    return count;
}

/* The innermost part that holds a group, and is not straddled then. (Of FIXED
 * groups the broker may be on another host.) */
static long long find_home(struct work *work, int host, int width, bool plain)
{
    struct work_host *h = &work->hosts[host];
    bool fixed = work->request.size.kind == DWQI_SIZE_FIXED;
    int class_ = 0;

    h->class_ = -1;
    for (int l = 0; l < h->tree->n_levels; l++) {
        long long count;
        bool fits;

        if (!dwqi_level_is_hard(&h->tree->levels[l])) {
            continue;
        }
        count = count_groups(work, host, l, width, plain, &fits);
        if (fits) {
            h->most_level = l;
            h->class_ = fixed || count > 0 ? class_ : -1;
            return count;
        }
        class_++;
    }
    return 0;
}

static void measure_fixed(struct work *work, int host, bool plain)
{
    struct work_host *h = &work->hosts[host];

    h->width = work->request.size.n;
    find_home(work, host, h->width, plain);
    if (h->class_ >= 0) {
        work->any_holds = true;
    }
}

/* The widest groups of which there are n. */
static void measure_per_host(struct work *work, int host, bool plain)
{
    struct work_host *h = &work->hosts[host];
    bool never = work->request.straddle == DWQI_STRADDLE_NEVER;
    int n = work->request.size.n;

    for (int width = h->n_free / work->request.threads / n; width > 0;
         width--) {
        if (find_home(work, host, width, plain) < n) {
            continue;
        }
        if (!never || h->class_ == 0) {
            h->width = width;
            h->would_straddle = false;
            return;
        }
        h->would_straddle = true;
    }
    h->class_ = -1;
}

/* --- One group per part ------------------------------------------------- */

/* How many ranks each part's group can have, its extra broker included. */
static int part_rooms(struct work *work, int host, const struct level *level,
                      int *room)
{
    const struct work_host *h = &work->hosts[host];
    bool beside = work->request.broker == DWQI_BROKER_BESIDE;
    int n_parts = 0;

    for (int k = 0; k < level->n_nodes; k++) {
        int n = work->node_free[h->first_node + level->base + k] - beside;

        n /= work->request.threads;
        room[k] = n > 0 ? n + dwqi_work_has_extra(work) : 0;
        n_parts += n > 0;
    }
    return n_parts;
}

/* The ranks that are bound inside one part; returns how many are not. */
static int count_homed(struct work *work, int host, const struct level *level,
                       int *homed)
{
    int at = 0, n_free = 0;

    for (int rank; (rank = dwqi_next_rank(work, host, &at)) >= 0;) {
        const struct mask *mask = dwqi_work_mask(work, host, rank);
        int node = -1;

        if (mask && mask->n_cores > 0) {
            node = level->node_of[mask->low];
            node = mask->high <= level->first[node + 1] ? node : -1;
        }
        if (node >= 0) {
            homed[node]++;
        } else {
            n_free += mask && mask->n_cores > 0;
        }
    }
    return n_free;
}

/* Ranks that are not bound inside one part go where fewest are. */
static void share_out(int *got, const int *room, int n_nodes, int n_free,
                      int n_parts, int least)
{
    int n_open = 0;

    for (int k = 0; k < n_nodes; k++) { /* no part that stays too small */
        bool open = room[k] > 0 && (got[k] >= least || n_open < n_parts);

        n_open += open;
        got[k] = !open ? -1 : got[k] < room[k] ? got[k] : room[k];
    }
    while (n_free-- > 0) {
        int best = -1;

        for (int k = 0; k < n_nodes; k++) {
            if (got[k] >= 0 && got[k] < room[k] &&
                (best < 0 || got[k] < got[best])) {
                best = k;
            }
        }
        if (best < 0) {
            break;
        }
        got[best]++;
    }
}

static void share_ranks(struct work *work, int host, const struct level *level,
                        const int *room, int n_parts)
{
    struct work_host *h = &work->hosts[host];
    int extra = dwqi_work_has_extra(work);
    int n_enough = h->n_unused / (1 + extra);
    int n_free = h->n_unused;

    if (!h->oversubscribed) {
        n_free = count_homed(work, host, level, h->quota);
    }
    share_out(h->quota, room, level->n_nodes, n_free,
              n_parts < n_enough ? n_parts : n_enough, 1 + extra);
}

static void measure_parts(struct work *work, int host)
{
    struct work_host *h = &work->hosts[host];
    int at = dwqi_tree_level(h->tree, work->request.size.domain);
    const struct level *level = &h->tree->levels[at < 0 ? 0 : at];
    int n_parts = level->n_nodes, *room;

    if (at < 0 || h->n_free == 0) {
        return;
    }
    room = dwqi_work_array(work, n_parts, sizeof *room);
    h->quota = dwqi_work_array(work, n_parts, sizeof *h->quota);
    if (work->no_memory) {
        return;
    }
    n_parts = part_rooms(work, host, level, room);
    for (int k = 0; k < level->n_nodes && h->oversubscribed; k++) {
        room[k] = INT_MAX;
        n_parts = level->n_nodes;
    }
    if (dwqi_work_is_split(work)) {
        share_ranks(work, host, level, room, n_parts);
    }
    for (int k = 0; k < level->n_nodes; k++) {
        int n = dwqi_work_is_split(work) ? h->quota[k] : room[k];

        if (h->oversubscribed && !dwqi_work_is_split(work)) {
            n = level->first[k + 1] - level->first[k] + 1;
        }
        n -= dwqi_work_has_extra(work);
        h->quota[k] = n > 0 ? n : 0;
        h->class_ = n > 0 ? 0 : h->class_;
    }
    h->most_level = at;
}

/* --- All of it ---------------------------------------------------------- */

static void measure_unbound(struct work *work, int host)
{
    struct work_host *h = &work->hosts[host];
    const struct dwqi_size *size = &work->request.size;
    bool split = dwqi_work_is_split(work);
    int extra = dwqi_work_has_extra(work);

    if (size->kind == DWQI_SIZE_PER_HOST) {
        h->width = split ? h->n_unused / size->n - extra
                         : h->n_free / work->request.threads / size->n;
        h->width = !split && h->width < 1 ? 1 : h->width;
    } else {
        h->width = size->n;
    }
    if (h->width >= 1 &&
        h->n_unused >= (split ? (long long)h->width + extra : 1)) {
        h->class_ = CLASS_UNBOUND;
        work->any_holds = work->any_holds || split;
    }
}

static void measure(struct work *work, int host)
{
    struct work_host *h = &work->hosts[host];
    bool plain = dwqi_work_is_plain(work, host);

    if (work->request.size.kind == DWQI_SIZE_DOMAIN) {
        measure_parts(work, host);
        h->class_ =
            h->class_ == 0 && h->oversubscribed ? CLASS_UNBOUND : h->class_;
        return;
    }
    if (h->oversubscribed) {
        measure_unbound(work, host);
    } else if (work->request.size.kind == DWQI_SIZE_FIXED) {
        measure_fixed(work, host, plain);
    } else {
        measure_per_host(work, host, plain);
    }
    if (work->request.straddle == DWQI_STRADDLE_NEVER && h->class_ > 0 &&
        h->class_ < CLASS_UNBOUND) {
        h->class_ = -1;
        h->would_straddle = true;
    }
}

/* Launchers bind the ranks of equal hosts alike: then what was found for the last
 * host of that kind holds for this one. */
static bool is_like(const struct work *work, int a, int b)
{
    const struct work_host *x = &work->hosts[a], *y = &work->hosts[b];
    const struct dwqi_place *ranks = work->cluster->ranks;

    if (x->tree != y->tree || x->n_ranks != y->n_ranks ||
        x->n_free != y->n_free || x->oversubscribed || y->oversubscribed) {
        return false;
    }
    for (int i = 0; i < x->n_ranks; i++) {
        if (ranks[work->ranks[x->first_rank + i]].set !=
            ranks[work->ranks[y->first_rank + i]].set) {
            return false;
        }
    }
    return true;
}

static void copy_measures(struct work *work, int from, int to)
{
    const struct work_host *like = &work->hosts[from];
    struct work_host *host = &work->hosts[to];

    host->width = like->width;
    host->would_straddle = like->would_straddle;
    host->most_level = like->most_level;
    host->class_ = like->class_;
}

void dwqi_measure_hosts(struct work *work)
{
    int home = work->plan.controller.host, last = -1;
    bool by_part = work->request.size.kind == DWQI_SIZE_DOMAIN;

    for (int i = 0; i < work->cluster->n_hosts && !work->no_memory; i++) {
        if (work->only_host >= 0 && work->only_host != i) {
            continue;
        }
        if (last >= 0 && !by_part && i != home && is_like(work, last, i)) {
            copy_measures(work, last, i);
            continue;
        }
        measure(work, i);
        last = i != home ? i : last;
    }
}

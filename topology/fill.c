/* The order in which hosts and their parts get groups. Hosts whose NUMA nodes
 * can hold a group come first, then those where it needs a package, then those
 * where it needs the host, then the oversubscribed ones. */
#include <stdlib.h>
#include <string.h>

#include "topology/placer_private.h"

#define N_CLASSES 4

static bool is_spread(const struct work *work)
{
    return work->request.fill == DWQI_FILL_SPREAD;
}

/* Whether `node` should get a group before `best`: fewer of them are in the
 * parts around it, from the outside to the inside. */
static bool is_emptier(const struct work *work, const struct work_host *host,
                       int at, int node, int best)
{
    const struct tree *tree = host->tree;
    const int *groups = work->node_groups + host->first_node;
    int p = tree->levels[at].first[node], q = tree->levels[at].first[best];

    for (int l = tree->n_levels - 1; l >= at; l--) {
        const struct level *level = &tree->levels[l];
        int a = groups[level->base + level->node_of[p]];
        int b = groups[level->base + level->node_of[q]];

        if (a != b) {
            return a < b;
        }
    }
    return false;
}

static int next_node(const struct work *work, const struct work_host *host,
                     int at)
{
    const struct level *level = &host->tree->levels[at];
    const unsigned char *failed = work->node_failed + host->first_node;
    int best = -1;

    for (int k = 0; k < level->n_nodes; k++) {
        if (failed[level->base + k]) {
            continue;
        }
        if (!is_spread(work)) {
            return k;
        }
        if (best < 0 || is_emptier(work, host, at, k, best)) {
            best = k;
        }
    }
    return best;
}

static void count_group(struct work *work, const struct work_host *host,
                        int position)
{
    for (int l = 0; l < host->tree->n_levels; l++) {
        const struct level *level = &host->tree->levels[l];

        work->node_groups[host->first_node + level->base +
                          level->node_of[position]]++;
    }
}

/* A part's one group, as wide as it can be. With fewer ranks than the part has
 * room for, it is put into a smaller part that it fits into. */
static bool place_in_part(struct work *work, int number, int at, int node)
{
    struct work_host *host = &work->hosts[number];
    const struct level *whole = &host->tree->levels[at];
    int low = whole->first[node], high = whole->first[node + 1];
    int width;

    work->attempt.first_seat = work->plan.n_seats;
    width = dwqi_try(work, number, low, high, host->quota[node]);
    for (int l = 0; l < at && width > 0; l++) {
        const struct level *level = &host->tree->levels[l];

        for (int k = 0; k < level->n_nodes; k++) {
            int n = level->first[k + 1] - level->first[k];

            if (level->first[k] >= low && level->first[k + 1] <= high &&
                (long long)width * work->request.threads <= n &&
                dwqi_place_group(work, number, level->first[k],
                                 level->first[k + 1], width, width)) {
                return true;
            }
        }
    }
    return width > 0 && dwqi_place_group(work, number, low, high, width, width);
}

/* One group on one level of a host. A part that failed once stays so. */
static bool place_on_level(struct work *work, int number, int at)
{
    struct work_host *host = &work->hosts[number];
    const struct level *level = &host->tree->levels[at];
    bool by_part = work->request.size.kind == DWQI_SIZE_DOMAIN;

    for (int k; (k = next_node(work, host, at)) >= 0;) {
        int low = level->first[k], high = level->first[k + 1];
        int width = by_part ? host->quota[k] : host->width;
        unsigned char *failed =
            &work->node_failed[host->first_node + level->base + k];

        *failed = by_part; /* one group each */
        if (width > 0 && (by_part ? place_in_part(work, number, at, k)
                                  : dwqi_place_group(work, number, low, high,
                                                     width, width))) {
            count_group(work, host, low);
            return true;
        }
        *failed = 1;
        if (work->no_memory) {
            return false;
        }
    }
    return false;
}

static bool place_next_unbound(struct work *work, int number)
{
    struct work_host *host = &work->hosts[number];
    int *n_groups = &work->node_groups[host->first_node];
    int width = host->width;

    if (work->request.size.kind == DWQI_SIZE_DOMAIN) {
        const struct level *level = &host->tree->levels[host->most_level];

        width = *n_groups < level->n_nodes ? host->quota[*n_groups] : 0;
    }
    if (work->request.size.kind == DWQI_SIZE_PER_HOST &&
        *n_groups >= work->request.size.n) {
        return false;
    }
    if (!dwqi_place_unbound(work, number, width)) {
        return false;
    }
    ++*n_groups;
    return true;
}

static bool place_one(struct work *work, int number, int most_level)
{
    struct work_host *host = &work->hosts[number];
    const int *n_groups = &work->node_groups[host->first_node];

    if (host->oversubscribed) {
        return place_next_unbound(work, number);
    }
    if (work->request.size.kind == DWQI_SIZE_DOMAIN) {
        return place_on_level(work, number, most_level);
    }
    if (work->request.size.kind == DWQI_SIZE_PER_HOST &&
        n_groups[host->tree->n_nodes - 1] >= work->request.size.n) {
        return false;
    }
    for (int l = 0; l <= most_level && !work->no_memory; l++) {
        if (place_on_level(work, number, l)) {
            return true;
        }
    }
    return false;
}

/* A group to be spawned needs one of the host's brokers, or any. */
static bool has_broker(const struct work *work, const struct work_host *host)
{
    return !dwqi_work_has_brokers(work) || host->n_unused > 0 ||
           (work->any_broker && dwqi_work_has_extra(work));
}

static bool is_open(const struct work *work, const struct work_host *host,
                    int class_)
{
    return !host->is_full && has_broker(work, host) &&
           (class_ < 0 ? host->width > 0 && !host->oversubscribed
                       : host->class_ == class_);
}

/* class_ -1: every host, straddling what it takes. */
static void fill_class(struct work *work, int class_)
{
    bool again = true;

    while (again && !work->no_memory) {
        again = false;
        for (int i = 0; i < work->cluster->n_hosts; i++) {
            struct work_host *host = &work->hosts[i];
            int most = class_ < 0 ? host->tree->n_levels - 1 : host->most_level;

            while (work->plan.n_groups < work->limit &&
                   is_open(work, host, class_)) {
                host->is_full = !place_one(work, i, most);
                again = again || !host->is_full;
                if (is_spread(work)) {
                    break;
                }
            }
        }
    }
}

static void reopen(struct work *work)
{
    for (int i = 0; i < work->cluster->n_hosts; i++) {
        work->hosts[i].is_full = false;
    }
    dwqi_reset_brokers(work);
    if (work->request.size.kind != DWQI_SIZE_DOMAIN) {
        memset(work->node_failed, 0, (size_t)work->n_nodes);
    }
}

static void fill_classes(struct work *work)
{
    for (int class_ = 0; class_ < N_CLASSES; class_++) {
        fill_class(work, class_);
    }
}

void dwqi_fill_hosts(struct work *work)
{
    const struct dwqi_place_request *request = &work->request;
    bool freely = request->straddle == DWQI_STRADDLE_FREELY;
    bool fixed = request->size.kind == DWQI_SIZE_FIXED;
    bool remote =
        dwqi_work_has_extra(work) && (fixed || dwqi_work_has_brokers(work));

    dwqi_reset_brokers(work);
    work->any_broker =
        remote && (work->brokers_roam ||
                   (is_spread(work) && dwqi_work_has_brokers(work)));
    fill_classes(work);
    if (remote && !work->any_broker) {
        work->any_broker = true;
        reopen(work);
        fill_classes(work);
    }
    if (!fixed) {
        return;
    }
    if (freely) {
        reopen(work);
        fill_class(work, -1);
    }
    if (work->only_host >= 0) {
        return;
    }
    if (freely || (request->straddle == DWQI_STRADDLE_IF_MUST &&
                   (!work->any_holds || work->plan.n_groups == 0))) {
        reopen(work);
        dwqi_place_across(work);
    }
}

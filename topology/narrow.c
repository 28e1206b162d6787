/* Which cores of an interval are for a group: those of as few parts as can be, of
 * the widest kind first. The parts with the most free cores are taken whole; what
 * is left of the group goes into the smallest part that holds it, and there the
 * same begins again. So what stays free lies together, for the next group. */
#include <string.h>

#include "topology/placer_private.h"

static void open_part(struct attempt *a, const struct level *level, int node)
{
    int low = level->first[node], high = level->first[node + 1];

    memset(a->closed + (low - a->low), 0, (size_t)(high - low));
}

/* The smallest part of an interval that has so many free cores; else the one that
 * has the most, of those that are closed. */
static int next_part(const struct work *work, const struct level *level,
                     int low, int high, int n_cores)
{
    const struct attempt *a = &work->attempt;
    const int *n_free =
        work->node_free + work->hosts[a->host].first_node + level->base;
    int best = -1;

    for (int k = level->node_of[low];
         k < level->n_nodes && level->first[k] < high; k++) {
        bool fits = n_free[k] >= n_cores;

        if (a->closed[level->first[k] - a->low] == 0) {
            continue;
        }
        if (best < 0 ||
            (fits && (n_free[best] < n_cores || n_free[k] < n_free[best])) ||
            (!fits && n_free[k] > n_free[best])) {
            best = k;
        }
    }
    return best;
}

/* Moves into the part that holds the last of the cores. */
static int narrow_to(struct work *work, const struct level *level, int *low,
                     int *high, int n_cores)
{
    struct attempt *a = &work->attempt;
    const int *n_free =
        work->node_free + work->hosts[a->host].first_node + level->base;
    int k = next_part(work, level, *low, *high, n_cores);

    while (n_free[k] < n_cores) {
        open_part(a, level, k);
        n_cores -= n_free[k];
        k = next_part(work, level, *low, *high, n_cores);
    }
    *low = level->first[k];
    *high = level->first[k + 1];
    return n_cores;
}

void dwqi_narrow(struct work *work, int n_cores)
{
    struct attempt *a = &work->attempt;
    const struct work_host *host = &work->hosts[a->host];
    const unsigned char *used = work->core_used + host->first_core;
    bool plain = dwqi_work_is_plain(work, a->host);
    int low = a->low, high = a->high;

    memset(a->closed, 1, (size_t)(high - low));
    for (int l = host->tree->n_levels - 1; l >= 0 && n_cores > 0; l--) {
        const struct level *level = &host->tree->levels[l];
        int k = level->node_of[low];

        if (level->first[k] >= low && level->first[k + 1] <= high) {
            n_cores = narrow_to(work, level, &low, &high, n_cores);
        }
    }
    /* Bound ranks may have to choose among its cores. */
    for (int p = low; p < high && (n_cores > 0 || !plain); p++) {
        n_cores -= !used[p];
        a->closed[p - a->low] = 0;
    }
}

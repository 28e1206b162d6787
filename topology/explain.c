/* Why a request cannot be met. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "topology/placer_private.h"

void dwqi_place_blame(struct dwqi_error *why_out, enum dwqi_place_part part,
                      const char *format, ...)
{
    va_list args;

    why_out->code = part;
    va_start(args, format);
    dwqi_plain_vformat(why_out->text, sizeof why_out->text, format, args);
    va_end(args);
}

static const char *plural(long long n)
{
    return n == 1 ? "" : "s";
}

static const char *domain_name(enum dwqi_domain domain)
{
    static const char *const names[] = { [DWQI_DOMAIN_CORE] = "core",
                                         [DWQI_DOMAIN_L3] = "l3",
                                         [DWQI_DOMAIN_NUMA] = "numa",
                                         [DWQI_DOMAIN_PACKAGE] = "package",
                                         [DWQI_DOMAIN_HOST] = "host" };

    return names[domain];
}

/* No part of that kind holds one rank. */
static void blame_threads(struct dwqi_error *why_out, int threads,
                          enum dwqi_domain kind, int largest)
{
    dwqi_place_blame(why_out, DWQI_PART_THREADS,
                     "threads: each rank needs %d cores; the largest %s has %d",
                     threads, domain_name(kind), largest);
}

static int widest_host(const struct dwqi_cluster *cluster)
{
    int widest = 0;

    for (int h = 0; h < cluster->n_hosts; h++) {
        int n = dwqi_cluster_machine(cluster, h)->n_cores;

        widest = n > widest ? n : widest;
    }
    return widest;
}

static bool is_size(const struct dwqi_place_request *request,
                    struct dwqi_error *why_out)
{
    const struct dwqi_size *size = &request->size;

    if (size->kind != DWQI_SIZE_DOMAIN && size->n < 1) {
        dwqi_place_blame(why_out, DWQI_PART_SIZE,
                         "group size: %d is not a number of ranks", size->n);
        return false;
    }
    if (request->threads < 0) {
        dwqi_place_blame(why_out, DWQI_PART_THREADS,
                         "threads: %d is not a number of threads",
                         request->threads);
        return false;
    }
    if (size->kind == DWQI_SIZE_DOMAIN && size->domain == DWQI_DOMAIN_CORE &&
        request->threads > 1) {
        dwqi_place_blame(why_out, DWQI_PART_THREADS,
                         "threads: a group per core has one core, not %d",
                         request->threads);
        return false;
    }
    return true;
}

bool dwqi_request_is_valid(const struct dwqi_cluster *cluster,
                           const struct dwqi_place_request *request,
                           struct dwqi_error *why_out)
{
    bool spawn = request->grouping == DWQ_GROUPING_SPAWN;
    int n_ranks = cluster->n_ranks;

    if (cluster->n_hosts < 1) {
        dwqi_place_blame(why_out, DWQI_PART_CLUSTER,
                         "the cluster has no hosts");
        return false;
    }
    if (!spawn && request->grouping != DWQ_GROUPING_SPLIT) {
        dwqi_place_blame(why_out, DWQI_PART_GROUPING,
                         "grouping: neither split nor spawn");
        return false;
    }
    if (!spawn && n_ranks < 1 && request->threads > widest_host(cluster)) {
        blame_threads(why_out, request->threads, DWQI_DOMAIN_HOST,
                      widest_host(cluster));
        return false;
    }
    if (!spawn && n_ranks < 1) {
        dwqi_place_blame(why_out, DWQI_PART_CLUSTER,
                         "grouping split: the cluster has no ranks");
        return false;
    }
    if (request->controller < 0 ||
        (n_ranks > 0 && request->controller >= n_ranks)) {
        dwqi_place_blame(why_out, DWQI_PART_CONTROLLER,
                         "controller rank %d: ranks are 0 to %d",
                         request->controller, n_ranks > 0 ? n_ranks - 1 : 0);
        return false;
    }
    return is_size(request, why_out);
}

/* The largest part of a kind, as it was before groups were placed. */
static int largest_part(const struct work *work, enum dwqi_domain kind)
{
    int largest = 0;

    for (int i = 0; i < work->cluster->n_hosts; i++) {
        const struct work_host *host = &work->hosts[i];
        int at = dwqi_tree_level(host->tree, kind);
        const struct level *level = &host->tree->levels[at < 0 ? 0 : at];

        for (int k = 0; k < level->n_nodes && at >= 0; k++) {
            int n = work->node_free[host->first_node + level->base + k];

            largest = n > largest ? n : largest;
        }
    }
    return largest;
}

static bool has_spare(const struct work *work)
{
    for (int i = 0; i < work->cluster->n_hosts; i++) {
        if (work->hosts[i].tree->has_spare) {
            return true;
        }
    }
    return false;
}

/* Some host has room for a group, so that only a broker is missing. */
static bool lacks_broker(const struct work *work)
{
    for (int i = 0; i < work->cluster->n_hosts; i++) {
        if (work->hosts[i].class_ >= 0 && !work->hosts[i].oversubscribed) {
            return dwqi_work_has_extra(work);
        }
    }
    return false;
}

static bool would_straddle(const struct work *work)
{
    for (int i = 0; i < work->cluster->n_hosts; i++) {
        if (work->hosts[i].would_straddle) {
            return true;
        }
    }
    return false;
}

static void explain_domain(const struct work *work, struct dwqi_error *why_out)
{
    enum dwqi_domain domain = work->request.size.domain;
    const char *name = domain_name(domain);

    if (largest_part(work, domain) == 0) {
        dwqi_place_blame(why_out, DWQI_PART_SIZE,
                         "group size auto:%s: no host has a free one", name);
    } else {
        dwqi_place_blame(
            why_out, DWQI_PART_SIZE,
            "group size auto:%s: none has room for a group beside the "
            "controller (%d core%s for each rank%s; %d rank%s)",
            name, work->request.threads, plural(work->request.threads),
            work->request.broker == DWQI_BROKER_BESIDE ? ", one for its broker"
                                                       : "",
            work->cluster->n_ranks, plural(work->cluster->n_ranks));
    }
}

static void explain_fixed(const struct work *work, struct dwqi_error *why_out)
{
    const struct dwqi_place_request *request = &work->request;
    long long unit = (long long)request->size.n * request->threads;
    int largest = largest_part(work, DWQI_DOMAIN_NUMA);
    int host = largest_part(work, DWQI_DOMAIN_HOST);

    if (request->straddle == DWQI_STRADDLE_NEVER && unit > largest) {
        dwqi_place_blame(why_out, DWQI_PART_STRADDLE,
                         "straddle never: a group of %d ranks has %lld core%s, "
                         "and no NUMA node has more than %d beside the "
                         "controller",
                         request->size.n, unit, plural(unit), largest);
    } else if (unit > host && request->threads > 1) {
        dwqi_place_blame(why_out, DWQI_PART_THREADS,
                         "threads: a group of %d ranks of %d threads needs "
                         "%lld cores; the widest host has %d beside the "
                         "controller",
                         request->size.n, request->threads, unit, host);
    } else {
        dwqi_place_blame(
            why_out, DWQI_PART_SIZE,
            "group size: %d ranks%s need %lld core%s that they "
            "may use; the widest host has %d beside the "
            "controller",
            request->size.n,
            request->broker == DWQI_BROKER_BESIDE ? " and a broker" : "",
            unit + (request->broker == DWQI_BROKER_BESIDE), plural(unit), host);
    }
}

static void explain(const struct work *work, struct dwqi_error *why_out)
{
    const struct dwqi_place_request *request = &work->request;
    bool extra = dwqi_work_has_extra(work), split = dwqi_work_is_split(work);
    long long needed = request->size.kind == DWQI_SIZE_FIXED
                           ? (long long)request->size.n + extra
                           : 1 + extra;
    int others = work->cluster->n_ranks - 1;
    enum dwqi_domain kind = request->size.kind == DWQI_SIZE_DOMAIN
                                ? request->size.domain
                                : DWQI_DOMAIN_HOST;
    int largest = largest_part(work, kind);

    if (request->threads > largest && largest > 0 &&
        request->size.kind != DWQI_SIZE_FIXED) {
        blame_threads(why_out, request->threads, kind, largest);
        dwqi_name_launcher(work, why_out);
        return;
    }
    if (!split) {
        needed = 1;
        others = work->cluster->n_ranks == 0 ? 1 : others;
    }
    if (others < needed) {
        dwqi_place_blame(why_out, DWQI_PART_SIZE,
                         "group size: a group needs %lld rank%s%s; beside the "
                         "controller there %s %d",
                         needed, plural(needed),
                         !split  ? " for its broker"
                         : extra ? ", its broker counted"
                                 : "",
                         others == 1 ? "is" : "are", others);
        return;
    }
    if (request->broker == DWQI_BROKER_THREAD && !has_spare(work)) {
        dwqi_place_blame(why_out, DWQI_PART_BROKER,
                         "broker thread: no core has a spare hardware thread");
    } else if (request->broker == DWQI_BROKER_THREAD && lacks_broker(work)) {
        dwqi_place_blame(why_out, DWQI_PART_BROKER,
                         "broker thread: no spare hardware thread is left "
                         "beside the group and the controller");
    } else if (request->size.kind == DWQI_SIZE_DOMAIN) {
        explain_domain(work, why_out);
    } else if (request->size.kind == DWQI_SIZE_FIXED) {
        explain_fixed(work, why_out);
    } else if (would_straddle(work)) {
        dwqi_place_blame(why_out, DWQI_PART_STRADDLE,
                         "straddle never: %d group%s per host would straddle "
                         "NUMA nodes, the largest of which has %d cores "
                         "beside the controller",
                         request->size.n, plural(request->size.n),
                         largest_part(work, DWQI_DOMAIN_NUMA));
    } else {
        dwqi_place_blame(why_out, DWQI_PART_SIZE,
                         "group size auto:%d-per-host: no host has room for "
                         "%d group%s; the widest has %d cores beside the "
                         "controller",
                         request->size.n, request->size.n,
                         plural(request->size.n),
                         largest_part(work, DWQI_DOMAIN_HOST));
    }
    dwqi_name_launcher(work, why_out);
}

void dwqi_explain(struct work *work, struct dwqi_error *why_out)
{
    explain(work, why_out);
    if (work->plan.controller_costs > 0) {
        size_t used = strlen(why_out->text);

        snprintf(why_out->text + used, sizeof why_out->text - used,
                 "; a group fits if it shares a core "
                 "(controller_shares_core)");
    }
}

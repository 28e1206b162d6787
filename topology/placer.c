#include "topology/placer.h"

#include <limits.h>
#include <stdlib.h>

#include "topology/placer_private.h"
#include "topology/text.h"

void dwqi_placement_finish(struct dwqi_placement *placement)
{
    free(placement->groups);
    free(placement->seats);
    free(placement->idle);
    free(placement->oversubscribed);
    free(placement->on_threads);
    free(placement->core_idle);
    free(placement->cores);
    free(placement->pus);
    *placement = (struct dwqi_placement){ .groups = NULL };
}

const char *dwqi_idle_text(enum dwqi_idle_why why)
{
    static const char *const texts[] = {
#define TEXT(name, text) [DWQI_IDLE_##name] = text,
        DWQI_IDLE_LIST(TEXT)
#undef TEXT
    };

    return texts[why];
}

void dwqi_placed_group_hosts(const struct dwqi_cluster *cluster,
                             const struct dwqi_placement *placement, int group,
                             struct dwqi_buffer *text)
{
    const struct dwqi_placed_group *placed = &placement->groups[group];
    const struct dwqi_seat *seats = placement->seats + placed->first_seat;
    bool first = true;

    for (int i = 0; i < placed->width;) {
        int host = seats[i].host, n = 0;

        while (i < placed->width && seats[i].host == host) {
            n += seats[i++].rank < 0;
        }
        if (n > 0) {
            dwqi_text_add(text, n > 1 ? "%s%s:%d" : "%s%s", first ? "" : ",",
                          cluster->hosts[host].name, n);
            first = false;
        }
    }
}

/* The first seat. On a core of its own if one is left for it. */
static void seat_controller(struct work *work)
{
    int rank = work->request.controller, home = work->plan.controller.host;
    struct work_host *host = &work->hosts[home];
    const struct mask *mask = dwqi_work_mask(work, home, rank);
    int n_cores = host->tree->machine->n_cores, position = -1;

    if (!mask) {
        return;
    }
    for (int p = 0; p < n_cores && work->controller_on_thread; p++) {
        if (dwqi_lend_thread(work, rank, home, p)) {
            return;
        }
    }
    work->controller_on_thread = false;
    if (!host->oversubscribed && !work->controller_shares) {
        host->width = work->request.size.kind == DWQI_SIZE_FIXED
                          ? work->request.size.n
                          : 0;
        position = dwqi_spare_core(work, home, mask, 0, 0);
        host->width = 0;
    }
    dwqi_add_seat(work, rank, home, position);
}

struct variant {
    bool on_thread;    /* the controller */
    bool brokers_roam; /* to hosts where they cost no group */
    bool fits;  /* what can be of hosts with few ranks too many is bound */
    bool whole; /* groups are not narrowed to few parts */
    int only_host;
    const bool *unbound; /* by host, or NULL */
};

/* Everything, in one variant. */
static dwq_status_t run(struct work *work, const struct dwqi_cluster *cluster,
                        const struct dwqi_place_request *request,
                        struct variant variant)
{
    dwq_status_t status;

    *work = (struct work){ .cluster = cluster,
                           .request = *request,
                           .only_host = variant.only_host,
                           .unbound = variant.unbound,
                           .fits = variant.fits,
                           .brokers_roam = variant.brokers_roam,
                           .attempt.whole = variant.whole };
    status = dwqi_work_init(work);
    if (status != DWQ_OK) {
        return status;
    }
    dwqi_sort_ranks(work);
    work->controller_on_thread =
        variant.on_thread &&
        !work->hosts[work->plan.controller.host].oversubscribed;
    if (!work->no_memory) {
        seat_controller(work);
    }
    if (!work->no_memory) {
        work->plan.controller = work->plan.seats[0];
        dwqi_measure_hosts(work);
    }
    if (!work->no_memory) {
        dwqi_fill_hosts(work);
    }
    return work->no_memory ? DWQ_E_NOMEM : DWQ_OK;
}

static long long ranks_in_groups(const struct work *work)
{
    long long count = 0;

    for (int i = 0; i < work->plan.n_groups; i++) {
        count += work->plan.groups[i].width;
    }
    return count;
}

static bool is_better(const struct work *a, const struct work *b)
{
    if (a->plan.n_groups != b->plan.n_groups) {
        return a->plan.n_groups > b->plan.n_groups;
    }
    return ranks_in_groups(a) > ranks_in_groups(b);
}

/* Whether the controller's host alone shows where the controller should be. (A
 * group over several hosts may be missed by that.) */
static bool hosts_are_apart(const struct dwqi_cluster *cluster,
                            const struct dwqi_place_request *request)
{
    return request->grouping == DWQ_GROUPING_SPLIT || cluster->n_ranks == 0;
}

/* Whether a spare thread for the controller gives more. */
static dwq_status_t compare(const struct dwqi_cluster *cluster,
                            const struct dwqi_place_request *request,
                            struct variant variant, bool *on_thread_out)
{
    struct work own = { .cluster = cluster }, other = { .cluster = cluster };
    dwq_status_t status;

    variant.on_thread = false;
    status = run(&own, cluster, request, variant);
    variant.on_thread = true;
    *on_thread_out = false;
    if (status == DWQ_OK && own.plan.n_groups < own.limit) {
        status = run(&other, cluster, request, variant);
        *on_thread_out = status == DWQ_OK && other.controller_on_thread &&
                         is_better(&other, &own);
    }
    dwqi_work_finish(&own);
    dwqi_work_finish(&other);
    return status;
}

static bool has_spare_thread(const struct dwqi_cluster *cluster,
                             const struct dwqi_place_request *request)
{
    int home =
        cluster->n_ranks > 0 ? cluster->ranks[request->controller].host : 0;
    const struct dwqi_machine *machine = dwqi_cluster_machine(cluster, home);

    return machine->n_pus > machine->n_cores;
}

/* Runs another variant, and keeps it if it gives more. */
static dwq_status_t improve(struct work *best,
                            const struct dwqi_cluster *cluster,
                            const struct dwqi_place_request *request,
                            struct variant variant)
{
    struct work other = { .cluster = cluster };
    dwq_status_t status = run(&other, cluster, request, variant);

    if (status == DWQ_OK && is_better(&other, best)) {
        struct work old = *best;

        *best = other;
        other = old;
    }
    dwqi_work_finish(&other);
    return status;
}

/* No plan has more groups than this, wherever controller and brokers are. */
static long long most_groups(const struct work *work)
{
    const struct dwqi_place_request *request = &work->request;
    long long unit = (long long)request->size.n * request->threads;
    long long most = work->limit, n_cores = work->n_cores;
    long long n_ranks = work->cluster->n_ranks - 1;

    if (request->size.kind != DWQI_SIZE_FIXED) {
        return LLONG_MAX; /* they have widths, too */
    }
    if (dwqi_work_is_split(work)) {
        n_ranks /= (long long)request->size.n + dwqi_work_has_extra(work);
        most = n_ranks < most ? n_ranks : most;
    }
    if (work->plan.n_oversubscribed > 0) {
        return most; /* some have no cores */
    }
    if (!has_spare_thread(work->cluster, request)) {
        n_cores -= work->plan.controller.n_cores;
    }
    n_cores /= unit + (request->broker == DWQI_BROKER_BESIDE);
    return n_cores < most ? n_cores : most;
}

/* Groups whose brokers may be on other hosts: no host shows by itself what is
 * best. A broker is on its group's host, and the controller on a core, unless there
 * are more groups when some are not. */
static dwq_status_t run_roaming(struct work *work,
                                const struct dwqi_cluster *cluster,
                                const struct dwqi_place_request *request,
                                struct variant variant)
{
    bool has_spare = has_spare_thread(cluster, request);
    dwq_status_t status = run(work, cluster, request, variant);

    if (status == DWQ_OK && has_spare &&
        work->plan.n_groups < most_groups(work)) {
        variant.on_thread = true;
        status = improve(work, cluster, request, variant);
        variant.on_thread = work->controller_on_thread;
    }
    if (status == DWQ_OK && work->plan.n_groups < most_groups(work)) {
        variant.brokers_roam = true;
        status = improve(work, cluster, request, variant);
    }
    if (status == DWQ_OK && has_spare && !variant.on_thread &&
        work->plan.n_groups < most_groups(work)) {
        variant.on_thread = true;
        status = improve(work, cluster, request, variant);
    }
    return status;
}

/* On a core of its own, or on a spare thread where that gives more. */
static dwq_status_t run_best(struct work *work,
                             const struct dwqi_cluster *cluster,
                             const struct dwqi_place_request *request,
                             struct variant variant)
{
    bool apart = hosts_are_apart(cluster, request);
    dwq_status_t status = DWQ_OK;

    if (cluster->n_hosts > 1 && request->size.kind == DWQI_SIZE_FIXED &&
        request->broker != DWQI_BROKER_INSIDE) {
        return run_roaming(work, cluster, request, variant);
    }
    if (has_spare_thread(cluster, request)) {
        if (apart) {
            variant.only_host = cluster->n_ranks > 0
                                    ? cluster->ranks[request->controller].host
                                    : 0;
        }
        status = compare(cluster, request, variant, &variant.on_thread);
    }
    variant.only_host = -1;
    if (status == DWQ_OK) {
        status = run(work, cluster, request, variant);
    }
    if (status == DWQ_OK && work->plan.n_groups == 0 && apart &&
        has_spare_thread(cluster, request)) { /* over several hosts, then */
        variant.on_thread = true;
        dwqi_work_finish(work);
        status = run(work, cluster, request, variant);
    }
    return status;
}

/* Groups to be spawned that find no cores are started all the same where their
 * brokers are: those hosts have more processes than cores. false: there are no
 * more such hosts. */
static bool find_crowded(const struct work *work, bool *unbound)
{
    const struct dwqi_place_request *request = &work->request;
    bool found = false;

    if (!dwqi_work_has_brokers(work) || request->size.kind != DWQI_SIZE_FIXED ||
        request->straddle == DWQI_STRADDLE_NEVER ||
        work->plan.n_groups >= work->limit) {
        return false;
    }
    for (int rank = 0; rank < work->cluster->n_ranks; rank++) {
        int host = work->cluster->ranks[rank].host;

        if (!work->rank_used[rank] && !unbound[host]) {
            unbound[host] = found = true;
        }
    }
    return found;
}

/* As above; and where bound ranks were kept to few parts, which may be those that
 * other groups' ranks need, in another variant without that. */
static dwq_status_t run_both(struct work *work,
                             const struct dwqi_cluster *cluster,
                             const struct dwqi_place_request *request,
                             struct variant variant)
{
    dwq_status_t status = run_best(work, cluster, request, variant);

    if (status == DWQ_OK && work->narrowed_bound &&
        work->plan.n_groups < most_groups(work)) {
        variant.on_thread = work->controller_on_thread;
        variant.brokers_roam = work->brokers_roam;
        variant.whole = true;
        status = improve(work, cluster, request, variant);
    }
    return status;
}

/* Each round has more such hosts, for other groups may have stood on them. */
static dwq_status_t run_crowded(struct work *work,
                                const struct dwqi_cluster *cluster,
                                const struct dwqi_place_request *request,
                                bool *unbound)
{
    struct variant variant = { .only_host = -1,
                               .unbound = unbound,
                               .fits = true };
    const int most_rounds = 3;
    dwq_status_t status = run_both(work, cluster, request, variant);

    for (int round = 1; status == DWQ_OK && find_crowded(work, unbound);
         round++) {
        for (int r = 0; r < cluster->n_ranks && round == most_rounds; r++) {
            unbound[cluster->ranks[r].host] = true;
        }
        dwqi_work_finish(work);
        status = run_both(work, cluster, request, variant);
    }
    return status;
}

/* Keeps the one with more groups in *best. */
static void keep_more(struct work *best, struct work *other)
{
    if (other->plan.n_groups > best->plan.n_groups) {
        struct work old = *best;

        *best = *other;
        *other = old;
    }
    dwqi_work_finish(other);
}

/* On hosts with few ranks too many all are in groups, and bound to nothing, where
 * that gives more. */
static dwq_status_t run_to_end(struct work *work,
                               const struct dwqi_cluster *cluster,
                               const struct dwqi_place_request *request)
{
    struct variant variant = { .only_host = -1 };
    struct work other = { .cluster = cluster };
    bool *unbound = calloc((size_t)cluster->n_hosts, sizeof *unbound);
    dwq_status_t status =
        unbound ? run_crowded(work, cluster, request, unbound) : DWQ_E_NOMEM;

    if (status == DWQ_OK && work->n_fitted > 0 &&
        work->plan.n_groups < work->limit) {
        status = run_both(&other, cluster, request, variant);
        keep_more(work, &other);
    }
    free(unbound);
    work->unbound = NULL;
    return status;
}

/* --- What the controller's core costs ------------------------------------- */

/* Whether what is left, and that core, could be a group. */
static bool may_cost(const struct work *work)
{
    const struct dwqi_place_request *request = &work->request;
    const struct work_host *home = &work->hosts[work->plan.controller.host];
    bool fixed = request->size.kind == DWQI_SIZE_FIXED;
    bool at_home = work->any_holds && work->plan.n_groups > 0 &&
                   request->straddle != DWQI_STRADDLE_FREELY &&
                   request->broker == DWQI_BROKER_INSIDE;
    long long n_cores = 1, n_ranks = 0;
    long long n = fixed ? request->size.n : 1;

    if (work->controller_shares || work->controller_on_thread ||
        work->plan.controller.n_cores == 0 ||
        work->plan.n_groups >= work->limit) {
        return false;
    }
    for (int i = 0; i < work->cluster->n_hosts; i++) {
        if (!at_home || &work->hosts[i] == home) {
            n_cores += work->hosts[i].n_free;
            n_ranks += work->hosts[i].n_unused;
        }
    }
    return n_cores >= n * request->threads &&
           (!dwqi_work_is_split(work) ||
            n_ranks >= n + dwqi_work_has_extra(work));
}

/* How many groups more there are when it shares one. */
static dwq_status_t find_cost(struct work *work)
{
    struct dwqi_place_request request = work->request;
    struct work other = { .cluster = work->cluster };
    dwq_status_t status = DWQ_OK;

    if (may_cost(work)) {
        request.controller_shares = true;
        status = run_to_end(&other, work->cluster, &request);
        if (status == DWQ_OK && other.plan.n_groups > work->plan.n_groups) {
            work->plan.controller_costs =
                other.plan.n_groups - work->plan.n_groups;
        }
        dwqi_work_finish(&other);
    }
    return status;
}

dwq_status_t dwqi_place(const struct dwqi_cluster *cluster,
                        const struct dwqi_place_request *request,
                        struct dwqi_placement *out, struct dwqi_error *why_out)
{
    struct dwqi_place_request resolved = *request;
    struct work work = { .cluster = cluster };
    dwq_status_t status;

    if (!dwqi_request_is_valid(cluster, request, why_out)) {
        return DWQ_E_OPTION;
    }
    resolved.threads = request->threads > 0 ? request->threads : 1;
    if (resolved.size.kind == DWQI_SIZE_DOMAIN &&
        resolved.size.domain == DWQI_DOMAIN_CORE) {
        resolved.size = (struct dwqi_size){ .kind = DWQI_SIZE_FIXED, .n = 1 };
    }
    status = run_to_end(&work, cluster, &resolved);
    status = status == DWQ_OK ? find_cost(&work) : status;
    if (status == DWQ_OK && work.plan.n_groups == 0) {
        dwqi_explain(&work, why_out);
        status = DWQ_E_OPTION;
    }
    if (status == DWQ_OK) {
        dwqi_settle_controller(&work);
        status = dwqi_work_plan(&work, out);
    }
    dwqi_work_finish(&work);
    return status;
}

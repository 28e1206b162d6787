#include "topology/placer.h"

#include <stdlib.h>

#include "topology/placer_private.h"
#include "topology/text.h"

void dwqi_placement_finish(struct dwqi_placement *placement)
{
    free(placement->groups);
    free(placement->seats);
    free(placement->idle);
    free(placement->oversubscribed);
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

static int controller_host(const struct work *work)
{
    const struct dwqi_cluster *cluster = work->cluster;

    return cluster->n_ranks > 0 ? cluster->ranks[work->request.controller].host
                                : 0;
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
    if (!host->oversubscribed) {
        host->width = work->request.size.kind == DWQI_SIZE_FIXED
                          ? work->request.size.n
                          : 0;
        position = dwqi_spare_core(work, home, mask, 0, 0);
        host->width = 0;
    }
    dwqi_add_seat(work, rank, home, position);
}

/* Everything, with the controller here or there. */
static dwq_status_t run(struct work *work, const struct dwqi_cluster *cluster,
                        const struct dwqi_place_request *request,
                        bool on_thread, const bool *unbound)
{
    dwq_status_t status = dwqi_work_init(work, cluster, request);

    if (status != DWQ_OK) {
        return status;
    }
    work->unbound = unbound;
    work->plan.controller.host = controller_host(work);
    dwqi_find_oversubscribed(work);
    if (work->hosts[work->plan.controller.host].oversubscribed) {
        on_thread = false;
    }
    work->controller_on_thread = on_thread;
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

/* On a core of its own, or on a spare thread where that gives more. */
static dwq_status_t run_best(struct work *work,
                             const struct dwqi_cluster *cluster,
                             const struct dwqi_place_request *request,
                             const bool *unbound)
{
    struct work other = { .cluster = cluster };
    dwq_status_t status = run(work, cluster, request, false, unbound);
    int home = work->plan.controller.host;

    if (status != DWQ_OK || !work->hosts[home].tree->has_spare ||
        work->hosts[home].oversubscribed ||
        work->plan.n_groups >= work->limit) {
        return status;
    }
    status = run(&other, cluster, request, true, unbound);
    if (status == DWQ_OK && other.controller_on_thread &&
        is_better(&other, work)) {
        struct work swap = *work;

        *work = other;
        other = swap;
    }
    dwqi_work_finish(&other);
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

/* Each round has more such hosts, for other groups may have stood on them. */
static dwq_status_t run_to_end(struct work *work,
                               const struct dwqi_cluster *cluster,
                               const struct dwqi_place_request *request,
                               bool *unbound)
{
    const int most_rounds = 3;
    dwq_status_t status = run_best(work, cluster, request, NULL);

    for (int round = 1; status == DWQ_OK && find_crowded(work, unbound);
         round++) {
        for (int r = 0; r < cluster->n_ranks && round == most_rounds; r++) {
            unbound[cluster->ranks[r].host] = true;
        }
        dwqi_work_finish(work);
        status = run_best(work, cluster, request, unbound);
    }
    return status;
}

dwq_status_t dwqi_place(const struct dwqi_cluster *cluster,
                        const struct dwqi_place_request *request,
                        struct dwqi_placement *out,
                        struct dwqi_place_fault *why_out)
{
    struct dwqi_place_request resolved = *request;
    struct work work = { .cluster = cluster };
    dwq_status_t status;
    bool *unbound;

    if (!dwqi_request_is_valid(cluster, request, why_out)) {
        return DWQ_E_OPTION;
    }
    resolved.threads = request->threads > 0 ? request->threads : 1;
    if (resolved.size.kind == DWQI_SIZE_DOMAIN &&
        resolved.size.domain == DWQI_DOMAIN_CORE) {
        resolved.size = (struct dwqi_size){ .kind = DWQI_SIZE_FIXED, .n = 1 };
    }
    unbound = calloc((size_t)cluster->n_hosts, sizeof *unbound);
    status =
        unbound ? run_to_end(&work, cluster, &resolved, unbound) : DWQ_E_NOMEM;
    if (status == DWQ_OK && work.plan.n_groups == 0) {
        dwqi_explain(&work, why_out);
        status = DWQ_E_OPTION;
    }
    if (status == DWQ_OK) {
        status = dwqi_work_plan(&work, out);
    }
    dwqi_work_finish(&work);
    free(unbound);
    return status;
}

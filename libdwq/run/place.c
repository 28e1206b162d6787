/* The start of a run that is placed: every rank tells its host's name and what it
 * may use, one rank of each host describes it, and then every rank knows the whole
 * cluster and places the groups by itself: the placer is pure, so all find the
 * same. What fails on one rank is agreed on before the next collective. */
#define _DEFAULT_SOURCE /* gethostname */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libdwq/run/plan_place.h"
#include "libdwq/run/run_private.h"
#include "topology/describe.h"
#include "topology/discover.h"

struct survey {
    char name[DWQI_HOST_NAME_LIMIT]; /* of this rank's host */
    struct dwqi_gathered told; /* of each rank: name, '\0', what it may use */
    struct dwqi_gathered described; /* of the first rank of each host */
    struct dwqi_intern names; /* hosts, in the order of their first ranks */
    int *host_of;             /* by rank */
    int *first_of;            /* by host: its first rank */
};

static dwq_status_t blame(struct dwqi_error *fault, dwq_status_t status,
                          const char *what, const char *why)
{
    if (status != DWQ_OK && status != DWQ_E_NOMEM) {
        dwqi_error_set(fault, DWQ_E_OPTION, "%s: %s", what, why);
    }
    return status;
}

/* --- Who is where ----------------------------------------------------------- */

/* Where the system does not say what a rank may use, it may use all. */
static dwq_status_t tell(struct survey *s, struct dwqi_buffer *mine)
{
    struct dwqi_cpuset allowed = { .words = NULL };
    dwq_status_t status = dwqi_discover_allowed(&allowed);

    if (gethostname(s->name, sizeof s->name - 1) != 0 || s->name[0] == '\0') {
        strcpy(s->name, "localhost");
    }
    dwqi_buffer_append(mine, s->name, strlen(s->name) + 1);
    if (status == DWQ_OK) {
        dwqi_cpuset_print(&allowed, mine);
        dwqi_cpuset_finish(&allowed);
    }
    return mine->failed || status == DWQ_E_NOMEM ? DWQ_E_NOMEM : DWQ_OK;
}

static const char *name_at(const struct survey *s, int rank)
{
    return (const char *)s->told.data + s->told.first[rank];
}

static dwq_status_t sort_hosts(struct survey *s, int size)
{
    s->host_of = calloc((size_t)size, sizeof *s->host_of);
    s->first_of = calloc((size_t)size, sizeof *s->first_of);
    if (!s->host_of || !s->first_of) {
        return DWQ_E_NOMEM;
    }
    for (int rank = 0; rank < size; rank++) {
        int known = s->names.n_keys;
        int host =
            dwqi_intern(&s->names, name_at(s, rank), strlen(name_at(s, rank)));

        if (host < 0) {
            return DWQ_E_NOMEM;
        }
        s->host_of[rank] = host;
        if (host == known) {
            s->first_of[host] = rank;
        }
    }
    return DWQ_OK;
}

/* --- What the hosts are ------------------------------------------------------- */

/* The first rank of a host looks at it. */
static dwq_status_t describe(const struct run *run, const struct survey *s,
                             struct dwqi_buffer *bytes,
                             struct dwqi_error *fault)
{
    struct dwqi_machine machine = { .cores = NULL };
    struct dwqi_error why = { .text = "" };
    bool this_system = false;
    dwq_status_t status;

    if (s->first_of[s->host_of[run->rank]] != run->rank) {
        return DWQ_OK;
    }
    status = dwqi_discover(s->name, &machine, &this_system, &why);
    if (status == DWQ_OK) {
        status = dwqi_host_encode(s->name, &machine, this_system, bytes);
        snprintf(why.text, sizeof why.text, "it cannot be described");
    }
    dwqi_machine_finish(&machine);
    return blame(fault, status, s->name, why.text);
}

static dwq_status_t add_rank(struct run *run, const struct survey *s, int rank)
{
    const char *name = name_at(s, rank), *set = name + strlen(name) + 1;
    size_t size = (size_t)(s->told.first[rank + 1] - s->told.first[rank]) -
                  strlen(name) - 1;
    struct dwqi_cpuset allowed = { .words = NULL };
    dwq_status_t status;

    if (size > 0 && !dwqi_cpuset_parse(&allowed, set, size)) {
        return DWQ_E_NOMEM; /* it can be read */
    }
    status = dwqi_cluster_add_rank(&run->cluster, s->host_of[rank],
                                   size > 0 ? &allowed : NULL);
    dwqi_cpuset_finish(&allowed);
    return status;
}

static dwq_status_t make_cluster(struct run *run, const struct survey *s,
                                 struct dwqi_error *fault)
{
    const char *why = "it cannot be kept";
    dwq_status_t status = DWQ_OK;

    for (int host = 0; host < s->names.n_keys && status == DWQ_OK; host++) {
        int at = s->described.first[s->first_of[host]];
        int end = s->described.first[s->first_of[host] + 1];

        status = dwqi_host_decode(&run->cluster, s->described.data + at,
                                  (size_t)(end - at), &why);
    }
    for (int rank = 0; rank < run->plan.request.size && status == DWQ_OK;
         rank++) {
        status = add_rank(run, s, rank);
    }
    if (status == DWQ_OK) {
        status = dwqi_cluster_restrict(&run->cluster);
    }
    return blame(fault, status, "the hosts' description", why);
}

/* --- Placing ------------------------------------------------------------------ */

static enum dwqi_straddle straddle_of(dwq_straddle_t straddle)
{
    switch (straddle) {
    case DWQ_STRADDLE_NEVER:
        return DWQI_STRADDLE_NEVER;
    case DWQ_STRADDLE_FREELY:
        return DWQI_STRADDLE_FREELY;
    default:
        return DWQI_STRADDLE_IF_MUST;
    }
}

static struct dwqi_size size_of(const dwq_options_t *o)
{
    static const enum dwqi_domain domains[] = {
        [DWQ_DOMAIN_DEFAULT] = DWQI_DOMAIN_NUMA,
        [DWQ_DOMAIN_CORE] = DWQI_DOMAIN_CORE,
        [DWQ_DOMAIN_L3] = DWQI_DOMAIN_L3,
        [DWQ_DOMAIN_NUMA] = DWQI_DOMAIN_NUMA,
        [DWQ_DOMAIN_PACKAGE] = DWQI_DOMAIN_PACKAGE,
        [DWQ_DOMAIN_HOST] = DWQI_DOMAIN_HOST,
    };

    if (o->nprocs_per_worker != DWQ_NPROCS_AUTO) {
        return (struct dwqi_size){ .kind = DWQI_SIZE_FIXED,
                                   .n = dwqi_options_nprocs(o) };
    }
    if (o->groups_per_host > 0) {
        return (struct dwqi_size){ .kind = DWQI_SIZE_PER_HOST,
                                   .n = o->groups_per_host };
    }
    return (struct dwqi_size){ .kind = DWQI_SIZE_DOMAIN,
                               .domain = domains[o->domain] };
}

static struct dwqi_place_request place_request(
    const dwq_options_t *o, const struct dwqi_plan_request *request)
{
    return (struct dwqi_place_request){
        .grouping = request->grouping,
        .size = size_of(o),
        .broker = o->broker_is_worker   ? DWQI_BROKER_INSIDE
                  : o->broker_on_thread ? DWQI_BROKER_THREAD
                                        : DWQI_BROKER_BESIDE,
        .straddle = straddle_of(o->straddle),
        .fill = o->fill == DWQ_FILL_SPREAD ? DWQI_FILL_SPREAD : DWQI_FILL_PACK,
        .threads = o->threads_per_rank,
        .max_workers = o->max_workers,
        .controller = request->controller,
        .controller_shares = o->controller_shares_core,
    };
}

static const char *option_of(enum dwqi_place_part part)
{
    switch (part) {
    case DWQI_PART_GROUPING:
        return "option grouping";
    case DWQI_PART_SIZE:
        return "option nprocs_per_worker";
    case DWQI_PART_BROKER:
        return "options broker_is_worker, broker_on_thread";
    case DWQI_PART_STRADDLE:
        return "option straddle";
    case DWQI_PART_THREADS:
        return "option threads_per_rank";
    case DWQI_PART_CONTROLLER:
        return DWQI_CONTROLLER_RANK_ENV;
    default:
        return "no group can be placed";
    }
}

static dwq_status_t place(struct run *run, struct dwqi_error *fault)
{
    struct dwqi_plan_request request = run->plan.request;
    struct dwqi_place_request wanted = place_request(&run->options, &request);
    struct dwqi_error why = { .text = "" };
    dwq_status_t status =
        dwqi_place(&run->cluster, &wanted, &run->placement, &why);

    if (status == DWQ_OK) {
        status = dwqi_plan_placed(&request, &run->cluster, &run->placement,
                                  &run->plan);
    }
    run->placed = status == DWQ_OK;
    return blame(fault, status, option_of(why.code), why.text);
}

/* --- All together --------------------------------------------------------------- */

/* Where nothing can be looked at and the size is given, do without: a rank says so
 * once. Otherwise the status as agreed on. */
static dwq_status_t agree_to_look(struct run *run, dwq_status_t status,
                                  struct dwqi_error *fault, bool *look_out)
{
    int first = INT_MAX;
    bool blind = status == DWQ_E_STATE && !run->only_plan &&
                 run->options.nprocs_per_worker != DWQ_NPROCS_AUTO;
    dwq_status_t asked = dwqi_run_agree(run, blind ? DWQ_OK : status, fault);

    if (asked == DWQ_OK) {
        asked = dwqi_ranks_min(dwqi_world_ranks(run->world),
                               blind ? run->rank : INT_MAX, &first);
    }
    if (asked == DWQ_OK && first == run->rank) {
        dwqi_log_warning(&run->log,
                         "%s: groups are cut in rank order, and bound to "
                         "nothing",
                         fault->text);
    }
    *look_out = first == INT_MAX;
    return asked;
}

static dwq_status_t gather_names(struct run *run, struct survey *s,
                                 struct dwqi_error *fault)
{
    struct dwqi_buffer mine = { .data = NULL };
    dwq_status_t status = dwqi_run_agree(run, tell(s, &mine), fault);

    if (status == DWQ_OK) {
        status = dwqi_ranks_gather_all(dwqi_world_ranks(run->world), mine.data,
                                       mine.size, &run->log, &s->told);
    }
    dwqi_buffer_finish(&mine);
    return status == DWQ_OK
               ? dwqi_run_agree(run, sort_hosts(s, run->plan.request.size),
                                fault)
               : status;
}

static dwq_status_t gather_hosts(struct run *run, struct survey *s,
                                 struct dwqi_error *fault, bool *look_out)
{
    struct dwqi_buffer mine = { .data = NULL };
    dwq_status_t status = describe(run, s, &mine, fault);

    status = agree_to_look(run, status, fault, look_out);
    if (status == DWQ_OK && *look_out) {
        status = dwqi_ranks_gather_all(dwqi_world_ranks(run->world), mine.data,
                                       mine.size, &run->log, &s->described);
    }
    dwqi_buffer_finish(&mine);
    return status;
}

static void finish_survey(struct survey *s)
{
    dwqi_gathered_finish(&s->told);
    dwqi_gathered_finish(&s->described);
    dwqi_intern_finish(&s->names);
    free(s->host_of);
    free(s->first_of);
}

static void tell_plan(const struct run *run, int n_hosts)
{
    const struct dwqi_placement *plan = &run->placement;

    if (run->rank != run->plan.shown.controller) {
        return;
    }
    dwqi_log_info(&run->log, "%d group%s placed on %d host%s", plan->n_groups,
                  plan->n_groups == 1 ? "" : "s", n_hosts,
                  n_hosts == 1 ? "" : "s");
    if (plan->controller_costs > 0) {
        dwqi_log_info(
            &run->log,
            "the controller has a core of its own: %d group%s more if "
            "it shares one (option controller_shares_core)",
            plan->controller_costs, plan->controller_costs == 1 ? "" : "s");
    }
    if (plan->controller_shares) {
        dwqi_log_info(&run->log, "the controller shares a core");
    }
    if (plan->n_on_threads > 0) {
        dwqi_log_info(&run->log,
                      "%d host%s more ranks than cores: each rank has a "
                      "hardware thread there",
                      plan->n_on_threads,
                      plan->n_on_threads == 1 ? " has" : "s have");
    }
    if (plan->n_oversubscribed > 0) {
        dwqi_log_warning(&run->log,
                         "%d host%s more ranks than cores: planned in rank "
                         "order there, and bound to nothing",
                         plan->n_oversubscribed,
                         plan->n_oversubscribed == 1 ? " has" : "s have");
    }
}

dwq_status_t dwqi_run_place(struct run *run,
                            const struct dwqi_plan_request *request,
                            struct dwqi_error *fault)
{
    struct survey survey = { .host_of = NULL };
    bool look = false;
    dwq_status_t status;

    run->plan.request = *request;
    status = gather_names(run, &survey, fault);
    if (status == DWQ_OK) {
        status = gather_hosts(run, &survey, fault, &look);
    }
    if (status == DWQ_OK && look) {
        status = make_cluster(run, &survey, fault);
        if (status == DWQ_OK) {
            status = place(run, fault);
        }
        status = dwqi_run_agree(run, status, fault);
    }
    if (status == DWQ_OK && look) {
        tell_plan(run, survey.names.n_keys);
    }
    finish_survey(&survey);
    return status;
}

void dwqi_run_finish_place(struct run *run)
{
    dwqi_placement_finish(&run->placement);
    dwqi_cluster_finish(&run->cluster);
}

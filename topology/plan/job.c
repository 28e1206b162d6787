/* dwq-plan as a job of several ranks: the plan of that job, by the start of a run
 * with the same options. */
#define _DEFAULT_SOURCE /* setenv */
#include <limits.h>
#include <stdlib.h>

#include "libdwq/run/run.h"
#include "topology/plan/names.h"
#include "topology/plan/options.h"

/* The rank that the first of these launchers gave; -1: none of them did. */
static int rank_of(const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *text = getenv(names[i]);
        int number;

        if (text && dwqi_text_to_int(text, 0, INT_MAX, &number)) {
            return number;
        }
    }
    return -1;
}

bool dwqi_plan_launched(bool *silent_out)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_RANK", "PMI_RANK",
                                         "PMIX_RANK" };
    static const char *const srun[] = { "SLURM_PROCID" };
    int rank = rank_of(names, sizeof names / sizeof names[0]);

    /* srun without MPI numbers its tasks all the same. */
    *silent_out = rank > 0 || (rank < 0 && rank_of(srun, 1) > 0);
    return rank >= 0;
}

static void set_size(const struct dwqi_size *size, dwq_options_t *o)
{
    static const dwq_domain_t domains[] = {
        [DWQI_DOMAIN_CORE] = DWQ_DOMAIN_CORE,
        [DWQI_DOMAIN_L3] = DWQ_DOMAIN_L3,
        [DWQI_DOMAIN_NUMA] = DWQ_DOMAIN_NUMA,
        [DWQI_DOMAIN_PACKAGE] = DWQ_DOMAIN_PACKAGE,
        [DWQI_DOMAIN_HOST] = DWQ_DOMAIN_HOST,
    };

    o->nprocs_per_worker = DWQ_NPROCS_AUTO;
    switch (size->kind) {
    case DWQI_SIZE_FIXED:
        o->nprocs_per_worker = size->n;
        break;
    case DWQI_SIZE_PER_HOST:
        o->groups_per_host = size->n;
        break;
    case DWQI_SIZE_DOMAIN:
        o->domain = domains[size->domain];
        break;
    }
}

static dwq_straddle_t straddle_of(enum dwqi_straddle straddle)
{
    switch (straddle) {
    case DWQI_STRADDLE_NEVER:
        return DWQ_STRADDLE_NEVER;
    case DWQI_STRADDLE_FREELY:
        return DWQ_STRADDLE_FREELY;
    default:
        return DWQ_STRADDLE_IF_MUST;
    }
}

static dwq_options_t run_options(const struct plan_options *options)
{
    const struct dwqi_place_request *request = &options->request;
    dwq_options_t o = {
        .grouping = request->grouping,
        .nprocs_per_worker = DWQ_NPROCS_AUTO,
        .max_workers = request->max_workers,
        .broker_is_worker = request->broker == DWQI_BROKER_INSIDE,
        .broker_on_thread = request->broker == DWQI_BROKER_THREAD,
        .controller_shares_core = request->controller_shares,
    };

    if (dwqi_plan_is_given(options, &request->size)) {
        set_size(&request->size, &o);
    }
    if (dwqi_plan_is_given(options, &request->straddle)) {
        o.straddle = straddle_of(request->straddle);
    }
    if (dwqi_plan_is_given(options, &request->fill)) {
        o.fill =
            request->fill == DWQI_FILL_SPREAD ? DWQ_FILL_SPREAD : DWQ_FILL_PACK;
    }
    if (dwqi_plan_is_given(options, &request->threads)) {
        o.threads_per_rank = request->threads;
    }
    return o;
}

static int show(const struct dwqi_cluster *cluster,
                const struct dwqi_placement *placement, void *arg)
{
    return dwqi_plan_show(arg, cluster, placement);
}

bool dwqi_plan_job(const struct plan_options *options, int *code_out)
{
    struct plan_options own = *options;
    dwq_options_t o = run_options(options);
    char controller[16];
    int code = 0;
    dwq_status_t status;

    snprintf(controller, sizeof controller, "%d", options->controller);
    setenv("DWQ_CONTROLLER_RANK", controller, 1); /* as a run is told */
    status = dwqi_run_only_plan(&o, show, &own, &code);
    dwq_finalize();
    if (status == DWQ_E_EMPTY) {
        return false;
    }
    *code_out = status == DWQ_OK ? code : status == DWQ_E_OPTION ? 2 : 1;
    return true;
}

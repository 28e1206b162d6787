/* Ranks that start a run agree: what one of them finds wrong all hear, with its words. */
#include <limits.h>

#include "libdwq/run/run_private.h"

/* Before all hear it. What is wrong with a run that has not begun is an option, but for
 * this. */
static void complete(struct dwqi_error *fault, dwq_status_t status,
                     const char *who)
{
    if (status == DWQ_E_NOMEM) {
        dwqi_error_set(fault, status, "%s%s", who, dwq_status_text(status));
    }
    fault->code =
        status == DWQ_E_NOMEM || status == DWQ_E_ARG ? status : DWQ_E_OPTION;
}

/* In the world the first that has a fault says it; in a group its broker does later. */
static dwq_status_t agree(struct run *run, bool in_group, dwq_status_t status,
                          struct dwqi_error *fault)
{
    struct dwqi_ranks *ranks =
        in_group ? dwqi_group_ranks(run->group) : dwqi_world_ranks(run->world);
    int rank = dwqi_ranks_rank(ranks), first = INT_MAX;
    char who[64] = "";
    dwq_status_t asked =
        dwqi_ranks_min(ranks, status == DWQ_OK ? INT_MAX : rank, &first);

    if (asked != DWQ_OK || first == INT_MAX) {
        return asked;
    }
    if (first == rank && in_group) {
        snprintf(who, sizeof who, "%s: ", run->log.who);
    }
    if (first == rank) {
        complete(fault, status, who);
    }
    if (first == rank && !in_group) {
        dwqi_log_error(&run->log, "%s", fault->text);
    }
    asked = dwqi_ranks_bcast(ranks, first, fault, sizeof *fault);
    return asked == DWQ_OK ? (dwq_status_t)fault->code : asked;
}

dwq_status_t dwqi_run_agree(struct run *run, dwq_status_t status,
                            struct dwqi_error *fault)
{
    return agree(run, false, status, fault);
}

dwq_status_t dwqi_run_agree_in_group(struct run *run, dwq_status_t status,
                                     struct dwqi_error *fault)
{
    return agree(run, true, status, fault);
}

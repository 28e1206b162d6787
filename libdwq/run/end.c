/* What the controller's rank finds around the job all have: the end of the allocation, as
 * the limit of the run, and whether the launcher lets others live when a rank dies. */
#include <math.h>

#include "libdwq/base/clock.h"
#include "libdwq/process/process.h"
#include "libdwq/process/watchdog.h"
#include "libdwq/run/allocation.h"
#include "libdwq/run/run_private.h"

struct found {
    int status;  /* of the search */
    bool is_end; /* there is one, or `none` */
    bool survives;
    double left; /* seconds */
};

static struct found find(const struct run *run, struct dwqi_error *fault)
{
    struct dwqi_allocation allocation = { .left = INFINITY };
    dwq_status_t status = DWQ_OK;
    const char *said = getenv("DWQ_TIME_LIMIT"); /* stronger than the option */

    if (run->options.time_limit == 0 || (said && *said)) {
        status = dwqi_allocation_find(
            dwqi_clock_now() - dwqi_process_first_run(), &allocation, fault);
    }
    if (allocation.source && !isinf(allocation.left)) {
        dwqi_log_info(&run->log, "the allocation ends in %.0f s, by %s",
                      allocation.left, allocation.source);
    }
    return (struct found){ .status = status,
                           .is_end = allocation.source != NULL,
                           .left = allocation.left };
}

/* The user's own limit is no more. */
static void set_limits(struct run *run, double left)
{
    dwq_options_t *o = &run->options;
    struct dwqi_allocation_limits limits =
        dwqi_allocation_limits(left, o->end_margin, o->time_limit_grace);

    if (isinf(left)) {
        o->time_limit = o->time_limit_grace = 0;
        return;
    }
    o->time_limit = limits.limit;
    o->time_limit_grace = limits.grace;
    run->start = dwqi_clock_now();
    run->ends_with_allocation = true;
    if (run->facts.is_controller) {
        run->gone = dwqi_watchdog_start(
            limits.gone, "the allocation ends: the job ends now");
    }
}

dwq_status_t dwqi_run_find_end(struct run *run, struct dwqi_error *fault)
{
    struct found found = { .status = DWQ_OK };
    dwq_status_t status = DWQ_OK;

    if (run->facts.is_controller) {
        found = find(run, fault);
        found.survives = dwqi_run_may_survive(run);
    }
    if (run->facts.size > 1) {
        status =
            dwqi_ranks_bcast(dwqi_world_ranks(run->world),
                             run->plan.shown.controller, &found, sizeof found);
    }
    if (status == DWQ_OK && found.status != DWQ_OK) {
        status = dwqi_run_agree(
            run, run->facts.is_controller ? (dwq_status_t)found.status : DWQ_OK,
            fault);
    }
    if (status == DWQ_OK && found.is_end) {
        set_limits(run, found.left);
    }
    return status == DWQ_OK && found.survives ? dwqi_run_make_survive(run)
                                              : status;
}

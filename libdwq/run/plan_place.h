/* A run's plan from what the placer found: groups of any ranks, of different width.
 * Pure. */
#ifndef DWQI_RUN_PLAN_PLACE_H
#define DWQI_RUN_PLAN_PLACE_H

#include "libdwq/run/plan.h"
#include "topology/placer.h"

/**
 * @param request    Its nprocs is not looked at: each group has its own width.
 * @param cluster    Borrowed until the plan is finished: it has the names of hosts.
 * @param placement  Borrowed for the call; of a cluster of request->size ranks.
 *
 * @return DWQ_OK (plan_out: release with dwqi_plan_finish()), DWQ_E_NOMEM
 */
dwq_status_t dwqi_plan_placed(const struct dwqi_plan_request *request,
                              const struct dwqi_cluster *cluster,
                              const struct dwqi_placement *placement,
                              struct dwqi_plan *plan_out);

#endif

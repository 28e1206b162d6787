/* What a plan is worth, and what cutting the ranks into consecutive blocks would
 * have done instead. */
#ifndef DWQI_TOPOLOGY_BLOCKS_H
#define DWQI_TOPOLOGY_BLOCKS_H

#include "topology/placer.h"

/* The plan of somebody who knows nothing of the cluster: rank by rank, `width`
 * ranks each (after one for a broker that is not inside), the n-th rank of a host
 * on its n-th core, the controller's left out. DWQ_E_OPTION: no group;
 * DWQ_E_NOMEM. */
dwq_status_t dwqi_blocks(const struct dwqi_cluster *cluster,
                         const struct dwqi_place_request *request, int width,
                         struct dwqi_placement *out);

struct dwqi_figures {
    int n_groups;
    int n_straddling; /* groups that are in several NUMA nodes, packages or
                       * hosts, and whose cores would fit into one */
    int n_idle_cores; /* with neither a member, a broker nor the controller */
};

dwq_status_t dwqi_figures(const struct dwqi_cluster *cluster,
                          const struct dwqi_placement *plan,
                          struct dwqi_figures *out);

#endif

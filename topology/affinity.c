/* What this process may use, from the system and without hwloc: every rank asks,
 * and only one of a host loads a topology. */
#define _GNU_SOURCE
#include <sched.h>

#include "topology/discover.h"
#include "topology/openmp.h"

dwq_status_t dwqi_discover_affinity(struct dwqi_cpuset *out)
{
#ifdef CPU_ALLOC
    size_t size = CPU_ALLOC_SIZE(DWQI_PU_LIMIT);
    cpu_set_t *mask = CPU_ALLOC(DWQI_PU_LIMIT);
    struct dwqi_cpuset set = { .words = NULL };
    dwq_status_t status = mask ? DWQ_OK : DWQ_E_NOMEM;

    if (mask && sched_getaffinity(0, size, mask) != 0) {
        status = DWQ_E_STATE;
    }
    for (int pu = 0; pu < DWQI_PU_LIMIT && status == DWQ_OK; pu++) {
        if (CPU_ISSET_S((size_t)pu, size, mask) && !dwqi_cpuset_add(&set, pu)) {
            status = DWQ_E_NOMEM;
        }
    }
    CPU_FREE(mask);
    if (status != DWQ_OK) {
        dwqi_cpuset_finish(&set);
        return status;
    }
    *out = set;
    return DWQ_OK;
#else
    (void)out;
    return DWQ_E_STATE;
#endif
}

dwq_status_t dwqi_discover_allowed(struct dwqi_cpuset *out)
{
    struct dwqi_cpuset set, places = { .words = NULL };
    dwq_status_t status = dwqi_discover_affinity(&set);

    if (status != DWQ_OK) {
        return status;
    }
    if (!dwqi_openmp_places(&set, &places) ||
        !dwqi_cpuset_unite(&set, &places)) {
        status = DWQ_E_NOMEM;
    }
    dwqi_cpuset_finish(&places);
    if (status != DWQ_OK) {
        dwqi_cpuset_finish(&set);
        return status;
    }
    *out = set;
    return DWQ_OK;
}

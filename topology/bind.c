#include "topology/bind.h"

#include <errno.h>
#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "topology/discover.h"

static dwq_status_t fail(struct dwqi_error *fault, const char *why,
                         const char *more)
{
    return dwqi_error_set(fault, DWQ_E_STATE, "not bound: %s%s", why, more);
}

/* Only what has to be known: whether binding means anything. */
static dwq_status_t load(hwloc_topology_t *out)
{
    hwloc_topology_t topology;

    if (hwloc_topology_init(&topology) != 0) {
        return DWQ_E_NOMEM;
    }
    hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE);
    if (hwloc_topology_load(topology) != 0) {
        hwloc_topology_destroy(topology);
        return DWQ_E_STATE;
    }
    *out = topology;
    return DWQ_OK;
}

static dwq_status_t bind_to(hwloc_topology_t topology,
                            hwloc_const_bitmap_t asked,
                            struct dwqi_error *fault)
{
    hwloc_bitmap_t before = hwloc_bitmap_alloc(), got = hwloc_bitmap_alloc();
    dwq_status_t status = DWQ_OK;
    char text[128];

    if (!before || !got) {
        status = DWQ_E_NOMEM;
    } else if (hwloc_get_cpubind(topology, before, HWLOC_CPUBIND_PROCESS) !=
               0) {
        status = fail(fault,
                      "the binding cannot be read: ", dwqi_plain_error(errno));
    } else if (hwloc_set_cpubind(topology, asked, HWLOC_CPUBIND_PROCESS) != 0) {
        status = fail(fault, "the system refuses: ", dwqi_plain_error(errno));
    } else if (hwloc_get_cpubind(topology, got, HWLOC_CPUBIND_PROCESS) != 0 ||
               !hwloc_bitmap_isequal(got, asked)) {
        hwloc_bitmap_list_snprintf(text, sizeof text, got);
        hwloc_set_cpubind(topology, before, HWLOC_CPUBIND_PROCESS);
        status = fail(fault, "what was read back is ", text);
    }
    hwloc_bitmap_free(before);
    hwloc_bitmap_free(got);
    return status;
}

/* A described topology has threads that this machine may not have. */
static bool is_described(void)
{
    const char *topology = getenv(DWQI_TOPOLOGY_ENV);
    const char *real = getenv("HWLOC_THISSYSTEM");

    return topology && *topology != '\0' && !(real && strcmp(real, "1") == 0);
}

dwq_status_t dwqi_bind(const int *pus, int n_pus, struct dwqi_error *fault_out)
{
    hwloc_bitmap_t asked;
    hwloc_topology_t topology;
    dwq_status_t status = n_pus > 0 ? DWQ_OK : DWQ_E_ARG;

    if (is_described()) {
        return fail(fault_out, "the topology is that of " DWQI_TOPOLOGY_ENV,
                    ", not of this system");
    }
    asked = hwloc_bitmap_alloc();
    if (!asked) {
        return DWQ_E_NOMEM;
    }
    for (int i = 0; i < n_pus && status == DWQ_OK; i++) {
        if (pus[i] < 0 || pus[i] >= DWQI_PU_LIMIT) {
            status = DWQ_E_ARG;
        } else if (hwloc_bitmap_set(asked, (unsigned)pus[i]) != 0) {
            status = DWQ_E_NOMEM;
        }
    }
    if (status == DWQ_OK) {
        status = load(&topology);
        if (status == DWQ_E_STATE) {
            fail(fault_out, "hwloc could not load this machine", "");
        }
    }
    if (status == DWQ_OK) {
        status = hwloc_topology_is_thissystem(topology)
                     ? bind_to(topology, asked, fault_out)
                     : fail(fault_out, "hwloc was told of another system", "");
        hwloc_topology_destroy(topology);
    }
    hwloc_bitmap_free(asked);
    return status;
}

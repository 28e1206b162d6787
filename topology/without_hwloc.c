/* The answers of a library that was built without hwloc. */
#include <stdio.h>

#include "topology/bind.h"
#include "topology/discover.h"

static dwq_status_t absent(struct dwqi_error *fault)
{
    return dwqi_error_set(
        fault, DWQ_E_STATE,
        "libdwq was built without hwloc: nothing is placed or bound");
}

dwq_status_t dwqi_discover(const char *host, struct dwqi_machine *out,
                           bool *this_system_out, struct dwqi_error *fault_out)
{
    (void)host;
    (void)out;
    (void)this_system_out;
    return absent(fault_out);
}

dwq_status_t dwqi_bind(const int *pus, int n_pus, struct dwqi_error *fault_out)
{
    (void)pus;
    (void)n_pus;
    return absent(fault_out);
}

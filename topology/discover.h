/* What a host is made of, as hwloc sees it: this machine, an XML file, or a
 * synthetic string. With bind.c the only code that knows hwloc; a library built
 * without it answers DWQ_E_STATE. */
#ifndef DWQI_TOPOLOGY_DISCOVER_H
#define DWQI_TOPOLOGY_DISCOVER_H

#include "libdwq/base/error.h"
#include "topology/model.h"

#define DWQI_TOPOLOGY_ENV "DWQ_TOPOLOGY"
#define DWQI_SYNTHETIC_LIMIT 4096 /* hardware threads of a described host */
#define DWQI_SYNTHETIC_FAULT \
    "not a synthetic topology of hwloc (pack:2 numa:2 core:16 pu:2)"

/**
 * Describe this host: by the environment's DWQ_TOPOLOGY (see below), else this
 * machine as hwloc finds it, without what the cgroup forbids. What this process
 * is bound to is not looked at: see dwqi_discover_allowed().
 *
 * @param host             Its name, for "%h".
 * @param this_system_out  Whether bindings mean anything.
 *
 * @return DWQ_OK
 *         DWQ_E_OPTION  DWQ_TOPOLOGY cannot be used; fault_out quotes it
 *         DWQ_E_STATE   hwloc is not there, or failed; fault_out
 *         DWQ_E_NOMEM
 */
dwq_status_t dwqi_discover(const char *host, struct dwqi_machine *out,
                           bool *this_system_out, struct dwqi_error *fault_out);

/* The same from a text: an XML file when it has a '/' or ends in ".xml", else a
 * synthetic string of hwloc (" pu:1" may be left out). "%h" is the host's name, "%%"
 * is "%". Writes the fault unless it returns DWQ_OK or DWQ_E_NOMEM. */
dwq_status_t dwqi_discover_text(const char *text, const char *host,
                                struct dwqi_machine *out,
                                struct dwqi_error *fault_out);

/* This thread's affinity. Does not load a topology. DWQ_E_STATE: the system does not
 * tell. */
dwq_status_t dwqi_discover_affinity(struct dwqi_cpuset *out);

/* What this process may use, as the launcher left it: its affinity, and that which
 * the OpenMP runtime gave up by pinning the thread. */
dwq_status_t dwqi_discover_allowed(struct dwqi_cpuset *out);

#endif

/* One host as bytes that can be sent: text, one word for each run of cores that
 * are alike.
 *
 *   dwq-host-1 n01 system 0-15/0/0/0:0,64+1 16-31/0/1/1:16,80+1
 *
 * The version, the name, whether it is a real system or "described", then runs:
 * core numbers/package/NUMA node/L3 cache ("-": none):the threads of the first
 * core+what to add to each for the next core. */
#ifndef DWQI_TOPOLOGY_DESCRIBE_H
#define DWQI_TOPOLOGY_DESCRIBE_H

#include "topology/model.h"

#define DWQI_DESCRIPTION_LIMIT ((size_t)4 << 20) /* bytes; longer: refused */

/* Appends the runs of a machine: equal machines give equal bytes. */
void dwqi_machine_print(const struct dwqi_machine *machine,
                        struct dwqi_buffer *text);
/* Appends a host; DWQ_E_NOMEM. */
dwq_status_t dwqi_host_encode(const char *name,
                              const struct dwqi_machine *machine,
                              bool this_system, struct dwqi_buffer *bytes);
/* Adds the host that the bytes describe. DWQ_E_MESSAGE: malformed, *why_out
 * (a constant) says how; DWQ_E_NOMEM. The cluster is then as before. */
dwq_status_t dwqi_host_decode(struct dwqi_cluster *cluster, const void *bytes,
                              size_t size, const char **why_out);

#endif

/* Clusters described by a text:
 *
 *   n[01-16]:pack:2 numa:2 core:16 pu:2; fat1,fat2:pack:4 core:16 pu:1
 *
 * Entries are joined by ';' or stand on lines of their own; '#' starts a comment.
 * In front of the first ':' are names, in brackets numbers or ranges that keep
 * their leading zeros; behind it is what each of these hosts is made of. */
#ifndef DWQI_TOPOLOGY_HOSTS_H
#define DWQI_TOPOLOGY_HOSTS_H

#include "libdwq/base/error.h"
#include "topology/model.h"

#define DWQI_HOST_COUNT_LIMIT 1000000

/* Makes the machine of one host from the text behind its name. Writes the fault
 * unless it returns DWQ_OK or DWQ_E_NOMEM. */
typedef dwq_status_t dwqi_machine_of(const char *text, const char *host,
                                     struct dwqi_machine *out,
                                     struct dwqi_error *fault_out);

/* Adds the hosts. DWQ_E_OPTION (fault_out): the cluster then holds those before
 * the fault; DWQ_E_NOMEM. */
dwq_status_t dwqi_hosts_parse(const char *text, dwqi_machine_of *machine_of,
                              struct dwqi_cluster *cluster,
                              struct dwqi_error *fault_out);

/* "pack:2 numa:2 core:16 pu:2": each part has so many of the next one. Kinds:
 * pack, numa, l3, core, pu, and die, group, l1, l2, l4, l5, which say nothing
 * here. As hwloc's synthetic strings, of which this is the plain part: without
 * hwloc. A dwqi_machine_of. */
dwq_status_t dwqi_synthetic_parse(const char *text, const char *host,
                                  struct dwqi_machine *out,
                                  struct dwqi_error *fault_out);

#endif

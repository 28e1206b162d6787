/* Clusters described by a text:
 *
 *   n[01-16]:pack:2 numa:2 core:16 pu:2; fat1,fat2:pack:4 core:16 pu:1
 *
 * Entries are joined by ';' or stand on lines of their own; '#' starts a comment.
 * In front of the first ':' are names, in brackets numbers or ranges that keep
 * their leading zeros; behind it is what each of these hosts is made of: see
 * dwqi_discover_text(). */
#ifndef DWQI_TOPOLOGY_PLAN_HOSTS_H
#define DWQI_TOPOLOGY_PLAN_HOSTS_H

#include "topology/discover.h"

#define DWQI_HOST_COUNT_LIMIT 1000000

/* Adds the hosts. DWQ_E_OPTION (fault_out): the cluster then holds those before
 * the fault; DWQ_E_NOMEM. */
dwq_status_t dwqi_hosts_parse(const char *text, struct dwqi_cluster *cluster,
                              struct dwqi_error *fault_out);

#endif

/* What a cluster is made of, and which ranks live where: plain structs, filled
 * from discover.h, from a description that came as bytes, or from a text. Equal
 * machines and equal cpusets are stored once. */
#ifndef DWQI_TOPOLOGY_MODEL_H
#define DWQI_TOPOLOGY_MODEL_H

#include <dwq/status.h>

#include "topology/cpuset.h"
#include "topology/intern.h"
#include "topology/policy.h"

#define DWQI_CORE_LIMIT 65536    /* cores of a host, and numbers of its parts */
#define DWQI_HOST_NAME_LIMIT 256 /* bytes, with the end mark */

/* A core that may be used. The numbers are those of the whole machine (hwloc's
 * logical ones), so they stay when a neighbour may not be used. */
struct dwqi_core {
    int number;
    int package;
    int numa;            /* its nearest NUMA node */
    int l3;              /* its level 3 cache, or -1 */
    int first_pu, n_pus; /* usable hardware threads: a slice of machine->pus */
};

/* The number of its part of that kind; -1: in none. */
static inline int dwqi_core_part(const struct dwqi_core *core,
                                 enum dwqi_domain kind)
{
    return kind == DWQI_DOMAIN_CORE      ? core->number
           : kind == DWQI_DOMAIN_L3      ? core->l3
           : kind == DWQI_DOMAIN_NUMA    ? core->numa
           : kind == DWQI_DOMAIN_PACKAGE ? core->package
                                         : 0;
}

/* {0} has no cores. */
struct dwqi_machine {
    struct dwqi_core *cores; /* by ascending number */
    int *pus;                /* numbers of the operating system */
    int n_cores, n_pus;
    int core_room, pu_room; /* allocated */
};

struct dwqi_host {
    char *name;
    int machine;      /* index into the cluster's machines */
    bool this_system; /* false: described by a file or a string; the cpusets of
                       * its ranks say nothing about it */
};

/* Where a rank lives; the index in the array is the world rank. */
struct dwqi_place {
    int host;
    int set; /* what it may use: index into the cluster's sets; -1: all */
};

/* {0} has no hosts. */
struct dwqi_cluster {
    struct dwqi_host *hosts;
    struct dwqi_machine *machines;
    struct dwqi_place *ranks;
    struct dwqi_cpuset *sets;
    int n_hosts, n_machines, n_ranks, n_sets;
    int host_room, machine_room, rank_room, set_room; /* allocated */
    struct dwqi_intern machine_keys, set_keys;
};

void dwqi_machine_finish(struct dwqi_machine *machine);
/* Appends a core with its threads. DWQ_E_ARG: a number out of range or out of
 * order, or no threads; DWQ_E_NOMEM. */
dwq_status_t dwqi_machine_add(struct dwqi_machine *machine,
                              const struct dwqi_core *core, const int *pus);
/* What is left of a machine when only `usable` may be used: cores without a
 * usable thread are left out. */
dwq_status_t dwqi_machine_restrict(const struct dwqi_machine *machine,
                                   const struct dwqi_cpuset *usable,
                                   struct dwqi_machine *out);

void dwqi_cluster_finish(struct dwqi_cluster *cluster);
/* Copies both. DWQ_E_ARG: a name that is empty, too long or has white space. */
dwq_status_t dwqi_cluster_add_host(struct dwqi_cluster *cluster,
                                   const char *name,
                                   const struct dwqi_machine *machine,
                                   bool this_system);
/* The next world rank lives on this host, and may use `allowed` (copied; NULL:
 * all of it). */
dwq_status_t dwqi_cluster_add_rank(struct dwqi_cluster *cluster, int host,
                                   const struct dwqi_cpuset *allowed);
/* After the last rank: of each host with ranks only that stays which one of
 * them may use. */
dwq_status_t dwqi_cluster_restrict(struct dwqi_cluster *cluster);

static inline const struct dwqi_machine *dwqi_cluster_machine(
    const struct dwqi_cluster *cluster, int host)
{
    return &cluster->machines[cluster->hosts[host].machine];
}

/* Whether a rank (of no number: anybody) may use a hardware thread. */
static inline bool dwqi_cluster_allows(const struct dwqi_cluster *cluster,
                                       int rank, int pu)
{
    int set =
        rank >= 0 && rank < cluster->n_ranks ? cluster->ranks[rank].set : -1;

    return set < 0 || dwqi_cpuset_has(&cluster->sets[set], pu);
}

#endif

/* Cluster, request -> plan. Pure: the same input gives the same plan.
 *
 * Rules: no two groups share a core; a group that fits into one NUMA node,
 * package or host stays inside one (policy.h: straddle); ranks that the launcher
 * put somewhere get only cores that they may use; the controller has a core of
 * its own, or a spare hardware thread where that gives more groups, or shares a
 * core, where it is asked to or the host's other ranks need them all. Where there
 * is one rank more than cores it idles, unless that costs a group; of more ranks
 * than cores each has a hardware thread. A host with more ranks than those is
 * planned by rank order and bound to nothing. */
#ifndef DWQI_TOPOLOGY_PLACER_H
#define DWQI_TOPOLOGY_PLACER_H

#include <dwq/options.h>

#include "libdwq/base/error.h"
#include "topology/model.h"
#include "topology/policy.h"

struct dwqi_place_request {
    dwq_grouping_t grouping; /* SPLIT: groups are made of the cluster's ranks.
                              * SPAWN: each rank but the controller is a broker
                              * at most, and processes are sent to hosts; with no
                              * ranks, as many groups as fit */
    struct dwqi_size size;
    enum dwqi_broker_place broker;
    enum dwqi_straddle straddle;
    enum dwqi_fill fill;
    int threads;            /* cores of each rank of a group; 0: 1 */
    int max_workers;        /* groups at most; 0 or less: all */
    int controller;         /* world rank */
    bool controller_shares; /* a core with a rank of a group, if none is left */
};

/* One process and what it is bound to. */
struct dwqi_seat {
    int rank; /* world rank; -1: to be spawned */
    int host;
    int first_core,
        n_cores;         /* slice of placement->cores; 0: bound to nothing */
    int first_pu, n_pus; /* slice of placement->pus */
};

struct dwqi_placed_group {
    int first_seat, width; /* slice of placement->seats: its ranks, in order */
    struct dwqi_seat broker; /* inside: the same as its first seat */
    bool oversubscribed;     /* on a host with more ranks than cores */
};

/* X(name, text) */
#define DWQI_IDLE_LIST(X)                                          \
    X(MAX_WORKERS, "max_workers is reached")                       \
    X(PER_HOST, "its host has as many groups as were asked for")   \
    X(LEFT_OVER, "too few are left on its host for another group") \
    X(STRADDLE, "another group on its host would straddle parts")  \
    X(TOO_SMALL, "its host has no room for a whole group")         \
    X(NO_CORE, "no core that it may use is left")                  \
    X(NO_RANK, "too few ranks are left for another group")         \
    X(CONTROLLER, "a group lacks one core: controller_shares_core gives it")

enum dwqi_idle_why {
#define DWQI_IDLE_ENUM(name, text) DWQI_IDLE_##name,
    DWQI_IDLE_LIST(DWQI_IDLE_ENUM)
#undef DWQI_IDLE_ENUM
};

struct dwqi_idle {
    int rank;
    enum dwqi_idle_why why;
};

/* Groups are numbered by their lowest world rank. */
struct dwqi_placement {
    struct dwqi_placed_group *groups;
    struct dwqi_seat *seats;
    struct dwqi_idle *idle;        /* by rank */
    bool *oversubscribed;          /* by host */
    enum dwqi_idle_why *core_idle; /* by host: why cores are, if some are */
    int *cores;                    /* numbers of the host (struct dwqi_core) */
    int *pus;                      /* numbers of the operating system */
    int n_groups, n_seats, n_idle, n_cores, n_pus;
    int n_oversubscribed; /* hosts: a reason for one warning */
    struct dwqi_seat controller;
    bool *on_threads;       /* by host: there a "core" is a hardware thread */
    int n_on_threads;       /* hosts */
    bool controller_shares; /* its core is a group's, or a broker's */
    int controller_costs;   /* groups more if it did */
    bool controller_on_thread; /* on a spare one, of a core that a group may
                                * have */
    dwq_grouping_t grouping;
    enum dwqi_broker_place broker;
};

/* The part of a request that cannot be met: the code of its error. */
enum dwqi_place_part {
    DWQI_PART_NONE,
    DWQI_PART_CLUSTER,
    DWQI_PART_GROUPING,
    DWQI_PART_SIZE,
    DWQI_PART_BROKER,
    DWQI_PART_STRADDLE,
    DWQI_PART_THREADS,
    DWQI_PART_CONTROLLER
};

/**
 * Plan groups of ranks on the cores of a cluster.
 *
 * @param cluster   Borrowed for the call; dwqi_cluster_restrict() was called.
 * @param out       Written on DWQ_OK. Gives the plan: release it with
 *                  dwqi_placement_finish().
 * @param why_out   Written on DWQ_E_OPTION.
 *
 * @return DWQ_OK        at least one group is placed
 *         DWQ_E_OPTION  not one can be, or the request makes no sense
 *         DWQ_E_NOMEM
 */
dwq_status_t dwqi_place(const struct dwqi_cluster *cluster,
                        const struct dwqi_place_request *request,
                        struct dwqi_placement *out, struct dwqi_error *why_out);
void dwqi_placement_finish(struct dwqi_placement *placement);

const char *dwqi_idle_text(enum dwqi_idle_why why);
/* Where to spawn the processes of a group, in their order: "node1:2,node2".
 * Appends, without an end mark. */
void dwqi_placed_group_hosts(const struct dwqi_cluster *cluster,
                             const struct dwqi_placement *placement, int group,
                             struct dwqi_buffer *text);

#endif

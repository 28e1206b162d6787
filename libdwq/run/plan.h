/* Which rank does what. Pure. With placement, see plan_place.h; without it, workers are numbered from 1 in rank
 * order, the controller left out; groups are cut in the same order. */
#ifndef DWQI_RUN_PLAN_H
#define DWQI_RUN_PLAN_H

#include <dwq/plan.h>

enum dwqi_role_kind {
    DWQI_ROLE_CONTROLLER,
    DWQI_ROLE_WORKER, /* one rank, no group */
    DWQI_ROLE_BROKER, /* of a group: beside it, inside it, or of spawned ranks */
    DWQI_ROLE_LEAF,   /* of a group, not its broker */
    DWQI_ROLE_IDLE,
    DWQI_ROLE_IN_PLACE /* one process: controller, and runs the calls */
};

struct dwqi_plan_request {
    int size;        /* ranks */
    int controller;  /* in 0..size-1 */
    int max_workers; /* 0 or less: no limit */
    dwq_grouping_t grouping;
    int nprocs;  /* ranks per group; not looked at with placement */
    bool inside; /* the broker is a rank of its group */
};

struct dwqi_plan {
    struct dwqi_plan_request request;
    dwq_plan_t shown;
    dwq_plan_group_t *groups; /* [n_groups] */
    dwq_plan_idle_t *idle;
    int *ranks;    /* of all groups */
    int *group_of; /* [size]: number of the group, or 0 */
    int *place_of; /* [size]: in the merged communicator; 0 is the broker */
    dwq_plan_seat_t *seats; /* of all groups, in the order of ranks; or NULL */
    int *cores;             /* of all seats; or NULL */
};

/**
 * @param needed_out  Ranks that one group and the controller take.
 *
 * @return DWQ_OK (plan_out: release with dwqi_plan_finish()); DWQ_E_OPTION: not one
 *         group fits; DWQ_E_NOMEM
 */
dwq_status_t dwqi_plan_make(const struct dwqi_plan_request *request,
                            struct dwqi_plan *plan_out, int *needed_out);
void dwqi_plan_finish(struct dwqi_plan *plan);

enum dwqi_role_kind dwqi_plan_role(const struct dwqi_plan *plan, int rank);
/* 1..n_workers, or 0: this rank is none, nor in its group. */
int dwqi_plan_worker_of(const struct dwqi_plan *plan, int rank);
/* The rank that speaks for a worker. */
int dwqi_plan_rank_of(const struct dwqi_plan *plan, int worker);
int dwqi_plan_n_workers(const struct dwqi_plan *plan);
/* Why a rank is idle. */
const char *dwqi_plan_idle_reason(const struct dwqi_plan *plan, int rank);

#endif

/* Who does what in a run: the plan that dwq_controller_plan() shows. */
#ifndef DWQ_PLAN_H
#define DWQ_PLAN_H

#include <dwq/controller.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the plan puts one rank of a group. */
typedef struct dwq_plan_seat {
    const char *host;
    int n_cores; /* 0: it is bound to nothing */
    /* [n_cores] numbers of the host's cores (hwloc's logical). Where each rank has a
     * hardware thread, that of its core: two ranks may have it. */
    const int *cores;
} dwq_plan_seat_t;

/* One worker: a rank, or a group of ranks. */
typedef struct dwq_plan_group {
    int id;     /* the worker's number, 1..n_groups */
    int broker; /* rank of the run that speaks for it: its broker, or itself */
    bool broker_is_worker; /* the broker is a rank of the group */
    int n_ranks;           /* of the group: what dwq_call_size() gives */
    const int
        *ranks; /* [n_ranks] ranks of the run, in group order; -1: spawned */
    /* Of placed runs only; NULL and 0 in others. */
    const char *host;             /* all of them; several with ',' between */
    const dwq_plan_seat_t *seats; /* [n_ranks] */
    int n_cores;                  /* of all its ranks */
    bool oversubscribed;  /* on a host with more ranks than cores or threads */
    uint64_t reserved[8]; /* 0 */
} dwq_plan_group_t;

typedef struct dwq_plan_idle {
    int rank;
    const char *reason;
} dwq_plan_idle_t;

typedef struct dwq_plan {
    int size;                       /* ranks of the run */
    int controller;                 /* a rank */
    int n_groups;                   /* 0 with one process */
    const dwq_plan_group_t *groups; /* [n_groups] */
    int n_idle;
    const dwq_plan_idle_t *idle; /* [n_idle] */
} dwq_plan_t;

/** The plan of this run; valid until the controller function has returned and the
 * run has ended. */
DWQ_API const dwq_plan_t *dwq_controller_plan(
    const dwq_controller_t *controller);

/* What a worker is. */
typedef struct dwq_worker_info {
    const char *host;     /* as in the plan: NULL when the run was not placed */
    int n_ranks;          /* of its group; 1 without groups */
    int n_cores;          /* of these ranks; 0 when the run was not placed */
    uint64_t reserved[8]; /* 0 */
} dwq_worker_info_t;

/** How wide a worker is, and where. `info_out` is filled on DWQ_OK; its host is valid
 * as long as the plan. DWQ_E_ARG: no such worker (1..n_workers). */
DWQ_API dwq_status_t dwq_worker_info(const dwq_controller_t *controller,
                                     int worker, dwq_worker_info_t *info_out);

#ifdef __cplusplus
}
#endif

#endif

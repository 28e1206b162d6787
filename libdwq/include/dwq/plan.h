/* Who does what in a run: the plan that dwq_controller_plan() shows. */
#ifndef DWQ_PLAN_H
#define DWQ_PLAN_H

#include <dwq/controller.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One worker: a rank, or a group of ranks. Later versions may add fields at the
 * end. */
typedef struct dwq_plan_group {
    int id;     /* the worker's number, 1..n_groups */
    int broker; /* rank of the run that speaks for it: its broker, or itself */
    bool broker_is_worker; /* the broker is a rank of the group */
    int n_ranks;           /* of the group: what dwq_call_size() gives */
    const int
        *ranks; /* [n_ranks] ranks of the run, in group order; -1: spawned */
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

#ifdef __cplusplus
}
#endif

#endif

/* Which rank does what. Pure. Workers are numbered from 1 in rank order, the
 * controller left out. */
#ifndef DWQI_CORE_PLAN_H
#define DWQI_CORE_PLAN_H

enum dwqi_role {
    DWQI_ROLE_CONTROLLER,
    DWQI_ROLE_WORKER,
    DWQI_ROLE_IDLE,    /* beyond max_workers: takes no part */
    DWQI_ROLE_IN_PLACE /* one process: controller, and runs the calls */
};

struct dwqi_plan {
    int size;       /* ranks */
    int controller; /* a rank */
    int n_workers;
};

/* controller in 0..size-1; max_workers 0 or less: no limit. */
struct dwqi_plan dwqi_plan_make(int size, int controller, int max_workers);
enum dwqi_role dwqi_plan_role(const struct dwqi_plan *plan, int rank);
/* 1..n_workers, or 0: this rank is none. */
int dwqi_plan_worker_of(const struct dwqi_plan *plan, int rank);
int dwqi_plan_rank_of(const struct dwqi_plan *plan, int worker);

#endif

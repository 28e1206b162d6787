#include "libdwq/core/plan.h"

struct dwqi_plan dwqi_plan_make(int size, int controller, int max_workers)
{
    struct dwqi_plan plan = { .size = size,
                              .controller = controller,
                              .n_workers = size - 1 };

    if (max_workers > 0 && plan.n_workers > max_workers) {
        plan.n_workers = max_workers;
    }
    return plan;
}

int dwqi_plan_worker_of(const struct dwqi_plan *plan, int rank)
{
    int number = rank < plan->controller ? rank + 1 : rank;

    return rank == plan->controller || number > plan->n_workers ? 0 : number;
}

int dwqi_plan_rank_of(const struct dwqi_plan *plan, int worker)
{
    return worker <= plan->controller ? worker - 1 : worker;
}

enum dwqi_role dwqi_plan_role(const struct dwqi_plan *plan, int rank)
{
    if (plan->size == 1) {
        return DWQI_ROLE_IN_PLACE;
    }
    if (rank == plan->controller) {
        return DWQI_ROLE_CONTROLLER;
    }
    return dwqi_plan_worker_of(plan, rank) > 0 ? DWQI_ROLE_WORKER
                                               : DWQI_ROLE_IDLE;
}

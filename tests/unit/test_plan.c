/* Roles and worker numbers for every small job. */
#include <criterion/criterion.h>

#include "libdwq/core/plan.h"

#define MOST_RANKS 17
#define MOST_WORKERS 20

static int expected_workers(int size, int max_workers)
{
    int others = size - 1;

    return max_workers > 0 && max_workers < others ? max_workers : others;
}

/* The ranks in order, the controller left out, are the workers 1, 2, ... up to
 * n_workers; those after them are idle. */
static void check_plan(int size, int controller, int max_workers)
{
    struct dwqi_plan plan = dwqi_plan_make(size, controller, max_workers);
    int n = expected_workers(size, max_workers);
    int next_worker = 1;

    cr_assert_eq(plan.size, size);
    cr_assert_eq(plan.controller, controller);
    cr_assert_eq(plan.n_workers, n);
    for (int rank = 0; rank < size; rank++) {
        int number = dwqi_plan_worker_of(&plan, rank);
        enum dwqi_role role = dwqi_plan_role(&plan, rank);

        if (rank == controller) {
            cr_assert_eq(number, 0);
            cr_assert_eq(role,
                         size == 1 ? DWQI_ROLE_IN_PLACE : DWQI_ROLE_CONTROLLER);
        } else if (next_worker <= n) {
            cr_assert_eq(role, DWQI_ROLE_WORKER,
                         "%d ranks, controller %d, at most %d: rank %d", size,
                         controller, max_workers, rank);
            cr_assert_eq(number, next_worker);
            cr_assert_eq(dwqi_plan_rank_of(&plan, number), rank);
            next_worker++;
        } else {
            cr_assert_eq(role, DWQI_ROLE_IDLE);
            cr_assert_eq(number, 0);
        }
    }
    cr_assert_eq(next_worker, n + 1, "every worker has a rank");
}

Test(plan, gives_every_rank_one_role)
{
    for (int size = 1; size <= MOST_RANKS; size++) {
        for (int controller = 0; controller < size; controller++) {
            for (int most = -1; most <= MOST_WORKERS; most++) {
                check_plan(size, controller, most);
            }
        }
    }
}

Test(plan, any_negative_limit_means_all)
{
    cr_assert_eq(dwqi_plan_make(5, 4, 0).n_workers, 4);
    cr_assert_eq(dwqi_plan_make(5, 4, -1).n_workers, 4);
    cr_assert_eq(dwqi_plan_make(5, 4, -1000000).n_workers, 4);
    cr_assert_eq(dwqi_plan_make(1, 0, -7).n_workers, 0);
}

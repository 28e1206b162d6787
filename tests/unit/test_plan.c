/* Roles, groups and worker numbers for every small job. */
#include <criterion/criterion.h>

#include "libdwq/run/plan.h"

#define MOST_RANKS 17
#define MOST_NPROCS 5

/* One request, and what has to come of it. */
static int ranks_each(const struct dwqi_plan_request *r)
{
    return r->grouping != DWQ_GROUPING_SPLIT ? 1
           : r->inside                       ? r->nprocs
                                             : r->nprocs + 1;
}

static int nth_other(int controller, int i)
{
    return i < controller ? i : i + 1;
}

/* Ranks in order, the controller left out, are cut into workers 1, 2, ...; the
 * first rank of each is its broker; those after them are idle. */
static void check_ranks(const struct dwqi_plan *plan)
{
    const struct dwqi_plan_request *r = &plan->request;
    int each = ranks_each(r), n = dwqi_plan_n_workers(plan), n_idle = 0;

    for (int i = 0; i < r->size - 1; i++) {
        int rank = nth_other(r->controller, i), number = 1 + i / each;
        enum dwqi_role_kind role = dwqi_plan_role(plan, rank);

        if (number > n) {
            cr_assert_eq(role, DWQI_ROLE_IDLE);
            cr_assert_eq(dwqi_plan_worker_of(plan, rank), 0);
            cr_assert_str_not_empty(dwqi_plan_idle_reason(plan, rank));
            cr_assert_eq(plan->shown.idle[n_idle].rank, rank);
            n_idle++;
            continue;
        }
        cr_assert_eq(dwqi_plan_worker_of(plan, rank), number);
        cr_assert_eq(plan->place_of[rank], i % each);
        cr_assert_eq(role, r->grouping == DWQ_GROUPING_NONE ? DWQI_ROLE_WORKER
                           : i % each == 0                  ? DWQI_ROLE_BROKER
                                                            : DWQI_ROLE_LEAF);
    }
    cr_assert_eq(plan->shown.n_idle, n_idle);
    cr_assert_eq(dwqi_plan_role(plan, r->controller),
                 r->size == 1 ? DWQI_ROLE_IN_PLACE : DWQI_ROLE_CONTROLLER);
    cr_assert_eq(dwqi_plan_worker_of(plan, r->controller), 0);
}

static void check_groups(const struct dwqi_plan *plan)
{
    const struct dwqi_plan_request *r = &plan->request;
    bool grouped = r->grouping != DWQ_GROUPING_NONE;
    bool beside = grouped && !r->inside;
    int each = ranks_each(r);

    for (int g = 0; g < plan->shown.n_groups; g++) {
        const dwq_plan_group_t *group = &plan->shown.groups[g];

        cr_assert_eq(group->id, g + 1);
        cr_assert_eq(group->broker, nth_other(r->controller, g * each));
        cr_assert_eq(dwqi_plan_rank_of(plan, g + 1), group->broker);
        cr_assert_eq(group->broker_is_worker, !beside);
        cr_assert_eq(group->n_ranks, grouped ? r->nprocs : 1);
        for (int i = 0; i < group->n_ranks; i++) {
            int expected = i + beside < each
                               ? nth_other(r->controller, g * each + i + beside)
                               : -1;

            cr_assert_eq(group->ranks[i], expected);
        }
    }
}

static void check_plan(const struct dwqi_plan_request *r)
{
    struct dwqi_plan plan;
    int needed = 0, n = (r->size - 1) / ranks_each(r);
    dwq_status_t status = dwqi_plan_make(r, &plan, &needed);

    cr_assert(r->size == 1 || needed == ranks_each(r) + 1);
    if (r->max_workers > 0 && n > r->max_workers) {
        n = r->max_workers;
    }
    if (n == 0 && r->size > 1) {
        cr_assert_eq(status, DWQ_E_OPTION, "not one group fits");
        return;
    }
    cr_assert_eq(status, DWQ_OK);
    cr_assert_eq(dwqi_plan_n_workers(&plan), r->size == 1 ? 0 : n);
    check_ranks(&plan);
    check_groups(&plan);
    dwqi_plan_finish(&plan);
}

static void check_sizes(struct dwqi_plan_request r)
{
    for (r.size = 1; r.size <= MOST_RANKS; r.size++) {
        for (r.controller = 0; r.controller < r.size; r.controller++) {
            for (r.max_workers = -1; r.max_workers <= MOST_RANKS + 1;
                 r.max_workers++) {
                check_plan(&r);
            }
        }
    }
}

Test(plan, gives_every_rank_one_role)
{
    check_sizes((struct dwqi_plan_request){ .nprocs = 1 });
}

/* must_hold: any group size, any number of ranks. */
Test(plan, any_group_size_and_any_number_of_ranks)
{
    for (int nprocs = 1; nprocs <= MOST_NPROCS; nprocs++) {
        for (int inside = 0; inside <= 1; inside++) {
            for (int spawn = 0; spawn <= 1; spawn++) {
                check_sizes((struct dwqi_plan_request){
                    .nprocs = nprocs,
                    .inside = inside,
                    .grouping =
                        spawn ? DWQ_GROUPING_SPAWN : DWQ_GROUPING_SPLIT });
            }
        }
    }
}

Test(plan, a_group_larger_than_any_job_is_refused)
{
    struct dwqi_plan_request r = { .size = 4,
                                   .grouping = DWQ_GROUPING_SPLIT,
                                   .nprocs = 2147483647 };
    struct dwqi_plan plan;
    int needed;

    cr_assert_eq(dwqi_plan_make(&r, &plan, &needed), DWQ_E_OPTION);
    cr_assert_gt(needed, 4);
}

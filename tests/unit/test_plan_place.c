/* The plan of a run from what the placer found. */
#include <criterion/criterion.h>

#include "libdwq/run/plan_place.h"
#include "topology/plan/hosts.h"

struct placed {
    struct dwqi_cluster cluster;
    struct dwqi_placement placement;
    struct dwqi_plan plan;
};

/* ranks[i] live on the i-th host, in order. */
static struct placed make(const char *hosts, const int *ranks,
                          struct dwqi_place_request request)
{
    struct placed p = { .cluster = { .hosts = NULL } };
    struct dwqi_error fault = { .text = "" };
    struct dwqi_error why = { .text = "" };
    int size = 0;

    cr_assert_eq(dwqi_hosts_parse(hosts, &p.cluster, &fault), DWQ_OK, "%s",
                 fault.text);
    for (int host = 0; host < p.cluster.n_hosts; host++) {
        for (int i = 0; i < ranks[host]; i++, size++) {
            cr_assert_eq(dwqi_cluster_add_rank(&p.cluster, host, NULL), DWQ_OK);
        }
    }
    cr_assert_eq(dwqi_cluster_restrict(&p.cluster), DWQ_OK);
    cr_assert_eq(dwqi_place(&p.cluster, &request, &p.placement, &why), DWQ_OK,
                 "%s", why.text);
    cr_assert_eq(dwqi_plan_placed(
                     &(struct dwqi_plan_request){
                         .size = size,
                         .controller = request.controller,
                         .grouping = request.grouping,
                         .inside = request.broker == DWQI_BROKER_INSIDE },
                     &p.cluster, &p.placement, &p.plan),
                 DWQ_OK);
    return p;
}

static void finish(struct placed *p)
{
    dwqi_plan_finish(&p->plan);
    dwqi_placement_finish(&p->placement);
    dwqi_cluster_finish(&p->cluster);
}

/* Each rank has one role, and its place in its group. */
static void check_roles(const struct dwqi_plan *plan)
{
    const dwq_plan_t *shown = &plan->shown;
    int n = 1 + shown->n_idle, n_there = 0;

    cr_assert_eq(dwqi_plan_role(plan, shown->controller), DWQI_ROLE_CONTROLLER);
    for (int i = 0; i < shown->n_idle; i++) {
        cr_assert_eq(dwqi_plan_role(plan, shown->idle[i].rank), DWQI_ROLE_IDLE);
        cr_assert_str_not_empty(
            dwqi_plan_idle_reason(plan, shown->idle[i].rank));
    }
    for (int g = 0; g < shown->n_groups; g++) {
        const dwq_plan_group_t *group = &shown->groups[g];
        bool beside = !group->broker_is_worker;

        cr_assert_eq(group->id, g + 1);
        cr_assert_eq(dwqi_plan_rank_of(plan, g + 1), group->broker);
        cr_assert_eq(dwqi_plan_role(plan, group->broker), DWQI_ROLE_BROKER);
        n += beside;
        for (int i = 0; i < group->n_ranks; i++) {
            int rank = group->ranks[i];

            if (rank >= 0) {
                cr_assert_eq(dwqi_plan_worker_of(plan, rank), g + 1);
                cr_assert_eq(plan->place_of[rank], i + beside);
                n++;
            }
        }
    }
    for (int rank = 0; rank < shown->size; rank++) {
        n_there += dwqi_plan_role(plan, rank) == DWQI_ROLE_CONTROLLER ||
                   dwqi_plan_role(plan, rank) == DWQI_ROLE_IDLE ||
                   dwqi_plan_worker_of(plan, rank) > 0;
    }
    cr_assert_eq(n, shown->size);
    cr_assert_eq(n_there, shown->size);
}

static const struct dwqi_size per_host = { .kind = DWQI_SIZE_DOMAIN,
                                           .domain = DWQI_DOMAIN_HOST };
#define UNEQUAL "a:core:4 pu:1; b:pack:2 core:4 pu:1; c:core:2 pu:1"

Test(plan_place, groups_have_the_width_of_their_hosts)
{
    static const int widths[] = { 3, 8, 2 };
    static const char *const names[] = { "a", "b", "c" };
    struct placed p =
        make(UNEQUAL, (const int[]){ 4, 8, 2 },
             (struct dwqi_place_request){ .grouping = DWQ_GROUPING_SPLIT,
                                          .size = per_host,
                                          .broker = DWQI_BROKER_INSIDE });

    check_roles(&p.plan);
    cr_assert_eq(p.plan.shown.n_groups, 3);
    for (int g = 0; g < 3; g++) {
        const dwq_plan_group_t *group = &p.plan.groups[g];

        cr_assert_eq(group->n_ranks, widths[g]);
        cr_assert_eq(group->n_cores, widths[g]);
        cr_assert_str_eq(group->host, names[g]);
        cr_assert_str_eq(group->seats[0].host, names[g]);
        cr_assert_eq(group->seats[0].n_cores, 1);
    }
    finish(&p);
}

Test(plan_place, brokers_beside_and_a_controller_that_is_the_last)
{
    struct placed p = make(UNEQUAL, (const int[]){ 4, 8, 2 },
                           (struct dwqi_place_request){
                               .grouping = DWQ_GROUPING_SPLIT,
                               .size = { .kind = DWQI_SIZE_FIXED, .n = 2 },
                               .controller = 13 });

    check_roles(&p.plan);
    cr_assert_gt(p.plan.shown.n_groups, 2);
    cr_assert_not(p.plan.groups[0].broker_is_worker);
    finish(&p);
}

Test(plan_place, spawned_groups_have_ranks_that_are_not_there_yet)
{
    struct placed p =
        make(UNEQUAL, (const int[]){ 1, 1, 1 },
             (struct dwqi_place_request){ .grouping = DWQ_GROUPING_SPAWN,
                                          .size = per_host });

    check_roles(&p.plan);
    for (int g = 0; g < p.plan.shown.n_groups; g++) {
        for (int i = 0; i < p.plan.groups[g].n_ranks; i++) {
            cr_assert_eq(p.plan.groups[g].ranks[i], -1);
        }
    }
    finish(&p);
}

Test(plan_place, a_group_over_several_hosts_names_them)
{
    struct placed p = make("n[1-3]:core:2 pu:1", (const int[]){ 2, 2, 2 },
                           (struct dwqi_place_request){
                               .grouping = DWQ_GROUPING_SPLIT,
                               .size = { .kind = DWQI_SIZE_FIXED, .n = 4 },
                               .broker = DWQI_BROKER_INSIDE,
                               .straddle = DWQI_STRADDLE_FREELY });

    check_roles(&p.plan);
    cr_assert_eq(p.plan.shown.n_groups, 1);
    cr_assert_not_null(strchr(p.plan.groups[0].host, ','), "%s",
                       p.plan.groups[0].host);
    finish(&p);
}

Test(plan_place, a_crowded_host_gives_no_cores)
{
    struct placed p = make("a:core:2 pu:1", (const int[]){ 5 },
                           (struct dwqi_place_request){
                               .grouping = DWQ_GROUPING_SPLIT,
                               .size = { .kind = DWQI_SIZE_FIXED, .n = 2 },
                               .broker = DWQI_BROKER_INSIDE });

    check_roles(&p.plan);
    cr_assert_eq(p.plan.shown.n_groups, 2);
    cr_assert(p.plan.groups[1].oversubscribed);
    cr_assert_eq(p.plan.groups[1].n_cores, 0);
    cr_assert_eq(p.plan.groups[1].ranks[1], 4);
    finish(&p);
}

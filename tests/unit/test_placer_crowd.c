/* The placer: a controller that shares a core, and hosts with as many ranks as cores
 * or more. */
#include <string.h>

#include "tests/unit/placer_fixture.h"

static const struct dwqi_place_request per_host = {
    .size = { .kind = DWQI_SIZE_DOMAIN, .domain = DWQI_DOMAIN_HOST },
    .broker = DWQI_BROKER_INSIDE
};

Test(placer_crowd, says_what_the_controllers_core_costs)
{
    struct fixture f = make("n[1-2]:core:4 pu:1", 0);
    struct dwqi_place_request request = { .grouping = DWQ_GROUPING_SPAWN,
                                          .size = fixed(4),
                                          .broker = DWQI_BROKER_INSIDE };

    place(&f, request);
    cr_assert_eq(f.plan.n_groups, 1);
    cr_assert_eq(f.plan.controller_costs, 1);
    cr_assert_eq(f.plan.core_idle[0], DWQI_IDLE_CONTROLLER);
    dwqi_placement_finish(&f.plan);
    request.controller_shares = true;
    place(&f, request);
    cr_assert_eq(f.plan.n_groups, 2);
    cr_assert(f.plan.controller_shares);
    cr_assert_eq(f.plan.controller_costs, 0);
    cr_assert_eq(f.plan.controller.n_pus, 1);
    dwqi_placement_finish(&f.plan);
    request.size.n = 3; /* one is left for it */
    place(&f, request);
    cr_assert_not(f.plan.controller_shares);
    cr_assert_eq(core(&f, &f.plan.controller), 3);
    dwqi_placement_finish(&f.plan);
    request.controller_shares = false;
    place(&f, request);
    cr_assert_eq(f.plan.controller_costs, 0);
    finish(&f);
}

/* It needs less of a thread than of a core, and less where a broker sits. */
Test(placer_crowd, shares_a_thread_or_a_brokers_core_first)
{
    struct fixture f = make("n:core:4 pu:2", 0);

    place(&f, (struct dwqi_place_request){ .grouping = DWQ_GROUPING_SPAWN,
                                           .size = fixed(4),
                                           .broker = DWQI_BROKER_INSIDE,
                                           .controller_shares = true });
    cr_assert(f.plan.controller_on_thread);
    cr_assert_not(f.plan.controller_shares);
    finish(&f);
    f = make("n:core:4 pu:1", 0);
    place(&f, (struct dwqi_place_request){ .grouping = DWQ_GROUPING_SPAWN,
                                           .size = fixed(3),
                                           .controller_shares = true });
    cr_assert(f.plan.controller_shares);
    cr_assert_eq(core(&f, &f.plan.controller),
                 core(&f, &f.plan.groups[0].broker));
    finish(&f);
}

Test(placer_crowd, refuses_and_says_that_it_might_share)
{
    struct fixture f = make("n:core:4 pu:1", 3);

    place(&f, (struct dwqi_place_request){ .size = fixed(2),
                                           .threads = 2,
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.status, DWQ_E_OPTION);
    cr_assert_not_null(strstr(f.why.text, "controller_shares_core"), "%s",
                       f.why.text);
    finish(&f);
}

Test(placer_crowd, binds_one_rank_more_than_cores)
{
    struct fixture f = make("n:core:2 pu:1", 3);

    place(&f, per_host);
    cr_assert_eq(f.plan.n_oversubscribed, 0);
    cr_assert(f.plan.controller_shares);
    cr_assert_eq(f.plan.groups[0].width, 2);
    finish(&f);

    f = make("n[1-2]:core:2 pu:1", 3); /* on the second, one idles */
    place(&f, per_host);
    cr_assert_eq(f.plan.n_oversubscribed, 0);
    cr_assert_eq(f.plan.n_groups, 2);
    cr_assert_eq(f.plan.n_idle, 1);
    cr_assert_eq(f.plan.idle[0].rank, 5);
    cr_assert_eq(f.plan.idle[0].why, DWQI_IDLE_NO_CORE);
    dwqi_placement_finish(&f.plan);
    place(&f, (struct dwqi_place_request){ .size = fixed(3),
                                           .broker = DWQI_BROKER_INSIDE,
                                           .straddle = DWQI_STRADDLE_NEVER });
    cr_assert_eq(f.plan.n_groups, 1, "where that costs a group, none does");
    cr_assert(f.plan.oversubscribed[1]);
    finish(&f);
}

/* The first threads of all cores before the second ones. */
Test(placer_crowd, gives_ranks_hardware_threads)
{
    struct fixture f = make("n:numa:2 core:2 pu:2", 8);

    place(&f, (struct dwqi_place_request){ .size = by(DWQI_DOMAIN_NUMA),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.plan.n_oversubscribed, 0);
    cr_assert(f.plan.on_threads[0]);
    cr_assert_eq(f.plan.n_groups, 2);
    cr_assert_eq(f.plan.groups[0].width + f.plan.groups[1].width, 7);
    for (int i = 0; i < f.plan.groups[1].width; i++) {
        cr_assert_eq(seat(&f, 1, i)->n_pus, 1);
    }
    dwqi_placement_finish(&f.plan);
    place(&f, (struct dwqi_place_request){ .size = fixed(2),
                                           .broker = DWQI_BROKER_INSIDE,
                                           .max_workers = 2 });
    cr_assert_neq(core(&f, seat(&f, 1, 0)), core(&f, seat(&f, 1, 1)));
    finish(&f);

    f = make("n:core:2 pu:2", 6); /* more than those */
    place(&f, per_host);
    cr_assert_eq(f.plan.n_oversubscribed, 1);
    finish(&f);
}

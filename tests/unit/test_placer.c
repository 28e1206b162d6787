/* The placer: one rule at a time, on clusters small enough to see. */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "tests/unit/placer_fixture.h"
#include "topology/plan/blocks.h"
#include "topology/text.h"

Test(placer, gives_the_controller_and_each_group_cores_of_their_own)
{
    struct fixture f = make("n:pack:2 core:4 pu:1", 8);

    place(&f, (struct dwqi_place_request){ .size = fixed(3),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.status, DWQ_OK);
    cr_assert_eq(f.plan.n_groups, 2);
    cr_assert_eq(core(&f, &f.plan.controller), 0);
    cr_assert_eq(seat(&f, 0, 0)->rank, 1);
    cr_assert_eq(core(&f, seat(&f, 0, 0)), 1);
    cr_assert_eq(core(&f, seat(&f, 1, 0)), 4, "not over two packages");
    cr_assert_eq(f.plan.n_idle, 1);
    cr_assert_eq(f.plan.idle[0].rank, 7);
    cr_assert_eq(f.plan.idle[0].why, DWQI_IDLE_LEFT_OVER);
    finish(&f);
}

Test(placer, puts_the_controller_on_a_thread_where_that_gives_more)
{
    struct fixture f = make("n:numa:2 core:4 pu:2", 9);

    place(&f, (struct dwqi_place_request){ .size = fixed(4),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.plan.n_groups, 2);
    cr_assert(f.plan.controller_on_thread);
    cr_assert_eq(f.plan.controller.n_pus, 1);
    cr_assert_eq(f.plan.n_oversubscribed, 0, "nine ranks, eight cores");
    finish(&f);

    f = make("n:numa:2 core:4 pu:2", 8); /* no rank for a second group */
    place(&f, (struct dwqi_place_request){ .size = fixed(4),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.plan.n_groups, 1);
    cr_assert_not(f.plan.controller_on_thread);
    finish(&f);
}

Test(placer, seats_brokers_beside_inside_and_on_threads)
{
    struct fixture f = make("n:numa:2 core:4 pu:2", 8);

    place(&f, (struct dwqi_place_request){ .size = fixed(2) });
    cr_assert_eq(f.plan.n_groups, 2);
    cr_assert_eq(f.plan.groups[0].broker.rank, 3, "after ranks 1 and 2");
    cr_assert_eq(f.plan.groups[0].broker.n_cores, 1);
    dwqi_placement_finish(&f.plan);
    place(&f, (struct dwqi_place_request){ .size = fixed(3),
                                           .broker = DWQI_BROKER_THREAD });
    cr_assert_eq(f.status, DWQ_OK);
    cr_assert_eq(f.plan.groups[0].broker.n_pus, 1);
    cr_assert_eq(core(&f, &f.plan.groups[0].broker), core(&f, seat(&f, 0, 0)),
                 "on a core of its group");
    cr_assert_eq(seat(&f, 0, 0)->n_pus, 1, "which has the other thread");
    finish(&f);
}

Test(placer, sizes_groups_by_each_part)
{
    struct fixture f = make("a:numa:2 core:4 pu:1; b:numa:1 core:6 pu:1", 0);

    for (int i = 0; i < 14; i++) {
        dwqi_cluster_add_rank(&f.cluster, i / 8, NULL);
    }
    place(&f, (struct dwqi_place_request){ .size = by(DWQI_DOMAIN_NUMA),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.plan.n_groups, 3);
    cr_assert_eq(f.plan.groups[0].width, 3, "beside the controller");
    cr_assert_eq(f.plan.groups[1].width, 4);
    cr_assert_eq(f.plan.groups[2].width, 6);
    dwqi_placement_finish(&f.plan);
    place(&f, (struct dwqi_place_request){
                  .size = { .kind = DWQI_SIZE_PER_HOST, .n = 3 },
                  .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.plan.n_groups, 6);
    cr_assert_eq(f.plan.groups[0].width, 2, "three of two, none straddles");
    cr_assert_eq(f.plan.groups[5].width, 2);
    finish(&f);
}

Test(placer, straddles_as_it_is_told)
{
    const char *hosts = "n:numa:2 core:5 pu:1";
    struct fixture f = make(hosts, 10);
    struct dwqi_place_request request = { .size = fixed(3),
                                          .broker = DWQI_BROKER_INSIDE };

    place(&f, request); /* 4 and 5 cores beside the controller */
    cr_assert_eq(f.plan.n_groups, 2);
    cr_assert_eq(f.plan.idle[0].why, DWQI_IDLE_STRADDLE);
    dwqi_placement_finish(&f.plan);
    request.straddle = DWQI_STRADDLE_FREELY;
    place(&f, request);
    cr_assert_eq(f.plan.n_groups, 3);
    dwqi_placement_finish(&f.plan);
    request.size.n = 6;
    request.straddle = DWQI_STRADDLE_IF_MUST;
    place(&f, request);
    cr_assert_eq(f.plan.n_groups, 1, "it fits into no NUMA node");
    dwqi_placement_finish(&f.plan);
    request.straddle = DWQI_STRADDLE_NEVER;
    place(&f, request);
    cr_assert_eq(f.status, DWQ_E_OPTION);
    cr_assert_eq(f.why.code, DWQI_PART_STRADDLE, "%s", f.why.text);
    finish(&f);
}

Test(placer, spans_hosts_only_when_no_host_holds_a_group)
{
    struct fixture f = make("n[1-3]:core:4 pu:1", 4);

    place(&f, (struct dwqi_place_request){ .size = fixed(5),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.plan.n_groups, 2);
    cr_assert_eq(seat(&f, 0, 0)->host, 0);
    cr_assert_eq(seat(&f, 0, 4)->host, 1);
    finish(&f);

    f = make("n[1-3]:core:4 pu:1; wide:core:8 pu:1", 0);
    for (int i = 0; i < 20; i++) {
        dwqi_cluster_add_rank(&f.cluster, i < 12 ? i / 4 : 3, NULL);
    }
    place(&f, (struct dwqi_place_request){ .size = fixed(5),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.plan.n_groups, 1);
    cr_assert_eq(seat(&f, 0, 0)->host, 3);
    cr_assert_eq(f.plan.idle[0].why, DWQI_IDLE_TOO_SMALL);
    finish(&f);
}

/* Ranks that the launcher bound get no other cores. */
Test(placer, uses_ranks_where_they_are_bound)
{
    struct dwqi_cluster cluster = { .hosts = NULL };
    struct dwqi_machine machine = { .cores = NULL };
    struct dwqi_error fault;
    struct fixture f = { .status = DWQ_E_STATE };

    cr_assert_eq(
        dwqi_discover_text("numa:2 core:4 pu:2", "n", &machine, &fault),
        DWQ_OK);
    cr_assert_eq(dwqi_cluster_add_host(&cluster, "n", &machine, true), DWQ_OK);
    for (int rank = 0; rank < 8; rank++) { /* even ones in the first node */
        struct dwqi_cpuset set = { .words = NULL };
        int at = rank % 2 * 4 + rank / 2;

        dwqi_cpuset_add(&set, 2 * at);
        dwqi_cpuset_add(&set, 2 * at + 1);
        cr_assert_eq(dwqi_cluster_add_rank(&cluster, 0, &set), DWQ_OK);
        dwqi_cpuset_finish(&set);
    }
    cr_assert_eq(dwqi_cluster_restrict(&cluster), DWQ_OK);
    f.cluster = cluster;
    place(&f, (struct dwqi_place_request){ .size = fixed(3),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.plan.n_groups, 2);
    cr_assert_eq(seat(&f, 0, 0)->rank, 1, "odd ranks are in the second node");
    cr_assert_eq(seat(&f, 0, 2)->rank, 5);
    cr_assert_eq(seat(&f, 1, 2)->rank, 6);
    cr_assert_eq(core(&f, seat(&f, 1, 2)), 3);
    finish(&f);
    dwqi_machine_finish(&machine);
}

Test(placer, plans_an_oversubscribed_host_by_rank_and_the_others_by_rule)
{
    struct fixture f = make("a:core:2 pu:1; b:numa:2 core:3 pu:1", 6);

    place(&f, (struct dwqi_place_request){ .size = fixed(2),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.plan.n_oversubscribed, 1);
    cr_assert(f.plan.oversubscribed[0]);
    cr_assert_eq(f.plan.n_groups, 4);
    cr_assert(f.plan.groups[0].oversubscribed);
    cr_assert_eq(seat(&f, 0, 0)->rank, 1);
    cr_assert_eq(seat(&f, 0, 0)->n_cores, 0, "bound to nothing");
    cr_assert_eq(core(&f, seat(&f, 3, 0)), 3, "its own NUMA node");
    finish(&f);
}

Test(placer, packs_or_spreads)
{
    struct fixture f = make("n[1-2]:numa:2 core:4 pu:1", 8);
    struct dwqi_place_request request = { .size = fixed(2),
                                          .broker = DWQI_BROKER_INSIDE,
                                          .max_workers = 3 };

    place(&f, request);
    cr_assert_eq(seat(&f, 2, 0)->host, 0);
    cr_assert_eq(f.plan.idle[0].why, DWQI_IDLE_MAX_WORKERS);
    dwqi_placement_finish(&f.plan);
    request.fill = DWQI_FILL_SPREAD;
    place(&f, request);
    cr_assert_eq(seat(&f, 2, 0)->host, 1);
    cr_assert_eq(core(&f, seat(&f, 1, 0)), 4, "the other NUMA node");
    finish(&f);
}

Test(placer, sends_spawned_groups_to_hosts)
{
    struct fixture f = make("n[1-3]:core:4 pu:1", 0);
    struct dwqi_buffer text = { .data = NULL };

    for (int rank = 0; rank < 3; rank++) { /* all brokers on the first host */
        dwqi_cluster_add_rank(&f.cluster, 0, NULL);
    }
    place(&f, (struct dwqi_place_request){ .grouping = DWQ_GROUPING_SPAWN,
                                           .size = fixed(4) });
    cr_assert_eq(f.plan.n_groups, 2);
    dwqi_placed_group_hosts(&f.cluster, &f.plan, 1, &text);
    dwqi_buffer_append(&text, "", 1);
    cr_assert_str_eq((char *)text.data, "n3:4");
    cr_assert_eq(f.plan.groups[1].broker.rank, 2);
    cr_assert_eq(f.plan.groups[1].broker.host, 0);
    dwqi_buffer_finish(&text);
    finish(&f);
}

/* More children than cores: they are started where their brokers are. */
Test(placer, spawns_unbound_where_cores_are_too_few)
{
    struct fixture f = make("n:core:2 pu:1", 2);

    place(&f, (struct dwqi_place_request){ .grouping = DWQ_GROUPING_SPAWN,
                                           .size = fixed(4),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.plan.n_groups, 1);
    cr_assert(f.plan.groups[0].oversubscribed);
    cr_assert_eq(seat(&f, 0, 0)->rank, 1);
    cr_assert_eq(seat(&f, 0, 3)->rank, -1);
    finish(&f);
}

struct refusal {
    const char *hosts;
    int ranks_per_host;
    struct dwqi_place_request request;
    enum dwqi_place_part part;
    const char *text; /* in the reason */
};

Test(placer, says_which_part_cannot_be_met)
{
    const struct refusal refusals[] = {
        { "n:core:4 pu:1", 4, { .size = fixed(0) }, DWQI_PART_SIZE, "0" },
        { "n:core:4 pu:1", 4, { .size = fixed(4) }, DWQI_PART_SIZE, "5 ranks" },
        { "n:core:4 pu:1",
          4,
          { .size = fixed(1), .threads = -1 },
          DWQI_PART_THREADS,
          "-1" },
        { "n:core:4 pu:1",
          4,
          { .size = fixed(2), .threads = 4, .broker = DWQI_BROKER_INSIDE },
          DWQI_PART_THREADS,
          "8 cores" },
        { "n:core:4 pu:1",
          4,
          { .size = fixed(1), .controller = 4 },
          DWQI_PART_CONTROLLER,
          "0 to 3" },
        { "n:core:4 pu:1",
          4,
          { .size = fixed(2), .broker = DWQI_BROKER_THREAD },
          DWQI_PART_BROKER,
          "spare hardware thread" },
        { "n:core:1 pu:2",
          3,
          { .size = fixed(1), .broker = DWQI_BROKER_THREAD },
          DWQI_PART_BROKER,
          "beside the group and the controller" },
        { "n:numa:2 core:4 pu:1",
          0,
          { .size = fixed(2), .threads = 9 },
          DWQI_PART_THREADS,
          "9 cores; the largest host has 8" },
        { "n:numa:2 core:4 pu:1",
          1,
          { .size = by(DWQI_DOMAIN_NUMA), .threads = 5 },
          DWQI_PART_THREADS,
          "5 cores; the largest numa has 4" },
        { "n:numa:2 core:4 pu:1",
          2,
          { .size = { .kind = DWQI_SIZE_PER_HOST, .n = 2 }, .threads = 8 },
          DWQI_PART_THREADS,
          "8 cores; the largest host has 7" },
        { "n:numa:2 core:4 pu:1",
          2,
          { .size = { .kind = DWQI_SIZE_PER_HOST, .n = 1 },
            .threads = 5,
            .straddle = DWQI_STRADDLE_NEVER,
            .broker = DWQI_BROKER_INSIDE },
          DWQI_PART_STRADDLE,
          "straddle never" },
        { "n:core:4 pu:1",
          4,
          { .size = by(DWQI_DOMAIN_L3) },
          DWQI_PART_SIZE,
          "auto:l3" },
        { "n:core:4 pu:1",
          0,
          { .size = fixed(2) },
          DWQI_PART_CLUSTER,
          "no ranks" },
        { "n:core:4 pu:1",
          0,
          { .grouping = DWQ_GROUPING_SPAWN,
            .size = fixed(9),
            .broker = DWQI_BROKER_INSIDE },
          DWQI_PART_SIZE,
          "9 cores" },
    };

    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];
        struct fixture f = make(r->hosts, r->ranks_per_host);

        place(&f, r->request);
        cr_assert_eq(f.status, DWQ_E_OPTION, "%zu", i);
        cr_assert_eq(f.why.code, (int)r->part, "%zu: %s", i, f.why.text);
        cr_assert_not_null(strstr(f.why.text, r->text), "%zu: %s", i,
                           f.why.text);
        finish(&f);
    }
}

/* Processor time: the bar is well under a second, and tools are slower. */
Test(placer, plans_ten_thousand_hosts_in_well_under_a_second, .timeout = 120)
{
    static const enum dwqi_fill fills[] = { DWQI_FILL_PACK, DWQI_FILL_SPREAD };

    for (int i = 0; i < 6; i++) {
        struct fixture f =
            make("n[1-10000]:pack:2 numa:4 l3:2 core:8 pu:2", 128);
        bool beside = i >= 4; /* some brokers are on other hosts */
        struct dwqi_place_request request = {
            .grouping = DWQ_GROUPING_SPLIT,
            .size = i < 2 || beside ? fixed(8) : fixed(1),
            .broker = beside ? DWQI_BROKER_BESIDE : DWQI_BROKER_INSIDE,
            .fill = fills[i % 2],
        };
        double seconds, begin = (double)clock() / CLOCKS_PER_SEC;

        f.status = dwqi_place(&f.cluster, &request, &f.plan, &f.why);
        seconds = (double)clock() / CLOCKS_PER_SEC - begin;
        cr_assert_eq(f.status, DWQ_OK);
        cr_assert_geq(f.plan.n_groups, beside  ? 80000
                                       : i < 2 ? 159999
                                               : 1279999);
        fprintf(stderr,
                "10,000 hosts of 128 cores, groups of %d%s, %s: %.2f s\n",
                request.size.n, beside ? " and a broker" : "",
                i % 2 ? "spread" : "pack", seconds);
        cr_assert_lt(seconds, 20.0);
        finish(&f);
    }
}

Test(placer, does_better_than_consecutive_blocks)
{
    struct fixture f = make("n[1-4]:numa:2 core:8 pu:1", 16);
    struct dwqi_place_request request = { .grouping = DWQ_GROUPING_SPLIT,
                                          .size = fixed(3),
                                          .broker = DWQI_BROKER_INSIDE };
    struct dwqi_placement blocks;
    struct dwqi_figures ours, theirs;

    place(&f, request);
    cr_assert_eq(dwqi_blocks(&f.cluster, &request, 3, &blocks), DWQ_OK);
    cr_assert_eq(dwqi_figures(&f.cluster, &f.plan, &ours), DWQ_OK);
    cr_assert_eq(dwqi_figures(&f.cluster, &blocks, &theirs), DWQ_OK);
    cr_assert_eq(ours.n_groups, 16);
    cr_assert_eq(ours.n_straddling, 0);
    cr_assert_eq(ours.n_idle_cores, 15);
    cr_assert_eq(theirs.n_groups, 21);
    cr_assert_eq(theirs.n_straddling, 5, "%d", theirs.n_straddling);
    cr_assert_eq(theirs.n_idle_cores, 0, "%d", theirs.n_idle_cores);
    dwqi_placement_finish(&blocks);
    finish(&f);
}

/* The placer: brokers and groups over several hosts, and what is idle. */
#include "tests/unit/placer_fixture.h"

struct straddling {
    const char *hosts;
    int ranks_per_host; /* -1: one per core */
    struct dwqi_place_request request;
    int n_groups;
    int first_host, broker_host; /* of the first group */
};

static struct fixture make_all(const char *hosts, int ranks_per_host)
{
    struct fixture f = make(hosts, ranks_per_host > 0 ? ranks_per_host : 0);

    for (int h = 0; h < f.cluster.n_hosts && ranks_per_host < 0; h++) {
        int n_cores = dwqi_cluster_machine(&f.cluster, h)->n_cores;

        for (int i = 0; i < n_cores; i++) {
            cr_assert_eq(dwqi_cluster_add_rank(&f.cluster, h, NULL), DWQ_OK);
        }
    }
    return f;
}

static bool is_on_one_host(const struct fixture *f, int group)
{
    for (int i = 1; i < f->plan.groups[group].width; i++) {
        if (seat(f, group, i)->host != seat(f, group, 0)->host) {
            return false;
        }
    }
    return true;
}

/* A broker is no member: sooner it is on another host than its group on two. */
Test(placer_hosts, puts_brokers_on_other_hosts_before_groups_straddle)
{
    const struct straddling cases[] = {
        { "n[1-3]:core:4 pu:1", 4, { .size = fixed(4) }, 2, 1, 0 },
        { "n[1-3]:numa:2 core:4 pu:1", 8, { .size = fixed(8) }, 2, 1, 0 },
        { "a:core:8 pu:1; b:core:8 pu:1",
          0,
          { .grouping = DWQ_GROUPING_SPAWN, .size = fixed(8) },
          1,
          1,
          0 },
        { "a:core:2 pu:1; b:core:4 pu:1", -1, { .size = fixed(4) }, 1, 1, 0 },
        { "a:core:2 pu:1; b:core:4 pu:1",
          -1,
          { .size = fixed(4), .straddle = DWQI_STRADDLE_FREELY },
          1,
          1,
          0 },
        { "a:core:2 pu:1; b:core:4 pu:1",
          0,
          { .grouping = DWQ_GROUPING_SPAWN, .size = fixed(4) },
          1,
          1,
          0 },
        { "a:core:2 pu:1; n[1-3]:core:4 pu:1",
          4,
          { .size = fixed(4) },
          3,
          1,
          0 },
        { "n[1-3]:core:4 pu:2",
          4,
          { .size = fixed(4), .broker = DWQI_BROKER_THREAD },
          2,
          1,
          0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f = make_all(cases[i].hosts, cases[i].ranks_per_host);

        place(&f, cases[i].request);
        cr_assert_eq(f.status, DWQ_OK, "%zu: %s", i, f.why.text);
        cr_assert_eq(f.plan.n_groups, cases[i].n_groups, "%zu", i);
        cr_assert_eq(seat(&f, 0, 0)->host, cases[i].first_host, "%zu", i);
        cr_assert_eq(f.plan.groups[0].broker.host, cases[i].broker_host, "%zu",
                     i);
        for (int g = 0; g < f.plan.n_groups; g++) {
            cr_assert(is_on_one_host(&f, g), "%zu", i);
        }
        finish(&f);
    }
}

/* A group that leaves its broker no core gives back what it took: the broker's
 * host is one for other groups' brokers then. */
Test(placer_hosts, looks_again_for_brokers_where_a_group_failed)
{
    struct fixture f = make("a:core:6 pu:1; b:core:5 pu:1", 0);

    for (int rank = 0; rank < 2; rank++) {
        cr_assert_eq(dwqi_cluster_add_rank(&f.cluster, 0, NULL), DWQ_OK);
    }
    place(&f, (struct dwqi_place_request){ .grouping = DWQ_GROUPING_SPAWN,
                                           .size = fixed(5) });
    cr_assert_eq(f.plan.n_groups, 1);
    cr_assert(is_on_one_host(&f, 0));
    cr_assert_eq(seat(&f, 0, 0)->host, 1);
    finish(&f);
}

/* One where it costs no group, if that gives more. */
Test(placer_hosts, gathers_brokers_where_they_cost_no_group)
{
    struct fixture f = make("n[1-4]:core:8 pu:1", 8);

    place(&f, (struct dwqi_place_request){ .size = fixed(4) });
    cr_assert_eq(f.plan.n_groups, 6, "%d", f.plan.n_groups);
    dwqi_placement_finish(&f.plan);
    place(&f, (struct dwqi_place_request){ .size = fixed(3) });
    cr_assert_eq(f.plan.n_groups, 7, "%d", f.plan.n_groups);
    finish(&f);
    f = make("n[1-4]:core:5 pu:1", 5); /* nothing to gain */
    place(&f, (struct dwqi_place_request){ .size = fixed(4) });
    for (int g = 0; g < f.plan.n_groups; g++) {
        cr_assert_eq(f.plan.groups[g].broker.host, seat(&f, g, 0)->host);
    }
    finish(&f);
}

/* The controller on a spare thread gains nothing alone, nor do the brokers. */
Test(placer_hosts, gathers_brokers_beside_a_controller_on_a_thread)
{
    struct fixture f = make("a:core:12 pu:1; b:core:9 pu:2", 7);

    place(&f, (struct dwqi_place_request){
                  .size = fixed(3), .threads = 2, .controller = 13 });
    cr_assert_eq(f.status, DWQ_OK, "%s", f.why.text);
    cr_assert_eq(f.plan.n_groups, 3, "%d", f.plan.n_groups);
    cr_assert(f.plan.controller_on_thread);
    finish(&f);
}

/* The broker takes the last core of its host; the members are elsewhere. */
Test(placer_hosts, spans_hosts_beside_the_host_of_the_broker)
{
    struct fixture f =
        make_all("a:core:2 pu:1; b:core:3 pu:1; c:core:3 pu:1", -1);

    place(&f, (struct dwqi_place_request){ .size = fixed(6) });
    cr_assert_eq(f.status, DWQ_OK, "%s", f.why.text);
    cr_assert_eq(f.plan.groups[0].broker.host, 0);
    cr_assert_eq(seat(&f, 0, 0)->host, 1);
    finish(&f);
}

/* A broker to spawn from on the last host; cores are on the first. */
Test(placer_hosts, spans_hosts_before_the_first_one)
{
    struct fixture f = make("a:core:4 pu:1; b:core:2 pu:1", 1);

    place(&f, (struct dwqi_place_request){ .grouping = DWQ_GROUPING_SPAWN,
                                           .size = fixed(4),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.status, DWQ_OK);
    cr_assert_eq(f.plan.n_oversubscribed, 0);
    cr_assert_eq(seat(&f, 0, 0)->host, 1);
    cr_assert_eq(seat(&f, 0, 2)->host, 0);
    finish(&f);
}

Test(placer_hosts, sizes_groups_per_host_within_a_part_when_none_may_straddle)
{
    struct fixture f = make("n[1-2]:numa:2 core:4 pu:1", 8);
    struct dwqi_place_request request = { .size = { .kind = DWQI_SIZE_PER_HOST,
                                                    .n = 1 },
                                          .straddle = DWQI_STRADDLE_NEVER,
                                          .broker = DWQI_BROKER_INSIDE };

    place(&f, request);
    cr_assert_eq(f.status, DWQ_OK, "%s", f.why.text);
    cr_assert_eq(f.plan.n_groups, 2);
    cr_assert_eq(f.plan.groups[0].width, 4);
    cr_assert_eq(f.plan.idle[0].why, DWQI_IDLE_PER_HOST);
    dwqi_placement_finish(&f.plan);
    request.threads = 5; /* it fits into a host, and straddles */
    place(&f, request);
    cr_assert_eq(f.status, DWQ_E_OPTION);
    finish(&f);
}

/* The first idle rank of the last host that has some. */
static const struct dwqi_idle *last_idle(const struct fixture *f)
{
    cr_assert_gt(f->plan.n_idle, 0);
    return &f->plan.idle[f->plan.n_idle - 1];
}

Test(placer_hosts, says_why_ranks_and_cores_are_idle)
{
    struct fixture f = make("n[1-2]:numa:2 core:4 pu:1", 8);

    place(&f, (struct dwqi_place_request){
                  .size = { .kind = DWQI_SIZE_PER_HOST, .n = 3 },
                  .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(last_idle(&f)->why, DWQI_IDLE_PER_HOST);
    cr_assert_eq(f.plan.core_idle[1], DWQI_IDLE_PER_HOST);
    dwqi_placement_finish(&f.plan);
    place(&f,
          (struct dwqi_place_request){ .size = fixed(2), .max_workers = 1 });
    cr_assert_eq(f.plan.core_idle[1], DWQI_IDLE_MAX_WORKERS);
    finish(&f);

    f = make_all("a:numa:2 core:3 pu:1; b:numa:2 core:5 pu:1", -1);
    place(&f, (struct dwqi_place_request){ .size = fixed(4),
                                           .broker = DWQI_BROKER_INSIDE,
                                           .straddle = DWQI_STRADDLE_NEVER });
    cr_assert_eq(f.plan.n_groups, 2);
    cr_assert_eq(f.plan.idle[0].rank, 1);
    cr_assert_eq(f.plan.idle[0].why, DWQI_IDLE_STRADDLE, "it has room");
    cr_assert_eq(last_idle(&f)->why, DWQI_IDLE_LEFT_OVER);
    cr_assert_eq(f.plan.core_idle[0], DWQI_IDLE_STRADDLE);
    cr_assert_eq(f.plan.core_idle[1], DWQI_IDLE_LEFT_OVER);
    finish(&f);

    f = make("n:core:8 pu:1", 3);
    place(&f, (struct dwqi_place_request){ .size = fixed(2),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.plan.core_idle[0], DWQI_IDLE_NO_RANK);
    finish(&f);
}

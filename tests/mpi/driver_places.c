/* Starts the scenarios of places.c: on this machine as one host, and as several
 * hosts with a topology each (hosts_agent.sh; DWQ_TEST_AGENT is its path). */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

#define MOST_ARGUMENTS 20

static void expect_success(const char *scenario, int ranks,
                           const char *const *launcher)
{
    struct launched job = launch_scenario(&(struct launch){
        .program = "places",
        .argument = scenario,
        .ranks = ranks,
        .launcher = launcher,
    });

    cr_expect(!job.timed_out && job.status == 0,
              "%s on %d ranks: status %d\n%s", scenario, ranks, job.status,
              job.output);
    free(job.output);
}

/* Ranks that the launcher bound nowhere may use the whole machine. */
static const char *const unbound[] = { "--bind-to", "none", NULL };

#define HERE(name, ranks)                      \
    Test(places, name, .timeout = 400)         \
    {                                          \
        expect_success(#name, ranks, unbound); \
    }

HERE(each_numa_node_gets_a_group, 8)
HERE(each_rank_has_cores_for_its_threads, 5)
HERE(brokers_take_spare_hardware_threads, 7)
HERE(groups_are_packed_or_spread, 5)
HERE(groups_of_a_given_size_straddle_nothing, 8)
HERE(brokers_beside_their_groups, 8)
HERE(tasks_ask_for_ranks_and_hosts, 8)
HERE(refusals_say_what_no_worker_has, 8)
HERE(one_rank_of_a_host_looks_at_it, 8)
HERE(a_task_whose_only_worker_left_is_told, 8)
HERE(a_crowded_host_is_planned_in_rank_order, 5)
HERE(no_binding_to_a_described_topology_but_one_warning, 8)
HERE(what_cannot_be_placed_is_refused_on_every_rank, 8)
HERE(ranks_bind_themselves_and_let_go, 2)

/* What the launcher bound a rank to is where it stays. */
Test(places, ranks_that_the_launcher_bound, .timeout = 400)
{
    static const char *const bound[] = { "--bind-to", "core", NULL };

    expect_success("ranks_bind_themselves_and_let_go", 2, bound);
}

Test(places, spawned_ranks_bind_themselves, .timeout = 400)
{
    launch_spawns();
    expect_success("spawned_ranks_bind_themselves", 2, unbound);
}

/* --- Several hosts ---------------------------------------------------------- */

static void expect_success_on_hosts(const char *scenario, int ranks,
                                    const char *map_by)
{
    const char *agent = getenv("DWQ_TEST_AGENT");
    const char *const launcher[MOST_ARGUMENTS] = { "--bind-to",
                                                   "none",
                                                   "--mca",
                                                   "plm_rsh_agent",
                                                   agent,
                                                   "--mca",
                                                   "oob_tcp_if_include",
                                                   "lo",
                                                   "--mca",
                                                   "btl_tcp_if_include",
                                                   "lo",
                                                   "--host",
                                                   "node1:4,node2:4,node3:2",
                                                   "--map-by",
                                                   map_by,
                                                   NULL };

    if (!agent || system("unshare --uts true 2>/dev/null") != 0) {
        cr_skip_test("no name spaces for host names here");
    }
    setenv("DWQ_TEST_TOPOLOGIES",
           "node1=pack:1 core:4 pu:1;node2=pack:2 core:2 pu:1;"
           "node3=core:2 pu:1",
           1);
    expect_success(scenario, ranks, launcher);
}

Test(places, unequal_hosts_get_groups_of_their_width, .timeout = 400)
{
    expect_success_on_hosts("unequal_hosts_get_groups_of_their_width", 10,
                            "slot");
}

Test(places, spawned_groups_start_where_the_plan_says, .timeout = 400)
{
    launch_spawns();
    expect_success_on_hosts("spawned_groups_start_where_the_plan_says", 3,
                            "node");
}

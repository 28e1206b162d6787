/* Starts the scenarios of where.c, each on the processors, with the launcher's options
 * and with the environment that it is about. */
#define _GNU_SOURCE /* sched_setaffinity */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

static const char *const unbound[] = { "--bind-to", "none", NULL };
static const char *const bound[] = { "--bind-to", "core", NULL };

static char *play(const char *scenario, int ranks, const char *const *launcher)
{
    struct launched job = launch_scenario(&(struct launch){
        .program = "where",
        .argument = scenario,
        .ranks = ranks,
        .launcher = launcher,
    });

    cr_expect(!job.timed_out && job.status == 0,
              "%s on %d ranks: status %d\n%s", scenario, ranks, job.status,
              job.output);
    return job.output;
}

static void expect_success(const char *scenario, int ranks,
                           const char *const *launcher)
{
    free(play(scenario, ranks, launcher));
}

/* How often a text is in another. */
static int count(const char *text, const char *part)
{
    int n = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
        n++;
    }
    return n;
}

static int n_processors(void)
{
    cpu_set_t all;

    return sched_getaffinity(0, sizeof all, &all) == 0 ? CPU_COUNT(&all) : 1;
}

static void need_processors(int n)
{
    if (n_processors() < n) {
        cr_skip_test("fewer than %d processors here", n);
    }
}

/* All that is started from now on has the first processor of this machine. */
static void leave_one_processor(void)
{
    cpu_set_t all, one;
    int cpu = 0;

    cr_assert_eq(sched_getaffinity(0, sizeof all, &all), 0);
    while (!CPU_ISSET((size_t)cpu, &all)) {
        cpu++;
    }
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
}

/* --- Who yields ---------------------------------------------------------------- */

/* That is the library's decision, not that of this environment. */
static void play_undecided(const char *scenario, int ranks)
{
    unsetenv("OMPI_MCA_mpi_yield_when_idle");
    expect_success(scenario, ranks, unbound);
}

Test(where, ranks_that_share_processors_yield, .timeout = 400)
{
    leave_one_processor();
    play_undecided("ranks_that_share_processors_yield", 2);
    play_undecided("ranks_that_share_processors_yield", 5);
}

Test(where, ranks_with_a_processor_each_do_not_yield, .timeout = 400)
{
    need_processors(2);
    play_undecided("ranks_with_a_processor_each_do_not_yield", 2);
}

Test(where, ranks_bound_to_one_core_yield, .timeout = 400)
{
    need_processors(2);
    play_undecided("ranks_bound_to_one_core_yield", 2);
}

Test(where, a_rank_with_its_own_core_does_not_yield, .timeout = 400)
{
    need_processors(2);
    play_undecided("a_rank_with_its_own_core_does_not_yield", 3);
}

/* --- Bound ------------------------------------------------------------------------ */

Test(where, ranks_that_openmp_pinned_are_placed, .timeout = 400)
{
    need_processors(2);
    unsetenv("OMP_NUM_THREADS");
    expect_success("ranks_that_openmp_pinned_are_placed", 2, unbound);
    setenv("OMP_PROC_BIND", "true", 1);
    expect_success("ranks_that_openmp_pinned_are_placed", 2, unbound);
}

/* That of clang makes its places when it is first used, behind the binding. */
#if defined TEST_OPENMP && !defined __clang__
Test(where, threads_that_openmp_places_are_warned_of, .timeout = 400)
{
    setenv("OMP_PROC_BIND", "true", 1);
    expect_success("threads_that_openmp_places_are_warned_of", 2, unbound);
}
#endif

Test(where, a_binding_in_the_way_is_named, .timeout = 400)
{
    need_processors(2);
    expect_success("a_binding_in_the_way_is_named", 2, bound);
}

/* --- Spawning ----------------------------------------------------------------------- */

Test(where, a_spawn_under_srun_is_refused_in_its_words, .timeout = 400)
{
    expect_success("a_spawn_under_srun_is_refused_in_its_words", 2, unbound);
}

Test(where, a_spawn_that_fails_is_said_and_survived, .timeout = 400)
{
    expect_success("a_spawn_that_fails_is_said_and_survived", 3, unbound);
}

Test(where, a_group_is_spawned_beside_its_broker, .timeout = 400)
{
    const char *agent = getenv("DWQ_TEST_AGENT");
    const char *const hosts[] = { "--bind-to",
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
                                  "node1:4,node2:4",
                                  "--map-by",
                                  "node",
                                  NULL };

    if (!agent || system("unshare --uts true 2>/dev/null") != 0) {
        cr_skip_test("no name spaces for host names here");
    }
    launch_spawns();
    expect_success("a_group_is_spawned_beside_its_broker", 3, hosts);
}

/* --- Without a launcher --------------------------------------------------------------- */

#define ALONE "one process in an allocation for several (PBS_NP=12)"

Test(where, one_process_in_an_allocation_is_told_once, .timeout = 400)
{
    char *output;

    setenv("PBS_JOBID", "7", 1);
    setenv("PBS_NP", "12", 1);
    output = play("one_process_in_an_allocation", 0, NULL);
    cr_expect(count(output, ALONE) == 1, "%s", output);
    free(output);
    output = play("one_process_in_an_allocation", 1, unbound);
    cr_expect(count(output, "allocation") == 0, "%s", output);
    free(output);
    setenv("PBS_NP", "1", 1);
    output = play("one_process_in_an_allocation", 0, NULL);
    cr_expect(count(output, "allocation") == 0, "%s", output);
    free(output);
}

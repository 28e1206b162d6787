/* Starts the scenarios of killed.c on hosts (hosts_agent.sh): a rank that was killed in a
 * call is named by another one of its host; where it was alone there, the controller
 * names what such ranks ran. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

#define LEAD "If no rank says why, one of these may have been killed"

/* On a busy machine mpirun may end before it has read what a rank said in its last moment:
 * a job of which nothing of ours was heard is started again. */
static struct launched play_until_heard(const struct launch *what)
{
    struct launched job = launch_scenario(what);

    for (int i = 0; i < 2 && !job.timed_out && !strstr(job.output, "libdwq: ");
         i++) {
        free(job.output);
        job = launch_scenario(what);
    }
    return job;
}

static char *play(const char *scenario, int ranks, const char *hosts)
{
    const char *agent = getenv("DWQ_TEST_AGENT");
    const char *const launcher[] = { "--bind-to",
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
                                     hosts,
                                     NULL };
    struct launched job;

    if (!agent || system("unshare --uts true 2>/dev/null") != 0) {
        cr_skip_test("no name spaces for host names here");
    }
    job = play_until_heard(&(struct launch){ .program = "killed",
                                             .argument = scenario,
                                             .ranks = ranks,
                                             .launcher = launcher });
    cr_expect(!job.timed_out && job.status != 0, "%s: status %d\n%s", scenario,
              job.status, job.output);
    return job.output;
}

/* The end of the controller's line; NULL: it names nobody. */
static void expect_named(const char *scenario, int ranks, const char *hosts,
                         const char *named)
{
    char *output = play(scenario, ranks, hosts);
    const char *line = strstr(output, "told to end (SIGTERM)");
    const char *lead = line ? strstr(line, LEAD) : NULL;
    const char *names = lead ? strstr(lead, ": ") : NULL;

    cr_expect(names && strncmp(names + 2, named, strlen(named)) == 0,
              "%s is not '%s':\n%s", scenario, named, output);
    free(output);
}

static void expect_words(const char *scenario, int ranks, const char *hosts,
                         const char *who)
{
    char *output = play(scenario, ranks, hosts);

    cr_expect(strstr(output, who) &&
                  strstr(output, "error: died without a word") &&
                  !strstr(output, LEAD),
              "%s does not name '%s' alone:\n%s", scenario, who, output);
    free(output);
}

Test(killed, a_worker_alone_on_its_host, .timeout = 400)
{
    expect_named("a_worker", 3, "node1,node2,node3",
                 "rank 1 (worker 1) on host node2 in task 71, function "
                 "'heats'; rank 2 (worker 2) on host node3 in task 72, "
                 "function 'heats'\n");
}

/* Workers 3 and 4 share a host. */
Test(killed, of_many_workers_the_first_are_named, .timeout = 400)
{
    expect_named("a_worker", 9, "n1,n2,n3,n4:2,n5,n6,n7,n8",
                 "rank 1 (worker 1) on host n2 in task 71, function 'heats'; "
                 "rank 2 (worker 2) on host n3 in task 72, function 'heats'; "
                 "rank 5 (worker 5) on host n5 in task 75, function 'heats'; "
                 "rank 6 (worker 6) on host n6 in task 76, function 'heats'; "
                 "rank 7 (worker 7) on host n7 in task 77, function 'heats'; "
                 "and 1 more\n");
}

Test(killed, a_rank_of_a_group_alone_on_its_host, .timeout = 400)
{
    expect_named("a_rank_of_a_group", 4, "node1:2,node2,node3",
                 "rank 2 (group 1) on host node2 in task 71, function "
                 "'heats'; rank 3 (group 1) on host node3 in task 71, "
                 "function 'heats'\n");
    expect_named("a_rank_of_a_group_with_its_broker", 3, "node1,node2,node3",
                 "rank 1 (broker 1) on host node2 in task 71, function "
                 "'heats'; rank 2 (group 1) on host node3 in task 71, "
                 "function 'heats'\n");
}

Test(killed, what_a_neighbour_says_the_controller_does_not, .timeout = 400)
{
    expect_words("a_worker", 3, "node1,node2:2", "libdwq: rank 2 (worker 2):");
    launch_spawns();
    expect_words("a_spawned_rank", 2, "node1,node2:3",
                 "libdwq: group 1, rank 1");
}

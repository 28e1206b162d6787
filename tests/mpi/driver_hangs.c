/* Starts the scenarios of hangs.c: every wait of a run ends with its limit and grace. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

static struct launched start(const char *scenario, int ranks)
{
    struct launched job = launch_scenario(&(struct launch){
        .program = "hangs",
        .argument = scenario,
        .ranks = ranks,
    });

    cr_expect(!job.timed_out, "%s on %d ranks: no end\n%s", scenario, ranks,
              job.output);
    cr_expect_not_null(strstr(job.output, "the controller went on"), "%s",
                       job.output);
    return job;
}

/* The job is over, after it said this. */
static void expect_end(const char *scenario, int ranks, const char *text)
{
    struct launched job = start(scenario, ranks);

    cr_expect(strstr(job.output, text) != NULL,
              "%s on %d ranks does not say '%s':\n%s", scenario, ranks, text,
              job.output);
    free(job.output);
}

Test(hangs, an_idle_worker, .timeout = 200)
{
    expect_end("an_idle_worker_hangs", 3,
               "has not left after the time limit and its grace");
}

Test(hangs, an_idle_worker_at_an_exit_of_the_controller, .timeout = 200)
{
    expect_end("an_idle_worker_hangs_at_an_exit_of_the_controller", 3,
               "the controller came back from its exit");
}

Test(hangs, a_rank_of_an_idle_group, .timeout = 200)
{
    expect_end("a_rank_of_an_idle_group_hangs", 5, "the job ends now");
}

Test(hangs, a_large_transfer, .timeout = 200)
{
    expect_end("a_large_transfer_hangs", 3, "the job ends now");
}

Test(hangs, a_worker_after_its_serving, .timeout = 200)
{
    expect_end("a_worker_hangs_after_its_serving", 3,
               "ranks have not come to the end of the run");
}

Test(hangs, a_spawned_rank_after_its_serving, .timeout = 200)
{
    launch_spawns();
    expect_end("a_spawned_rank_hangs_after_its_serving", 2,
               "libdwq: group 1, rank 0 (spawned): error: is stopped (by a "
               "signal, or a "
               "debugger) on host ");
}

Test(hangs, a_rank_in_a_call_is_named, .timeout = 200)
{
    expect_end("a_rank_is_stopped_in_a_call", 2,
               "libdwq: rank 1 (worker 1): error: is stopped (");
    expect_end("a_rank_is_stopped_in_a_call", 2, "in task 7, function 'stops'");
}

Test(hangs, a_spawned_rank_in_a_call_is_named, .timeout = 200)
{
    launch_spawns();
    expect_end("a_spawned_rank_is_stopped_in_a_call", 2,
               "libdwq: group 1, rank 0 (spawned): error: is stopped (");
    expect_end(
        "a_spawned_rank_does_not_come_back_from_a_call", 2,
        "libdwq: group 1, rank 0 (spawned): error: has not come back from its "
        "call on host ");
}

Test(hangs, a_controller_that_works_on_hurts_nobody, .timeout = 200)
{
    struct launched job = start("a_controller_that_works_on_hurts_nobody", 5);

    cr_expect_eq(job.status, 0, "%s", job.output);
    cr_expect_null(strstr(job.output, "given up"), "%s", job.output);
    cr_expect_null(strstr(job.output, "the job ends now"), "%s", job.output);
    free(job.output);
}

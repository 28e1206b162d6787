/* Starts the scenarios of allocation.c. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

static void expect_success(const char *scenario, int ranks)
{
    struct launched job = launch_scenario(&(struct launch){
        .program = "allocation", .argument = scenario, .ranks = ranks });

    cr_expect(!job.timed_out && job.status == 0,
              "%s on %d ranks: status %d\n%s", scenario, ranks, job.status,
              job.output);
    free(job.output);
}

Test(allocation, calls_end_before_the_allocation, .timeout = 400)
{
    expect_success("calls_end_before_the_allocation", 0);
    expect_success("calls_end_before_the_allocation", 3);
    setenv("DWQ_TEST_CONFIG", "5", 1); /* groups of 2, sendrecv */
    expect_success("calls_of_groups_end_before_the_allocation", 5);
    setenv("DWQ_TEST_CONFIG", "6", 1); /* gather, the broker inside */
    expect_success("calls_of_groups_end_before_the_allocation", 5);
}

Test(allocation, slurm_says_when_the_allocation_ends, .timeout = 400)
{
    expect_success("slurm_says_when_the_allocation_ends", 2);
}

Test(allocation, none_is_no_limit, .timeout = 400)
{
    expect_success("none_is_no_limit", 0);
    expect_success("none_is_no_limit", 2);
}

Test(allocation, what_cannot_be_read_is_refused, .timeout = 400)
{
    expect_success("what_cannot_be_read_is_refused", 0);
    expect_success("what_cannot_be_read_is_refused", 3);
}

Test(allocation, a_controller_that_stays_is_ended, .timeout = 400)
{
    struct launched job = launch_scenario(
        &(struct launch){ .program = "allocation",
                          .argument = "a_controller_that_stays_is_ended",
                          .ranks = 3,
                          .timeout = 30 });

    cr_expect(!job.timed_out && job.status != 0 &&
                  strstr(job.output, "the allocation ends: the job ends now"),
              "status %d\n%s", job.status, job.output);
    free(job.output);
}

/* Starts the scenarios of left_open.c: each rank says what its function left open. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

/* The job comes to its end, and says all of these (ends with NULL). */
static void expect_said(const char *scenario, int ranks,
                        const char *const *lines)
{
    struct launched job = launch_scenario(&(struct launch){
        .program = "left_open", .argument = scenario, .ranks = ranks });

    cr_expect(!job.timed_out && job.status == 0,
              "%s on %d ranks: status %d\n%s", scenario, ranks, job.status,
              job.output);
    for (; *lines; lines++) {
        cr_expect(strstr(job.output, *lines) != NULL,
                  "%s on %d ranks does not say '%s':\n%s", scenario, ranks,
                  *lines, job.output);
    }
    free(job.output);
}

#define SAYS(...) ((const char *const[]){ __VA_ARGS__, NULL })

Test(left_open, a_call_that_leaves_a_run_open_has_failed, .timeout = 400)
{
    expect_said("a_call_leaves_a_run_open", 0,
                SAYS("rank 0 (controller): error: task 7, function 'leaves'"));
    expect_said("a_call_leaves_a_run_open", 3,
                SAYS("rank 1 (worker 1): error: task 7, function 'leaves'",
                     "rank 2 (worker 2): error: task 7, function 'leaves'",
                     "rank 2 (worker 2): warning: 4 results of this run"));
}

Test(left_open, a_call_of_a_group_that_leaves_a_run_open_has_failed,
     .timeout = 400)
{
    for (int ranks = 3; ranks <= 5; ranks++) {
        expect_said("a_call_of_a_group_leaves_a_run_open", ranks,
                    SAYS("task 7, function 'leaves'", "rank 1 ",
                         "task 9, function 'leaves_two'"));
    }
}

Test(left_open, a_spawned_rank_that_leaves_a_run_open_is_named, .timeout = 400)
{
    launch_spawns();
    expect_said(
        "a_call_of_a_spawned_group_leaves_a_run_open", 2,
        SAYS("group 1, rank 0 (spawned): error: task 7, function 'leaves'",
             "group 1, rank 1 (spawned): error: task 9, function 'leaves_"));
}

/* The last rank of a group is the controller of what it opens. */
Test(left_open, whichever_rank_of_a_group_leaves_a_run_open_is_named,
     .timeout = 400)
{
    setenv("DWQ_CONTROLLER_RANK", "-1", 1);
    expect_said("a_call_of_a_group_leaves_a_run_open", 5,
                SAYS("rank 1 (group 1): error: task 7, function 'leaves'",
                     "rank 3 (group 2): error: task 7, function 'leaves'"));
}

Test(left_open, a_worker_function_that_leaves_a_run_open_is_named,
     .timeout = 400)
{
    for (int ranks = 0; ranks <= 4; ranks += 2) {
        expect_said("a_worker_function_leaves_a_run_open", ranks,
                    SAYS("the worker function"));
    }
}

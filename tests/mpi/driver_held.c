/* Starts the scenarios of held.c. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/mpi/launch.h"

static void expect_success(const char *scenario, int ranks)
{
    struct launched job = launch_scenario(&(struct launch){
        .program = "held",
        .argument = scenario,
        .ranks = ranks,
        .timeout = 120,
    });

    cr_expect(!job.timed_out && job.status == 0,
              "%s on %d ranks: status %d\n%s", scenario, ranks, job.status,
              job.output);
    free(job.output);
}

Test(held, no_task_waits_behind_a_running_call, .timeout = 400)
{
    expect_success("no_task_waits_behind_a_running_call", 3);
    expect_success("no_task_waits_behind_a_running_call", 5);
    expect_success("no_task_waits_behind_a_running_call_of_a_group", 7);
}

Test(held, a_worker_holds_several_short_tasks, .timeout = 400)
{
    expect_success("a_worker_holds_several_short_tasks", 2);
    expect_success("a_worker_holds_several_short_tasks", 3);
}

Test(held, small_and_large_tasks_keep_their_order, .timeout = 400)
{
    expect_success("small_and_large_tasks_keep_their_order", 3);
    expect_success("small_and_large_tasks_of_groups_keep_their_order", 7);
}

/* As between hosts: what cannot be taken back is not held. */
Test(held, without_a_doorbell_no_task_waits_either, .timeout = 400)
{
    setenv("DWQ_DOORBELL", "0", 1);
    expect_success("no_task_waits_behind_a_running_call", 3);
    expect_success("no_task_waits_behind_a_running_call_of_a_group", 7);
    expect_success("small_and_large_tasks_keep_their_order", 3);
}

Test(held, the_last_call_of_a_burst_runs_while_the_controller_computes,
     .timeout = 400)
{
    expect_success(
        "the_last_call_of_a_burst_runs_while_the_controller_computes", 2);
    expect_success(
        "the_last_call_of_a_burst_runs_while_the_controller_computes", 4);
    expect_success("the_last_call_of_a_burst_of_groups_runs_while_it_computes",
                   7);
    expect_success("a_worker_gets_its_next_calls_while_the_controller_computes",
                   2);
}

/* Where it cannot be fed, each is sent before its submit comes back. */
Test(held, without_a_doorbell_a_short_call_does_not_wait_for_others,
     .timeout = 400)
{
    setenv("DWQ_DOORBELL", "0", 1);
    expect_success("a_short_call_for_an_idle_worker_does_not_wait_for_others",
                   3);
}

Test(held, many_calls_run_while_the_controller_computes, .timeout = 400)
{
    expect_success("many_calls_run_while_the_controller_computes", 2);
    expect_success("many_calls_run_while_the_controller_computes", 4);
    expect_success("many_calls_of_groups_run_while_the_controller_computes", 7);
}

Test(held, what_ended_in_time_counts_after_the_grace, .timeout = 400)
{
    expect_success("what_ended_in_time_counts_after_the_grace", 2);
    expect_success("what_ended_in_time_counts_after_the_grace", 4);
}

/* Starts the scenarios of calls.c and calls_memory.c. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/mpi/launch.h"

/* ranks ends with -1; 0 is without a launcher. */
static void expect_success(const char *scenario, const int *ranks)
{
    for (; *ranks >= 0; ranks++) {
        struct launched job =
            launch_scenario(&(struct launch){ .program = "calls",
                                              .argument = scenario,
                                              .ranks = *ranks,
                                              .timeout = 100 });

        cr_expect(!job.timed_out && job.status == 0,
                  "%s on %d ranks: status %d\n%s", scenario, *ranks, job.status,
                  job.output);
        free(job.output);
    }
}

#define ON(name, ...)                                            \
    Test(calls, name, .timeout = 400)                            \
    {                                                            \
        expect_success(#name, (const int[]){ __VA_ARGS__, -1 }); \
    }

ON(a_failed_call_leaves_nothing_for_the_next, 0, 3, 4)
ON(a_failed_call_in_a_call_leaves_nothing, 0, 3)
ON(an_array_kept_by_a_call_is_not_sent_by_the_next, 0, 3)
ON(a_task_without_memory_on_a_rank_is_a_failed_call, 4)
ON(a_result_without_memory_is_a_failed_call, 4)
ON(in_one_process_a_task_without_memory_is_a_failed_call, 0)
ON(the_total_time_of_a_group_is_that_of_its_calls, 0, 4)

Test(calls, a_failed_call_of_a_spawned_group_leaves_nothing, .timeout = 400)
{
    launch_spawns();
    expect_success("a_failed_call_of_a_spawned_group_leaves_nothing",
                   (const int[]){ 2, -1 });
}

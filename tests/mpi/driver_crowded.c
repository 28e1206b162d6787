/* Starts the scenarios of crowded.c. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/mpi/launch.h"

static void expect_success(const char *scenario, int ranks)
{
    static const char *const launcher[] = { "--bind-to", "none", NULL };
    struct launched job =
        launch_scenario(&(struct launch){ .program = "crowded",
                                          .argument = scenario,
                                          .ranks = ranks,
                                          .launcher = launcher });

    cr_expect(!job.timed_out && job.status == 0, "status %d\n%s", job.status,
              job.output);
    free(job.output);
}

#define CROWDED(name, n_ranks)          \
    Test(crowded, name, .timeout = 120) \
    {                                   \
        expect_success(#name, n_ranks); \
    }

CROWDED(one_rank_more_than_cores_is_bound, 3)
CROWDED(a_rank_on_each_hardware_thread_is_placed, 4)
CROWDED(the_controller_shares_a_core_when_asked, 3)
CROWDED(a_group_that_needs_the_controllers_core_says_so, 3)

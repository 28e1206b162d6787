/* Starts the scenarios of crowded.c. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/mpi/launch.h"

#define CROWDED(name, n_ranks)                                               \
    Test(crowded, name, .timeout = 120)                                      \
    {                                                                        \
        static const char *const launcher[] = { "--bind-to", "none", NULL }; \
        const char *folder = getenv("DWQ_TEST_PROGRAMS");                    \
        char path[4096];                                                     \
        struct launched job;                                                 \
                                                                             \
        snprintf(path, sizeof path, "%s/scenario_crowded",                   \
                 folder ? folder : ".");                                     \
        launch(&(struct launch){ .program = path,                            \
                                 .argument = #name,                          \
                                 .ranks = n_ranks,                           \
                                 .launcher = launcher,                       \
                                 .timeout = 60. },                           \
               &job);                                                        \
        cr_expect(!job.timed_out && job.status == 0, "status %d\n%s",        \
                  job.status, job.output);                                   \
        free(job.output);                                                    \
    }

CROWDED(one_rank_more_than_cores_is_bound, 3)
CROWDED(a_rank_on_each_hardware_thread_is_placed, 4)
CROWDED(the_controller_shares_a_core_when_asked, 3)
CROWDED(a_group_that_needs_the_controllers_core_says_so, 3)

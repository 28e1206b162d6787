/* Starts the scenarios of open.c that end the job, or spawn. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

static struct launched start(const char *scenario, int ranks)
{
    struct launched job = launch_scenario(&(struct launch){
        .program = "open", .argument = scenario, .ranks = ranks });

    cr_expect(!job.timed_out, "%s on %d ranks: no end\n%s", scenario, ranks,
              job.output);
    return job;
}

static void expect_left(int ranks, const char *code, int status)
{
    struct launched job;

    setenv("DWQ_TEST_CODE", code, 1);
    job = start("an_exit_without_a_close_ends_the_job", ranks);
    cr_expect(job.status == status, "exit(%s) on %d ranks: status %d\n%s", code,
              ranks, job.status, job.output);
    cr_expect(strstr(job.output, "rank 0 (controller): error: exit() in the "
                                 "middle of a run (no dwq_close() came)"),
              "exit(%s) on %d ranks says:\n%s", code, ranks, job.output);
    free(job.output);
}

Test(open, an_exit_without_a_close_ends_the_job, .timeout = 400)
{
    for (int ranks = 0; ranks <= 3; ranks++) {
        expect_left(ranks, "0", 1);
        expect_left(ranks, "5", 5);
    }
}

Test(open, groups_of_an_opened_run_are_spawned, .timeout = 400)
{
    launch_spawns();
    setenv("DWQ_TEST_SPAWN", "1", 1);
    for (int ranks = 3; ranks <= 5; ranks++) {
        struct launched job = start("groups_of_an_opened_run", ranks);

        cr_expect(job.status == 0, "on %d ranks: status %d\n%s", ranks,
                  job.status, job.output);
        free(job.output);
    }
}

/* Starts the scenarios of survive.c where the launcher lets the others live. mpirun's exit
 * code is 0 then, whatever happens: the checks are in what the job prints. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

static void play(const char *groups, int ranks, const char *mode,
                 const char *way, const char *scenario)
{
    static const char *const launcher[] = { "--enable-recovery", NULL };
    struct launched job;

    setenv("DWQ_TEST_GROUPS", groups, 1);
    setenv("DWQ_TEST_MODE", mode, 1);
    setenv("DWQ_TEST_WAY", way, 1);
    if (strcmp(groups, "spawn") == 0) {
        launch_spawns();
    }
    job = launch_scenario(&(struct launch){ .program = "survive",
                                            .argument = scenario,
                                            .ranks = ranks,
                                            .launcher = launcher });
    cr_expect(!job.timed_out && strstr(job.output, "the run has ended") &&
                  !strstr(job.output, "does not hold"),
              "%s %s %s by %s on %d ranks:\n%s", scenario, groups, mode, way,
              ranks, job.output);
    free(job.output);
}

static const char *const ways[] = { "kill",         "segv",      "abort",
                                    "exit_at_once", "mpi_abort", NULL };

Test(survive, a_worker_dies_and_its_task_runs_again, .timeout = 400)
{
    for (int i = 0; ways[i]; i++) {
        play("plain", 4, "gather", ways[i], "a_death");
    }
}

Test(survive, a_group_dies_and_its_task_runs_again, .timeout = 400)
{
    for (int i = 0; ways[i]; i++) {
        const char *mode = i % 2 ? "gather" : "sendrecv";

        play("inside", 5, mode, ways[i], "a_death");
        play("beside", 7, mode, ways[i], "a_death");
    }
}

/* The others of the group sit in a collective, and are awaited for a while. */
/* A worker that was caught alive stays. */
Test(survive, a_call_that_gives_up_runs_again, .timeout = 400)
{
    play("plain", 4, "gather", "exit", "a_death");
    play("plain", 4, "gather", "finalize", "a_death");
    play("plain", 3, "gather", "exit", "gives_up_alive");
    play("inside", 3, "gather", "exit", "gives_up_alive");
}

Test(survive, a_rank_that_gave_up_alone_costs_its_group, .timeout = 400)
{
    play("inside", 5, "gather", "exit", "a_death");
    play("beside", 7, "sendrecv", "finalize", "a_death");
}

Test(survive, a_spawned_group_dies_and_its_task_runs_again, .timeout = 400)
{
    play("spawn", 3, "gather", "kill", "a_death");
    play("spawn", 3, "sendrecv", "segv", "a_death");
}

Test(survive, a_task_without_retries_is_lost_with_its_worker, .timeout = 400)
{
    play("plain", 3, "gather", "kill", "without_retries");
    play("inside", 5, "gather", "kill", "without_retries");
}

Test(survive, the_controller_goes_on_without_workers, .timeout = 400)
{
    play("plain", 4, "gather", "kill", "all_workers");
    play("beside", 7, "gather", "kill", "all_workers");
}

Test(survive, no_run_follows_and_the_job_ends, .timeout = 400)
{
    play("plain", 4, "gather", "kill", "no_run_follows");
    play("inside", 5, "gather", "kill", "no_run_follows");
}

/* Without doorbells the ranks share no memory with the controller, as on other hosts. */
Test(survive, a_cancel_reaches_calls_by_line, .timeout = 400)
{
    setenv("DWQ_DOORBELL", "0", 1);
    play("plain", 3, "gather", "", "a_cancel_by_line");
    play("inside", 5, "gather", "", "a_cancel_by_line");
    play("beside", 4, "sendrecv", "", "a_cancel_by_line");
    play("spawn", 2, "gather", "", "a_cancel_by_line");
}

Test(survive, a_job_that_was_not_told_to_survive_ends_by_name, .timeout = 400)
{
    struct launched job;

    setenv("DWQ_TEST_GROUPS", "plain", 1);
    setenv("DWQ_TEST_WAY", "segv", 1);
    job = launch_scenario(&(struct launch){
        .program = "survive", .argument = "a_death", .ranks = 3 });
    cr_expect(!job.timed_out && job.status != 0 &&
                  strstr(job.output, "signal 11 (SIGSEGV)") &&
                  strstr(job.output, "all ranks end now"),
              "status %d:\n%s", job.status, job.output);
    free(job.output);
}

/* Starts scenarios as real jobs that scenarios.c cannot: those that end in the middle
 * of a run, or need a setting. The programs' folder is in DWQ_TEST_PROGRAMS. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

static struct launched start(const char *program, const char *scenario,
                             int ranks, const char *interrupt_after)
{
    struct launched job =
        launch_scenario(&(struct launch){ .program = program,
                                          .argument = scenario,
                                          .ranks = ranks,
                                          .interrupt_after = interrupt_after });

    if (job.timed_out) {
        fprintf(stderr, "%s %s on %d ranks: no end\n%s\n", program, scenario,
                ranks, job.output);
    }
    return job;
}

Test(modules, another_program_serves_modules, .timeout = 400)
{
    for (int ranks = 2; ranks <= 5; ranks++) {
        struct launched job = launch_scenario(
            &(struct launch){ .program = "modules",
                              .argument = "another_program_serves_modules",
                              .ranks = ranks,
                              .others = getenv("DWQ_TEST_WORKER") });

        cr_expect(!job.timed_out && job.status == 0,
                  "on %d ranks: status %d\n%s", ranks, job.status, job.output);
        free(job.output);
    }
}

/* ranks ends with -1; 0 is without a launcher. */
static void expect_success(const char *program, const char *scenario,
                           const int *ranks)
{
    bool is_short = getenv("DWQ_TEST_SHORT") != NULL;
    int n = 0;

    while (ranks[n] >= 0) {
        n++;
    }
    /* One number of ranks, for builds whose scenarios another build plays all. */
    ranks += is_short ? n / 2 : 0;
    n = is_short ? 1 : n;
    for (; n > 0; n--, ranks++) {
        struct launched job = start(program, scenario, *ranks, NULL);

        cr_expect(!job.timed_out && job.status == 0,
                  "%s %s on %d ranks: status %d\n%s", program, scenario, *ranks,
                  job.status, job.output);
        free(job.output);
    }
}

static void expect_end(const char *program, const char *scenario, int ranks,
                       int least_status, const char *text,
                       const char *interrupt_after)
{
    struct launched job = start(program, scenario, ranks, interrupt_after);

    cr_expect(!job.timed_out, "%s on %d ranks: no end", scenario, ranks);
    cr_expect(job.status >= least_status, "%s on %d ranks: status %d\n%s",
              scenario, ranks, job.status, job.output);
    cr_expect(strstr(job.output, text) != NULL,
              "%s on %d ranks does not say '%s':\n%s", scenario, ranks, text,
              job.output);
    free(job.output);
}

/* Jobs that end in the middle of a run: groups of 2, by gather beside the broker
 * and by sendrecv with it inside (configurations 4 and 7), each a job. */
static void expect_group_end(const char *scenario, int least_status,
                             const char *text, const char *interrupt_after)
{
    for (int config = 4; config < 8; config += 3) {
        char number[2] = { (char)('0' + config), '\0' };

        setenv("DWQ_TEST_CONFIG", number, 1);
        expect_end("group_runs", scenario, 4, least_status, text,
                   interrupt_after);
    }
}

Test(group_runs, after_the_grace_calls_of_groups_are_given_up, .timeout = 400)
{
    expect_group_end("after_the_grace_calls_of_groups_are_given_up", 0,
                     "the controller went on", NULL);
}

Test(group_runs, a_rank_of_a_group_and_a_broker_abort, .timeout = 400)
{
    expect_group_end("a_broker_aborts", 1, "broker 1 aborts the run", NULL);
    expect_group_end("a_rank_of_a_group_aborts", 1, "worker 1 aborts the run",
                     NULL);
}

Test(group_runs, an_interrupt_ends_groups, .timeout = 400)
{
    expect_group_end("an_interrupt_ends_groups", 1, "running", "running");
}

Test(group_runs, exit_codes_of_groups, .timeout = 400)
{
    for (int config = 4; config < 8; config += 3) {
        char number[2] = { (char)('0' + config), '\0' };
        struct launched job;

        setenv("DWQ_TEST_CONFIG", number, 1);
        setenv("DWQ_TEST_CODE", "17", 1);
        job = start("group_runs", "exit_codes_of_groups", 4, NULL);
        cr_expect(!job.timed_out && job.status == 17, "status %d\n%s",
                  job.status, job.output);
        free(job.output);
        unsetenv("DWQ_TEST_CODE");
        job = start("group_runs", "exit_codes_of_groups", 4, NULL);
        cr_expect(!job.timed_out && job.status == 0, "status %d\n%s",
                  job.status, job.output);
        free(job.output);
    }
}

Test(group_runs, groups_of_thousands_are_not_spawned, .timeout = 400)
{
    launch_spawns();
    expect_success("group_roles", "groups_of_thousands_are_not_spawned",
                   (const int[]){ 3, -1 });
}

/* Two groups, 6 or 4 ranks of them spawned. */
static void expect_spawned(const char *scenario)
{
    launch_spawns();
    expect_success("spawned", scenario, (const int[]){ 3, -1 });
}

#define SPAWNED(name)                   \
    Test(spawned, name, .timeout = 400) \
    {                                   \
        expect_spawned(#name);          \
    }

SPAWNED(a_failing_rank_is_named_and_the_others_have_values)
SPAWNED(worker_functions_serve_in_the_middle_or_are_initializers)
SPAWNED(a_failing_initializer_withdraws_the_whole_group)
SPAWNED(a_mebibyte_and_a_byte_there_and_back_whole_and_scattered)

Test(runs, after_the_grace_running_calls_are_given_up, .timeout = 400)
{
    for (int ranks = 2; ranks <= 4; ranks += 2) {
        expect_end("runs", "after_the_grace_running_calls_are_given_up", ranks,
                   0, "the controller went on", NULL);
        expect_end("runs", "after_the_grace_running_calls_are_given_up", ranks,
                   0, "the job ends now", NULL);
    }
}

Test(runs, abort_ends_all_ranks_with_a_message, .timeout = 400)
{
    for (int ranks = 0; ranks <= 3; ranks++) {
        expect_end("runs", "the_controller_aborts", ranks, 1,
                   "the controller aborts", NULL);
        expect_end("runs", "a_worker_aborts", ranks, 1, "aborts the run", NULL);
    }
}

/* Open MPI's mpirun drops the last lines of its ranks now and then, so under it
 * the message is not asked for. */
Test(runs, an_interrupt_ends_the_run_with_a_message, .timeout = 400)
{
    expect_end("runs", "an_interrupt_ends_the_run", 0, 128 + SIGINT,
               "interrupted by a signal", "running");
    for (int ranks = 1; ranks <= 3; ranks++) {
        expect_end("runs", "an_interrupt_ends_the_run", ranks, 1, "running",
                   "running");
    }
}

Test(roles, a_difference_names_the_option_and_both_values, .timeout = 400)
{
    expect_end("roles", "options_that_differ_are_refused_on_every_rank", 3, 0,
               "option max_workers differs between ranks: rank 0 has 1, "
               "rank 1 has 2",
               NULL);
}

/* How spawned groups start, or do not. */
#define SPAWN_START(name, scenario)                                         \
    Test(spawn_start, name, .timeout = 400)                                 \
    {                                                                       \
        launch_spawns();                                                    \
        expect_success("spawn_start", scenario, (const int[]){ 2, 3, -1 }); \
    }

SPAWN_START(a_configuration_with_quotes_survives_the_spawn,
            "a_configuration_with_quotes")
SPAWN_START(the_brokers_rank_after_the_merge_is_decided_by_us_in_every_run,
            "the_broker_is_rank_0_after_the_merge")
SPAWN_START(a_call_runs_over_its_group, "a_call_runs_over_its_group")
SPAWN_START(a_group_that_was_just_spawned_is_told_to_leave,
            "a_group_that_was_just_spawned")
SPAWN_START(programs_that_cannot_be_run_are_refused,
            "programs_that_cannot_be_run")
SPAWN_START(a_program_that_was_removed_is_refused, "a_program_that_was_removed")
SPAWN_START(a_process_that_exits_before_its_run_is_told,
            "a_process_that_exits_before_its_run")
SPAWN_START(the_marker_leaves_the_arguments_of_main,
            "the_marker_leaves_the_arguments_of_main")

Test(spawn_start, a_process_that_never_comes_to_its_run_ends_the_job,
     .timeout = 400)
{
    launch_spawns();
    expect_end("spawn_start", "a_process_that_never_comes_to_its_run", 3, 1,
               "have not come to dwq_run()", NULL);
}

/* Rows of the service; the ranks of spawned groups come on top. */
static void expect_service(const char *grouping, const char *scenario,
                           const int *ranks)
{
    setenv("DWQ_TEST_GROUPING", grouping, 1);
    if (strcmp(grouping, "spawn") == 0) {
        /* Groups of either kind do the same; another build plays all. */
        if (getenv("DWQ_TEST_SHORT") &&
            strcmp(scenario, "groups_exchange_data") != 0) {
            cr_skip_test("DWQ_TEST_SHORT");
        }
        launch_spawns();
    }
    expect_success("service", scenario, ranks);
}

#define SERVICE(grouping, name, ...)                                        \
    Test(service, name##_by_##grouping, .timeout = 400)                     \
    {                                                                       \
        expect_service(#grouping, #name, (const int[]){ __VA_ARGS__, -1 }); \
    }

SERVICE(split, groups_exchange_data, 7, 10, 13)
SERVICE(spawn, groups_exchange_data, 3, 4, 5)
SERVICE(split, connect_and_publish_in_calls, 10)
SERVICE(spawn, connect_and_publish_in_calls, 4)
SERVICE(split, without_a_publish_all_ranks_fail, 7)
SERVICE(spawn, without_a_publish_all_ranks_fail, 3)
SERVICE(split, requests_to_a_busy_group_are_given_up, 7)
SERVICE(spawn, requests_to_a_busy_group_are_given_up, 3)
SERVICE(split, a_rank_that_does_not_come_holds_up_nobody, 7)
SERVICE(spawn, a_rank_that_does_not_come_holds_up_nobody, 3)
SERVICE(split, a_collective_between_groups_holds_up_no_end, 7)
SERVICE(spawn, a_collective_between_groups_holds_up_no_end, 3)
SERVICE(split, a_client_that_withdraws_holds_up_nobody, 10)
SERVICE(spawn, a_client_that_withdraws_holds_up_nobody, 4)
SERVICE(split, a_server_that_withdraws_refuses, 10)
SERVICE(spawn, a_server_that_withdraws_refuses, 4)
SERVICE(spawn, the_option_publishes_before_the_worker_function, 4)
SERVICE(split, without_groups_there_is_no_service, 0, 1, 3)
SERVICE(split, without_spawn_the_option_is_refused, 1, 4, 7)

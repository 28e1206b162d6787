/* Starts the scenarios as real jobs: every scenario alone, and under mpirun with
 * several numbers of ranks. The path of the programs' folder is in
 * DWQ_TEST_PROGRAMS. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

#define TIMEOUT 60. /* seconds of one job; Criterion's is above all of them */
#define HUGE_TIMEOUT 600. /* of one that moves gigabytes on a loaded machine */

static struct launched start(const char *program, const char *scenario,
                             int ranks, const char *interrupt_after)
{
    char path[4096];
    const char *folder = getenv("DWQ_TEST_PROGRAMS");
    double timeout = strstr(program, "payload") ? HUGE_TIMEOUT : TIMEOUT;
    struct launched job;

    snprintf(path, sizeof path, "%s/scenario_%s", folder ? folder : ".",
             program);
    launch(&(struct launch){ .program = path,
                             .argument = scenario,
                             .ranks = ranks,
                             .timeout = timeout,
                             .interrupt_after = interrupt_after },
           &job);
    if (job.timed_out) {
        fprintf(stderr, "%s %s on %d ranks: no end after %g s\n%s\n", program,
                scenario, ranks, timeout, job.output);
    }
    return job;
}

Test(modules, another_program_serves_modules, .timeout = 400)
{
    char path[4096];
    const char *folder = getenv("DWQ_TEST_PROGRAMS");

    snprintf(path, sizeof path, "%s/scenario_modules", folder ? folder : ".");
    for (int ranks = 2; ranks <= 5; ranks++) {
        struct launched job;

        launch(&(struct launch){ .program = path,
                                 .argument = "another_program_serves_modules",
                                 .ranks = ranks,
                                 .others = getenv("DWQ_TEST_WORKER"),
                                 .timeout = TIMEOUT },
               &job);
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

    if (is_short && strstr(scenario, "2_gib")) {
        cr_skip("another build plays it");
    }
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

#define SCENARIO(program, name, ...)                                       \
    Test(program, name, .timeout = 400)                                    \
    {                                                                      \
        expect_success(#program, #name, (const int[]){ __VA_ARGS__, -1 }); \
    }
#define HUGE_SCENARIO(program, name, ...)                                  \
    Test(program, name, .timeout = 3000)                                   \
    {                                                                      \
        expect_success(#program, #name, (const int[]){ __VA_ARGS__, -1 }); \
    }
#define EVERYWHERE 0, 1, 2, 3, 5

SCENARIO(results, submit_with_ready_workers_never_sleeps, 0, 2, 3)
SCENARIO(results, queued_tasks_are_dispatched_while_collecting, EVERYWHERE)
SCENARIO(results, one_slow_receiver_does_not_stall_the_controller, 0, 3, 5)
SCENARIO(results, a_result_is_collected_once_whichever_call_collects_it,
         EVERYWHERE)
SCENARIO(results, asking_for_a_queued_task_waits_for_it, 0, 2, 3, 5)
SCENARIO(results, next_result_before_any_worker_is_ready_waits, 0, 2, 5)
SCENARIO(results, a_younger_task_that_finished_is_returned_first, 3, 5)
SCENARIO(results, a_reused_id_gives_the_new_tasks_result, EVERYWHERE)
SCENARIO(results, generated_ids_never_collide_with_given_ones, EVERYWHERE)
SCENARIO(results, a_function_that_returns_nothing_gives_zero_values, EVERYWHERE)
SCENARIO(results, an_estimate_is_charged_once_to_the_worker_that_ran, 2, 3, 5)
SCENARIO(results, a_binding_worker_is_honoured_when_busy_and_when_ready,
         EVERYWHERE)
SCENARIO(results, an_estimate_of_zero_does_not_divide_by_zero, 0, 2, 3)
SCENARIO(results, submit_multiple_takes_all_or_none_each_with_its_estimate,
         EVERYWHERE)
SCENARIO(results, the_report_leaves_the_controller_out_and_counts_apart, 0, 2,
         3, 5)

HUGE_SCENARIO(payload, no_fixed_receive_buffer_up_to_64_mib, 0, 2, 3)
HUGE_SCENARIO(payload, one_array_of_more_than_2_gib_there, 2)
HUGE_SCENARIO(payload, one_array_of_more_than_2_gib_back, 2)
HUGE_SCENARIO(payload, every_kind_of_value_travels, 0, 2, 3)
HUGE_SCENARIO(payload, memory_is_flat_over_a_stream_of_calls, 0, 2, 5)

SCENARIO(modules, functions_of_a_module_get_what_its_init_gave, EVERYWHERE)
SCENARIO(modules, a_worker_function_by_name_runs_from_its_module, EVERYWHERE)
SCENARIO(modules, a_worker_function_of_a_module_can_withdraw, EVERYWHERE)
SCENARIO(modules, an_unknown_worker_name_is_refused, 2, 3, 5)

SCENARIO(runs, a_failing_call_is_data, EVERYWHERE)
SCENARIO(runs, a_task_named_exit_is_an_unknown_function, 0, 2, 3)
SCENARIO(runs, bad_tasks_are_refused_and_nothing_is_queued, 0, 2)
SCENARIO(runs, a_controller_that_returns_nonzero_ends_every_rank, EVERYWHERE)
SCENARIO(runs, queued_tasks_run_when_the_controller_returns_early, EVERYWHERE)
SCENARIO(runs, a_worker_that_was_never_ready_is_told_to_leave, EVERYWHERE)
SCENARIO(runs, ranks_beyond_max_workers_leave_cleanly, 2, 3, 5, 9)
SCENARIO(runs, several_runs_in_one_process, EVERYWHERE)
SCENARIO(runs, results_can_be_collected_after_exit, EVERYWHERE)
SCENARIO(runs, cancelled_tasks_yield_one_result, EVERYWHERE)
SCENARIO(roles, a_worker_function_surrounds_its_calls, EVERYWHERE)
SCENARIO(roles, a_failing_initializer_withdraws_its_worker, EVERYWHERE)
SCENARIO(roles, a_worker_can_execute_a_task_itself, 0, 2, 3)
SCENARIO(roles, a_call_can_execute_another_and_keeps_its_arguments, 0, 2, 3)
SCENARIO(roles, a_communicator_that_is_none_is_refused, 0, 2, 3)
SCENARIO(roles, user_messages_on_comm_world_disturb_nothing, 2, 3, 5)
SCENARIO(roles, handlers_are_as_before_after_a_run, 0, 2, 3)
SCENARIO(roles, a_run_over_some_of_the_ranks, 1, 2, 3, 5, 9)
SCENARIO(roles, options_that_differ_are_refused_on_every_rank, 2, 3, 5)
SCENARIO(roles, bad_options_are_refused_on_every_rank, EVERYWHERE)
SCENARIO(roles, every_role_reads_run_args, 0, 2, 3)
SCENARIO(roles, verbose_logs_decisions_to_the_callback, 0, 2, 3)
SCENARIO(roles, the_environment_picks_the_controllers_rank, EVERYWHERE)
SCENARIO(runs, after_the_time_limit_no_task_starts, EVERYWHERE)

/* Groups of 1 to 3 ranks, both modes, broker beside and inside: all that fit. */
#define GROUPED 2, 3, 5, 8
SCENARIO(groups, every_rank_is_where_the_plan_says, GROUPED, 11)
SCENARIO(groups, the_environment_picks_the_controllers_rank_of_groups, GROUPED)
SCENARIO(groups, verbose_says_the_role_of_every_rank, GROUPED)
SCENARIO(groups, communicators_have_the_sizes_and_ranks_of_the_contract,
         GROUPED)
SCENARIO(groups, a_broker_inside_runs_the_broker_function_if_there_is_one,
         GROUPED)
SCENARIO(groups, ready_data_of_a_group_is_a_list_per_rank, GROUPED)
SCENARIO(groups, ready_data_that_nobody_set_is_a_list_of_nil, 3, 5)
SCENARIO(groups, user_messages_in_groups_disturb_nothing, GROUPED)
SCENARIO(group_roles,
         functions_of_groups_serve_in_the_middle_or_are_initializers, GROUPED)
SCENARIO(group_roles, a_failing_initializer_withdraws_the_whole_group, GROUPED)
SCENARIO(group_roles, every_role_of_groups_reads_run_args, GROUPED)
SCENARIO(group_roles, a_rank_of_a_group_can_execute_a_task_alone, GROUPED)
SCENARIO(group_roles, a_broker_function_by_name_runs_from_its_module, 3, 5)
SCENARIO(group_roles, bad_options_of_groups_are_refused_on_every_rank, 2, 3, 5)
SCENARIO(group_roles, options_of_no_use_are_named_in_one_warning, 3, 5)
SCENARIO(group_runs, runs_with_different_group_sizes_in_one_process, 0, GROUPED)
SCENARIO(group_runs, groups_without_a_grouping_are_split, 3, 5)
SCENARIO(group_runs, one_process_has_no_groups, 0, 1)
SCENARIO(group_runs, groups_beyond_max_workers_leave_cleanly, GROUPED)
SCENARIO(group_runs, a_controller_that_returns_early_ends_every_group, GROUPED)
SCENARIO(group_runs, a_group_that_was_never_ready_is_told_to_leave, GROUPED)
SCENARIO(group_runs, cancelled_tasks_of_groups_yield_one_result, GROUPED)
SCENARIO(group_runs, after_the_time_limit_no_task_of_a_group_starts, 3, 5)
SCENARIO(group_runs, memory_of_every_role_is_flat, 3, 4)
HUGE_SCENARIO(group_payload, more_than_2_gib_to_a_group, 3, 4)
HUGE_SCENARIO(group_payload, more_than_2_gib_scattered, 3)
HUGE_SCENARIO(group_payload, more_than_2_gib_back_from_one_rank, 3)

/* Jobs that end in the middle of a run: groups of 2 (configurations 4 to 7: both
 * modes, beside and inside), each a job. */
static void expect_group_end(const char *scenario, int least_status,
                             const char *text, const char *interrupt_after)
{
    for (int config = 4; config < 8; config++) {
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
    for (int config = 4; config < 8; config++) {
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

Test(runs, after_the_grace_running_calls_are_given_up, .timeout = 400)
{
    for (int ranks = 2; ranks <= 4; ranks++) {
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

Test(runs, exit_in_a_function_ends_the_job_with_a_message, .timeout = 400)
{
    for (int ranks = 0; ranks <= 3; ranks++) {
        expect_end("runs", "exit_in_a_function_ends_the_job", ranks, 1,
                   "exit() in the middle of a run", NULL);
    }
}

Test(roles, a_difference_names_the_option_and_both_values, .timeout = 400)
{
    expect_end("roles", "options_that_differ_are_refused_on_every_rank", 3, 0,
               "option max_workers differs between ranks: rank 0 has 1, "
               "rank 1 has 2",
               NULL);
}

/* Rows of the service; the ranks of spawned groups come on top. */
static void expect_service(const char *grouping, const char *scenario,
                           const int *ranks)
{
    setenv("DWQ_TEST_GROUPING", grouping, 1);
    if (strcmp(grouping, "spawn") == 0) {
        setenv("EVENT_NOEPOLL", "1", 1); /* see wire/spawn_mpi.c */
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
SERVICE(split, a_client_that_withdraws_holds_up_nobody, 10)
SERVICE(spawn, a_client_that_withdraws_holds_up_nobody, 4)
SERVICE(split, a_server_that_withdraws_refuses, 10)
SERVICE(spawn, a_server_that_withdraws_refuses, 4)
SERVICE(spawn, the_option_publishes_before_the_worker_function, 4)
SERVICE(split, without_groups_there_is_no_service, 0, 1, 3)
SERVICE(split, without_spawn_the_option_is_refused, 1, 4, 7)

/* scenarios SUITE: plays the scenarios of the program scenario_SUITE, as real jobs:
 * without a launcher, and under mpirun with several numbers of ranks. Starting a job
 * costs more than most scenarios, so those on the same number of ranks share one;
 * when that fails, each is played alone to find whose fault it is. Prints TAP, a
 * test for each scenario. The programs' folder is in DWQ_TEST_PROGRAMS. Without arrays
 * above 2 GiB if DWQ_TEST_NO_HUGE is set; DWQ_TEST_SHORT is one number of ranks each,
 * for builds whose scenarios another build plays all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

#define MOST_ROWS 40 /* of a suite */
#define MOST_COUNTS 8

struct row {
    const char *suite;
    const char *name;
    bool
        alone; /* it starts and ends MPI itself, or needs the machine's memory */
    double timeout;         /* seconds of its part of a job */
    int ranks[MOST_COUNTS]; /* 0: no launcher; ends with -1 */
};

#define ROW(suite, name, ...)     \
    {                             \
#suite, #name, false, 30, \
        {                         \
            __VA_ARGS__, -1       \
        }                         \
    }
#define ALONE(suite, name, ...)   \
    {                             \
#suite, #name, true, 600, \
        {                         \
            __VA_ARGS__, -1       \
        }                         \
    }

/* Groups are of 1 to 3 ranks, in both modes, their broker beside and inside: all that
 * fit. */
#define EVERYWHERE 0, 1, 2, 3, 5
#define GROUPED 2, 3, 5, 8
static const struct row rows[] = {
    ROW(results, submit_with_ready_workers_never_sleeps, 0, 2, 3),
    ROW(results, queued_tasks_are_dispatched_while_collecting, EVERYWHERE),
    ROW(results, one_slow_receiver_does_not_stall_the_controller, 0, 3, 5),
    ROW(results, a_result_is_collected_once_whichever_call_collects_it,
        EVERYWHERE),
    ROW(results, asking_for_a_queued_task_waits_for_it, EVERYWHERE),
    ROW(results, next_result_before_any_worker_is_ready_waits, EVERYWHERE),
    ROW(results, a_younger_task_that_finished_is_returned_first, 3, 5),
    ROW(results, a_reused_id_gives_the_new_tasks_result, EVERYWHERE),
    ROW(results, generated_ids_never_collide_with_given_ones, EVERYWHERE),
    ROW(results, a_function_that_returns_nothing_gives_zero_values, EVERYWHERE),
    ROW(results, an_estimate_is_charged_once_to_the_worker_that_ran, 2, 5),
    ROW(results, a_binding_worker_is_honoured_when_busy_and_when_ready,
        EVERYWHERE),
    ROW(results, an_estimate_of_zero_does_not_divide_by_zero, 0, 2, 3),
    ROW(results, submit_multiple_takes_all_or_none_each_with_its_estimate,
        EVERYWHERE),
    ROW(results, the_report_leaves_the_controller_out_and_counts_apart,
        EVERYWHERE),
    ROW(stop, a_running_call_that_is_cancelled_is_asked_to_stop, 0, 2, 3, 5),
    ROW(stop, a_worker_that_stays_busy_forgets_a_cancel, 2, 3, 5),
    ROW(stop, a_call_is_asked_to_stop_at_its_tasks_limit, 0, 2, 3, 5),
    ROW(stop, a_call_that_is_cancelled_as_it_is_sent_is_asked_to_stop, 2, 3, 5),
    ROW(stop, a_run_that_is_given_up_tries_nothing_again, 0, 2, 3),
    ROW(stop, a_call_stops_with_the_call_that_executes_it, 0, 2, 3, 5),
    ROW(stop, a_call_is_asked_to_stop_at_the_runs_limit, 0, 2, 5),
    ROW(stop, a_call_that_fails_is_run_again, EVERYWHERE),
    ROW(waits, a_wait_with_a_bound_says_again_and_takes_it_later, EVERYWHERE),
    ROW(waits, counts_say_where_every_task_is, EVERYWHERE),
    ROW(waits, reserved_bytes_are_zero_on_both_ways, EVERYWHERE),
    ROW(waits, estimates_in_seconds_are_known_from_the_first, EVERYWHERE),
    ROW(waits, one_call_goes_to_every_worker, EVERYWHERE),
    ROW(waits, a_worker_that_withdrew_gets_no_call_of_each, 2, 3, 5),
    ROW(waits, calls_from_another_thread_are_refused, EVERYWHERE),
    ALONE(payload, no_fixed_receive_buffer_up_to_64_mib, 0, 2, 3),
    ALONE(payload, one_array_of_more_than_2_gib_there, 2),
    ALONE(payload, one_array_of_more_than_2_gib_back, 2),
    ALONE(payload, every_kind_of_value_travels, 0, 2, 3),
    ALONE(payload, memory_is_flat_over_a_stream_of_calls, EVERYWHERE),
    ROW(modules, functions_of_a_module_get_what_its_init_gave, EVERYWHERE),
    ROW(modules, a_worker_function_by_name_runs_from_its_module, EVERYWHERE),
    ROW(modules, a_worker_function_of_a_module_can_withdraw, EVERYWHERE),
    ROW(modules, an_unknown_worker_name_is_refused, 2, 5),
    ROW(runs, a_failing_call_is_data, EVERYWHERE),
    ROW(runs, a_task_named_exit_is_an_unknown_function, 0, 2, 3),
    ROW(runs, bad_tasks_are_refused_and_nothing_is_queued, 0, 2),
    ROW(runs, a_controller_that_returns_nonzero_ends_every_rank, EVERYWHERE),
    ROW(runs, queued_tasks_run_when_the_controller_returns_early, EVERYWHERE),
    ROW(runs, a_worker_that_was_never_ready_is_told_to_leave, EVERYWHERE),
    ROW(runs, ranks_beyond_max_workers_leave_cleanly, 2, 3, 9),
    ROW(runs, several_runs_in_one_process, EVERYWHERE),
    ROW(runs, results_can_be_collected_after_exit, EVERYWHERE),
    ROW(runs, cancelled_tasks_yield_one_result, EVERYWHERE),
    ROW(open, a_run_is_opened_and_closed, EVERYWHERE),
    ROW(open, runs_are_opened_again_and_again, EVERYWHERE),
    ROW(open, results_stay_valid_after_the_close, EVERYWHERE),
    ROW(open, options_are_borrowed_for_the_open_alone, EVERYWHERE),
    ROW(open, what_is_queued_runs_at_the_close, EVERYWHERE),
    ROW(open, a_worker_function_surrounds_an_opened_run, EVERYWHERE),
    ROW(open, a_worker_that_gives_up_withdraws_from_an_opened_run, EVERYWHERE),
    ROW(open, each_half_of_the_ranks_opens_its_own_run, 2, 3, 5),
    ROW(open, two_runs_are_open_at_once, EVERYWHERE),
    ROW(open, a_second_run_over_the_same_ranks_is_refused, EVERYWHERE),
    ROW(open, bad_options_of_an_open_are_refused_on_every_rank, EVERYWHERE),
    ALONE(open, why_a_run_did_not_begin_can_be_asked, 0, 2, 3),
    ROW(open, the_error_of_a_call_names_what_was_wrong, EVERYWHERE),
    ROW(open, only_who_opened_a_run_may_use_it, 0, 2, 3),
    ROW(open, a_close_in_the_middle_is_refused, EVERYWHERE),
    ROW(open, groups_of_an_opened_run, 0, 3, 5, 8),
    ROW(roles, a_worker_function_surrounds_its_calls, EVERYWHERE),
    ROW(roles, a_failing_initializer_withdraws_its_worker, EVERYWHERE),
    ROW(roles, a_worker_can_execute_a_task_itself, 0, 2, 3),
    ROW(roles, a_call_can_execute_another_and_keeps_its_arguments, 0, 2, 3),
    ROW(roles, a_communicator_that_is_none_is_refused, 0, 2, 3),
    ROW(roles, user_messages_on_comm_world_disturb_nothing, 3, 5),
    ALONE(roles, handlers_are_as_before_after_a_run, 0, 2, 3),
    ALONE(roles, a_run_over_some_of_the_ranks, 1, 2, 5, 9),
    ROW(roles, options_that_differ_are_refused_on_every_rank, 2, 5),
    ROW(roles, bad_options_are_refused_on_every_rank, EVERYWHERE),
    ROW(roles, every_role_reads_run_args, 0, 2, 3),
    ROW(roles, verbose_logs_decisions_to_the_callback, 0, 2, 3),
    ROW(roles, the_environment_picks_the_controllers_rank, EVERYWHERE),
    ROW(runs, after_the_time_limit_no_task_starts, EVERYWHERE),
    ROW(groups, every_rank_is_where_the_plan_says, GROUPED, 11),
    ROW(groups, the_environment_picks_the_controllers_rank_of_groups, GROUPED),
    ROW(groups, verbose_says_the_role_of_every_rank, GROUPED),
    ROW(groups, communicators_have_the_sizes_and_ranks_of_the_contract,
        GROUPED),
    ROW(groups, a_broker_inside_runs_the_broker_function_if_there_is_one,
        GROUPED),
    ROW(groups, ready_data_of_a_group_is_a_list_per_rank, GROUPED),
    ROW(groups, ready_data_that_nobody_set_is_a_list_of_nil, 3, 5),
    ROW(groups, user_messages_in_groups_disturb_nothing, GROUPED),
    ROW(group_roles,
        functions_of_groups_serve_in_the_middle_or_are_initializers, GROUPED),
    ROW(group_roles, a_failing_initializer_withdraws_the_whole_group, GROUPED),
    ROW(group_roles, every_role_of_groups_reads_run_args, GROUPED),
    ROW(group_roles, a_rank_of_a_group_can_execute_a_task_alone, GROUPED),
    ROW(group_roles, a_broker_function_by_name_runs_from_its_module, 3, 5),
    ROW(group_roles, bad_options_of_groups_are_refused_on_every_rank, 2, 5),
    ROW(group_roles, options_of_no_use_are_named_in_one_warning, 3, 5),
    ROW(group_runs, runs_with_different_group_sizes_in_one_process, 0, GROUPED),
    ROW(group_runs, groups_without_a_grouping_are_split, 3, 5),
    ROW(group_runs, one_process_has_no_groups, 0, 1),
    ROW(group_runs, groups_beyond_max_workers_leave_cleanly, GROUPED),
    ROW(group_runs, a_controller_that_returns_early_ends_every_group, GROUPED),
    ROW(group_runs, a_group_that_was_never_ready_is_told_to_leave, GROUPED),
    ROW(group_runs, cancelled_tasks_of_groups_yield_one_result, GROUPED),
    ROW(group_runs, after_the_time_limit_no_task_of_a_group_starts, 3, 5),
    ROW(group_runs, memory_of_every_role_is_flat, 3, 4),
    ALONE(group_payload, more_than_2_gib_to_a_group, 3, 4),
    ALONE(group_payload, more_than_2_gib_scattered, 3),
    ALONE(group_payload, more_than_2_gib_back_from_one_rank, 3)
};

struct suite {
    const struct row *rows[MOST_ROWS];
    char fault[MOST_ROWS]; /* whether it failed */
    int n;
    int n_tests;
    int n_failed;
    bool is_short;
};

static void tap(struct suite *suite, bool good, const char *name)
{
    suite->n_tests++;
    suite->n_failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", suite->n_tests, name);
    fflush(stdout);
}

/* Play `names` (between commas); what a job that failed printed goes to stderr. */
static bool play(const char *program, const char *names, int ranks,
                 double timeout)
{
    char path[4096];
    const char *folder = getenv("DWQ_TEST_PROGRAMS");
    struct launched job;
    bool good;

    snprintf(path, sizeof path, "%s/scenario_%s", folder ? folder : ".",
             program);
    launch(&(struct launch){ .program = path,
                             .argument = names,
                             .ranks = ranks,
                             .timeout = timeout },
           &job);
    good = !job.timed_out && job.status == 0;
    if (!good) {
        fprintf(stderr, "%s %s on %d ranks: %s %d\n%s\n", program, names, ranks,
                job.timed_out ? "no end; then status" : "status", job.status,
                job.output);
    }
    free(job.output);
    return good;
}

static bool has_count(const struct suite *suite, const struct row *row,
                      int ranks)
{
    int n = 0;

    while (row->ranks[n] >= 0) {
        n++;
    }
    for (int i = 0; i < n; i++) {
        if (row->ranks[i] == ranks && (!suite->is_short || i == n / 2)) {
            return true;
        }
    }
    return false;
}

static void play_alone(struct suite *suite, int i, int ranks)
{
    const struct row *row = suite->rows[i];

    suite->fault[i] |= !play(row->suite, row->name, ranks, row->timeout);
}

/* All scenarios on this number of ranks. */
static void play_count(struct suite *suite, int ranks)
{
    char names[4096] = "";
    double timeout = 0;
    bool good = true;

    for (int i = 0; i < suite->n; i++) {
        const struct row *row = suite->rows[i];

        if (has_count(suite, row, ranks) && row->alone) {
            play_alone(suite, i, ranks);
        } else if (has_count(suite, row, ranks)) {
            size_t used = strlen(names);

            snprintf(names + used, sizeof names - used, "%s%s",
                     used > 0 ? "," : "", row->name);
            timeout += row->timeout;
        }
    }
    if (names[0] && !play(suite->rows[0]->suite, names, ranks, timeout)) {
        char what[80];

        for (int i = 0; i < suite->n; i++) {
            const struct row *row = suite->rows[i];

            if (has_count(suite, row, ranks) && !row->alone) {
                play_alone(suite, i, ranks);
                good = good && !suite->fault[i];
            }
        }
        snprintf(what, sizeof what, "%s: together on %d ranks",
                 suite->rows[0]->suite, ranks);
        tap(suite, !good, what); /* bad when nobody's fault */
    }
}

int main(int argc, char **argv)
{
    struct suite suite = { .is_short = getenv("DWQ_TEST_SHORT") != NULL };
    bool no_huge = suite.is_short || getenv("DWQ_TEST_NO_HUGE");
    int most = 0;

    for (size_t i = 0; argc == 2 && i < sizeof rows / sizeof rows[0]; i++) {
        bool skipped = no_huge && strstr(rows[i].name, "2_gib");

        if (strcmp(rows[i].suite, argv[1]) == 0 && !skipped &&
            suite.n < MOST_ROWS) {
            suite.rows[suite.n++] = &rows[i];
            for (const int *r = rows[i].ranks; *r >= 0; r++) {
                most = *r > most ? *r : most;
            }
        }
    }
    if (suite.n == 0 && argc == 2 && no_huge) {
        printf("1..0 # SKIP nothing huge\n");
        return 0;
    }
    if (suite.n == 0) {
        fprintf(stderr, "usage: %s SUITE\n", argv[0]);
        return 2;
    }
    for (int ranks = 0; ranks <= most; ranks++) {
        play_count(&suite, ranks);
    }
    for (int i = 0; i < suite.n; i++) {
        tap(&suite, !suite.fault[i], suite.rows[i]->name);
    }
    printf("1..%d\n", suite.n_tests);
    return suite.n_failed > 0;
}

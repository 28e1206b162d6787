/* Failure, ending, limits: runs from start to end. */
#include <stdlib.h>

#include "tests/mpi/scenario.h"

/* --- Failure ------------------------------------------------------------ */

static void check_failure(dwq_controller_t *c, const dwq_task_t *task, int code,
                          const char *part_of_message)
{
    dwq_result_t result;
    uint64_t id;

    CHECK(dwq_controller_submit_call(c, task, &id) == DWQ_OK);
    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    CHECK(result.status == DWQ_E_TASK);
    CHECK(result.failed_rank == 0 && result.n_ranks == 1);
    CHECK(code == 0 || result.code == code);
    if (!strstr(result.message, part_of_message)) {
        fprintf(stderr, "message: %s\n", result.message);
        CHECK(!"the message names what was wrong");
    }
    dwq_result_clear(&result);
}

static int failures(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    uint64_t id;

    (void)arg;
    check_failure(c, &(dwq_task_t){ .function = "fail", DWQ_ARGS(7) }, 7,
                  "failed with 7, as asked");
    check_failure(c, &(dwq_task_t){ .function = "fail", DWQ_ARGS(0) }, -1,
                  "failed with 0, as asked");
    check_failure(c, &(dwq_task_t){ .function = "square", DWQ_ARGS("no") }, 1,
                  "x must be a number");
    check_failure(c, &(dwq_task_t){ .function = "no_such" }, 0, "'no_such'");
    check_failure(c, &(dwq_task_t){ .function = "f", .module = "no_module" }, 0,
                  "'no_module'");
    check_failure(c, &(dwq_task_t){ .function = "f", .module = "../evil" }, 0,
                  "'../evil'");
    id = submit_square(c, 5, 0); /* the run goes on */
    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK);
    dwq_result_clear(&result);
    return 0;
}

static void a_failing_call_is_data(void)
{
    scenario_run(failures);
}

static int control_words(dwq_controller_t *c, void *arg)
{
    static const char *const words[] = { "exit", "EXIT", "system", "abort",
                                         "dwq_module" };

    (void)arg;
    for (int i = 0; i < 5; i++) {
        check_failure(c, &(dwq_task_t){ .function = words[i] }, 0, words[i]);
    }
    return 0;
}

static void a_task_named_exit_is_an_unknown_function(void)
{
    scenario_run(control_words);
}

static int bad_submits(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    double x = 1;
    dwq_array_t scalar = dwq_array(DWQ_DOUBLE, &x, 0, NULL);
    dwq_array_t broken = dwq_array((dwq_type_t)77, &x, 1, (size_t[]){ 1 });

    (void)arg;
    CHECK(dwq_controller_submit_call(c, NULL, NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_submit_call(c, &(dwq_task_t){ .id = 3 }, NULL) ==
          DWQ_E_ARG);
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "sum", DWQ_ARGS(broken) }, NULL) ==
          DWQ_E_ARG);
    CHECK(dwq_controller_submit_call(
              c,
              &(dwq_task_t){ .function = "sum", DWQ_ARGS(dwq_scatter(scalar)) },
              NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_submit_call(
              c,
              &(dwq_task_t){
                  .function = "sum",
                  DWQ_KWARGS({ "a", dwq_value(1) }, { "a", dwq_value(2) }) },
              NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_EMPTY);
    return 0;
}

static void bad_tasks_are_refused_and_nothing_is_queued(void)
{
    scenario_run(bad_submits);
}

static int returns_17(dwq_controller_t *c, void *arg)
{
    (void)arg;
    for (int i = 0; i < 50; i++) {
        submit_sleep(c, 0.01, 0);
    }
    return 17;
}

static void a_controller_that_returns_nonzero_ends_every_rank(void)
{
    int code = scenario_run(returns_17);

    CHECK(code == (world_rank() == 0 ? 17 : 0));
}

static int count_square(dwq_call_t *call, void *arg)
{
    int *n = arg;

    (void)call;
    ++*n;
    return 0;
}

static int returns_early(dwq_controller_t *c, void *arg)
{
    (void)arg;
    for (int i = 0; i < 40; i++) {
        CHECK(dwq_controller_queue_call(c, &(dwq_task_t){ .function = "count" },
                                        NULL) == DWQ_OK);
    }
    return 0;
}

static void queued_tasks_run_when_the_controller_returns_early(void)
{
    int n = 0, total = 0;
    const dwq_function_t functions[] = { { "count", count_square, &n },
                                         { NULL, NULL, NULL } };

    scenario_run_options(&(dwq_options_t){ .controller = returns_early,
                                           .functions = functions });
    MPI_Allreduce(&n, &total, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    CHECK(total == 40);
}

/* --- Ending ------------------------------------------------------------- */

static int three_squares(dwq_controller_t *c, void *arg)
{
    int n_ok;

    (void)arg;
    for (int i = 0; i < 3; i++) {
        submit_square(c, i, 0);
    }
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 3 && n_ok == 3);
    return 0;
}

static int does_nothing(dwq_controller_t *c, void *arg)
{
    (void)c;
    (void)arg;
    return 0;
}

static int late(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    sleep_seconds(0.2 * dwq_worker_id(worker));
    return 0;
}

static void a_worker_that_was_never_ready_is_told_to_leave(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = does_nothing, .worker = late });
}

static int check_max(dwq_controller_t *c, void *arg)
{
    dwq_world_t world = dwq_controller_world(c);
    int expected = world.size - 1 < 2 ? world.size - 1 : 2;

    CHECK(world.n_workers == expected);
    return three_squares(c, arg);
}

static void ranks_beyond_max_workers_leave_cleanly(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = check_max, .max_workers = 2 });
}

static void several_runs_in_one_process(void)
{
    for (int i = 0; i < 5; i++) {
        scenario_run(i % 2 ? does_nothing : three_squares);
    }
}

static int exits_itself(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    uint64_t id = submit_square(c, 4, 0);

    (void)arg;
    CHECK(dwq_controller_exit(c) == DWQ_OK);
    CHECK(dwq_controller_exit(c) == DWQ_OK);
    CHECK(dwq_controller_submit_call(c, &(dwq_task_t){ .function = "nothing" },
                                     NULL) == DWQ_E_STATE);
    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK);
    dwq_result_clear(&result);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_EMPTY);
    return 0;
}

static void results_can_be_collected_after_exit(void)
{
    scenario_run(exits_itself);
}

static int cancels(dwq_controller_t *c, void *arg)
{
    int n_cancelled, n_workers = dwq_controller_world(c).n_workers;
    uint64_t last = 0;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        last = submit_sleep(c, 0.02, 0);
    }
    if (n_workers == 0) {
        CHECK(dwq_controller_cancel(c, last) == DWQ_E_STATE); /* it ran */
        CHECK(collect_all(c, DWQ_OK, &n_cancelled) == 20);
        return 0;
    }
    CHECK(dwq_controller_cancel(c, 999999) == DWQ_E_ID);
    CHECK(dwq_controller_cancel(c, last) == DWQ_OK);
    CHECK(dwq_controller_cancel(c, last) == DWQ_E_STATE);
    CHECK(dwq_controller_cancel(c, 0) == DWQ_OK);
    CHECK(collect_all(c, DWQ_E_CANCELLED, &n_cancelled) == 20);
    CHECK(n_cancelled >= 20 - n_workers); /* all, if none was ready yet */
    return 0;
}

static void cancelled_tasks_yield_one_result(void)
{
    scenario_run(cancels);
}

/* --- Limits ------------------------------------------------------------- */

static int runs_out(dwq_controller_t *c, void *arg)
{
    int n_late, n, n_workers = dwq_controller_world(c).n_workers;

    (void)arg;
    for (int i = 0; i < 100; i++) {
        submit_sleep(c, 0.05, 0);
    }
    n = collect_all(c, DWQ_E_TIME_LIMIT, &n_late);
    CHECK(n == 100 && n_late > 0 && n_late < 100);
    CHECK(n_late <= 100 - (n_workers > 0 ? n_workers : 1));
    submit_square(c, 1, 0); /* later ones at once */
    n = collect_all(c, DWQ_E_TIME_LIMIT, &n_late);
    CHECK(n == 1 && n_late == 1);
    return 0;
}

static void after_the_time_limit_no_task_starts(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = runs_out, .time_limit = 0.5 });
}

static int gives_up(dwq_controller_t *c, void *arg)
{
    int n_late;

    (void)arg;
    submit_sleep(c, 1000, 1);
    CHECK(collect_all(c, DWQ_E_TIME_LIMIT, &n_late) == 1 && n_late == 1);
    printf("the controller went on\n");
    fflush(stdout);
    return 0;
}

/* The job is ended afterwards: the driver looks at what was printed. */
static void after_the_grace_running_calls_are_given_up(void)
{
    if (world_size() > 1) {
        scenario_run_options(&(dwq_options_t){ .controller = gives_up,
                                               .time_limit = 0.2,
                                               .time_limit_grace = 0.2 });
    }
}

static int aborts(dwq_controller_t *c, void *arg)
{
    (void)arg;
    submit_sleep(c, 0.01, 0);
    dwq_controller_abort(c);
    return 0;
}

static void the_controller_aborts(void)
{
    scenario_run(aborts);
}

static int worker_aborts(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    dwq_worker_abort(worker);
    return 0;
}

static void a_worker_aborts(void)
{
    scenario_run_options(&(dwq_options_t){ .controller = does_nothing,
                                           .worker = worker_aborts });
}

static int waits_long(dwq_controller_t *c, void *arg)
{
    int n_ok;

    (void)arg;
    printf("running\n");
    fflush(stdout);
    submit_sleep(c, 1000, 0);
    collect_all(c, DWQ_OK, &n_ok);
    return 0;
}

/* Never ends by itself: the driver interrupts it. */
static void an_interrupt_ends_the_run(void)
{
    scenario_run(waits_long);
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(a_failing_call_is_data),
    S(a_task_named_exit_is_an_unknown_function),
    S(bad_tasks_are_refused_and_nothing_is_queued),
    S(a_controller_that_returns_nonzero_ends_every_rank),
    S(queued_tasks_run_when_the_controller_returns_early),
    S(a_worker_that_was_never_ready_is_told_to_leave),
    S(ranks_beyond_max_workers_leave_cleanly),
    S(several_runs_in_one_process),
    S(results_can_be_collected_after_exit),
    S(cancelled_tasks_yield_one_result),
    S(after_the_time_limit_no_task_starts),
    S(after_the_grace_running_calls_are_given_up),
    S(the_controller_aborts),
    S(a_worker_aborts),
    S(an_interrupt_ends_the_run),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}

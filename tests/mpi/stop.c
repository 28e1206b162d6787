/* Calls that are asked to stop: cancelled, or at the limit of the task or of the run; and
 * calls that fail and are run again. */
#include <limits.h>
#include <math.h>
#include <unistd.h>

#include "tests/mpi/group_setup.h"

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* --- Functions ------------------------------------------------------------ */

/* (path, code): says by the file that it runs; gives why it was stopped, and ends with
 * the code. Half a minute is too long. */
static int until_stopped(dwq_call_t *call, void *arg)
{
    const char *path;
    int code;
    dwq_stop_t stop = DWQ_STOP_NONE;

    (void)arg;
    if (!dwq_arg(call, 0, &path) || !dwq_arg(call, 1, &code)) {
        return dwq_call_fail(call, 1, "until_stopped(path, code)");
    }
    if (path[0] && dwq_call_rank(call) == 0) {
        flag_raise(path);
    }
    for (int i = 0; i < 30000 && stop == DWQ_STOP_NONE; i++) {
        sleep_seconds(0.001);
        stop = dwq_call_stop(call);
    }
    return code ? dwq_call_fail(call, code, "stopped by %d", (int)stop)
                : dwq_call_return(call, DWQ_VALUES((int)stop));
}

/* () -> why it is to stop, and the seconds that are left */
static int tells(dwq_call_t *call, void *arg)
{
    (void)arg;
    return dwq_call_return(
        call, DWQ_VALUES((int)dwq_call_stop(call), dwq_call_time_left(call)));
}

/* (path, array) -> the array's sum; the first rank fails until the file is there, and
 * makes it. */
static int fails_first(dwq_call_t *call, void *arg)
{
    const char *path;
    dwq_array_t array;
    double sum = 0;

    (void)arg;
    if (!dwq_arg(call, 0, &path) || !dwq_arg(call, 1, &array)) {
        return dwq_call_fail(call, 1, "fails_first(path, array)");
    }
    if (dwq_call_rank(call) == 0 && !is_there(path)) {
        flag_raise(path);
        return dwq_call_fail(call, 4, "not yet");
    }
    for (size_t i = 0; i < array.shape[0]; i++) {
        sum += ((const double *)array.data)[i];
    }
    return dwq_call_return(call, DWQ_VALUES(sum));
}

static int fails(dwq_call_t *call, void *arg)
{
    (void)arg;
    return dwq_call_fail(call, 9, "always");
}

static dwq_worker_t *worker; /* of this rank */

/* What the call that this one executes gives. */
static int executes(dwq_call_t *call, void *arg)
{
    dwq_task_t task = { .function = "until_stopped", DWQ_ARGS("", 0) };
    dwq_result_t result;
    int stop = -1;

    (void)arg;
    if (dwq_worker_execute(worker, &task, &result) == DWQ_OK) {
        dwq_result_get(&result, 0, 0, &stop);
        dwq_result_clear(&result);
    }
    return dwq_call_return(call, DWQ_VALUES(stop));
}

/* (path): says that it runs, and fails */
static int fails_slowly(dwq_call_t *call, void *arg)
{
    const char *path;

    (void)arg;
    if (dwq_arg(call, 0, &path)) {
        flag_raise(path);
    }
    sleep_seconds(0.01);
    return -1;
}

/* (started, end): says that it runs, until the other file is there */
static int stays(dwq_call_t *call, void *arg)
{
    const char *started, *end;

    (void)arg;
    if (!dwq_arg(call, 0, &started) || !dwq_arg(call, 1, &end)) {
        return dwq_call_fail(call, 1, "stays(started, end)");
    }
    if (dwq_call_rank(call) == 0) {
        flag_raise(started);
    }
    while (!is_there(end)) {
        sleep_seconds(0.001);
    }
    return dwq_call_return(call, DWQ_VALUES(0));
}

static const dwq_function_t functions[] = {
    { "stays", stays, NULL },
    { "executes", executes, NULL },
    { "fails_slowly", fails_slowly, NULL },
    { "until_stopped", until_stopped, NULL },
    { "tells", tells, NULL },
    { "fails_first", fails_first, NULL },
    { "fails", fails, NULL },
    { NULL, NULL, NULL },
};

/* --- Runs ------------------------------------------------------------------- */

static dwq_options_t options; /* of the scenario that is played */

static void play_group(const struct group_config *config)
{
    CHECK(group_run(config, options) == 0);
}

/* Plain, and with all kinds of groups. */
static void play(const dwq_options_t *given)
{
    dwq_options_t plain = *given;

    plain.functions = functions;
    options = plain;
    CHECK(scenario_run_options(&plain) == 0);
    group_configs(play_group);
}

static dwq_result_t take(dwq_controller_t *c, const dwq_task_t *task)
{
    dwq_result_t result = { .status = DWQ_E_EMPTY };
    uint64_t id = 0;

    CHECK(dwq_controller_submit_call(c, task, &id) == DWQ_OK);
    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    return result;
}

static void check_stop(dwq_result_t *result, dwq_stop_t stop)
{
    CHECK(result->status == DWQ_OK && result->attempts == 1);
    for (int r = 0; r < result->n_ranks; r++) {
        int is = -1;

        CHECK(dwq_result_get(result, r, 0, &is) && is == (int)stop);
    }
    dwq_result_clear(result);
}

static void check_failed(dwq_result_t *result, dwq_status_t status, int code)
{
    CHECK(result->status == status && result->code == code);
    CHECK(result->attempts == 1 && result->failed_rank == 0);
    dwq_result_clear(result);
}

/* --- Cancel ----------------------------------------------------------------- */

static void wait_for(dwq_controller_t *c, const char *path)
{
    while (!is_there(path)) {
        CHECK(dwq_controller_progress(c) == DWQ_OK);
        sleep_seconds(0.001);
    }
}

static void cancel_one(dwq_controller_t *c, int code)
{
    char path[FLAG_SIZE];
    dwq_result_t result;

    flag_make(path, false);
    CHECK(dwq_controller_submit_call(c,
                                     &(dwq_task_t){ .function = "until_stopped",
                                                    .id = 5,
                                                    .retry_failed = 3,
                                                    DWQ_ARGS(path, code) },
                                     NULL) == DWQ_OK);
    wait_for(c, path);
    CHECK(dwq_controller_cancel(c, 5) == DWQ_OK);
    CHECK(dwq_controller_get_result(c, 5, &result) == DWQ_OK);
    if (code) {
        check_failed(&result, DWQ_E_CANCELLED, code);
    } else {
        check_stop(&result, DWQ_STOP_CANCEL);
    }
    CHECK(dwq_controller_cancel(c, 5) == DWQ_E_ID);
    flag_remove(path);
}

/* Each id is there again afterwards, on every worker. */
static int cancels(dwq_controller_t *c, void *arg)
{
    int n = dwq_controller_world(c).n_workers;

    (void)arg;
    for (int i = 0; i < 2 && n > 0; i++) {
        cancel_one(c, 0);
        cancel_one(c, 7);
        for (int w = 1; w <= n; w++) {
            dwq_result_t result = take(
                c, &(dwq_task_t){ .function = "tells", .id = 5, .worker = w });

            check_stop(&result, DWQ_STOP_NONE);
        }
    }
    return 0;
}

/* A worker that is never empty: the id of a call that was cancelled comes again behind
 * the one that ran after it. */
static int cancels_busy(dwq_controller_t *c, void *arg)
{
    char first[FLAG_SIZE], second[FLAG_SIZE], end[FLAG_SIZE];
    dwq_task_t task = { .time_est = 1e-6, .worker = 1 };
    dwq_result_t result;

    (void)arg;
    if (dwq_controller_world(c).n_workers == 0) {
        return 0;
    }
    flag_make(first, false);
    flag_make(second, false);
    flag_make(end, false);
    task.id = 5;
    task.function = "until_stopped";
    task.args =
        (dwq_values_t){ 2, (dwq_value_t[]){ dwq_value(first), dwq_value(0) } };
    CHECK(dwq_controller_submit_call(c, &task, NULL) == DWQ_OK);
    wait_for(c, first);
    task.id = 6;
    task.function = "stays";
    task.args = (dwq_values_t){ 2, (dwq_value_t[]){ dwq_value(second),
                                                    dwq_value(end) } };
    CHECK(dwq_controller_submit_call(c, &task, NULL) == DWQ_OK);
    CHECK(dwq_controller_cancel(c, 5) == DWQ_OK);
    CHECK(dwq_controller_get_result(c, 5, &result) == DWQ_OK);
    check_stop(&result, DWQ_STOP_CANCEL);
    wait_for(c, second);
    task.id = 5;
    task.function = "tells";
    task.args = (dwq_values_t){ 0, NULL };
    CHECK(dwq_controller_submit_call(c, &task, NULL) == DWQ_OK);
    flag_raise(end);
    CHECK(dwq_controller_get_result(c, 5, &result) == DWQ_OK);
    check_stop(&result, DWQ_STOP_NONE);
    CHECK(dwq_controller_get_result(c, 6, &result) == DWQ_OK);
    check_stop(&result, DWQ_STOP_NONE);
    flag_remove(first);
    flag_remove(second);
    flag_remove(end);
    return 0;
}

static void a_worker_that_stays_busy_forgets_a_cancel(void)
{
    play(&(dwq_options_t){
        .controller = cancels_busy, .time_est_seconds = true, .prefetch = 4 });
}

static void a_running_call_that_is_cancelled_is_asked_to_stop(void)
{
    play(&(dwq_options_t){ .controller = cancels });
}

/* Before it is known to run, while much is still being sent. */
static int cancels_early(dwq_controller_t *c, void *arg)
{
    static double numbers[300000];
    dwq_array_t array = dwq_array(DWQ_DOUBLE, numbers, 1, (size_t[]){ 300000 });

    (void)arg;
    for (int i = 0; i < 10 && dwq_controller_world(c).n_workers > 0; i++) {
        dwq_task_t task = { .function = "until_stopped",
                            .id = 1 + (uint64_t)(i % 3),
                            DWQ_ARGS("", 7, dwq_borrow(array)) };
        dwq_result_t result;

        CHECK(dwq_controller_submit_call(c, &task, NULL) == DWQ_OK);
        CHECK(dwq_controller_cancel(c, task.id) == DWQ_OK);
        CHECK(dwq_controller_get_result(c, task.id, &result) == DWQ_OK);
        CHECK(result.status == DWQ_E_CANCELLED);
        dwq_result_clear(&result);
    }
    return 0;
}

static void a_call_that_is_cancelled_as_it_is_sent_is_asked_to_stop(void)
{
    play(&(dwq_options_t){ .controller = cancels_early });
}

/* --- Limits ------------------------------------------------------------------ */

static int has_limits(dwq_controller_t *c, void *arg)
{
    double left = -1;
    dwq_task_t task = { .function = "until_stopped",
                        .time_limit = 0.03,
                        .retry_failed = 3,
                        DWQ_ARGS("", 0) };
    dwq_result_t result = take(c, &task);

    (void)arg;
    check_stop(&result, DWQ_STOP_LIMIT);
    task = (dwq_task_t){ .function = "until_stopped",
                         .time_limit = 0.03,
                         .retry_failed = 3,
                         DWQ_ARGS("", 3) };
    result = take(c, &task);
    check_failed(&result, DWQ_E_TIME_LIMIT, 3);
    result = take(c, &(dwq_task_t){ .function = "tells", .time_limit = 1000 });
    CHECK(dwq_result_get(&result, 0, 1, &left) && left > 0 && left <= 1000);
    check_stop(&result, DWQ_STOP_NONE);
    result = take(c, &(dwq_task_t){ .function = "tells", .time_limit = -1 });
    CHECK(dwq_result_get(&result, 0, 1, &left) && isinf(left));
    check_stop(&result, DWQ_STOP_NONE);
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "tells", .time_limit = NAN },
              NULL) == DWQ_E_ARG);
    CHECK(strstr(dwq_controller_error(c), "time_limit") != NULL);
    return 0;
}

static void a_call_is_asked_to_stop_at_its_tasks_limit(void)
{
    play(&(dwq_options_t){ .controller = has_limits });
}

static int outlives_the_run(dwq_controller_t *c, void *arg)
{
    dwq_result_t result = take(c, &(dwq_task_t){ .function = "until_stopped",
                                                 .time_limit = 1000,
                                                 DWQ_ARGS("", 0) });

    (void)arg;
    check_stop(&result, DWQ_STOP_END);
    return 0;
}

static void a_call_is_asked_to_stop_at_the_runs_limit(void)
{
    play(&(dwq_options_t){ .controller = outlives_the_run, .time_limit = 0.3 });
}

/* --- Again ------------------------------------------------------------------- */

static void try_one(dwq_controller_t *c, int retry_failed, bool succeeds)
{
    static double numbers[1000] = { [7] = 3, [999] = 4 };
    dwq_array_t array = dwq_array(DWQ_DOUBLE, numbers, 1, (size_t[]){ 1000 });
    char path[FLAG_SIZE];
    double sum = 0;
    dwq_result_t result;

    flag_make(path, false);
    result = take(c, &(dwq_task_t){ .function = "fails_first",
                                    .retry_failed = retry_failed,
                                    DWQ_ARGS(path, dwq_borrow(array)) });
    CHECK(result.status == (succeeds ? DWQ_OK : DWQ_E_TASK));
    CHECK(result.attempts == (succeeds ? 2 : 1));
    CHECK(!succeeds || (dwq_result_get(&result, 0, 0, &sum) && sum == 7));
    dwq_result_clear(&result);
    flag_remove(path);
}

static int tries_again(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;

    (void)arg;
    try_one(c, 1, true);
    try_one(c, 0, true); /* as the option says */
    try_one(c, -1, false);
    result = take(c, &(dwq_task_t){ .function = "fails", .retry_failed = 4 });
    CHECK(result.status == DWQ_E_TASK && result.code == 9);
    CHECK(result.attempts == 5 && strcmp(result.message, "always") == 0);
    dwq_result_clear(&result);
    return 0;
}

static void a_call_that_fails_is_run_again(void)
{
    play(&(dwq_options_t){ .controller = tries_again, .retry_failed = 2 });
}

/* As often as it takes, but not in a run that ends. */
static int leaves(dwq_controller_t *c, void *arg)
{
    char path[FLAG_SIZE];

    (void)arg;
    if (dwq_controller_world(c).n_workers == 0) {
        return 0; /* it would run here, now */
    }
    flag_make(path, false);
    CHECK(dwq_controller_submit_call(c,
                                     &(dwq_task_t){ .function = "fails_slowly",
                                                    .retry_failed = INT_MAX,
                                                    DWQ_ARGS(path) },
                                     NULL) == DWQ_OK);
    wait_for(c, path);
    flag_remove(path);
    return 1;
}

static void a_run_that_is_given_up_tries_nothing_again(void)
{
    dwq_options_t plain = { .controller = leaves, .functions = functions };

    CHECK(scenario_run_options(&plain) ==
          (world_rank() == 0 && world_size() > 1));
}

static int keeps_worker(dwq_worker_t *self, void *arg)
{
    (void)arg;
    worker = self;
    return dwq_worker_serve(self) == DWQ_OK ? 0 : 1;
}

static int has_inner_limit(dwq_controller_t *c, void *arg)
{
    dwq_result_t result =
        take(c, &(dwq_task_t){ .function = "executes", .time_limit = 0.05 });

    (void)arg;
    check_stop(&result, DWQ_STOP_LIMIT);
    return 0;
}

static void a_call_stops_with_the_call_that_executes_it(void)
{
    play(&(dwq_options_t){ .controller = has_inner_limit,
                           .worker = keeps_worker });
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(a_running_call_that_is_cancelled_is_asked_to_stop),
    S(a_worker_that_stays_busy_forgets_a_cancel),
    S(a_call_that_is_cancelled_as_it_is_sent_is_asked_to_stop),
    S(a_run_that_is_given_up_tries_nothing_again),
    S(a_call_stops_with_the_call_that_executes_it),
    S(a_call_is_asked_to_stop_at_its_tasks_limit),
    S(a_call_is_asked_to_stop_at_the_runs_limit),
    S(a_call_that_fails_is_run_again),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}

/* What a worker holds and has not started, on one host: another worker runs it while
 * that one is in a call. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/mpi/group_setup.h"

#define N_HELD 6
#define N_NAMES 20

static bool appears(const char *path)
{
    int tries = 0;

    while (access(path, F_OK) != 0) {
        if (tries++ == 3000) {
            return false;
        }
        sleep_seconds(0.01);
    }
    return true;
}

/* flags(raised, awaited...): without any it is short. */
static int flags(dwq_call_t *call, void *arg)
{
    const char *raised = "", *awaited;

    (void)arg;
    if (dwq_arg(call, 0, &raised) && raised[0] != '\0') {
        flag_raise(raised);
    }
    for (size_t i = 1; dwq_arg(call, i, &awaited); i++) {
        if (!appears(awaited)) {
            return dwq_call_fail(call, 1, "%s did not come", awaited);
        }
    }
    return 0;
}

/* in_order(i[, array]): of those for one worker, i comes after i - 1. */
static int in_order(dwq_call_t *call, void *arg)
{
    int *last = arg, i = 0;

    dwq_arg(call, 0, &i);
    return i == ++*last ? 0 : dwq_call_fail(call, 1, "%d after %d", i, *last);
}

/* raises(path): the controller waits for that without any call of the library. */
static int raises(dwq_call_t *call, void *arg)
{
    const char *path = "";

    (void)arg;
    if (dwq_arg(call, 0, &path) && path[0] != '\0') {
        flag_raise(path);
    }
    return 0;
}

/* numbered(path, i, n): i, and n numbers i; the last of them raises the flag. */
static int numbered(dwq_call_t *call, void *arg)
{
    const char *path = "";
    int i = 0, n = 0;
    size_t size;
    dwq_array_t array;

    (void)arg;
    if (!dwq_arg(call, 0, &path) || !dwq_arg(call, 1, &i) ||
        !dwq_arg(call, 2, &n)) {
        return dwq_call_fail(call, 1, "numbered(path, i, n)");
    }
    size = (size_t)n;
    array = dwq_call_alloc(call, DWQ_INT32, 1, &size);
    for (int k = 0; k < n; k++) {
        ((int32_t *)array.data)[k] = i;
    }
    if (path[0] != '\0') {
        flag_raise(path);
    }
    return dwq_call_return(call, DWQ_VALUES(i, array));
}

/* flags() has many names: what a call of one took, late or not, says nothing of how
 * long the others take. */
static char names[N_NAMES][16];
static int last_in_order;
static dwq_function_t functions[N_NAMES + 4];

static void make_functions(void)
{
    for (int i = 0; i < N_NAMES; i++) {
        snprintf(names[i], sizeof names[i], "flags%d", i);
        functions[i] = (dwq_function_t){ names[i], flags, NULL };
    }
    functions[N_NAMES] =
        (dwq_function_t){ "in_order", in_order, &last_in_order };
    functions[N_NAMES + 1] = (dwq_function_t){ "raises", raises, NULL };
    functions[N_NAMES + 2] = (dwq_function_t){ "numbered", numbered, NULL };
}

static int n_workers(const dwq_controller_t *c)
{
    return dwq_controller_world(c).n_workers;
}

/* It is taken for so short that any number is held. */
static void submit(dwq_controller_t *c, int name, int worker, dwq_values_t args)
{
    CHECK(dwq_controller_submit_call(c,
                                     &(dwq_task_t){ .function = names[name],
                                                    .worker = worker,
                                                    .time_est = 1e-9,
                                                    .args = args },
                                     NULL) == DWQ_OK);
}

/* A time is known when three calls have ended. */
static void learn(dwq_controller_t *c)
{
    int n_ok;

    for (int i = 0; i < 3 * N_NAMES; i++) {
        CHECK(
            dwq_controller_submit_call(
                c,
                &(dwq_task_t){ .function = names[i % N_NAMES], .time_est = 1 },
                NULL) == DWQ_OK);
    }
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 3 * N_NAMES && n_ok == 3 * N_NAMES);
}

/* --- Behind a running call ------------------------------------------------------- */

/* All workers but `slow` wait for `go`; that one waits for all that is submitted after
 * its call, some of which may be held behind it. Whether all came. */
static bool hold_up(dwq_controller_t *c, int slow)
{
    char go[FLAG_SIZE], held[N_HELD][FLAG_SIZE];
    dwq_value_t args[N_HELD + 1] = { dwq_value_string("") };
    int n = n_workers(c), n_all, n_ok;

    flag_make(go, false);
    for (int w = 1; w <= n; w++) {
        if (w != slow) {
            submit(c, slow, w, DWQ_VALUES("", go));
        }
    }
    for (int i = 0; i < N_HELD; i++) {
        flag_make(held[i], false);
        args[i + 1] = dwq_value_string(held[i]);
    }
    submit(c, slow, slow, (dwq_values_t){ N_HELD + 1, args });
    for (int i = 0; i < N_HELD; i++) {
        submit(c, slow, 0, DWQ_VALUES(held[i]));
    }
    flag_raise(go);
    n_all = collect_all(c, DWQ_OK, &n_ok);
    flag_remove(go);
    for (int i = 0; i < N_HELD; i++) {
        flag_remove(held[i]);
    }
    return n_all == n + N_HELD && n_ok == n_all;
}

static int holds_up_each_worker(dwq_controller_t *c, void *arg)
{
    int n = n_workers(c);
    bool came = true;

    (void)arg;
    learn(c);
    /* What is held is held by the one with the least work so far. */
    for (int w = 1; w <= n && n > 1 && came; w++) {
        came = hold_up(c, w);
        CHECK(came);
    }
    return 0;
}

static void no_task_waits_behind_a_running_call(void)
{
    scenario_run_options(&(dwq_options_t){ .controller = holds_up_each_worker,
                                           .functions = functions });
}

static void play_held(const struct group_config *config)
{
    group_run(config, (dwq_options_t){ .controller = holds_up_each_worker,
                                       .functions = functions });
}

static void no_task_waits_behind_a_running_call_of_a_group(void)
{
    group_configs(play_held);
}

/* --- How many are held ------------------------------------------------------------ */

static int holds_several(dwq_controller_t *c, void *arg)
{
    char go[FLAG_SIZE];
    dwq_counts_t counts;
    int n_ok;

    (void)arg;
    learn(c);
    flag_make(go, false);
    submit(c, 0, 1, DWQ_VALUES("", go));
    for (int i = 0; i < N_HELD; i++) {
        submit(c, 0, 1, DWQ_VALUES(""));
    }
    CHECK(dwq_controller_counts(c, &counts) == DWQ_OK);
    CHECK(counts.running == 1 && counts.held == N_HELD && counts.queued == 0);
    flag_raise(go);
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 1 + N_HELD && n_ok == 1 + N_HELD);
    flag_remove(go);
    return 0;
}

/* Also where ranks never sleep. */
static void a_worker_holds_several_short_tasks(void)
{
    scenario_run_options(&(dwq_options_t){ .controller = holds_several,
                                           .functions = functions });
    scenario_run_options(&(dwq_options_t){ .controller = holds_several,
                                           .functions = functions,
                                           .idle_wait = DWQ_IDLE_WAIT_SPIN });
}

/* --- Small and large ----------------------------------------------------------------- */

static int mixes_sizes(dwq_controller_t *c, void *arg)
{
    size_t sizes[] = { 1, 1, 2, 600, 1, 480, 4000, 1, 1, 100000, 3 };
    size_t n_sizes = sizeof sizes / sizeof sizes[0];
    double *data = calloc(100000, sizeof *data);
    int n = n_workers(c), n_ok, n_all;

    (void)arg;
    for (int i = 1; i <= 200; i++) {
        size_t size = sizes[(size_t)i % n_sizes];

        for (int w = 1; w <= n; w++) {
            CHECK(dwq_controller_submit_call(
                      c,
                      &(dwq_task_t){
                          .function = "in_order",
                          .worker = w,
                          .time_est = 1e-9,
                          DWQ_ARGS(i, dwq_array(DWQ_DOUBLE, data, 1, &size)) },
                      NULL) == DWQ_OK);
        }
    }
    n_all = collect_all(c, DWQ_OK, &n_ok);
    CHECK(n_all == 200 * n && n_ok == n_all);
    free(data);
    return 0;
}

static void small_and_large_tasks_keep_their_order(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = mixes_sizes, .functions = functions });
}

static void play_mixed(const struct group_config *config)
{
    last_in_order = 0;
    group_run(config, (dwq_options_t){ .controller = mixes_sizes,
                                       .functions = functions });
}

static void small_and_large_tasks_of_groups_keep_their_order(void)
{
    group_configs(play_mixed);
}

/* --- While the controller computes --------------------------------------------------- */

/* Each gives the controller back, though it fails. */
static void fail_all(dwq_controller_t *c)
{
    dwq_result_t result;

    CHECK(dwq_controller_submit_call(c, NULL, NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_queue_call(c, &(dwq_task_t){ .worker = -1 }, NULL) ==
          DWQ_E_ARG);
    CHECK(dwq_controller_submit_multiple(c, NULL, 3, NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_submit_each(c, NULL, NULL, NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_get_result(c, 999, &result) == DWQ_E_ID);
    CHECK(dwq_controller_get_result(c, 999, NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_get_next_result(c, NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_probe_next_result(c, NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_wait_next_result(c, -1, &result) == DWQ_E_ARG);
    CHECK(dwq_controller_probe_all_next_results(c, NULL, 3, NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_counts(c, NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_get_ready_worker(c, NULL, NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_info(c, NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_cancel(c, 999) == DWQ_E_ID);
    CHECK(dwq_worker_info(c, 0, &(dwq_worker_info_t){ .host = NULL }) ==
          DWQ_E_ARG);
    CHECK(dwq_close(c, 0) == DWQ_E_STATE);
}

/* After `n` short calls, of which the last raises a flag, and with results to take, so that
 * short calls wait for others to travel with. */
static void burst(dwq_controller_t *c, int n, bool fails)
{
    char last[FLAG_SIZE];
    dwq_counts_t counts = { .finished = 0 };
    int n_ok;

    flag_make(last, false);
    for (int i = 0; i < n; i++) {
        CHECK(dwq_controller_submit_call(
                  c,
                  &(dwq_task_t){ .function = "raises",
                                 .time_est = 1e-9,
                                 DWQ_ARGS(i == n - 1 ? last : "") },
                  NULL) == DWQ_OK);
        while (i == 0 && counts.finished == 0) {
            CHECK(dwq_controller_counts(c, &counts) == DWQ_OK);
        }
    }
    if (fails) {
        fail_all(c);
        for (int i = 0; i < n; i++) {
            CHECK(
                dwq_controller_submit_call(c,
                                           &(dwq_task_t){ .function = "raises",
                                                          .time_est = 1e-9,
                                                          DWQ_ARGS("") },
                                           NULL) == DWQ_OK);
        }
        fail_all(c);
    }
    CHECK(appears(last));
    n += fails ? n : 0;
    CHECK(collect_all(c, DWQ_OK, &n_ok) == n && n_ok == n);
    flag_remove(last);
}

static int bursts(dwq_controller_t *c, void *arg)
{
    (void)arg;
    learn(c); /* workers have said that they serve */
    for (int i = 0; i < 3; i++) {
        burst(c, 3, false);
        burst(c, 3, true);
    }
    for (int n = 2; n < 500; n = n * 3 / 2 + 1) {
        burst(c, n, n % 2 == 0);
    }
    return 0;
}

static void the_last_call_of_a_burst_runs_while_the_controller_computes(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = bursts, .functions = functions });
    scenario_run_options(&(dwq_options_t){ .controller = bursts,
                                           .functions = functions,
                                           .idle_wait = DWQ_IDLE_WAIT_SPIN });
}

static int one_for_each(dwq_controller_t *c, void *arg)
{
    (void)arg;
    learn(c);
    for (int i = 0; i < 20; i++) {
        burst(c, 1 + n_workers(c), false);
    }
    return 0;
}

static void a_short_call_for_an_idle_worker_does_not_wait_for_others(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = one_for_each, .functions = functions });
}

static void play_bursts(const struct group_config *config)
{
    group_run(config,
              (dwq_options_t){ .controller = bursts, .functions = functions });
}

static void the_last_call_of_a_burst_of_groups_runs_while_it_computes(void)
{
    group_configs(play_bursts);
}

static bool is_numbered(const dwq_result_t *result, int i, int n)
{
    bool right = result->status == DWQ_OK;

    for (int r = 0; right && r < result->n_ranks; r++) {
        dwq_array_t array = { .data = NULL };
        int number = -1;

        right = dwq_result_get(result, r, 0, &number) && number == i &&
                dwq_result_get(result, r, 1, &array) &&
                array.shape[0] == (size_t)n &&
                (n == 0 || (((const int32_t *)array.data)[0] == i &&
                            ((const int32_t *)array.data)[n - 1] == i));
    }
    return right;
}

/* More calls than MPI keeps messages for, none of them as short as some: the workers do
 * them all, and their results come when somebody listens. */
static void compute(dwq_controller_t *c, int n_calls, int size)
{
    char last[FLAG_SIZE];
    int n = n_calls * n_workers(c);
    uint64_t first = 0, id;
    dwq_result_t result;

    flag_make(last, false);
    for (int i = 0; i < n; i++) {
        CHECK(dwq_controller_queue_call(
                  c,
                  &(dwq_task_t){ .function = "numbered",
                                 .time_est = 1e-3,
                                 DWQ_ARGS(i == n - 1 ? last : "", i, size) },
                  &id) == DWQ_OK);
        first = i == 0 ? id : first;
    }
    CHECK(appears(last));
    for (int i = 0; i < n; i++) {
        CHECK(dwq_controller_get_result(c, first + (uint64_t)i, &result) ==
              DWQ_OK);
        CHECK(is_numbered(&result, i, size));
        dwq_result_clear(&result);
    }
    flag_remove(last);
}

static int many(dwq_controller_t *c, void *arg)
{
    (void)arg;
    learn(c);
    compute(c, 1500, 0);
    compute(c, 400, 5000);
    return 0;
}

/* The limit and its grace pass before anybody listens. What was started has ended in time:
 * none of it is given up. */
static int listens_late(dwq_controller_t *c, void *arg)
{
    int n = 1000 * n_workers(c), n_ok = 0, n_late = 0;
    dwq_result_t result;

    (void)arg;
    learn(c);
    for (int i = 0; i < n; i++) {
        CHECK(dwq_controller_queue_call(c,
                                        &(dwq_task_t){ .function = "numbered",
                                                       .time_est = 1e-3,
                                                       DWQ_ARGS("", i, 0) },
                                        NULL) == DWQ_OK);
    }
    sleep_seconds(2.5);
    for (int i = 0; i < n; i++) {
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        n_ok += result.status == DWQ_OK;
        n_late += result.status == DWQ_E_TIME_LIMIT && result.attempts == 0;
        dwq_result_clear(&result);
    }
    CHECK(n_ok > 0 && n_ok + n_late == n);
    return 0;
}

static void what_ended_in_time_counts_after_the_grace(void)
{
    CHECK(scenario_run_options(&(dwq_options_t){ .controller = listens_late,
                                                 .functions = functions,
                                                 .time_est_seconds = true,
                                                 .time_limit = 1.5,
                                                 .time_limit_grace = 0.5 }) ==
          0);
}

static void many_calls_run_while_the_controller_computes(void)
{
    scenario_run_options(&(dwq_options_t){
        .controller = many, .functions = functions, .time_est_seconds = true });
}

static void play_many(const struct group_config *config)
{
    group_run(config, (dwq_options_t){ .controller = many,
                                       .functions = functions,
                                       .time_est_seconds = true });
}

static void many_calls_of_groups_run_while_the_controller_computes(void)
{
    group_configs(play_many);
}

/* Three calls of a worker each wait for the one before it: the controller is away till the
 * last has come. */
static int chain(dwq_controller_t *c, void *arg)
{
    char flag[3][FLAG_SIZE];
    int n_ok;

    (void)arg;
    learn(c);
    for (int i = 0; i < 3; i++) {
        flag_make(flag[i], false);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(
            dwq_controller_submit_call(
                c,
                &(dwq_task_t){ .function = names[i],
                               .worker = 1,
                               .time_est = 1e3,
                               .args = i > 0 ? DWQ_VALUES(flag[i], flag[i - 1])
                                             : DWQ_VALUES(flag[i]) },
                NULL) == DWQ_OK);
    }
    CHECK(appears(flag[2]));
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 3 && n_ok == 3);
    for (int i = 0; i < 3; i++) {
        flag_remove(flag[i]);
    }
    return 0;
}

static void a_worker_gets_its_next_calls_while_the_controller_computes(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = chain, .functions = functions });
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
#define SCENARIO(name) { #name, name }
        SCENARIO(no_task_waits_behind_a_running_call),
        SCENARIO(no_task_waits_behind_a_running_call_of_a_group),
        SCENARIO(a_worker_holds_several_short_tasks),
        SCENARIO(small_and_large_tasks_keep_their_order),
        SCENARIO(small_and_large_tasks_of_groups_keep_their_order),
        SCENARIO(the_last_call_of_a_burst_runs_while_the_controller_computes),
        SCENARIO(a_short_call_for_an_idle_worker_does_not_wait_for_others),
        SCENARIO(the_last_call_of_a_burst_of_groups_runs_while_it_computes),
        SCENARIO(what_ended_in_time_counts_after_the_grace),
        SCENARIO(many_calls_run_while_the_controller_computes),
        SCENARIO(many_calls_of_groups_run_while_the_controller_computes),
        SCENARIO(a_worker_gets_its_next_calls_while_the_controller_computes),
        { NULL, NULL },
    };

    make_functions();
    return scenario_main(argc, argv, scenarios);
}

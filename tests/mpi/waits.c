/* A controller that waits for a while, counts, or calls every worker; and threads that
 * are not its own. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "tests/mpi/scenario.h"

#define MOST_WORKERS 32

static bool are_zero(const uint64_t *words, size_t n)
{
    uint64_t any = 0;

    while (n-- > 0) {
        any |= words[n];
    }
    return any == 0;
}
#define RESERVED(object) \
    (object).reserved, sizeof(object).reserved / sizeof(object).reserved[0]

static bool counts_are(dwq_controller_t *c, uint64_t queued, uint64_t held,
                       uint64_t running, uint64_t finished, uint64_t collected)
{
    dwq_counts_t n;

    memset(&n, 0xff, sizeof n);
    CHECK(dwq_controller_counts(c, &n) == DWQ_OK);
    CHECK(are_zero(RESERVED(n)));
    return n.queued == queued && n.held == held && n.running == running &&
           n.finished == finished && n.collected == collected;
}

/* --- A bound ------------------------------------------------------------- */

static int waits(dwq_controller_t *c, void *arg)
{
    bool alone = dwq_controller_world(c).n_workers == 0;
    char path[FLAG_SIZE];
    dwq_result_t result;

    (void)arg;
    flag_make(path, alone);
    CHECK(dwq_controller_wait_next_result(c, INFINITY, &result) == DWQ_E_EMPTY);
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "wait_for", DWQ_ARGS(path) },
              NULL) == DWQ_OK);
    CHECK(dwq_controller_wait_next_result(c, -1, &result) == DWQ_E_ARG);
    CHECK(dwq_controller_wait_next_result(c, NAN, &result) == DWQ_E_ARG);
    if (!alone) {
        CHECK(dwq_controller_wait_next_result(c, 0, &result) == DWQ_E_AGAIN);
        CHECK(dwq_controller_wait_next_result(c, 0.02, &result) == DWQ_E_AGAIN);
    }
    flag_raise(path);
    CHECK(dwq_controller_wait_next_result(c, INFINITY, &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK);
    dwq_result_clear(&result);
    CHECK(dwq_controller_wait_next_result(c, 0.02, &result) == DWQ_E_EMPTY);
    submit_square(c, 3, 0);
    CHECK(dwq_controller_wait_next_result(c, 1e300, &result) == DWQ_OK);
    dwq_result_clear(&result);
    flag_remove(path);
    return 0;
}

static void a_wait_with_a_bound_says_again_and_takes_it_later(void)
{
    scenario_run(waits);
}

/* --- Counts -------------------------------------------------------------- */

static int counts(dwq_controller_t *c, void *arg)
{
    int n_workers = dwq_controller_world(c).n_workers, n_ok;
    unsigned n = n_workers > 0 ? (unsigned)n_workers : 1;
    char path[FLAG_SIZE];

    (void)arg;
    flag_make(path, n_workers == 0);
    CHECK(counts_are(c, 0, 0, 0, 0, 0));
    for (unsigned i = 0; i < 2 * n; i++) {
        CHECK(dwq_controller_submit_call(
                  c,
                  &(dwq_task_t){ .function = "wait_for",
                                 .worker = 1 + (int)(i % n),
                                 DWQ_ARGS(path) },
                  NULL) == DWQ_OK);
    }
    if (n_workers == 0) {
        CHECK(counts_are(c, 0, 0, 0, 2, 0));
    } else {
        /* One each, as nobody knows how long they take. */
        while (!counts_are(c, n, 0, n, 0, 0)) {
        }
    }
    flag_raise(path);
    CHECK(collect_all(c, DWQ_OK, &n_ok) == (int)(2 * n) &&
          n_ok == (int)(2 * n));
    CHECK(counts_are(c, 0, 0, 0, 0, 2 * n));
    CHECK(dwq_controller_counts(c, NULL) == DWQ_E_ARG);
    flag_remove(path);
    return 0;
}

static void counts_say_where_every_task_is(void)
{
    scenario_run(counts);
}

/* --- What is kept for later versions ---------------------------------------- */

static int looks_at_reserves(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);
    dwq_task_t task = { .function = "nothing" };
    dwq_world_t world = dwq_controller_world(c);
    dwq_worker_info_t info;
    dwq_result_t result;

    (void)arg;
    memset(&info, 0xff, sizeof info);
    memset(&result, 0xff, sizeof result);
    CHECK(are_zero(RESERVED(world)));
    if (world.n_workers > 0) {
        CHECK(dwq_worker_info(c, 1, &info) == DWQ_OK);
        CHECK(are_zero(RESERVED(info)));
    }
    for (int i = 0; i < plan->n_groups; i++) {
        CHECK(are_zero(RESERVED(plan->groups[i])));
    }
    submit_square(c, 2, 0);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(are_zero(RESERVED(result)));
    dwq_result_clear(&result);
    task.reserved[0] = 1;
    CHECK(dwq_controller_submit_call(c, &task, NULL) == DWQ_E_ARG);
    CHECK(counts_are(c, 0, 0, 0, 0, 1));
    return 0;
}

static void reserved_bytes_are_zero_on_both_ways(void)
{
    dwq_options_t options = { .controller = looks_at_reserves };
    dwq_world_t world;

    memset(&world, 0xff, sizeof world);
    CHECK(dwq_world(&world) == DWQ_OK && are_zero(RESERVED(world)));
    scenario_run_options(&options);
    options.reserved[0] = 1;
    CHECK(dwq_run(&options, NULL) == DWQ_E_OPTION);
}

/* --- Estimates --------------------------------------------------------------- */

/* Of three short ones for each worker, as their estimates say, one runs. */
static int estimates(dwq_controller_t *c, void *arg)
{
    bool in_seconds = *(const bool *)arg;
    int n_workers = dwq_controller_world(c).n_workers, n_ok;
    uint64_t n = (uint64_t)n_workers, held = in_seconds ? 2 * n : 0;
    char path[FLAG_SIZE];

    flag_make(path, n_workers == 0);
    for (int i = 0; i < 3 * n_workers; i++) {
        CHECK(dwq_controller_submit_call(
                  c,
                  &(dwq_task_t){ .function = "wait_for",
                                 .worker = 1 + i % n_workers,
                                 .time_est = 1e-6,
                                 DWQ_ARGS(path) },
                  NULL) == DWQ_OK);
    }
    while (!counts_are(c, 2 * n - held, held, n, 0, 0)) {
    }
    flag_raise(path);
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 3 * n_workers);
    flag_remove(path);
    return 0;
}

static void estimates_in_seconds_are_known_from_the_first(void)
{
    for (int i = 0; i < 2; i++) {
        scenario_run_options(&(dwq_options_t){ .controller = estimates,
                                               .arg = &(bool){ i == 1 },
                                               .time_est_seconds = i == 1 });
    }
}

/* --- Every worker -------------------------------------------------------- */

static int calls_each(dwq_controller_t *c, void *arg)
{
    int n_workers = dwq_controller_world(c).n_workers;
    size_t n_expected = n_workers > 0 ? (size_t)n_workers : 1, n = 99;
    uint64_t ids[MOST_WORKERS];
    dwq_result_t result;
    int n_ok;

    (void)arg;
    CHECK(dwq_controller_submit_each(
              c, &(dwq_task_t){ .function = "square", DWQ_ARGS(3) }, ids, &n) ==
          DWQ_OK);
    CHECK(n == n_expected);
    for (size_t i = 0; i < n; i++) {
        double y = 0;

        CHECK(dwq_controller_get_result(c, ids[i], &result) == DWQ_OK);
        CHECK(result.worker == (n_workers > 0 ? (int)i + 1 : 0));
        CHECK(dwq_result_get(&result, 0, 0, &y) && y == 9);
        dwq_result_clear(&result);
    }
    CHECK(dwq_controller_submit_each(c, &(dwq_task_t){ .function = "nothing" },
                                     NULL, NULL) == DWQ_OK);
    CHECK(collect_all(c, DWQ_OK, &n_ok) == (int)n_expected);
    CHECK(dwq_controller_submit_each(c, NULL, ids, &n) == DWQ_E_ARG);
    CHECK(dwq_controller_submit_each(
              c, &(dwq_task_t){ .function = "nothing", .id = 7 }, ids, &n) ==
          DWQ_E_ARG);
    CHECK(dwq_controller_submit_each(
              c, &(dwq_task_t){ .function = "nothing", .worker = 1 }, ids,
              &n) == DWQ_E_ARG);
    CHECK(dwq_controller_submit_each(c, &(dwq_task_t){ .time_est = 1 }, ids,
                                     &n) == DWQ_E_ARG);
    CHECK(n == n_expected && counts_are(c, 0, 0, 0, 0, 2 * n));
    return 0;
}

static void one_call_goes_to_every_worker(void)
{
    scenario_run(calls_each);
}

static int first_withdraws(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    return dwq_worker_id(worker) == 1 ? 9 : 0;
}

static int calls_the_rest(dwq_controller_t *c, void *arg)
{
    int n_workers = dwq_controller_world(c).n_workers;
    uint64_t ids[MOST_WORKERS], id;
    size_t n = 99;
    dwq_result_t result;

    (void)arg;
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "nothing", .worker = 1 }, &id) ==
          DWQ_OK);
    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    CHECK(result.status == DWQ_E_WORKER); /* so it has withdrawn by now */
    dwq_result_clear(&result);
    CHECK(dwq_controller_submit_each(c, &(dwq_task_t){ .function = "nothing" },
                                     ids, &n) == DWQ_OK);
    CHECK(n == (size_t)n_workers - 1);
    for (size_t i = 0; i < n; i++) {
        CHECK(dwq_controller_get_result(c, ids[i], &result) == DWQ_OK);
        CHECK(result.status == DWQ_OK && result.worker == (int)i + 2);
        dwq_result_clear(&result);
    }
    return 0;
}

static void a_worker_that_withdrew_gets_no_call_of_each(void)
{
    scenario_run_options(&(dwq_options_t){ .controller = calls_the_rest,
                                           .worker = first_withdraws });
}

/* --- Another thread ------------------------------------------------------ */

static void *another_thread(void *arg)
{
    dwq_controller_t *c = arg;
    const dwq_task_t task = { .function = "nothing" };
    dwq_result_t result;
    dwq_counts_t n;
    uint64_t id;
    size_t some;
    int worker;

    CHECK(dwq_controller_submit_call(c, &task, &id) == DWQ_E_STATE);
    CHECK(dwq_controller_queue_call(c, &task, &id) == DWQ_E_STATE);
    CHECK(dwq_controller_submit_multiple(c, &task, 1, &id) == DWQ_E_STATE);
    CHECK(dwq_controller_submit_each(c, &task, &id, &some) == DWQ_E_STATE);
    CHECK(dwq_controller_get_result(c, 5, &result) == DWQ_E_STATE);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_STATE);
    CHECK(dwq_controller_probe_next_result(c, &result) == DWQ_E_STATE);
    CHECK(dwq_controller_wait_next_result(c, 1, &result) == DWQ_E_STATE);
    CHECK(dwq_controller_probe_all_next_results(c, &result, 1, &some) ==
          DWQ_E_STATE);
    CHECK(dwq_controller_get_ready_worker(c, &worker, NULL) == DWQ_E_STATE);
    CHECK(dwq_controller_counts(c, &n) == DWQ_E_STATE);
    CHECK(dwq_controller_cancel(c, 0) == DWQ_E_STATE);
    CHECK(dwq_controller_progress(c) == DWQ_E_STATE);
    CHECK(dwq_controller_info(c, stderr) == DWQ_E_STATE);
    CHECK(dwq_controller_exit(c) == DWQ_E_STATE);
    return NULL;
}

static int starts_a_thread(dwq_controller_t *c, void *arg)
{
    pthread_t thread;
    int n_ok;

    (void)arg;
    CHECK(pthread_create(&thread, NULL, another_thread, c) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(counts_are(c, 0, 0, 0, 0, 0));
    submit_square(c, 2, 0); /* exit() did nothing */
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 1);
    return 0;
}

static void calls_from_another_thread_are_refused(void)
{
    scenario_run(starts_a_thread);
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(a_wait_with_a_bound_says_again_and_takes_it_later),
    S(counts_say_where_every_task_is),
    S(reserved_bytes_are_zero_on_both_ways),
    S(estimates_in_seconds_are_known_from_the_first),
    S(one_call_goes_to_every_worker),
    S(a_worker_that_withdrew_gets_no_call_of_each),
    S(calls_from_another_thread_are_refused),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}

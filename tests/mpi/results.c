/* Progress, results, scheduling, reports: what the controller's calls give. */
#include <math.h>
#include <stdlib.h>

#include "tests/mpi/scenario.h"

static void check_square(dwq_controller_t *c, uint64_t id, double x)
{
    dwq_result_t result;
    double y = 0;

    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    CHECK(result.id == id && result.status == DWQ_OK);
    CHECK(dwq_result_get(&result, 0, 0, &y) && y == x * x);
    CHECK(result.n_ranks == 1 && result.failed_rank == -1);
    dwq_result_clear(&result);
}

/* --- Progress ----------------------------------------------------------- */

/* With sleeps of up to 20 s, a submit or a wait that slept once would not come
 * back before the driver's timeout. */
static int no_sleep(dwq_controller_t *c, void *arg)
{
    (void)arg;
    for (int i = 0; i < 2000; i++) {
        check_square(c, submit_square(c, i, 0), i);
    }
    return 0;
}

static void submit_with_ready_workers_never_sleeps(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = no_sleep, .idle_wait = 20 });
}

static int dispatch_while_collecting(dwq_controller_t *c, void *arg)
{
    uint64_t ids[300];
    dwq_task_t tasks[300];
    double x[300];
    dwq_value_t values[300];

    (void)arg;
    for (int i = 0; i < 300; i++) {
        x[i] = i;
        values[i] = dwq_value(x[i]);
        tasks[i] = (dwq_task_t){ .function = "square",
                                 .args = { 1, &values[i] },
                                 .time_est = 1 + i % 7 };
    }
    CHECK(dwq_controller_submit_multiple(c, tasks, 300, ids) == DWQ_OK);
    for (int i = 299; i >= 0; i--) { /* the last first: all before must run */
        check_square(c, ids[i], i);
    }
    return 0;
}

static void queued_tasks_are_dispatched_while_collecting(void)
{
    scenario_run(dispatch_while_collecting);
}

static int slow_receiver(dwq_controller_t *c, void *arg)
{
    size_t n = (size_t)1 << 21; /* 16 MiB */
    double *data = calloc(n, sizeof *data);
    char path[FLAG_SIZE];
    dwq_result_t result;
    dwq_world_t world = dwq_controller_world(c);
    bool alone = world.n_workers == 0;
    int quick = 0;

    (void)arg;
    flag_make(path, alone);
    CHECK(dwq_controller_submit_call(c,
                                     &(dwq_task_t){ .function = "wait_for",
                                                    .worker = !alone,
                                                    DWQ_ARGS(path) },
                                     NULL) == DWQ_OK);
    for (int w = 1; w <= world.n_workers; w++) {
        CHECK(dwq_controller_submit_call(
                  c,
                  &(dwq_task_t){ .function = "sum",
                                 .worker = w,
                                 DWQ_ARGS(dwq_borrow(
                                     dwq_array(DWQ_DOUBLE, data, 1, &n))) },
                  NULL) == DWQ_OK);
    }
    /* All but the slow one's come while it has not looked. */
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        CHECK(result.status == DWQ_OK);
        quick++;
        if (quick == world.n_workers - 1) {
            flag_raise(path);
        }
        dwq_result_clear(&result);
    }
    CHECK(quick == world.n_workers + 1);
    flag_remove(path);
    free(data);
    return 0;
}

static void one_slow_receiver_does_not_stall_the_controller(void)
{
    scenario_run(slow_receiver);
}

/* --- Results ------------------------------------------------------------ */

static int once(dwq_controller_t *c, void *arg)
{
    dwq_result_t result, all[4];
    size_t n = 9;
    uint64_t a = submit_square(c, 1, 0), b = submit_square(c, 2, 0);

    (void)arg;
    check_square(c, a, 1);
    CHECK(dwq_controller_get_result(c, a, &result) == DWQ_E_ID);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(result.id == b);
    dwq_result_clear(&result);
    dwq_result_clear(&result); /* harmless */
    CHECK(dwq_controller_get_result(c, b, &result) == DWQ_E_ID);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_EMPTY);
    CHECK(dwq_controller_probe_next_result(c, &result) == DWQ_E_EMPTY);
    CHECK(dwq_controller_probe_all_next_results(c, all, 4, &n) == DWQ_OK);
    CHECK(n == 0);
    CHECK(dwq_controller_get_result(c, 4711, &result) == DWQ_E_ID);
    return 0;
}

static void a_result_is_collected_once_whichever_call_collects_it(void)
{
    scenario_run(once);
}

static int queued_waits(dwq_controller_t *c, void *arg)
{
    uint64_t last = 0;
    int n_ok;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        last = submit_sleep(c, 0.01, 0);
    }
    last = submit_square(c, 7, 0);
    check_square(c, last, 7); /* still queued when it is asked for */
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 20 && n_ok == 20);
    return 0;
}

static void asking_for_a_queued_task_waits_for_it(void)
{
    scenario_run(queued_waits);
}

static int slow_start(dwq_worker_t *worker, void *arg)
{
    (void)worker;
    (void)arg;
    sleep_seconds(0.3);
    return 0;
}

static int next_before_ready(dwq_controller_t *c, void *arg)
{
    dwq_value_t x = dwq_value(3.);
    dwq_task_t tasks[2] = { { .function = "square", .args = { 1, &x } },
                            { .function = "square", .args = { 1, &x } } };
    dwq_result_t result;
    int n_ok;

    (void)arg;
    CHECK(dwq_controller_submit_multiple(c, tasks, 2, NULL) == DWQ_OK);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    dwq_result_clear(&result);
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 1 && n_ok == 1);
    return 0;
}

static void next_result_before_any_worker_is_ready_waits(void)
{
    scenario_run_options(&(dwq_options_t){ .controller = next_before_ready,
                                           .worker = slow_start });
}

static int younger_first(dwq_controller_t *c, void *arg)
{
    uint64_t slow = 0, quick;
    dwq_result_t result;
    char path[FLAG_SIZE];

    (void)arg;
    flag_make(path, false);
    CHECK(dwq_controller_submit_call(c,
                                     &(dwq_task_t){ .function = "wait_for",
                                                    .worker = 1,
                                                    DWQ_ARGS(path) },
                                     &slow) == DWQ_OK);
    quick = submit_square(c, 2, 2);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(result.id == quick);
    dwq_result_clear(&result);
    CHECK(dwq_controller_probe_next_result(c, &result) == DWQ_E_AGAIN);
    flag_raise(path);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(result.id == slow && result.status == DWQ_OK);
    dwq_result_clear(&result);
    flag_remove(path);
    return 0;
}

static void a_younger_task_that_finished_is_returned_first(void)
{
    scenario_run(younger_first);
}

static int reuse(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    uint64_t id;

    (void)arg;
    for (int i = 1; i <= 5; i++) {
        double y = 0;
        dwq_task_t task = { .function = "square",
                            .id = 17,
                            DWQ_ARGS((double)i) };

        CHECK(dwq_controller_submit_call(c, &task, &id) == DWQ_OK && id == 17);
        CHECK(dwq_controller_submit_call(c, &task, &id) == DWQ_E_ID);
        CHECK(dwq_controller_get_result(c, 17, &result) == DWQ_OK);
        CHECK(dwq_result_get(&result, 0, 0, &y) && y == i * i);
        dwq_result_clear(&result);
    }
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_EMPTY);
    return 0;
}

static void a_reused_id_gives_the_new_tasks_result(void)
{
    scenario_run(reuse);
}

static int generated(dwq_controller_t *c, void *arg)
{
    uint64_t id = 0;
    int n_ok;

    (void)arg;
    for (uint64_t given = 1; given <= 3; given++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "nothing", .id = given },
                  NULL) == DWQ_OK);
    }
    CHECK(dwq_controller_submit_call(c, &(dwq_task_t){ .function = "nothing" },
                                     &id) == DWQ_OK);
    CHECK(id > 3);
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 4 && n_ok == 4);
    return 0;
}

static void generated_ids_never_collide_with_given_ones(void)
{
    scenario_run(generated);
}

static int returns_nothing(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    uint64_t id;
    double y = 42;

    (void)arg;
    CHECK(dwq_controller_submit_call(c, &(dwq_task_t){ .function = "nothing" },
                                     &id) == DWQ_OK);
    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK && result.n_ranks == 1);
    CHECK(dwq_result_n_values(&result, 0) == 0);
    CHECK(!dwq_result_get(&result, 0, 0, &y) && y == 42);
    CHECK(!dwq_result_get(&result, 1, 0, &y) &&
          !dwq_result_get(&result, -1, 0, &y));
    dwq_result_clear(&result);
    return 0;
}

static void a_function_that_returns_nothing_gives_zero_values(void)
{
    scenario_run(returns_nothing);
}

/* --- Scheduling --------------------------------------------------------- */

static int charged_once(dwq_controller_t *c, void *arg)
{
    int n_workers = dwq_controller_world(c).n_workers, turn = 0;

    (void)arg;
    /* One call at a time with equal estimates: strictly in turn, or some
     * estimate was charged twice or to another worker. */
    for (int i = 0; i < 4 * n_workers; i++) {
        dwq_result_t result;
        int ready = 0;

        while (dwq_controller_get_ready_worker(c, &ready, NULL) != DWQ_OK) {
            dwq_controller_progress(c);
        }
        if (i == 0) {
            sleep_seconds(0.5); /* now all are ready */
            dwq_controller_progress(c);
        }
        submit_square(c, i, 0);
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        CHECK(result.worker == 1 + turn);
        turn = (turn + 1) % n_workers;
        dwq_result_clear(&result);
    }
    return 0;
}

static void an_estimate_is_charged_once_to_the_worker_that_ran(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = charged_once, .prefetch = -1 });
}

static int binding(dwq_controller_t *c, void *arg)
{
    dwq_world_t world = dwq_controller_world(c);
    int w = world.n_workers > 0 ? world.n_workers : 1;

    (void)arg;
    for (int round = 0; round < 2; round++) { /* ready, then busy */
        uint64_t id = submit_sleep(c, 0.05, w);
        dwq_result_t result;

        if (round == 1) {
            uint64_t behind = submit_square(c, 3, w);

            CHECK(dwq_controller_get_result(c, behind, &result) == DWQ_OK);
            CHECK(result.worker == world.n_workers);
            dwq_result_clear(&result);
        }
        CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
        CHECK(result.worker == world.n_workers);
        dwq_result_clear(&result);
    }
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "nothing", .worker = w + 1 },
              NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_queue_call(
              c, &(dwq_task_t){ .function = "nothing", .worker = -1 }, NULL) ==
          DWQ_E_ARG);
    return 0;
}

static void a_binding_worker_is_honoured_when_busy_and_when_ready(void)
{
    scenario_run(binding);
}

static int zero_estimate(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    uint64_t id;
    static const double bad[] = { -1, NAN, INFINITY };

    (void)arg;
    CHECK(dwq_controller_submit_call(c,
                                     &(dwq_task_t){ .function = "sleep",
                                                    .time_est = 0,
                                                    DWQ_ARGS(0.001) },
                                     &id) == DWQ_OK);
    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    CHECK(isfinite(result.time_over_est) &&
          result.time_over_est == result.this_time && result.this_time > 0);
    CHECK(result.n_processed == 1 && result.total_time == result.this_time);
    dwq_result_clear(&result);
    for (int i = 0; i < 3; i++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "nothing", .time_est = bad[i] },
                  NULL) == DWQ_E_ARG);
    }
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_EMPTY);
    return 0;
}

static void an_estimate_of_zero_does_not_divide_by_zero(void)
{
    scenario_run(zero_estimate);
}

static int all_or_none(dwq_controller_t *c, void *arg)
{
    dwq_task_t tasks[3] = { { .function = "nothing", .id = 5 },
                            { .function = "nothing", .time_est = 4 },
                            { .function = "nothing", .id = 5 } };
    uint64_t ids[3] = { 0, 0, 0 };
    dwq_result_t result;
    int n_ok;

    (void)arg;
    CHECK(dwq_controller_submit_multiple(c, tasks, 3, ids) == DWQ_E_ID);
    CHECK(ids[0] == 0);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_EMPTY);
    tasks[2] = (dwq_task_t){ .function = "nothing", .time_est = 0.25 };
    CHECK(dwq_controller_submit_multiple(c, tasks, 3, ids) == DWQ_OK);
    CHECK(ids[0] == 5 && ids[1] != ids[2]);
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 3 && n_ok == 3);
    return 0;
}

static void submit_multiple_takes_all_or_none_each_with_its_estimate(void)
{
    scenario_run(all_or_none);
}

/* --- Report ------------------------------------------------------------- */

static int report(dwq_controller_t *c, void *arg)
{
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    int n_workers = dwq_controller_world(c).n_workers, n_ok;

    (void)arg;
    for (int i = 0; i < 2 * n_workers; i++) {
        submit_sleep(c, 0.05, 1 + i % (n_workers > 0 ? n_workers : 1));
    }
    CHECK(out && dwq_controller_info(c, out) == DWQ_OK);
    if (out) {
        fclose(out);
    }
    CHECK(strstr(text, "results collected: 0\n") != NULL);
    if (n_workers > 0) {
        char line[80];

        snprintf(line, sizeof line, "results not yet collected: %d (queued ",
                 2 * n_workers);
        CHECK(strstr(text, line) != NULL);
        snprintf(line, sizeof line, "number of workers: %d\n", n_workers);
        CHECK(strstr(text, line) != NULL);
    } else {
        CHECK(strstr(text, "number of workers") == NULL);
    }
    collect_all(c, DWQ_OK, &n_ok);
    out = fmemopen(text, sizeof text, "w");
    CHECK(out && dwq_controller_info(c, out) == DWQ_OK);
    if (out) {
        fclose(out);
    }
    /* Two calls each: with the idle controller averaged in it would be less. */
    CHECK(n_workers == 0 ||
          strstr(text, "calls per worker: mean 2, std 0, min 2, max 2\n"));
    return 0;
}

static void the_report_leaves_the_controller_out_and_counts_apart(void)
{
    scenario_run(report);
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(submit_with_ready_workers_never_sleeps),
    S(queued_tasks_are_dispatched_while_collecting),
    S(one_slow_receiver_does_not_stall_the_controller),
    S(a_result_is_collected_once_whichever_call_collects_it),
    S(asking_for_a_queued_task_waits_for_it),
    S(next_result_before_any_worker_is_ready_waits),
    S(a_younger_task_that_finished_is_returned_first),
    S(a_reused_id_gives_the_new_tasks_result),
    S(generated_ids_never_collide_with_given_ones),
    S(a_function_that_returns_nothing_gives_zero_values),
    S(an_estimate_is_charged_once_to_the_worker_that_ran),
    S(a_binding_worker_is_honoured_when_busy_and_when_ready),
    S(an_estimate_of_zero_does_not_divide_by_zero),
    S(submit_multiple_takes_all_or_none_each_with_its_estimate),
    S(the_report_leaves_the_controller_out_and_counts_apart),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}

/* The controller and its workers on the simulated transport, in situations made
 * on purpose: prefetch, recall, delays that are counted, waits, malformed messages,
 * borrowed arrays. The random ones are in scenario.c. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "libdwq/core/controller.h"
#include "tests/sim/transport_sim.h"
#include "workers/serve.h"
#include "workers/solo.h"

#define MAX_WORKERS 4

struct bench;

struct bench_worker {
    struct bench *b;
    int number;
    bool begun;
    int n_run;
    double first_start; /* of a call named "watched", or -1 */
    struct dwqi_registry *registry;
    struct dwqi_executor *executor;
    struct dwqi_solo solo;
    struct dwqi_role *server;
};

struct bench {
    struct dwqi_sim *sim;
    struct dwqi_log log;
    int n_workers;
    dwq_controller_t *c;
    struct bench_worker workers[MAX_WORKERS + 1];
};

/* run(seconds): takes that much virtual time; gives the worker's number. */
static int run(dwq_call_t *call, void *arg)
{
    struct bench_worker *w = arg;
    double seconds = 0;

    dwq_arg(call, 0, &seconds);
    w->n_run++;
    dwqi_sim_advance(w->b->sim, w->number, seconds);
    return dwq_call_return(call, DWQ_VALUES(w->number));
}

static int watched(dwq_call_t *call, void *arg)
{
    struct bench_worker *w = arg;

    w->first_start = dwqi_sim_now(w->b->sim, w->number);
    return run(call, arg);
}

static double worker_now(void *arg)
{
    struct bench_worker *w = arg;

    return dwqi_sim_now(w->b->sim, w->number);
}

static dwq_status_t worker_step(void *arg)
{
    struct bench_worker *w = arg;

    if (!w->begun) {
        w->begun = true;
        return w->server->ops->begin(w->server);
    }
    return w->server->ops->is_closed(w->server)
               ? DWQ_E_AGAIN
               : w->server->ops->step(w->server);
}

static void quiet(const char *line, void *arg)
{
    (void)line;
    (void)arg;
}

static void make_worker(struct bench *b, int number)
{
    struct bench_worker *w = &b->workers[number];
    const dwq_function_t functions[] = { { "run", run, w },
                                         { "watched", watched, w },
                                         { NULL, NULL, NULL } };
    struct dwqi_error reason;

    *w = (struct bench_worker){ .b = b, .number = number, .first_start = -1 };
    dwqi_registry_create(functions, NULL, ".", &b->log, &w->registry, &reason);
    dwqi_executor_create(
        &(struct dwqi_executor_config){ .registry = w->registry,
                                        .log = &b->log,
                                        .now = worker_now,
                                        .clock = w,
                                        .size = 1 },
        &w->executor);
    dwqi_solo_init(&w->solo, w->executor);
    dwqi_server_create(
        &(struct dwqi_server_config){ .transport =
                                          dwqi_sim_endpoint(b->sim, number),
                                      .runner = &w->solo.runner,
                                      .log = &b->log,
                                      .time_limit = INFINITY },
        &w->server);
    dwqi_sim_set_step(b->sim, number, worker_step, w, 0);
}

static void set_up_as(struct bench *b, int n_workers, int held_max,
                      double corrupt, double time_limit, bool time_est_seconds)
{
    int peers[MAX_WORKERS];

    *b = (struct bench){ .n_workers = n_workers, .log = { .line = quiet } };
    b->sim =
        dwqi_sim_create(&(struct dwqi_sim_config){ .n_endpoints = n_workers + 1,
                                                   .seed = 4,
                                                   .mean_delay = 1e-6,
                                                   .corrupt = corrupt });
    for (int i = 0; i < n_workers; i++) {
        peers[i] = i + 1;
        make_worker(b, i + 1);
    }
    dwqi_controller_create(
        &(struct dwqi_controller_config){ .transport =
                                              dwqi_sim_endpoint(b->sim, 0),
                                          .log = &b->log,
                                          .n_workers = n_workers,
                                          .peers = peers,
                                          .held_max = held_max,
                                          .time_est_seconds = time_est_seconds,
                                          .time_limit = time_limit,
                                          .grace_end = INFINITY },
        &b->c);
}

static void set_up(struct bench *b, int n_workers, int held_max, double corrupt)
{
    set_up_as(b, n_workers, held_max, corrupt, INFINITY, false);
}

static void tear_down(struct bench *b)
{
    cr_assert_eq(dwqi_controller_close(b->c, false), DWQ_OK);
    cr_assert_not(dwqi_sim_is_stuck(b->sim));
    dwqi_controller_destroy(b->c);
    for (int w = 1; w <= b->n_workers; w++) {
        dwqi_role_finish(b->workers[w].server);
        dwqi_solo_finish(&b->workers[w].solo);
        dwqi_executor_destroy(b->workers[w].executor);
        dwqi_registry_destroy(b->workers[w].registry);
    }
    dwqi_sim_destroy(b->sim);
}

static uint64_t submit(struct bench *b, const char *function, double seconds,
                       double time_est)
{
    uint64_t id = 0;

    cr_assert_eq(dwq_controller_queue_call(b->c,
                                           &(dwq_task_t){ .function = function,
                                                          .time_est = time_est,
                                                          DWQ_ARGS(seconds) },
                                           &id),
                 DWQ_OK);
    return id;
}

static int collect(struct bench *b, dwq_status_t status)
{
    dwq_result_t result;
    int n = 0;

    while (dwq_controller_get_next_result(b->c, &result) == DWQ_OK) {
        n += result.status == status;
        dwq_result_clear(&result);
    }
    return n;
}

static double now(struct bench *b)
{
    return dwqi_sim_now(b->sim, 0);
}

static unsigned long long reported(struct bench *b, const char *line, int which)
{
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    unsigned long long values[2] = { 0, 0 };
    const char *at;

    dwq_controller_info(b->c, out);
    fclose(out);
    at = strstr(text, line);
    if (at) {
        sscanf(at + strlen(line), "%llu, delaying %llu", &values[0],
               &values[1]);
    }
    return values[which];
}

#define OVERRUNS "calls that ran far longer than expected: "

/* 1000 calls of 1 us on one worker: with prefetch tasks travel together, without
 * it each waits for the one before. */
static uint64_t messages_of_tiny_calls(int held_max)
{
    struct bench b;
    uint64_t n;

    set_up(&b, 1, held_max, 0);
    for (int i = 0; i < 1000; i++) {
        submit(&b, "run", 1e-6, 1);
    }
    cr_assert_eq(collect(&b, DWQ_OK), 1000);
    n = dwqi_sim_n_sent(b.sim);
    tear_down(&b);
    return n;
}

Test(prefetch, small_tasks_for_one_worker_travel_together)
{
    uint64_t with = messages_of_tiny_calls(64);
    uint64_t without = messages_of_tiny_calls(1);

    cr_assert_geq(without, 2000); /* a task and a result each */
    cr_assert_leq(with, 1200);    /* results, and a few batches of tasks */
}

Test(prefetch, tasks_of_unknown_time_are_never_held_back)
{
    struct bench b;

    set_up(&b, 2, 64, 0);
    for (int i = 0; i < 10; i++) {
        submit(&b, "run", 0.1, 1);
    }
    cr_assert_eq(collect(&b, DWQ_OK), 10);
    cr_assert_float_eq(now(&b), 0.5, 0.01); /* 5 rounds of 2, in parallel */
    tear_down(&b);
}

/* Two results of each function are left for the user to take; the workers idle. */
static void leave_results(struct bench *b, const char *function, double seconds)
{
    dwq_result_t result;
    uint64_t id = 0;

    for (int i = 0; i < 3; i++) {
        id = submit(b, function, seconds, 1);
    }
    cr_assert_eq(dwq_controller_get_result(b->c, id, &result), DWQ_OK);
    dwq_result_clear(&result);
    cr_assert_eq(dwq_controller_progress(b->c), DWQ_OK);
}

static void play_short_calls(double time_limit)
{
    struct bench b;
    uint64_t n_sent;

    set_up_as(&b, 2, 64, 0, time_limit, false);
    leave_results(&b, "run", 1e-6);
    leave_results(&b, "watched", 1e-3);
    submit(&b, "run", 1e-6, 1);
    n_sent = dwqi_sim_n_sent(b.sim);
    for (int i = 0; i < 20; i++) {
        submit(&b, "run", 1e-6, 1);
    }
    cr_assert_eq(dwqi_sim_n_sent(b.sim), n_sent);
    submit(&b, "watched", 1e-3, 1); /* a long one takes them along */
    cr_assert_gt(dwqi_sim_n_sent(b.sim), n_sent);
    cr_assert_leq(dwqi_sim_n_sent(b.sim), n_sent + 3);
    cr_assert_eq(collect(&b, DWQ_OK), 4 + 22);
    submit(&b, "run", 1e-6, 1);
    n_sent = dwqi_sim_n_sent(b.sim);
    submit(&b, "run", 1e-6, 1); /* nothing to take: somebody waits for it */
    cr_assert_gt(dwqi_sim_n_sent(b.sim), n_sent);
    cr_assert_eq(collect(&b, DWQ_OK), 2);
    tear_down(&b);
}

Test(prefetch, short_calls_wait_for_others_while_the_user_has_results_to_take)
{
    play_short_calls(INFINITY);
}

Test(prefetch, a_time_limit_that_is_far_away_changes_no_message)
{
    play_short_calls(1e6);
}

/* Learned: 1 us per unit of estimate. Then one call of 2000 units and tiny ones:
 * nothing may be put behind 2 ms. */
Test(prefetch, no_worker_holds_more_than_a_millisecond)
{
    struct bench b;
    uint64_t watched_id;
    dwq_result_t result;

    set_up(&b, 2, 64, 0);
    for (int i = 0; i < 50; i++) {
        submit(&b, "watched", 1e-6, 1);
    }
    cr_assert_eq(collect(&b, DWQ_OK), 50);
    submit(&b, "watched", 2e-3, 2000);
    watched_id = submit(&b, "watched", 1e-6, 1);
    cr_assert_eq(dwq_controller_get_result(b.c, watched_id, &result), DWQ_OK);
    cr_assert_lt(now(&b), 1e-3); /* the other worker ran it */
    dwq_result_clear(&result);
    cr_assert_eq(collect(&b, DWQ_OK), 1);
    tear_down(&b);
}

/* Worker 2 is busy for 2 ms, as expected; meanwhile worker 1 is given tasks that
 * take 10,000 times what is expected. What it has not started is recalled when
 * worker 2 is idle. */
Test(prefetch, what_waits_behind_a_long_call_is_recalled_for_an_idle_worker)
{
    struct bench b;
    double start;
    int before;

    set_up(&b, 2, 64, 0);
    for (int i = 0; i < 50; i++) {
        submit(&b, "run", 1e-6, 1);
    }
    cr_assert_eq(collect(&b, DWQ_OK), 50);
    start = now(&b);
    before = b.workers[2].n_run;
    cr_assert_eq(dwq_controller_submit_call(b.c,
                                            &(dwq_task_t){ .function = "run",
                                                           .time_est = 2000,
                                                           .worker = 2,
                                                           DWQ_ARGS(2e-3) },
                                            NULL),
                 DWQ_OK);
    for (int i = 0; i < 20; i++) {
        submit(&b, "run", 10e-3, 1);
    }
    cr_assert_eq(collect(&b, DWQ_OK), 21);
    /* 200 ms of work: on worker 1 alone it would take all of them. */
    cr_assert_lt(now(&b) - start, 0.125);
    cr_assert_gt(b.workers[2].n_run - before, 7);
    tear_down(&b);
}

Test(prefetch, calls_delayed_by_an_overrun_are_counted_in_the_report)
{
    struct bench b;

    set_up(&b, 1, 64, 0);
    for (int i = 0; i < 50; i++) {
        submit(&b, "run", 1e-6, 1);
    }
    cr_assert_eq(collect(&b, DWQ_OK), 50);
    cr_assert_eq(reported(&b, OVERRUNS, 0), 0);
    submit(&b, "run", 50e-3, 1);
    for (int i = 0; i < 7; i++) {
        submit(&b, "run", 1e-6, 1);
    }
    dwq_controller_progress(b.c);
    cr_assert_eq(collect(&b, DWQ_OK), 8);
    cr_assert_eq(reported(&b, OVERRUNS, 0), 1);
    cr_assert_geq(reported(&b, OVERRUNS, 1), 1);
    tear_down(&b);
}

/* A RECALL is under way when the second cancel comes: it is asked for again. */
Test(prefetch, a_cancel_while_a_recall_is_under_way_is_not_lost)
{
    struct bench b;
    uint64_t ids[8];
    dwq_result_t result;
    int n_cancelled = 0;

    set_up(&b, 1, 64, 0);
    for (int i = 0; i < 50; i++) {
        submit(&b, "run", 1e-6, 1);
    }
    cr_assert_eq(collect(&b, DWQ_OK), 50);
    for (int i = 0; i < 4; i++) {
        ids[i] = submit(&b, "run", 1e-3, 1);
    }
    cr_assert_eq(dwq_controller_cancel(b.c, ids[3]), DWQ_OK);
    for (int i = 4; i < 8; i++) {
        ids[i] = submit(&b, "run", 1e-3, 1);
        cr_assert_eq(dwq_controller_cancel(b.c, ids[i]), DWQ_OK);
    }
    while (dwq_controller_get_next_result(b.c, &result) == DWQ_OK) {
        n_cancelled += result.status == DWQ_E_CANCELLED;
        dwq_result_clear(&result);
    }
    cr_assert_eq(n_cancelled, 5);
    tear_down(&b);
}

Test(prefetch, an_estimate_is_charged_to_the_worker_that_ran_it)
{
    struct bench b;
    dwq_result_t result;
    int n_by_worker[3] = { 0, 0, 0 };

    set_up(&b, 2, 64, 0);
    for (int i = 0; i < 200; i++) {
        submit(&b, "run", i < 100 ? 1e-6 : 3e-3, 1); /* forces recalls */
    }
    while (dwq_controller_get_next_result(b.c, &result) == DWQ_OK) {
        int number = 0;

        cr_assert(dwq_result_get(&result, 0, 0, &number));
        cr_assert_eq(number, result.worker);
        n_by_worker[number]++;
        dwq_result_clear(&result);
    }
    cr_assert_eq(n_by_worker[1], b.workers[1].n_run);
    cr_assert_eq(n_by_worker[1] + n_by_worker[2], 200);
    tear_down(&b);
}

/* --- A bounded wait, and counts ------------------------------------------- */

Test(waits, a_wait_ends_with_its_bound)
{
    struct bench b;
    dwq_result_t result;

    set_up(&b, 1, 64, 0);
    cr_assert_eq(dwq_controller_wait_next_result(b.c, 1, &result), DWQ_E_EMPTY);
    submit(&b, "run", 10e-3, 1);
    cr_assert_eq(dwq_controller_wait_next_result(b.c, 0, &result), DWQ_E_AGAIN);
    cr_assert_lt(now(&b), 1e-3);
    cr_assert_eq(dwq_controller_wait_next_result(b.c, 4e-3, &result),
                 DWQ_E_AGAIN);
    cr_assert_float_eq(now(&b), 4e-3, 1e-3);
    cr_assert_eq(dwq_controller_wait_next_result(b.c, 1, &result), DWQ_OK);
    cr_assert_float_eq(now(&b), 10e-3, 1e-3);
    dwq_result_clear(&result);
    cr_assert_eq(dwq_controller_wait_next_result(b.c, -1e-9, &result),
                 DWQ_E_ARG);
    cr_assert_eq(dwq_controller_wait_next_result(b.c, NAN, &result), DWQ_E_ARG);
    tear_down(&b);
}

static void expect_counts(struct bench *b, uint64_t queued, uint64_t held,
                          uint64_t running, uint64_t finished,
                          uint64_t collected)
{
    dwq_counts_t n;

    cr_assert_eq(dwq_controller_counts(b->c, &n), DWQ_OK);
    cr_expect_eq(n.queued, queued);
    cr_expect_eq(n.held, held);
    cr_expect_eq(n.running, running);
    cr_expect_eq(n.finished, finished);
    cr_expect_eq(n.collected, collected);
}

Test(waits, counts_tell_held_from_running)
{
    struct bench b;
    dwq_result_t result;

    set_up(&b, 1, 4, 0);
    for (int i = 0; i < 3; i++) {
        submit(&b, "run", 1e-6, 1);
    }
    expect_counts(&b, 3, 0, 0, 0, 0); /* the worker is not ready yet */
    cr_assert_eq(collect(&b, DWQ_OK), 3);
    for (int i = 0; i < 7; i++) {
        submit(&b, "run", 10e-3, 1); /* 1 us is expected */
    }
    expect_counts(&b, 3, 3, 1, 0, 3);
    cr_assert_eq(dwq_controller_get_next_result(b.c, &result), DWQ_OK);
    dwq_result_clear(&result);
    cr_assert_eq(collect(&b, DWQ_OK), 6);
    expect_counts(&b, 0, 0, 0, 0, 10);
    tear_down(&b);
}

/* --- Expected times --------------------------------------------------------- */

static uint64_t held_of_eight(struct bench *b, double time_est)
{
    dwq_counts_t n;

    for (int i = 0; i < 8; i++) {
        submit(b, "run", time_est * 1e-6, time_est);
    }
    cr_assert_eq(dwq_controller_counts(b->c, &n), DWQ_OK);
    cr_assert_eq(collect(b, DWQ_OK), 8);
    return n.held;
}

static void expect_none_held(struct bench *b, const char *function)
{
    dwq_counts_t n;

    submit(b, function, 1e-6, 1);
    submit(b, function, 1e-6, 1);
    cr_assert_eq(dwq_controller_counts(b->c, &n), DWQ_OK);
    cr_assert_eq(n.held, 0);
    cr_assert_eq(collect(b, DWQ_OK), 2);
}

/* Two have ended: not yet. Three have: and those of another function do not count. */
Test(prefetch, a_time_is_known_when_three_calls_have_ended)
{
    struct bench b;

    set_up(&b, 1, 64, 0);
    expect_none_held(&b, "run");
    expect_none_held(&b, "watched");
    expect_none_held(&b, "run"); /* the third ends before the fourth starts */
    cr_assert_gt(held_of_eight(&b, 1), 0);
    tear_down(&b);
}

Test(prefetch, estimates_in_seconds_are_known_from_the_first_call)
{
    struct bench b;
    dwq_counts_t n;

    set_up_as(&b, 1, 64, 0, INFINITY, true);
    submit(&b, "watched", 1e-6, 1e-6);
    cr_assert_eq(collect(&b, DWQ_OK), 1); /* the worker is ready, then */
    cr_assert_gt(held_of_eight(&b, 1e-6), 0);
    for (int i = 0; i < 8; i++) {
        submit(&b, "run", 1e-6, 0.5); /* whatever they took until now */
    }
    cr_assert_eq(dwq_controller_counts(b.c, &n), DWQ_OK);
    cr_assert_eq(n.held, 0);
    cr_assert_eq(collect(&b, DWQ_OK), 8);
    tear_down(&b);
}

/* Every message with a body is broken: its head, and the worker goes
 * (DWQ_E_WORKER), or its values, and the call fails (DWQ_E_TASK). The run ends. */
Test(malformed, messages_end_their_worker_or_their_task_never_the_run)
{
    struct bench b;
    dwq_result_t result;
    int n_lost = 0, n_failed = 0;

    set_up(&b, 3, 64, 1);
    for (int i = 0; i < 20; i++) {
        submit(&b, "run", 1e-3, 1);
    }
    while (dwq_controller_get_next_result(b.c, &result) == DWQ_OK) {
        n_lost += result.status == DWQ_E_WORKER;
        n_failed += result.status == DWQ_E_TASK;
        dwq_result_clear(&result);
    }
    cr_assert_gt(n_lost, 0);
    cr_assert_eq(n_lost + n_failed, 20);
    tear_down(&b);
}

Test(borrowed, an_array_is_the_users_again_with_the_result)
{
    struct bench b;
    size_t n = 1 << 20;
    double *data = calloc(n, sizeof *data);
    dwq_result_t result;

    set_up(&b, 2, 64, 0);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(
            dwq_controller_submit_call(
                b.c,
                &(dwq_task_t){ .function = "run",
                               DWQ_ARGS(1e-3, dwq_borrow(dwq_array(
                                                  DWQ_DOUBLE, data, 1, &n))) },
                NULL),
            DWQ_OK);
        cr_assert_eq(dwq_controller_get_next_result(b.c, &result), DWQ_OK);
        cr_assert_eq(result.status, DWQ_OK);
        cr_assert_eq(dwqi_sim_n_unreleased(b.sim), 0);
        dwq_result_clear(&result);
    }
    free(data);
    tear_down(&b);
}

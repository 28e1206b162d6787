/* Situations made on purpose: prefetch, delays that are counted, waits, malformed
 * messages, borrowed arrays. The random ones are in scenario.c. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "tests/sim/bench.h"

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

    set_up_as(&b, 2, 64, 0, time_limit, false, false);
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

Test(prefetch, calls_delayed_by_an_overrun_are_counted_in_the_report)
{
    struct bench b;

    set_up(&b, 1, 64, 0);
    learn(&b);
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

    set_up_as(&b, 1, 64, 0, INFINITY, true, false);
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

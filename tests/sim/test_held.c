/* What a worker holds and has not started comes back: for an idle worker, or cancelled. */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/sim/bench.h"

/* Worker 2 is busy for 2 ms, as expected; meanwhile worker 1 is given tasks that
 * take 10,000 times what is expected. What it has not started is recalled when
 * worker 2 is idle. */
static void expect_sharing(bool far)
{
    struct bench b;
    double start;
    int before;

    set_up_as(&b, 2, 64, 0, INFINITY, false, far);
    learn(&b);
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

Test(held, what_waits_behind_a_long_call_is_recalled_for_an_idle_worker)
{
    expect_sharing(true);
    expect_sharing(false);
}

/* Worker 1 is in a call of a second, of which 1 us was expected, with others behind it
 * that are held as long as it may: worker 2 has none of them until it is idle. */
Test(held, what_waits_behind_a_running_call_is_taken_by_an_idle_worker)
{
    struct bench b;
    double start;

    set_up(&b, 2, 64, 0);
    for (int i = 0; i < 50; i++) {
        submit(&b, "run", 1e-6, 1);
        submit(&b, "watched", 1e-6, 1);
    }
    cr_assert_eq(collect(&b, DWQ_OK), 100);
    start = now(&b);
    cr_assert_eq(dwq_controller_submit_call(b.c,
                                            &(dwq_task_t){ .function = "run",
                                                           .time_est = 2000,
                                                           .worker = 2,
                                                           DWQ_ARGS(2e-3) },
                                            NULL),
                 DWQ_OK);
    submit(&b, "run", 1, 1);
    b.workers[1].first_start = -1;
    for (int i = 0; i < 8; i++) {
        submit(&b, "watched", 1e-6, 1);
    }
    cr_assert_eq(collect(&b, DWQ_OK), 10);
    cr_assert_eq(b.workers[1].first_start, -1);
    cr_assert_lt(b.workers[2].first_start - start, 4e-3);
    tear_down(&b);
}

/* A RECALL is under way when the second cancel comes: it is asked for again. */
Test(held, a_cancel_while_a_recall_is_under_way_is_not_lost)
{
    struct bench b;
    uint64_t ids[8];
    dwq_result_t result;
    int n_cancelled = 0;

    set_up_as(&b, 1, 64, 0, INFINITY, false, true);
    learn(&b);
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

/* What has not started comes back at once, and is not waited for. */
Test(held, a_held_task_is_cancelled_while_another_runs)
{
    struct bench b;
    uint64_t id;
    dwq_result_t result;

    set_up(&b, 1, 64, 0);
    learn(&b);
    submit(&b, "run", 1, 1);
    submit(&b, "run", 1e-6, 1);
    id = submit(&b, "run", 1e-6, 1);
    cr_assert_eq(dwq_controller_progress(b.c), DWQ_OK);
    cr_assert_eq(dwq_controller_cancel(b.c, id), DWQ_OK);
    cr_assert_eq(dwq_controller_probe_next_result(b.c, &result), DWQ_OK);
    cr_assert_eq(result.id, id);
    cr_assert_eq(result.status, DWQ_E_CANCELLED);
    dwq_result_clear(&result);
    cr_assert_eq(collect(&b, DWQ_OK), 2);
    tear_down(&b);
}

struct stopped {
    struct dwqi_transport *transport;
    unsigned n_tasks; /* that it was sent */
};

static dwq_status_t count_tasks(void *arg)
{
    struct stopped *stopped = arg;
    struct dwqi_message message;

    while (dwqi_poll(stopped->transport, &message) == DWQ_OK) {
        stopped->n_tasks += message.tag == DWQI_TASK ? message.n_items : 0;
        dwqi_release(stopped->transport, &message);
    }
    return DWQ_E_AGAIN;
}

/* Worker 1 is stopped. What it holds is taken back for worker 2, which runs all, and worker
 * 1 is sent no more than it got at first. */
Test(held, a_worker_that_stands_still_is_not_sent_the_same_again)
{
    struct bench b;
    struct stopped stopped;
    dwq_result_t result;

    set_up(&b, 2, 64, 0);
    learn(&b);
    stopped = (struct stopped){ dwqi_sim_endpoint(b.sim, 1), 0 };
    dwqi_sim_set_step(b.sim, 1, count_tasks, &stopped, now(&b));
    for (int i = 0; i < 2000; i++) {
        submit(&b, "run", 50e-6, 50);
    }
    for (int i = 0; i < 2000; i++) {
        cr_assert_eq(dwq_controller_get_next_result(b.c, &result), DWQ_OK);
        cr_assert_eq(result.worker, 2);
        dwq_result_clear(&result);
    }
    cr_assert_leq(stopped.n_tasks, 64, "%u tasks", stopped.n_tasks);
    make_step(&b, 1);
    tear_down(&b);
}

/* --- The first task --------------------------------------------------------------- */

/* Of one test: what happens as soon as worker 1 has said that it serves. */
static struct bench *eager;
static const struct dwqi_transport_ops *sim_ops;

static dwq_status_t send_and_see(struct dwqi_transport *transport, int peer,
                                 const struct dwqi_outgoing *message)
{
    dwq_status_t status = sim_ops->send(transport, peer, message);

    if (message->tag == DWQI_READY) {
        dwqi_sim_advance(eager->sim, 0, 1e-3);
        cr_assert_eq(dwq_controller_progress(eager->c), DWQ_OK);
        cr_assert_eq(dwq_controller_cancel(eager->c, 0), DWQ_OK);
    }
    return status;
}

static dwq_status_t stand_still(void *arg)
{
    (void)arg;
    return DWQ_E_AGAIN;
}

/* The controller hears READY, sends tasks and takes them back before the worker does
 * anything more: it runs none of them. */
Test(held, what_is_taken_back_at_once_does_not_run)
{
    struct bench b;
    struct dwqi_transport *transport;
    struct dwqi_transport_ops ops;

    set_up_as(&b, 1, 64, 0, INFINITY, true, false);
    eager = &b;
    transport = dwqi_sim_endpoint(b.sim, 1);
    sim_ops = transport->ops;
    ops = *sim_ops;
    ops.send = send_and_see;
    transport->ops = &ops;
    dwqi_sim_set_step(b.sim, 1, stand_still, NULL, 0);
    for (int i = 0; i < 3; i++) {
        submit(&b, "run", 1e-6, 1e-6);
    }
    b.workers[1].begun = true;
    cr_assert_eq(b.workers[1].server->ops->begin(b.workers[1].server), DWQ_OK);
    make_step(&b, 1);
    cr_assert_eq(collect(&b, DWQ_E_CANCELLED), 3);
    tear_down(&b);
    cr_assert_eq(b.workers[1].n_run, 0);
}

/* --- While the user's thread computes ---------------------------------------------- */

/* Calls that may wait for others to travel with are left in the queue; all that the
 * workers have not heard of runs as they are fed, and the controller hears nothing
 * meanwhile. */
Test(held, the_last_calls_of_a_burst_run_before_the_next_call)
{
    struct bench b;
    dwq_counts_t counts;
    int n_before;

    set_up(&b, 2, 64, 0);
    learn(&b);
    for (int n = 2; n < 40; n++) {
        n_before = b.workers[1].n_run + b.workers[2].n_run;
        submit(&b, "run", 1e-6, 1);
        dwqi_sim_advance(b.sim, 0, 1e-4);
        cr_assert_eq(dwq_controller_progress(b.c), DWQ_OK);
        for (int i = 1; i < n; i++) {
            submit(&b, "run", 1e-6, 1);
        }
        for (int i = 0; i < 4; i++) {
            cr_assert(dwqi_sim_drain(b.sim, 10000));
            dwqi_controller_feed(b.c);
        }
        cr_assert_eq(b.workers[1].n_run + b.workers[2].n_run, n_before + n);
        cr_assert_eq(collect(&b, DWQ_OK), n);
    }
    cr_assert_eq(dwq_controller_counts(b.c, &counts), DWQ_OK);
    cr_assert_eq(counts.held + counts.queued, 0);
    tear_down(&b);
}

/* Of those whose time is not known each idle worker gets one; a time limit that has
 * passed ends it. */
Test(held, an_idle_worker_is_fed_one_long_call_at_a_time)
{
    struct bench b;

    set_up_as(&b, 2, 64, 0, 10, false, false);
    cr_assert_eq(dwq_controller_progress(b.c), DWQ_OK);
    for (int i = 0; i < 9; i++) {
        submit(&b, "watched", 1, 1);
    }
    dwqi_sim_advance(b.sim, 0, 1e-3);
    cr_assert_eq(dwq_controller_progress(b.c), DWQ_OK);
    for (int n = 1; n <= 4; n++) {
        cr_assert(dwqi_sim_drain(b.sim, 10000));
        cr_assert_eq(b.workers[1].n_run, n);
        cr_assert_eq(b.workers[2].n_run, n);
        if (n == 3) {
            dwqi_sim_advance(b.sim, 0, 4);
        }
        dwqi_controller_feed(b.c);
        dwqi_controller_feed(b.c);
    }
    cr_assert(dwqi_sim_drain(b.sim, 10000));
    cr_assert_eq(b.workers[1].n_run + b.workers[2].n_run, 9);
    cr_assert_eq(collect(&b, DWQ_OK), 9);
    tear_down(&b);
}

/* What was left at its desk comes back as what was sent. */
Test(held, what_was_fed_is_cancelled_before_it_starts)
{
    struct bench b;
    dwq_result_t result;
    int n_before;

    set_up(&b, 1, 64, 0);
    learn(&b);
    submit(&b, "run", 1e-6, 1);
    dwqi_sim_advance(b.sim, 0, 1e-4);
    cr_assert_eq(dwq_controller_progress(b.c), DWQ_OK);
    n_before = b.workers[1].n_run;
    dwqi_sim_set_step(b.sim, 1, stand_still, NULL, now(&b));
    for (int i = 0; i < 3; i++) {
        submit(&b, "run", 1e-6, 1);
    }
    dwqi_controller_feed(b.c);
    cr_assert(dwqi_desk(dwqi_sim_endpoint(b.sim, 0), 1)->has_letter);
    cr_assert_eq(dwq_controller_cancel(b.c, 0), DWQ_OK);
    make_step(&b, 1);
    cr_assert(dwqi_sim_drain(b.sim, 10000));
    cr_assert_eq(b.workers[1].n_run, n_before);
    cr_assert_not(dwqi_desk(dwqi_sim_endpoint(b.sim, 0), 1)->has_letter);
    cr_assert_eq(dwq_controller_get_next_result(b.c, &result), DWQ_OK);
    cr_assert_eq(result.status, DWQ_OK);
    dwq_result_clear(&result);
    cr_assert_eq(collect(&b, DWQ_E_CANCELLED), 3);
    tear_down(&b);
}

/* Of one test: the worker has just seen that there is no letter when one is left, and a
 * message comes after it. */
static dwq_status_t see_and_poll(struct dwqi_transport *transport,
                                 struct dwqi_message *message_out)
{
    struct bench *b = eager;

    if (b) {
        eager = NULL;
        dwqi_controller_feed(b->c);
        cr_assert(dwqi_desk(dwqi_sim_endpoint(b->sim, 0), 1)->has_letter);
        dwqi_sim_advance(b->sim, 0, 1e-2);
        submit(b, "watched", 1e-6, 1);
        cr_assert_eq(dwq_controller_progress(b->c), DWQ_OK);
        cr_assert(dwqi_sim_drain(b->sim, 100)); /* it is there */
    }
    return sim_ops->poll(transport, message_out);
}

/* What came first runs first: the claims count so, and a task that was taken back would run
 * in the place of another. */
Test(held, a_letter_is_read_before_what_was_sent_after_it)
{
    struct bench b;
    struct dwqi_transport *transport;
    struct dwqi_transport_ops ops;

    set_up(&b, 1, 64, 0);
    for (int i = 0; i < 50; i++) {
        submit(&b, "run", 1e-6, 1);
        submit(&b, "watched", 1e-6, 1);
    }
    cr_assert_eq(collect(&b, DWQ_OK), 100);
    submit(&b, "run", 1e-6, 1);
    dwqi_sim_advance(b.sim, 0, 1e-4);
    cr_assert_eq(dwq_controller_progress(b.c), DWQ_OK);
    submit(&b, "run", 1, 1);
    eager = &b;
    transport = dwqi_sim_endpoint(b.sim, 1);
    sim_ops = transport->ops;
    ops = *sim_ops;
    ops.poll = see_and_poll;
    transport->ops = &ops;
    dwqi_sim_set_step(b.sim, 1, stand_still, NULL, now(&b));
    b.workers[1].first_start = -1;
    cr_assert_eq(b.workers[1].server->ops->step(b.workers[1].server), DWQ_OK);
    cr_assert_eq(b.workers[1].first_start, -1);
    transport->ops = sim_ops;
    make_step(&b, 1);
    cr_assert_eq(collect(&b, DWQ_OK), 3);
    tear_down(&b);
}

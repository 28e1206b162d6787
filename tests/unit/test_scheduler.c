/* Which task goes to which worker: the rules one by one. */
#include <criterion/criterion.h>
#include <math.h>

#include "libdwq/queue/scheduler.h"

static const double unknown = -1;

static struct dwqi_scheduler *create(int n_workers, dwq_queue_order_t order,
                                     int held_max)
{
    struct dwqi_scheduler *s =
        dwqi_scheduler_create(n_workers, order, held_max);

    cr_assert_not_null(s);
    return s;
}

static struct dwqi_scheduler *create_ready(int n_workers)
{
    struct dwqi_scheduler *s = create(n_workers, DWQ_ORDER_FIFO, 1);

    for (int i = 1; i <= n_workers; i++) {
        dwqi_scheduler_worker_ready(s, i);
    }
    return s;
}

static void add(struct dwqi_scheduler *s, struct dwqi_job *job)
{
    if (!job->rate) {
        job->rate = &unknown;
    }
    if (job->time_est == 0) {
        job->time_est = 1;
    }
    cr_assert_eq(dwqi_scheduler_add(s, job), DWQ_OK);
}

static void add_est(struct dwqi_scheduler *s, struct dwqi_job *job, double est)
{
    *job = (struct dwqi_job){ .time_est = est };
    add(s, job);
}

/* The next assignment is this one. */
static void expect(struct dwqi_scheduler *s, const struct dwqi_job *job,
                   int worker)
{
    struct dwqi_job *got = NULL;
    int at = 0;

    cr_assert(dwqi_scheduler_next(s, &got, &at), "there is none");
    cr_assert_eq(got, job);
    cr_assert_eq(at, worker, "worker %d instead of %d", at, worker);
    cr_assert_eq(job->holder, worker);
}

static void expect_none(struct dwqi_scheduler *s)
{
    struct dwqi_job *got = NULL;
    int at = -1;

    cr_assert(!dwqi_scheduler_next(s, &got, &at));
    cr_assert_null(got, "written only on success");
    cr_assert_eq(at, -1);
}

/* --- Which worker ------------------------------------------------------- */

Test(scheduler, nobody_serves_until_it_is_ready)
{
    struct dwqi_scheduler *s = create(2, DWQ_ORDER_FIFO, 1);
    struct dwqi_job a = { 0 };

    add(s, &a);
    expect_none(s);
    cr_assert_eq(dwqi_scheduler_idle_worker(s), 0);
    dwqi_scheduler_worker_ready(s, 2);
    cr_assert_eq(dwqi_scheduler_idle_worker(s), 2);
    expect(s, &a, 2);
    dwqi_scheduler_destroy(s);
}

Test(scheduler, least_estimate_wins_and_ties_go_to_the_lower_number)
{
    struct dwqi_scheduler *s = create(3, DWQ_ORDER_FIFO, 1);
    struct dwqi_job a, b, c, d, e;

    for (int i = 3; i >= 1; i--) {
        dwqi_scheduler_worker_ready(s, i);
    }
    add_est(s, &a, 5);
    add_est(s, &b, 2);
    add_est(s, &c, 2);
    add_est(s, &d, 1);
    add_est(s, &e, 4);
    expect(s, &a, 1);
    expect(s, &b, 2);
    expect(s, &c, 3);
    expect_none(s);
    dwqi_scheduler_done(s, &a);
    dwqi_scheduler_done(s, &c);
    dwqi_scheduler_done(s, &b);
    expect(s, &d, 2); /* 5, 2, 2: a tie */
    expect(s, &e, 3); /* 5, 3, 2 */
    dwqi_scheduler_done(s, &d);
    dwqi_scheduler_done(s, &e);
    cr_assert_eq(dwqi_scheduler_total_est(s, 1), 5);
    cr_assert_eq(dwqi_scheduler_total_est(s, 2), 3);
    cr_assert_eq(dwqi_scheduler_total_est(s, 3), 6);
    cr_assert_eq(dwqi_scheduler_idle_worker(s), 2);
    dwqi_scheduler_destroy(s);
}

Test(scheduler, estimate_is_charged_once_and_not_when_given_back)
{
    struct dwqi_scheduler *s = create_ready(2);
    struct dwqi_job a, b;

    add_est(s, &a, 8);
    cr_assert_eq(dwqi_scheduler_total_est(s, 1), 0, "waiting costs nothing");
    expect(s, &a, 1);
    cr_assert_eq(dwqi_scheduler_total_est(s, 1), 8);
    cr_assert_eq(dwqi_scheduler_n_running(s), 1);
    dwqi_scheduler_give_back(s, &a);
    cr_assert_eq(dwqi_scheduler_total_est(s, 1), 0);
    cr_assert_eq(a.holder, 0);
    cr_assert_eq(dwqi_scheduler_n_running(s), 0);
    cr_assert_eq(dwqi_scheduler_n_waiting(s), 1);
    expect(s, &a, 1);
    dwqi_scheduler_done(s, &a);
    cr_assert_eq(dwqi_scheduler_total_est(s, 1), 8, "done charges no more");
    cr_assert_eq(dwqi_scheduler_total_est(s, 2), 0);

    add_est(s, &b, 3);
    expect(s, &b, 2);
    dwqi_scheduler_worker_gone(s, 2);
    dwqi_scheduler_give_back(s, &b);
    expect(s, &b, 1);
    cr_assert_eq(dwqi_scheduler_total_est(s, 1), 11, "who ran it pays");
    cr_assert_eq(dwqi_scheduler_total_est(s, 2), 0);
    dwqi_scheduler_destroy(s);
}

Test(scheduler, given_back_job_waits_at_its_old_place)
{
    struct dwqi_scheduler *s = create_ready(1);
    struct dwqi_job a, b;

    add_est(s, &a, 1);
    add_est(s, &b, 1);
    expect(s, &a, 1);
    dwqi_scheduler_give_back(s, &a);
    expect(s, &a, 1);
    dwqi_scheduler_done(s, &a);
    expect(s, &b, 1);
    dwqi_scheduler_destroy(s);
}

Test(scheduler, bound_job_waits_for_its_worker)
{
    struct dwqi_scheduler *s = create_ready(2);
    struct dwqi_job a, any;
    struct dwqi_job bound = { .worker = 1, .binding = true };

    add_est(s, &a, 1);
    expect(s, &a, 1);
    add(s, &bound);
    expect_none(s); /* worker 2 is free, and not meant */
    add_est(s, &any, 1);
    expect(s, &any, 2); /* what any may take does not wait behind it */
    dwqi_scheduler_done(s, &any);
    expect_none(s);
    cr_assert_eq(dwqi_scheduler_any_bound(s, 1), &bound);
    cr_assert_null(dwqi_scheduler_any_bound(s, 2));
    cr_assert_eq(dwqi_scheduler_any_waiting(s), &bound);
    dwqi_scheduler_done(s, &a);
    expect(s, &bound, 1);
    cr_assert_null(dwqi_scheduler_any_waiting(s));
    dwqi_scheduler_destroy(s);
}

Test(scheduler, bound_job_goes_to_a_ready_worker_with_more_behind_it)
{
    struct dwqi_scheduler *s = create_ready(3);
    struct dwqi_job a;
    struct dwqi_job bound = { .worker = 1, .binding = true };

    add_est(s, &a, 100);
    expect(s, &a, 1);
    dwqi_scheduler_done(s, &a);
    add(s, &bound);
    expect(s, &bound, 1);
    dwqi_scheduler_destroy(s);
}

Test(scheduler, wish_is_granted_only_if_that_worker_is_free)
{
    struct dwqi_scheduler *s = create_ready(3);
    struct dwqi_job a = { .worker = 2, .time_est = 5 };
    struct dwqi_job b = { .worker = 2 }, c = { .worker = 2 };

    add(s, &a);
    expect(s, &a, 2);
    add(s, &b);
    expect(s, &b, 1); /* 2 is busy: the least loaded */
    dwqi_scheduler_done(s, &b);
    add(s, &c);
    expect(s, &c, 3); /* 1 has got 1, 3 nothing */
    dwqi_scheduler_done(s, &a);
    dwqi_scheduler_done(s, &c);
    add(s, &c);
    expect(s, &c, 2); /* ready again, whatever it has got */
    dwqi_scheduler_destroy(s);
}

Test(scheduler, wish_for_a_worker_that_is_gone_goes_to_another)
{
    struct dwqi_scheduler *s = create_ready(2);
    struct dwqi_job a = { .worker = 1 };

    dwqi_scheduler_worker_gone(s, 1);
    add(s, &a);
    expect(s, &a, 2);
    dwqi_scheduler_destroy(s);
}

/* --- Which job ---------------------------------------------------------- */

Test(scheduler, priority_then_order_of_submission)
{
    struct dwqi_scheduler *s = create_ready(1);
    struct dwqi_job low = { .priority = -1 }, a = { .time_est = 1 };
    struct dwqi_job b = { .time_est = 9 }, high = { .priority = 7 };

    add(s, &low);
    add(s, &a);
    add(s, &b);
    add(s, &high);
    expect(s, &high, 1);
    dwqi_scheduler_done(s, &high);
    expect(s, &a, 1);
    dwqi_scheduler_done(s, &a);
    expect(s, &b, 1);
    dwqi_scheduler_done(s, &b);
    expect(s, &low, 1);
    dwqi_scheduler_destroy(s);
}

Test(scheduler, longest_first_within_one_priority)
{
    struct dwqi_scheduler *s = create(1, DWQ_ORDER_LONGEST_FIRST, 1);
    struct dwqi_job a = { .time_est = 1 }, b = { .time_est = 3 };
    struct dwqi_job c = { .time_est = 2 }, d = { .time_est = 3 };
    struct dwqi_job high = { .time_est = 0.5, .priority = 1 };
    struct dwqi_job *const wanted[] = { &high, &b, &d, &c, &a };

    add(s, &a);
    add(s, &b);
    add(s, &c);
    add(s, &d);
    add(s, &high);
    dwqi_scheduler_worker_ready(s, 1);
    for (int i = 0; i < 5; i++) {
        expect(s, wanted[i], 1);
        dwqi_scheduler_done(s, wanted[i]);
    }
    dwqi_scheduler_destroy(s);
}

/* A heap alone would not keep it. */
static void equal_keys_keep_order(dwq_queue_order_t order)
{
    enum {
        N = 1000
    };
    struct dwqi_scheduler *s = create(1, order, 1);
    static struct dwqi_job jobs[N];

    for (int i = 0; i < N; i++) {
        add_est(s, &jobs[i], 2.5);
    }
    dwqi_scheduler_worker_ready(s, 1);
    for (int i = 0; i < N; i++) {
        expect(s, &jobs[i], 1);
        dwqi_scheduler_done(s, &jobs[i]);
    }
    dwqi_scheduler_destroy(s);
}

Test(scheduler, equal_estimates_keep_the_order_of_submission)
{
    equal_keys_keep_order(DWQ_ORDER_LONGEST_FIRST);
}

Test(scheduler, fifo_keeps_the_order_of_submission)
{
    equal_keys_keep_order(DWQ_ORDER_FIFO);
}

Test(scheduler, bound_jobs_stand_in_the_same_order_as_the_others)
{
    struct dwqi_scheduler *s = create(1, DWQ_ORDER_FIFO, 1);
    struct dwqi_job first = { .worker = 1, .binding = true };
    struct dwqi_job second = { 0 };
    struct dwqi_job third = { .worker = 1, .binding = true };
    struct dwqi_job urgent = { .worker = 1, .binding = true, .priority = 1 };
    struct dwqi_job *const wanted[] = { &urgent, &first, &second, &third };

    add(s, &first);
    add(s, &second);
    add(s, &third);
    add(s, &urgent);
    dwqi_scheduler_worker_ready(s, 1);
    for (int i = 0; i < 4; i++) {
        expect(s, wanted[i], 1);
        dwqi_scheduler_done(s, wanted[i]);
    }
    dwqi_scheduler_destroy(s);
}

Test(scheduler, removal_from_the_middle_leaves_the_rest_in_order)
{
    enum {
        N = 200
    };
    struct dwqi_scheduler *s = create(1, DWQ_ORDER_FIFO, 1);
    static struct dwqi_job jobs[N];

    for (int i = 0; i < N; i++) {
        jobs[i] = (struct dwqi_job){ .worker = i % 4 == 0, .binding = true };
        add(s, &jobs[i]);
    }
    for (int i = 0; i < N; i += 3) { /* first and last of both queues, too */
        dwqi_scheduler_remove(s, &jobs[i]);
    }
    dwqi_scheduler_remove(s, &jobs[N - 1]);
    cr_assert_eq(dwqi_scheduler_n_waiting(s), N - (N + 2) / 3 - 1);
    dwqi_scheduler_worker_ready(s, 1);
    for (int i = 0; i < N - 1; i++) {
        if (i % 3 != 0) {
            expect(s, &jobs[i], 1);
            dwqi_scheduler_done(s, &jobs[i]);
        }
    }
    expect_none(s);
    cr_assert_eq(dwqi_scheduler_n_waiting(s), 0);
    dwqi_scheduler_destroy(s);
}

/* --- Workers that are gone ---------------------------------------------- */

Test(scheduler, worker_that_is_gone_gets_nothing)
{
    struct dwqi_scheduler *s = create_ready(2);
    struct dwqi_job a, b;
    struct dwqi_job bound = { .worker = 1, .binding = true };

    add(s, &bound);
    dwqi_scheduler_worker_gone(s, 1);
    cr_assert(dwqi_scheduler_is_gone(s, 1));
    cr_assert(!dwqi_scheduler_is_gone(s, 2));
    cr_assert_eq(dwqi_scheduler_n_gone(s), 1);
    dwqi_scheduler_worker_gone(s, 1);
    cr_assert_eq(dwqi_scheduler_n_gone(s), 1, "counted once");
    add_est(s, &a, 1);
    add_est(s, &b, 1);
    expect(s, &a, 2);
    expect_none(s);
    dwqi_scheduler_worker_ready(s, 1); /* said too late */
    expect_none(s);
    cr_assert_eq(dwqi_scheduler_idle_worker(s), 0);
    cr_assert_eq(dwqi_scheduler_any_bound(s, 1), &bound, "for its result");
    dwqi_scheduler_remove(s, &bound);
    cr_assert_null(dwqi_scheduler_any_bound(s, 1));
    dwqi_scheduler_worker_gone(s, 2);
    dwqi_scheduler_done(s, &a);
    expect_none(s);
    cr_assert_eq(dwqi_scheduler_any_waiting(s), &b);
    cr_assert_eq(dwqi_scheduler_n_gone(s), 2);
    dwqi_scheduler_destroy(s);
}

Test(scheduler, destroy_accepts_null)
{
    dwqi_scheduler_destroy(NULL);
}

/* More than there was room for, while some hold jobs and others have them bound. */
Test(scheduler, workers_that_come_later_take_jobs)
{
    struct dwqi_scheduler *s = create_ready(1);
    struct dwqi_job bound = { .worker = 1, .binding = true };
    struct dwqi_job jobs[100] = { { 0 } };
    struct dwqi_job *job;
    int worker;

    for (int i = 0; i < 100; i++) {
        add(s, &jobs[i]);
    }
    add(s, &bound);
    for (int w = 1; w <= 100; w++) {
        if (w > 1) {
            cr_assert_eq(dwqi_scheduler_add_worker(s), DWQ_OK);
            cr_assert_not(dwqi_scheduler_next(s, &job, &worker));
            dwqi_scheduler_worker_ready(s, w);
        }
        cr_assert(dwqi_scheduler_next(s, &job, &worker));
        cr_assert_eq(worker, w);
        cr_assert_eq(job, &jobs[w - 1]);
    }
    dwqi_scheduler_done(s, &jobs[0]);
    cr_assert(dwqi_scheduler_next(s, &job, &worker));
    cr_assert_eq(job, &bound);
    cr_assert_eq(worker, 1);
    dwqi_scheduler_done(s, &bound);
    for (int w = 2; w <= 100; w++) {
        dwqi_scheduler_done(s, &jobs[w - 1]);
    }
    dwqi_scheduler_destroy(s);
}

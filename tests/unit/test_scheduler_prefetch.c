/* Jobs of known, short time that a worker holds beyond the one it runs. */
#include <criterion/criterion.h>
#include <math.h>

#include "libdwq/queue/scheduler.h"

#define MICRO 1e-6

static const double unknown = -1;
static const double micro = MICRO; /* seconds per unit of estimate */

static struct dwqi_scheduler *create_ready(int n_workers, int held_max)
{
    struct dwqi_scheduler *s =
        dwqi_scheduler_create(n_workers, DWQ_ORDER_FIFO, held_max);

    cr_assert_not_null(s);
    for (int i = 1; i <= n_workers; i++) {
        dwqi_scheduler_worker_ready(s, i);
    }
    return s;
}

/* n jobs of `micros` expected microseconds each; < 0: of unknown time. */
static void add(struct dwqi_scheduler *s, struct dwqi_job *jobs, int n,
                double micros)
{
    for (int i = 0; i < n; i++) {
        jobs[i].rate = micros < 0 ? &unknown : &micro;
        jobs[i].time_est = fabs(micros);
        cr_assert_eq(dwqi_scheduler_add(s, &jobs[i]), DWQ_OK);
    }
}

/* Assigns all that can be; how many. */
static int assign_all(struct dwqi_scheduler *s)
{
    struct dwqi_job *job;
    int worker, n = 0;

    while (dwqi_scheduler_next(s, &job, &worker)) {
        n++;
    }
    return n;
}

Test(prefetch, unknown_time_is_never_prefetched)
{
    struct dwqi_scheduler *s = create_ready(1, 64);
    struct dwqi_job jobs[3] = { { 0 } },
                    bound = { .worker = 1, .binding = true };

    add(s, jobs, 3, -1);
    cr_assert_eq(assign_all(s), 1);
    dwqi_scheduler_done(s, &jobs[0]);
    cr_assert_eq(assign_all(s), 1);
    add(s, &bound, 1, -1);
    cr_assert_eq(assign_all(s), 0);
    dwqi_scheduler_destroy(s);
}

Test(prefetch, nothing_is_put_behind_a_job_of_unknown_time)
{
    struct dwqi_scheduler *s = create_ready(1, 64);
    struct dwqi_job first = { 0 }, jobs[3] = { { 0 } };

    add(s, &first, 1, -1);
    cr_assert_eq(assign_all(s), 1);
    add(s, jobs, 3, 1);
    cr_assert_eq(assign_all(s), 0);
    dwqi_scheduler_done(s, &first);
    cr_assert_eq(assign_all(s), 3);
    dwqi_scheduler_destroy(s);
}

Test(prefetch, time_that_is_learned_later_counts_from_then_on)
{
    struct dwqi_scheduler *s = create_ready(1, 64);
    double rate = -1;
    struct dwqi_job jobs[4];

    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct dwqi_job){ .rate = &rate, .time_est = 2 };
        cr_assert_eq(dwqi_scheduler_add(s, &jobs[i]), DWQ_OK);
    }
    cr_assert_eq(assign_all(s), 1);
    rate = 3 * MICRO;
    dwqi_scheduler_done(s, &jobs[0]);
    cr_assert_eq(assign_all(s), 3);
    cr_assert(fabs(dwqi_scheduler_held_expected(s, 1) - 18 * MICRO) < 1e-12);
    dwqi_scheduler_destroy(s);
}

Test(prefetch, held_max_of_one_is_off)
{
    for (int held_max = -1; held_max <= 1; held_max++) {
        struct dwqi_scheduler *s = create_ready(2, held_max);
        struct dwqi_job jobs[6] = { { 0 } };

        add(s, jobs, 6, 1);
        cr_assert_eq(assign_all(s), 2);
        cr_assert_eq(dwqi_scheduler_n_held(s, 1), 1);
        cr_assert_eq(dwqi_scheduler_n_held(s, 2), 1);
        dwqi_scheduler_done(s, &jobs[0]);
        cr_assert_eq(assign_all(s), 1);
        dwqi_scheduler_destroy(s);
    }
}

Test(prefetch, holds_as_many_as_it_may_oldest_first)
{
    struct dwqi_scheduler *s = create_ready(1, 5);
    struct dwqi_job jobs[20] = { { 0 } }, *held;

    add(s, jobs, 20, 1);
    cr_assert_eq(assign_all(s), 5);
    cr_assert_eq(dwqi_scheduler_n_held(s, 1), 5);
    cr_assert_eq(dwqi_scheduler_n_running(s), 5);
    cr_assert_eq(dwqi_scheduler_n_waiting(s), 15);
    cr_assert_eq(dwqi_scheduler_total_est(s, 1), 5);
    held = dwqi_scheduler_held(s, 1);
    for (int i = 0; i < 5; i++, held = held->next) {
        cr_assert_eq(held, &jobs[i]);
    }
    cr_assert_null(held);
    dwqi_scheduler_destroy(s);
}

Test(prefetch, sum_of_expected_time_is_bounded)
{
    struct dwqi_scheduler *s = create_ready(1, 64);
    struct dwqi_job jobs[20] = { { 0 } };

    add(s, jobs, 20, 300); /* 3 x 300 us are below 1 ms, 4 x 300 above */
    cr_assert_eq(assign_all(s), 3);
    cr_assert_leq(dwqi_scheduler_held_expected(s, 1), DWQI_HELD_MAX);
    cr_assert(fabs(dwqi_scheduler_held_expected(s, 1) - 900 * MICRO) < 1e-12);
    dwqi_scheduler_destroy(s);
}

Test(prefetch, long_job_is_taken_alone)
{
    struct dwqi_scheduler *s = create_ready(1, 64);
    struct dwqi_job long_one = { 0 }, short_one = { 0 }, other = { 0 };

    add(s, &long_one, 1, 5e6);
    add(s, &short_one, 1, 1);
    cr_assert_eq(assign_all(s), 1);
    cr_assert_eq(long_one.holder, 1);
    dwqi_scheduler_done(s, &long_one);
    add(s, &other, 1, 5e6);
    cr_assert_eq(assign_all(s), 1, "nor is it put behind a short one");
    cr_assert_eq(short_one.holder, 1);
    dwqi_scheduler_destroy(s);
}

Test(prefetch, refills_only_from_half_down)
{
    struct dwqi_scheduler *s = create_ready(1, 8);
    struct dwqi_job jobs[40] = { { 0 } };

    add(s, jobs, 40, 1);
    cr_assert_eq(assign_all(s), 8);
    for (int i = 0; i < 3; i++) {
        dwqi_scheduler_done(s, &jobs[i]);
        cr_assert_eq(assign_all(s), 0, "%d are held", 7 - i);
    }
    dwqi_scheduler_done(s, &jobs[3]); /* 4 are left: half */
    cr_assert_eq(assign_all(s), 4, "and then until it holds all");
    dwqi_scheduler_done(s, &jobs[4]);
    cr_assert_eq(assign_all(s), 0);
    dwqi_scheduler_destroy(s);
}

Test(prefetch, idle_workers_come_first_then_the_least_expected_time)
{
    struct dwqi_scheduler *s = create_ready(3, 8);
    struct dwqi_job a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 }, e = { 0 };

    add(s, &a, 1, 50);
    add(s, &b, 1, 10);
    add(s, &c, 1, 30);
    add(s, &d, 1, 5);
    add(s, &e, 1, 30);
    cr_assert_eq(assign_all(s), 5);
    cr_assert_eq(a.holder, 1);
    cr_assert_eq(b.holder, 2);
    cr_assert_eq(c.holder, 3);
    cr_assert_eq(d.holder, 2); /* holds 50, 10, 30 */
    cr_assert_eq(e.holder, 2); /* 50, 15, 30 */
    dwqi_scheduler_destroy(s);
}

/* An expected time of 0 (a clock that is too coarse, or what a sum of rounded
 * numbers leaves) does not make a busy worker look idle. */
Test(prefetch, jobs_of_no_time_do_not_hide_an_idle_worker)
{
    static const double none = 0;
    struct dwqi_scheduler *s = create_ready(2, 8);
    struct dwqi_job bound = {
        .worker = 1, .binding = true, .rate = &none, .time_est = 1
    };
    struct dwqi_job before = {
        .worker = 2, .binding = true, .rate = &unknown, .time_est = 5
    };
    struct dwqi_job next = { .rate = &unknown, .time_est = 1 };

    cr_assert_eq(dwqi_scheduler_add(s, &before), DWQ_OK);
    cr_assert_eq(assign_all(s), 1);
    dwqi_scheduler_done(s, &before); /* so that 2 has got more than 1 */
    cr_assert_eq(dwqi_scheduler_add(s, &bound), DWQ_OK);
    cr_assert_eq(assign_all(s), 1);
    cr_assert_eq(dwqi_scheduler_idle_worker(s), 2);
    cr_assert_eq(dwqi_scheduler_add(s, &next), DWQ_OK);
    cr_assert_eq(assign_all(s), 1);
    cr_assert_eq(next.holder, 2);
    dwqi_scheduler_destroy(s);
}

Test(prefetch, bound_jobs_are_prefetched_to_their_worker_only)
{
    struct dwqi_scheduler *s = create_ready(2, 8);
    struct dwqi_job bound[12] = { { 0 } };

    for (int i = 0; i < 12; i++) {
        bound[i].worker = 2;
        bound[i].binding = true;
    }
    add(s, bound, 12, 1);
    cr_assert_eq(assign_all(s), 8);
    cr_assert_eq(dwqi_scheduler_n_held(s, 2), 8);
    cr_assert_eq(dwqi_scheduler_n_held(s, 1), 0);
    cr_assert_eq(dwqi_scheduler_idle_worker(s), 1);
    for (int i = 0; i < 8; i++) {
        cr_assert_eq(bound[i].holder, 2);
        cr_assert_eq(bound[i + 4].worker, 2);
    }
    dwqi_scheduler_destroy(s);
}

Test(prefetch, wish_is_granted_on_top_of_what_is_held_if_it_fits)
{
    struct dwqi_scheduler *s = create_ready(2, 8);
    struct dwqi_job a = { .worker = 1 }, b = { .worker = 1 };
    struct dwqi_job c = { .worker = 1 }, d = { .worker = 1 };

    add(s, &a, 1, 400);
    add(s, &d, 1, 100);
    cr_assert_eq(assign_all(s), 2);
    cr_assert_eq(a.holder, 1);
    cr_assert_eq(d.holder, 2, "never behind others while a worker is idle");
    add(s, &b, 1, 100);
    cr_assert_eq(assign_all(s), 1);
    cr_assert_eq(b.holder, 1);
    add(s, &c, 1, 800); /* 1 ms is passed */
    cr_assert_eq(assign_all(s), 1);
    cr_assert_eq(c.holder, 2);
    dwqi_scheduler_destroy(s);
}

Test(prefetch, given_back_jobs_are_uncharged_and_keep_their_places)
{
    struct dwqi_scheduler *s = create_ready(2, 4);
    struct dwqi_job jobs[5] = { { 0 } };

    dwqi_scheduler_worker_gone(s, 2);
    add(s, jobs, 5, 1);
    cr_assert_eq(assign_all(s), 4);
    dwqi_scheduler_worker_gone(s, 1);
    dwqi_scheduler_give_back(s, &jobs[3]);
    dwqi_scheduler_give_back(s, &jobs[1]);
    dwqi_scheduler_give_back(s, &jobs[2]);
    cr_assert_eq(dwqi_scheduler_n_held(s, 1), 1);
    cr_assert_eq(dwqi_scheduler_held(s, 1), &jobs[0]);
    cr_assert_eq(dwqi_scheduler_total_est(s, 1), 1);
    cr_assert(fabs(dwqi_scheduler_held_expected(s, 1) - MICRO) < 1e-15);
    for (int i = 1; i < 5; i++) {
        cr_assert_eq(dwqi_scheduler_any_waiting(s), &jobs[i]);
        dwqi_scheduler_remove(s, &jobs[i]);
    }
    cr_assert_eq(dwqi_scheduler_n_waiting(s), 0);
    dwqi_scheduler_done(s, &jobs[0]);
    cr_assert_eq(dwqi_scheduler_held_expected(s, 1), 0);
    cr_assert_null(dwqi_scheduler_held(s, 1));
    dwqi_scheduler_destroy(s);
}

/* --- Who could give something back -------------------------------------- */

/* Bit w is set: next_holder() lists worker w. */
static unsigned holders(const struct dwqi_scheduler *s)
{
    unsigned set = 0;

    for (int w = dwqi_scheduler_next_holder(s, 0); w != 0;
         w = dwqi_scheduler_next_holder(s, w)) {
        cr_assert_eq(set & 1u << w, 0, "worker %d is listed twice", w);
        set |= 1u << w;
    }
    return set;
}

Test(prefetch, holders_are_the_workers_with_two_jobs_that_can_move)
{
    struct dwqi_scheduler *s = create_ready(3, 4);
    struct dwqi_job jobs[9] = { { 0 } }, bound[2] = { { 0 } };

    cr_assert_eq(holders(s), 0);
    for (int i = 0; i < 9; i++) {
        jobs[i].worker = 1 + i / 3; /* a wish: can move */
    }
    for (int i = 0; i < 9; i += 3) {
        add(s, jobs + i, 1, 1);
    }
    assign_all(s);
    cr_assert_eq(holders(s), 0, "each runs one");
    add(s, jobs + 1, 1, 1);
    assign_all(s);
    cr_assert_eq(holders(s), 1u << 1);
    add(s, jobs + 4, 2, 1);
    add(s, jobs + 7, 2, 1);
    assign_all(s);
    cr_assert_eq(holders(s), 1u << 1 | 1u << 2 | 1u << 3);
    dwqi_scheduler_done(s, &jobs[3]);
    dwqi_scheduler_give_back(s, &jobs[4]);
    cr_assert_eq(holders(s), 1u << 1 | 1u << 3, "from the middle");
    dwqi_scheduler_remove(s, &jobs[4]);
    bound[0] = bound[1] = (struct dwqi_job){ .worker = 2, .binding = true };
    add(s, bound, 2, 1);
    assign_all(s);
    cr_assert_eq(dwqi_scheduler_n_held(s, 2), 3);
    cr_assert_eq(holders(s), 1u << 1 | 1u << 3, "bound jobs stay");
    dwqi_scheduler_worker_gone(s, 3);
    cr_assert_eq(holders(s), 1u << 1);
    dwqi_scheduler_done(s, &jobs[0]);
    cr_assert_eq(holders(s), 0);
    dwqi_scheduler_destroy(s);
}

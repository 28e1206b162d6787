/* Broker and ranks of one group in situations made on purpose; the random ones are
 * in scenario_groups.c. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/group/team_private.h"
#include "libdwq/queue/controller.h"
#include "libdwq/queue/task.h"
#include "tests/sim/work.h"

#define EVENTS_MAX 1000000

/* The whole of it: controller, one group. */
struct one {
    struct dwqi_sim *sim;
    struct dwqi_log log;
    struct sim_group group;
    struct work_data data;
    dwq_controller_t *c;
    int n_entered; /* calls, of all ranks */
};

static void quiet(const char *line, void *arg)
{
    (void)line;
    (void)arg;
}

/* work(), but the first rank beside the broker has said READY before, in a message that
 * cannot be read. */
static int loses_ready(dwq_call_t *call, void *arg)
{
    struct sim_rank *rank = arg;
    static const char body[64];
    struct dwqi_extent part = { body, sizeof body };

    if (rank->merged == 1) {
        dwqi_send(dwqi_sim_endpoint(rank->group->config.sim, rank->endpoint), 0,
                  &(struct dwqi_outgoing){ .tag = (enum dwqi_tag)200,
                                           .n_items = 1,
                                           .parts = &part,
                                           .n_parts = 1 });
        rank->team->n_ready_said++;
    }
    return work_run(call, arg);
}

static void count_entered(void *arg, const struct sim_rank *rank, int64_t index)
{
    struct one *o = arg;

    (void)rank;
    (void)index;
    o->n_entered++;
}

/* A worker may hold held_max tasks; after time_limit neither it nor the controller
 * starts one. */
static void set_up_limited(struct one *o, int n_ranks, bool inside, bool gather,
                           size_t coll_max, int held_max, double time_limit)
{
    static const dwq_function_t functions[] = { WORK_FUNCTION,
                                                { "loses_ready", loses_ready,
                                                  NULL },
                                                { NULL, NULL, NULL } };

    o->log = (struct dwqi_log){ .line = quiet };
    o->n_entered = 0;
    o->sim = dwqi_sim_create(&(struct dwqi_sim_config){
        .n_endpoints = 2 + GROUP_MAX, .seed = 5, .mean_delay = 1e-5 });
    work_data_init(&o->data);
    dwqi_controller_create(
        &(struct dwqi_controller_config){ .queue.transport =
                                              dwqi_sim_endpoint(o->sim, 0),
                                          .queue.log = &o->log,
                                          .n_workers = 1,
                                          .peers = (const int[]){ 1 },
                                          .queue.held_max = held_max,
                                          .queue.time_limit = time_limit,
                                          .queue.grace_end = INFINITY },
        &o->c);
    sim_group_init(&o->group,
                   &(struct sim_group_config){ .sim = o->sim,
                                               .log = &o->log,
                                               .functions = functions,
                                               .number = 1,
                                               .first = 2,
                                               .n_ranks = n_ranks,
                                               .inside = inside,
                                               .gather = gather,
                                               .seed = 6,
                                               .mean_delay = 1e-5,
                                               .coll_max = coll_max,
                                               .time_limit = time_limit,
                                               .entered = count_entered,
                                               .arg = o });
}

static void set_up(struct one *o, int n_ranks, bool inside, bool gather,
                   size_t coll_max)
{
    set_up_limited(o, n_ranks, inside, gather, coll_max, 1, INFINITY);
}

static void tear_down(struct one *o)
{
    const char *what;

    cr_assert_eq(dwqi_controller_close(o->c, false), DWQ_OK);
    cr_assert(dwqi_sim_drain(o->sim, EVENTS_MAX));
    what = sim_group_fault(&o->group);
    cr_assert_null(what, "%s", what);
    cr_assert_eq(dwqi_sim_error(o->sim), DWQ_OK);
    cr_assert_eq(dwqi_sim_n_unreleased(o->sim), 0);
    dwqi_controller_destroy(o->c);
    sim_group_finish(&o->group);
    dwqi_sim_destroy(o->sim);
}

/* Run one task; its result is right. */
static void run_function(struct one *o, const char *function,
                         const struct work *work, dwq_status_t expected)
{
    struct work_task task;
    dwq_result_t result;
    const char *what;

    work_make(work, &o->data, &task);
    task.task.function = function;
    cr_assert_eq(dwq_controller_submit_call(o->c, &task.task, NULL), DWQ_OK);
    cr_assert_eq(dwq_controller_get_next_result(o->c, &result), DWQ_OK);
    cr_assert_eq(result.status, expected, "%s", result.message);
    what = work_fault(work, &result, o->group.config.n_ranks);
    cr_assert_null(what, "%s", what);
    dwq_result_clear(&result);
}

static void run(struct one *o, const struct work *work, dwq_status_t expected)
{
    run_function(o, "work", work, expected);
}

static uint64_t n_collectives(struct one *o, const struct work *work)
{
    uint64_t before = dwqi_coll_sim_n_begun(o->group.colls);

    run(o, work, DWQ_OK);
    return dwqi_coll_sim_n_begun(o->group.colls) - before;
}

/* --- The gather mode ---------------------------------------------------------- */

/* must_hold: a broker does not copy a task once per rank. One frame down, one up; the
 * next order's frame is begun by the ranks that wait for it. */
Test(gather, small_tasks_and_shared_arrays_take_few_collectives)
{
    struct one o;
    struct work small = { .x = 1 };
    struct work shared = { .x = 1,
                           .n_arrays = 1,
                           .arrays = { { 20, 300, false, false, false } } };
    struct work scattered = { .x = 1,
                              .n_arrays = 1,
                              .arrays = { { 20, 300, true, false, false } } };
    struct work large = { .x = 1, .large = 5, .n_large = 1000 };

    set_up(&o, 4, false, true, (size_t)1 << 30);
    sim_group_start(&o.group);
    run(&o, &small, DWQ_OK);
    cr_assert_eq(n_collectives(&o, &small), 2);
    cr_assert_eq(n_collectives(&o, &shared), 3);    /* + bcast */
    cr_assert_eq(n_collectives(&o, &scattered), 4); /* + head, rows */
    cr_assert_eq(n_collectives(&o, &large), 4);     /* + COLLECT, gatherv */
    tear_down(&o);
}

/* Two arrays whose rows go by message, sent without a break: the second comes while
 * a rank still waits for the first. */
Test(gather, rows_of_several_segments_by_message)
{
    struct one o;
    struct work work = { .x = 1,
                         .n_arrays = 4,
                         .arrays = { { 40, 64, true, false, false },
                                     { 2, 1000, true, false, false },
                                     { 0, 64, true, false, false },
                                     { 40, 300, true, true, false } } };

    for (int inside = 0; inside <= 1; inside++) {
        set_up(&o, 3, inside != 0, true, 1024);
        sim_group_start(&o.group);
        for (int i = 0; i < 5; i++) {
            run(&o, &work, DWQ_OK);
        }
        tear_down(&o);
    }
}

/* Too large for one gatherv in all: they come as messages, perhaps before the frame
 * that asked for them has left. */
Test(gather, large_parts_by_message)
{
    struct one o;
    struct work work = { .x = 1, .large = 7, .n_large = 500, .owned = true };

    for (int inside = 0; inside <= 1; inside++) {
        set_up(&o, 3, inside != 0, true, 4096);
        sim_group_start(&o.group);
        for (int i = 0; i < 20; i++) {
            run(&o, &work, DWQ_OK);
        }
        tear_down(&o);
    }
}

/* A group of one has nobody to wait for, and still ends its collectives. */
Test(gather, a_group_of_one_inside)
{
    struct one o;
    struct work work = { .x = 1, .large = 1, .n_large = 9000 };

    set_up(&o, 1, true, true, (size_t)1 << 30);
    sim_group_start(&o.group);
    for (int i = 0; i < 20; i++) {
        run(&o, &work, DWQ_OK);
    }
    tear_down(&o);
}

/* A transfer that is over is polled for no more: an idle broker sleeps. */
Test(gather, a_broker_is_idle_after_large_parts)
{
    struct one o;
    struct work work = { .x = 1, .large = 7, .n_large = 9000 };

    set_up(&o, 3, false, true, (size_t)1 << 30);
    sim_group_start(&o.group);
    run(&o, &work, DWQ_OK);
    for (int m = 0; m < o.group.n_merged; m++) {
        cr_assert_eq(dwqi_sim_n_moving(o.sim, o.group.ranks[m].endpoint), 0,
                     "merged rank %d", m);
    }
    tear_down(&o);
}

/* More than 30 segments: their table has a broadcast of its own. */
Test(gather, a_table_of_segments_that_fills_more_than_a_frame)
{
    struct one o;
    struct work work = { .x = 1, .n_arrays = WORK_ARRAYS_MAX };

    for (int k = 0; k < WORK_ARRAYS_MAX; k++) {
        work.arrays[k] = (struct work_array){ 5, 3, true, k % 2, false };
    }
    for (int gather = 0; gather <= 1; gather++) {
        set_up(&o, 4, false, gather != 0, 4096);
        sim_group_start(&o.group);
        run(&o, &work, DWQ_OK);
        tear_down(&o);
    }
}

/* The parts do not come as messages, or after the READYs: one that cannot be read is
 * no part, and nobody waits for what it was. Parts in frames, by gatherv (where that
 * of the rank is the front of what the others' lie in), and by messages. */
Test(gather, a_ready_in_a_call_that_cannot_be_read_costs_its_data_only)
{
    struct one o;
    struct work small = { .x = 1, .updates = 1 << 2 };
    struct work large = { .x = 1, .large = 7, .n_large = 500 };

    for (int i = 0; i < 4; i++) {
        set_up(&o, 3, i % 2, true, i / 2 ? 4096 : (size_t)1 << 30);
        sim_group_start(&o.group);
        for (int k = 0; k < 5; k++) {
            run_function(&o, "loses_ready", &small, DWQ_OK);
            run_function(&o, "loses_ready", &large, DWQ_OK);
            run(&o, &small, DWQ_OK);
            run(&o, &large, DWQ_OK);
        }
        tear_down(&o);
    }
}

/* --- Both modes ----------------------------------------------------------------- */

static const dwq_value_t *ready_data(struct one *o, int group_rank)
{
    static dwq_value_t data;
    int worker;

    cr_assert_eq(dwq_controller_get_ready_worker(o->c, &worker, &data), DWQ_OK);
    cr_assert_eq(data.kind, DWQ_KIND_LIST);
    cr_assert_eq(data.u.list.n, (size_t)o->group.n_merged);
    return &data.u.list.items[group_rank];
}

/* Whichever rank fails, on every rank, before the result is there. */
Test(group, the_order_to_renew_comes_after_a_failed_call_only)
{
    struct one o;
    struct work good = { .x = 1 };

    for (int i = 0; i < 4; i++) {
        set_up(&o, 3, i % 2, i / 2, 4096);
        sim_group_start(&o.group);
        for (int k = 0; k < 6; k++) {
            struct work bad = { .x = 1,
                                .fails = 1 << k % 3,
                                .large = 7,
                                .n_large = k < 3 ? 0 : 500 };

            run(&o, &bad, DWQ_E_TASK);
            run(&o, &good, DWQ_OK);
            for (int m = 0; m < o.group.n_merged; m++) {
                cr_assert_eq(o.group.ranks[m].n_renewed, k + 1,
                             "merged rank %d", m);
            }
        }
        tear_down(&o);
    }
}

/* Set in a call, they are there with its result, not with that of the next. */
Test(group, ready_data_of_a_rank_come_before_its_result)
{
    struct one o;
    struct work work = { .x = 1, .updates = 1 << 1 };

    for (int gather = 0; gather <= 1; gather++) {
        int64_t is = 0;

        set_up(&o, 3, false, gather != 0, 4096);
        sim_group_start(&o.group);
        run(&o, &work, DWQ_OK);
        cr_assert(dwq_read_int64(ready_data(&o, 1), &is));
        cr_assert_eq(is, sim_rank_data(sim_group_rank(&o.group, 1), 1));
        cr_assert_eq(ready_data(&o, 0)->kind, DWQ_KIND_NIL);
        cr_assert_eq(ready_data(&o, 3)->kind, DWQ_KIND_NIL); /* broker */
        tear_down(&o);
    }
}

/* By messages it may have been the part, and so ends the call: the part that comes
 * after all is none of the next call's. */
Test(sendrecv, a_part_that_was_given_up_is_not_taken_for_the_next)
{
    struct work work = { .x = 1, .seconds = 1e-2 };
    struct work_task task;

    for (int inside = 0; inside <= 1; inside++) {
        struct one o;
        dwq_result_t result;

        set_up(&o, 2, inside != 0, false, 4096);
        o.group.ranks[1].slowness =
            10; /* it comes when the next call has begun */
        sim_group_start(&o.group);
        work_make(&work, &o.data, &task);
        task.task.function = "loses_ready";
        cr_assert_eq(dwq_controller_submit_call(o.c, &task.task, NULL), DWQ_OK);
        cr_assert_eq(dwq_controller_get_next_result(o.c, &result), DWQ_OK);
        cr_assert_eq(result.status, DWQ_E_TASK);
        cr_assert_eq(result.code, DWQ_E_MESSAGE);
        cr_assert_eq(result.failed_rank, inside);
        dwq_result_clear(&result);
        for (int k = 0; k < 3; k++) {
            run(&o, &work, DWQ_OK);
        }
        tear_down(&o);
    }
}

/* must_hold: failure on one rank only does not leave the broker waiting. */
Test(group, the_first_failing_rank_is_named_and_the_others_have_values)
{
    struct one o;
    struct work work = { .x = 1, .fails = 1 << 1 | 1 << 3, .silent = 1 << 2 };

    for (int i = 0; i < 4; i++) {
        set_up(&o, 4, i % 2, i / 2, 4096);
        sim_group_start(&o.group);
        run(&o, &work, DWQ_E_TASK);
        tear_down(&o);
    }
}

Test(group, a_withdrawing_rank_withdraws_the_group_and_all_leave)
{
    for (int who = 0; who < 4; who++) {
        for (int gather = 0; gather <= 1; gather++) {
            struct one o;
            dwq_result_t result;

            set_up(&o, 3, false, gather != 0, 4096);
            o.group.ranks[who].withdraws = true;
            sim_group_start(&o.group);
            dwq_controller_submit_call(
                o.c, &(dwq_task_t){ .function = "work", .worker = 1 }, NULL);
            cr_assert_eq(dwq_controller_get_next_result(o.c, &result), DWQ_OK);
            cr_assert_eq(result.status, DWQ_E_WORKER);
            cr_assert(strstr(result.message, "its initializer failed"));
            dwq_result_clear(&result);
            tear_down(&o);
        }
    }
}

static dwq_status_t next_status(struct one *o)
{
    dwq_result_t result;
    dwq_status_t status;

    cr_assert_eq(dwq_controller_get_next_result(o->c, &result), DWQ_OK);
    status = result.status;
    dwq_result_clear(&result);
    return status;
}

/* It holds a second task when the limit passes, and the first call still runs: that
 * one ends, and the other is given back by the broker, as nobody asks for it. */
Test(group, a_broker_gives_back_what_it_holds_after_the_time_limit)
{
    struct work quick = { .x = 1, .seconds = 1e-4 };
    struct work slow = { .x = 1, .seconds = 1 };
    struct work_task task;

    for (int i = 0; i < 4; i++) {
        struct one o;

        set_up_limited(&o, 3, i % 2, i / 2, 4096, 2, 0.5);
        sim_group_start(&o.group);
        for (int k = 0; k < DWQI_RATE_KNOWN; k++) {
            run(&o, &quick, DWQ_OK); /* so that another is sent ahead */
        }
        for (int k = 0; k < 2; k++) {
            work_make(k == 0 ? &slow : &quick, &o.data, &task);
            cr_assert_eq(dwq_controller_submit_call(o.c, &task.task, NULL),
                         DWQ_OK);
        }
        cr_assert_eq(dwq_controller_progress(o.c), DWQ_OK);
        cr_assert_eq(next_status(&o), DWQ_OK);
        cr_assert_eq(next_status(&o), DWQ_E_TIME_LIMIT);
        cr_assert_eq(o.n_entered, (DWQI_RATE_KNOWN + 1) * 3);
        tear_down(&o);
    }
}

/* --- A team alone: orders that cannot be read ------------------------------------ */

struct pair {
    struct dwqi_sim *sim;
    struct dwqi_log log;
    struct dwqi_team *broker, *member;
};

static void make_pair(struct pair *p)
{
    p->log = (struct dwqi_log){ .line = quiet };
    p->sim = dwqi_sim_create(&(struct dwqi_sim_config){
        .n_endpoints = 3, .seed = 1, .mean_delay = 1e-6 });
    for (int m = 0; m < 2; m++) {
        dwqi_sim_set_base(p->sim, 1 + m, 1);
        dwqi_team_create(
            &(struct dwqi_team_config){ .transport =
                                            dwqi_sim_endpoint(p->sim, 1 + m),
                                        .log = &p->log,
                                        .rank = m,
                                        .size = 2,
                                        .first = 1 },
            m ? &p->member : &p->broker);
    }
}

static void drop_pair(struct pair *p)
{
    dwqi_team_destroy(p->broker);
    dwqi_team_destroy(p->member);
    dwqi_sim_destroy(p->sim);
}

static void send_order(struct pair *p, const struct dwqi_order_head *head,
                       const struct dwqi_segment *segments, const void *item,
                       size_t size)
{
    unsigned char front[256] = { 0 };
    size_t table = head->n_segments * sizeof *segments;
    struct dwqi_extent parts[2] = { { front, dwqi_align(sizeof *head + table) },
                                    { item, size } };

    memcpy(front, head, sizeof *head);
    memcpy(front + sizeof *head, segments, table);
    dwqi_send(
        dwqi_sim_endpoint(p->sim, 1), 1,
        &(struct dwqi_outgoing){
            .tag = DWQI_TASK, .n_items = 1, .parts = parts, .n_parts = 2 });
    dwqi_flush(dwqi_sim_endpoint(p->sim, 1));
    dwqi_sim_drain(p->sim, EVENTS_MAX);
}

/* Whether the member takes it; else the broker gets an empty part. */
static bool is_taken(const struct dwqi_order_head *head,
                     const struct dwqi_segment *segments, const void *item,
                     size_t size)
{
    struct pair p;
    struct dwqi_order order;
    struct dwqi_message message;
    bool taken;

    make_pair(&p);
    send_order(&p, head, segments, item, size);
    taken = dwqi_team_poll_order(p.member, &order) == DWQ_OK;
    if (taken) {
        cr_assert_eq(order.kind, DWQI_ORDER_TASK);
        dwqi_team_finish_order(p.member);
    } else {
        dwqi_sim_drain(p.sim, EVENTS_MAX);
        cr_assert_eq(dwqi_poll(dwqi_sim_endpoint(p.sim, 1), &message), DWQ_OK);
        cr_assert_eq(message.tag, DWQI_DONE);
        cr_assert_eq(message.n_items, 0);
        dwqi_release(dwqi_sim_endpoint(p.sim, 1), &message);
    }
    drop_pair(&p);
    return taken;
}

Test(orders, that_cannot_be_are_refused)
{
    unsigned char item[192] = { 0 };
    struct dwqi_task_head task = { .id = 1, .size = 192, .n_scattered = 1 };
    struct dwqi_order_head head = { .magic = DWQI_ORDER_MAGIC,
                                    .kind = DWQI_ORDER_TASK,
                                    .size = 192,
                                    .n_segments = 2 };
    struct dwqi_segment good[2] = { { 0, 64, 0, 0 }, { 64, 128, 1, 128 } };
    struct dwqi_segment bad[2];
    struct dwqi_order_head h;

    memcpy(item, &task, sizeof task);
    cr_assert(is_taken(&head, good, item, 192));
    h = head;
    h.magic++;
    cr_assert_not(is_taken(&h, good, item, 192));
    h = head;
    h.n_segments = 0;
    cr_assert_not(is_taken(&h, good, item, 192));
    cr_assert_not(is_taken(&head, good, item, 64), "less than its share");
    memcpy(bad, good, sizeof bad);
    bad[1].rows = 3;
    cr_assert_not(is_taken(&head, bad, item, 192), "more rows than bytes");
    memcpy(bad, good, sizeof bad);
    bad[1].at = 128;
    cr_assert_not(is_taken(&head, bad, item, 192), "a gap");
    bad[0] = (struct dwqi_segment){ 0, 64, 1, 64 };
    bad[1] = good[1];
    cr_assert_not(is_taken(&head, bad, item, 192), "names are scattered");
    task.n_scattered = 0;
    memcpy(item, &task, sizeof task);
    cr_assert_not(is_taken(&head, good, item, 192),
                  "rows of an item that scatters nothing");
}

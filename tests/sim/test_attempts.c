/* Answers of attempts that were given up: the worker is one, the task is another's by
 * then. The workers here say what the test has them say. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "libdwq/queue/controller_private.h"
#include "tests/sim/transport_sim.h"
#include <dwq/dwq.h>

#define ID 42

struct stage {
    struct dwqi_sim *sim;
    struct dwqi_log log;
    int n_warnings;
    dwq_controller_t *c;
    uint32_t attempt[3]; /* by worker: of the task that it got last */
};

static void keep_line(const char *line, void *arg)
{
    struct stage *s = arg;

    s->n_warnings += strstr(line, "warning") != NULL;
}

static dwq_status_t wait_for_more(void *arg)
{
    (void)arg;
    return DWQ_E_AGAIN;
}

static void hear(struct stage *s, int worker)
{
    struct dwqi_transport *transport = dwqi_sim_endpoint(s->sim, worker);
    struct dwqi_message message;
    struct dwqi_task_head head;

    while (dwqi_poll(transport, &message) == DWQ_OK) {
        if (message.tag == DWQI_TASK) {
            cr_assert_eq(
                dwqi_task_head_read(message.body, message.body_size, &head),
                DWQ_OK);
            s->attempt[worker] = head.attempt;
        }
        dwqi_release(transport, &message);
    }
}

/* Everything that is under way arrives, and the controller acts on it. */
static void go_on(struct stage *s)
{
    for (int i = 0; i < 3; i++) {
        dwqi_sim_advance(s->sim, 0, 1);
        cr_assert_eq(dwq_controller_progress(s->c), DWQ_OK);
        hear(s, 1);
        hear(s, 2);
    }
}

static void answer(struct stage *s, int worker, uint32_t attempt, double value)
{
    struct dwqi_part_head head = { .id = ID, .n_parts = 1, .attempt = attempt };
    dwq_value_t item = dwq_value_double(value);
    struct dwqi_scratch scratch = { .pool = NULL };
    struct dwqi_extent part;
    struct dwqi_pack pack;
    const char *why;

    cr_assert_eq(dwqi_pack_part(&head, NULL, (dwq_values_t){ 1, &item },
                                &scratch, &pack, &why),
                 DWQ_OK);
    part = (struct dwqi_extent){ pack.block, pack.block_size };
    cr_assert_eq(dwqi_send(dwqi_sim_endpoint(s->sim, worker), 0,
                           &(struct dwqi_outgoing){ .tag = DWQI_DONE,
                                                    .n_items = 1,
                                                    .parts = &part,
                                                    .n_parts = 1 }),
                 DWQ_OK);
    dwqi_pack_finish(&pack);
    dwqi_scratch_finish(&scratch);
}

static void set_up(struct stage *s)
{
    *s = (struct stage){ .log = { .line = keep_line, .arg = s } };
    s->sim = dwqi_sim_create(&(struct dwqi_sim_config){
        .n_endpoints = 3, .seed = 4, .mean_delay = 1e-6, .far = true });
    cr_assert_eq(dwqi_controller_create(
                     &(struct dwqi_controller_config){
                         .queue.transport = dwqi_sim_endpoint(s->sim, 0),
                         .queue.log = &s->log,
                         .n_workers = 2,
                         .peers = (const int[]){ 1, 2 },
                         .queue.held_max = 1,
                         .queue.time_limit = INFINITY,
                         .queue.grace_end = INFINITY },
                     &s->c),
                 DWQ_OK);
    for (int w = 1; w <= 2; w++) {
        dwqi_sim_set_step(s->sim, w, wait_for_more, NULL, 0);
        dwqi_send_bare(dwqi_sim_endpoint(s->sim, w), 0, DWQI_READY);
    }
    go_on(s);
    cr_assert_eq(dwq_controller_submit_call(
                     s->c, &(dwq_task_t){ .function = "f", .id = ID }, NULL),
                 DWQ_OK);
    go_on(s);
    cr_assert_eq(s->attempt[1], 1);
}

static void tear_down(struct stage *s)
{
    dwqi_controller_destroy(s->c);
    dwqi_sim_destroy(s->sim);
}

/* Worker 1 is not waited for any longer: the task waits again. */
static struct dwqi_task *give_up(struct stage *s)
{
    struct dwqi_task *task = dwqi_task_find(&s->c->d.tasks, ID);

    cr_assert_eq(dwqi_task_step(&s->c->d.ledger, task, DWQI_EVENT_AGAIN),
                 DWQ_OK);
    dwqi_scheduler_give_back(s->c->d.scheduler, &task->job);
    return task;
}

static void expect_value(struct stage *s, double expected)
{
    dwq_result_t result;
    double value = 0;

    cr_assert_eq(dwq_controller_get_result(s->c, ID, &result), DWQ_OK);
    cr_assert_eq(result.status, DWQ_OK, "%s", result.message);
    cr_assert(dwq_result_get(&result, 0, 0, &value));
    cr_assert_eq(value, expected);
    dwq_result_clear(&result);
    cr_assert_eq(dwq_controller_get_next_result(s->c, &result), DWQ_E_EMPTY);
}

Test(attempts, a_late_answer_changes_nothing)
{
    struct stage s;

    set_up(&s);
    dwqi_scheduler_worker_pause(s.c->d.scheduler, 1, true);
    give_up(&s);
    go_on(&s);
    cr_assert_eq(s.attempt[2], 2, "another worker, the next attempt");
    answer(&s, 1, 1, 11);
    go_on(&s);
    cr_assert_eq(s.n_warnings, 0, "who is late is not distrusted");
    cr_assert_eq(dwqi_scheduler_n_running(s.c->d.scheduler), 1);
    answer(&s, 2, 2, 22);
    expect_value(&s, 22);
    tear_down(&s);
}

Test(attempts, an_answer_while_the_task_waits_again_is_late_too)
{
    struct stage s;

    set_up(&s);
    dwqi_scheduler_worker_pause(s.c->d.scheduler, 1, true);
    dwqi_scheduler_worker_pause(s.c->d.scheduler, 2, true);
    give_up(&s);
    answer(&s, 1, 1, 11);
    go_on(&s);
    cr_assert_eq(s.n_warnings, 0);
    dwqi_scheduler_worker_pause(s.c->d.scheduler, 2, false);
    go_on(&s);
    answer(&s, 2, 2, 22);
    expect_value(&s, 22);
    tear_down(&s);
}

/* The same worker, as a group that was started anew is. */
Test(attempts, a_worker_may_be_late_with_the_task_that_it_has_again)
{
    struct stage s;

    set_up(&s);
    dwqi_scheduler_worker_pause(s.c->d.scheduler, 2, true);
    give_up(&s);
    go_on(&s);
    cr_assert_eq(s.attempt[1], 2);
    answer(&s, 1, 1, 11);
    go_on(&s);
    cr_assert_eq(s.n_warnings, 0);
    answer(&s, 1, 2, 22);
    expect_value(&s, 22);
    tear_down(&s);
}

Test(attempts, an_attempt_that_was_never_made_ends_its_worker)
{
    static const uint32_t attempts[] = { 0, 2, UINT32_MAX };

    for (size_t i = 0; i < 3; i++) {
        dwq_result_t result;
        struct stage s;

        set_up(&s);
        answer(&s, 1, attempts[i], 11);
        cr_assert_eq(dwq_controller_get_result(s.c, ID, &result), DWQ_OK);
        cr_assert_eq(result.status, DWQ_E_WORKER);
        cr_assert_eq(s.n_warnings, 1);
        dwq_result_clear(&result);
        tear_down(&s);
    }
}

/* What was given back was no attempt. */
Test(attempts, a_call_that_did_not_start_is_no_attempt)
{
    const uint64_t id = ID;
    struct dwqi_extent part = { &id, sizeof id };
    struct stage s;

    set_up(&s);
    s.attempt[1] = 0;
    dwqi_send(
        dwqi_sim_endpoint(s.sim, 1), 0,
        &(struct dwqi_outgoing){
            .tag = DWQI_RETURN, .n_items = 1, .parts = &part, .n_parts = 1 });
    go_on(&s);
    cr_assert_eq(s.attempt[1] + s.attempt[2], 1, "it was sent again");
    cr_assert_eq(dwqi_task_find(&s.c->d.tasks, ID)->entry.attempt, 1);
    tear_down(&s);
}

/* A worker that was told to leave, and cannot go on before it has. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "tests/sim/transport_sim.h"
#include "workers/serve.h"

/* Its first task is over when both have been received that come behind it. */
struct slow_runner {
    struct dwqi_runner runner;
    int n_polls;
};

static dwq_status_t start(struct dwqi_runner *runner, const void *item,
                          const struct dwqi_task_head *head)
{
    (void)runner;
    (void)item;
    (void)head;
    return DWQ_OK;
}

static dwq_status_t fail(struct dwqi_runner *runner,
                         const struct dwqi_task_head *head)
{
    (void)runner;
    (void)head;
    return DWQ_OK;
}

static void release(void *owner)
{
    (void)owner;
}

static dwq_status_t poll_it(struct dwqi_runner *runner,
                            struct dwqi_report *report_out)
{
    static const struct dwqi_part_head head = { .id = 1,
                                                .size = sizeof head,
                                                .n_parts = 1 };
    static const struct dwqi_extent part = { &head, sizeof head };
    struct slow_runner *slow = (struct slow_runner *)(void *)runner;

    if (slow->n_polls++ < 1) {
        return DWQ_E_AGAIN;
    }
    *report_out = (struct dwqi_report){
        .parts = &part, .n_parts = 1, .size = sizeof head, .release = release
    };
    return DWQ_OK;
}

static const struct dwqi_runner_ops slow_ops = { start, fail, poll_it };

static void quiet(const char *line, void *arg)
{
    (void)line;
    (void)arg;
}

static void send(struct dwqi_transport *from, const void *body, size_t size)
{
    struct dwqi_extent part = { body, size };

    cr_assert_eq(dwqi_send(from, 1,
                           &(struct dwqi_outgoing){ .tag = DWQI_TASK,
                                                    .n_items = 1,
                                                    .parts = &part,
                                                    .n_parts = 1 }),
                 DWQ_OK);
}

/* A good task, one that cannot be read, and EXIT. */
static void send_all(struct dwqi_transport *from)
{
    static const unsigned char noise[64] = { 0xff, 0xff, 0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff, 0xff, 0xff };
    struct dwqi_scratch scratch = { .pool = NULL };
    struct dwqi_pack pack;
    const char *why;

    cr_assert_eq(dwqi_pack_task(&(dwq_task_t){ .function = "f" }, 1, &scratch,
                                &pack, &why),
                 DWQ_OK);
    send(from, pack.block, pack.block_size);
    send(from, noise, sizeof noise);
    cr_assert_eq(dwqi_send_bare(from, 1, DWQI_EXIT), DWQ_OK);
    dwqi_pack_finish(&pack);
    dwqi_scratch_finish(&scratch);
}

/* READY, DONE, WITHDRAW, BYE: the tags that came, in order. */
static void expect_tags(struct dwqi_transport *at, const enum dwqi_tag *tags,
                        size_t n)
{
    struct dwqi_message message;

    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(dwqi_poll(at, &message), DWQ_OK, "message %zu", i);
        cr_expect_eq(message.tag, tags[i], "message %zu is %s", i,
                     dwqi_tag_name(message.tag));
        dwqi_release(at, &message);
    }
    cr_expect_eq(dwqi_poll(at, &message), DWQ_E_AGAIN);
}

Test(leaving, one_that_withdraws_after_exit_waits_for_no_other)
{
    static const enum dwqi_tag said[] = { DWQI_READY, DWQI_DONE, DWQI_WITHDRAW,
                                          DWQI_BYE };
    struct dwqi_sim *sim =
        dwqi_sim_create(&(struct dwqi_sim_config){ .n_endpoints = 2 });
    struct slow_runner slow = { { &slow_ops }, 0 };
    struct dwqi_log log = { .line = quiet };
    struct dwqi_role *server;

    dwqi_server_create(
        &(struct dwqi_server_config){ .transport = dwqi_sim_endpoint(sim, 1),
                                      .runner = &slow.runner,
                                      .log = &log,
                                      .time_limit = INFINITY },
        &server);
    cr_assert_eq(server->ops->begin(server), DWQ_OK);
    send_all(dwqi_sim_endpoint(sim, 0));
    dwqi_sim_drain(sim, 1000);
    for (int i = 0; i < 10 && !server->ops->is_closed(server); i++) {
        server->ops->step(server);
    }
    cr_expect(server->ops->is_closed(server), "it waits");
    dwqi_sim_drain(sim, 1000);
    expect_tags(dwqi_sim_endpoint(sim, 0), said, sizeof said / sizeof said[0]);
    dwqi_role_finish(server);
    dwqi_sim_destroy(sim);
}

/* Results that nobody receives: what is sent, what is kept, and in which order. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "workers/results.h"

#define MANY 2000

struct line {
    struct dwqi_transport transport; /* first */
    int numbers[MANY];               /* as sent */
    int n, n_flushes;
};

static dwq_status_t send(struct dwqi_transport *transport, int peer,
                         const struct dwqi_outgoing *message)
{
    struct line *line = (struct line *)(void *)transport;

    cr_assert_eq(peer, 7);
    cr_assert_eq(message->tag, DWQI_DONE);
    memcpy(&line->numbers[line->n++], message->parts[0].data, sizeof(int));
    if (message->release) {
        message->release(message->owner);
    }
    return DWQ_OK;
}

static dwq_status_t flush(struct dwqi_transport *transport)
{
    ((struct line *)(void *)transport)->n_flushes++;
    return DWQ_OK;
}

static double now(struct dwqi_transport *transport)
{
    (void)transport;
    return 5;
}

static const struct dwqi_transport_ops ops = { .send = send,
                                               .flush = flush,
                                               .now = now };

static int n_released;

static void release(void *owner)
{
    n_released++;
    free(owner);
}

#define N_PARTS 5

struct memory {
    struct dwqi_extent parts[N_PARTS];
    int data[DWQI_INLINE_MAX / sizeof(int)];
};

/* A report whose memory is gone when it is released; a large one has more parts. */
static void report(struct dwqi_results *results, int number, bool large)
{
    struct memory *memory = calloc(1, sizeof *memory);
    struct dwqi_report made = { .parts = memory->parts,
                                .n_parts = large ? N_PARTS : 1,
                                .release = release,
                                .owner = memory };

    memory->data[0] = number;
    for (size_t i = 0; i < made.n_parts; i++) {
        memory->parts[i] =
            (struct dwqi_extent){ memory->data,
                                  i == 0 ? 64 : sizeof memory->data };
    }
    made.size = dwqi_parts_size(made.parts, made.n_parts);
    cr_assert_eq(dwqi_results_send(results, &made, 0), DWQ_OK);
}

static void expect_in_order(const struct line *line)
{
    for (int i = 0; i < line->n; i++) {
        cr_assert_eq(line->numbers[i], i, "%d is the %dth", line->numbers[i],
                     i);
    }
}

static void play(bool large, int n, int most)
{
    struct line line = { .transport.ops = &ops };
    struct dwqi_desk *desk = calloc(1, sizeof *desk);
    struct dwqi_results results = { .transport = &line.transport,
                                    .controller = 7,
                                    .desk = desk };
    int n_before;

    n_released = 0;
    desk->is_counted = true;
    for (int i = 0; i < n; i++) {
        report(&results, i, large);
        cr_assert_eq(dwqi_results_push(&results, false), DWQ_OK);
    }
    cr_expect_leq(line.n, most);
    cr_expect_gt(line.n, most / 2);
    cr_expect_eq(dwqi_results_look_again(&results) > 5, line.n < n);
    while (line.n < n) { /* the controller hears some */
        n_before = line.n;
        desk->n_heard = (uint32_t)line.n - 3;
        cr_assert_eq(dwqi_results_push(&results, false), DWQ_OK);
        cr_assert_gt(line.n, n_before);
        cr_assert_leq(line.n - n_before, most);
    }
    expect_in_order(&line);
    cr_expect_null(results.kept);
    cr_expect_eq(n_released, n);
    cr_expect_eq(line.n_flushes, 0);
    dwqi_results_finish(&results);
    free(desk);
}

Test(results, small_ones_are_kept_until_others_are_heard, .timeout = 60)
{
    play(false, MANY, 256);
}

/* Six messages each. */
Test(results, large_ones_count_with_their_bodies, .timeout = 60)
{
    play(true, 600, 256 / 5);
}

Test(results, a_few_are_never_kept, .timeout = 60)
{
    play(false, 200, 200);
}

/* As on another host: nobody counts, and MPI takes them all. */
Test(results, without_a_count_none_is_kept, .timeout = 60)
{
    struct line line = { .transport.ops = &ops };
    struct dwqi_desk *desk = calloc(1, sizeof *desk);
    struct dwqi_results results = { .transport = &line.transport,
                                    .controller = 7,
                                    .desk = desk };

    for (int i = 0; i < MANY; i++) {
        report(&results, i, i % 3 == 0);
    }
    cr_expect_eq(line.n, MANY);
    expect_in_order(&line);
    free(desk);
}

Test(results, all_leave_before_the_worker_does, .timeout = 60)
{
    struct line line = { .transport.ops = &ops };
    struct dwqi_desk *desk = calloc(1, sizeof *desk);
    struct dwqi_results results = { .transport = &line.transport,
                                    .controller = 7,
                                    .desk = desk };

    n_released = 0;
    desk->is_counted = true;
    for (int i = 0; i < 1000; i++) {
        report(&results, i, i % 10 == 0);
    }
    cr_expect_lt(line.n, 300);
    cr_assert_eq(dwqi_results_push(&results, true), DWQ_OK);
    cr_expect_eq(line.n, 1000);
    cr_expect_eq(line.n_flushes, 1);
    expect_in_order(&line);
    cr_expect_eq(n_released, 1000);
    for (int i = 0; i < 1000; i++) {
        report(&results, 1000 + i, i % 10 == 0);
    }
    dwqi_results_finish(&results); /* or they go with it */
    cr_expect_eq(n_released, 2000);
    free(desk);
}

/* What the MPI transport gathers: a rank that sends to itself. */
#include <criterion/criterion.h>
#include <mpi.h>
#include <string.h>

#include "libdwq/base/clock.h"
#include "libdwq/mpi/transport_mpi.h"

static struct {
    struct dwqi_backoff backoff;
    struct dwqi_transport *transport;
    struct dwqi_log log;
} self;

static void set_up(void)
{
    MPI_Init(NULL, NULL);
    dwqi_backoff_init(&self.backoff, 1e-3, true);
    cr_assert_eq(dwqi_transport_mpi_create(MPI_COMM_WORLD, &self.backoff, NULL,
                                           &self.log, &self.transport),
                 DWQ_OK);
}

static void tear_down(void)
{
    dwqi_close(self.transport);
    MPI_Finalize();
}

static int n_looks;
static bool looks_fail;

/* In the place of MPI's own. */
int MPI_Test(MPI_Request *request, int *done, MPI_Status *status)
{
    n_looks++;
    return PMPI_Test(request, done, status);
}

int MPI_Testsome(int n, MPI_Request requests[], int *n_done, int indices[],
                 MPI_Status statuses[])
{
    int code = PMPI_Testsome(n, requests, n_done, indices, statuses);

    n_looks++;
    for (int i = 0; looks_fail && i < *n_done; i++) {
        statuses[i].MPI_ERROR = MPI_ERR_OTHER;
        code = MPI_ERR_IN_STATUS;
    }
    return code;
}

TestSuite(sends, .init = set_up, .fini = tear_down, .timeout = 60);

#define SOON 1e-8 /* seconds until the next one */

/* One item of `size` bytes that hold `number`. */
static void send_item(enum dwqi_tag tag, uint64_t number, size_t size,
                      double next_in)
{
    static uint64_t bytes[64 * 1024];
    struct dwqi_extent part = { bytes, size };

    bytes[0] = number;
    cr_assert_eq(dwqi_send(self.transport, 0,
                           &(struct dwqi_outgoing){ .tag = tag,
                                                    .n_items = 1,
                                                    .parts = &part,
                                                    .n_parts = 1,
                                                    .next_in = next_in }),
                 DWQ_OK);
}

/* The next message has n_items items of `size` bytes, numbered from `first`. */
static void expect(enum dwqi_tag tag, uint32_t n_items, uint64_t first,
                   size_t size)
{
    struct dwqi_message message;
    double until = dwqi_clock_now() + 20;
    dwq_status_t status = DWQ_E_AGAIN;
    uint64_t number;

    while (status == DWQ_E_AGAIN && dwqi_clock_now() < until) {
        status = dwqi_poll(self.transport, &message);
    }
    cr_assert_eq(status, DWQ_OK);
    cr_assert_eq(message.status, DWQ_OK);
    cr_assert_eq(message.tag, tag);
    cr_assert_eq(message.n_items, n_items, "%u items", message.n_items);
    cr_assert_eq(message.body_size, n_items * size);
    for (uint32_t i = 0; i < n_items; i++) {
        memcpy(&number, message.body + i * size, sizeof number);
        cr_assert_eq(number, first + i);
    }
    dwqi_release(self.transport, &message);
}

Test(sends, what_may_wait_travels_with_what_comes_next)
{
    for (uint64_t i = 0; i < 3; i++) {
        send_item(DWQI_DONE, i, 128, i < 2 ? SOON : 0);
    }
    expect(DWQI_DONE, 3, 0, 128);
}

/* Polls beside what is gathered look now and then: others may have said something. */
Test(sends, what_is_gathered_does_not_shut_out_others)
{
    struct dwqi_message message;
    uint32_t n = 0, came = 0;

    n_looks = 0;
    while (n_looks == 0 && n < 1000) {
        send_item(DWQI_DONE, n++, 64, SOON);
        if (dwqi_poll(self.transport, &message) == DWQ_OK) {
            came += message.n_items;
            dwqi_release(self.transport, &message);
        }
    }
    cr_assert(10 < n && n < 200, "%u polls", n);
    dwqi_pause(self.transport, INFINITY);
    while (came < n) {
        if (dwqi_poll(self.transport, &message) == DWQ_OK) {
            came += message.n_items;
            dwqi_release(self.transport, &message);
        }
    }
}

Test(sends, nothing_waits_without_being_asked)
{
    for (uint64_t i = 0; i < 3; i++) {
        send_item(DWQI_DONE, i, 128, 0);
    }
    for (uint64_t i = 0; i < 3; i++) {
        expect(DWQI_DONE, 1, i, 128);
    }
}

Test(sends, another_kind_of_message_keeps_the_order)
{
    send_item(DWQI_DONE, 1, 128, SOON);
    send_item(DWQI_RETURN, 2, 64, 0);
    expect(DWQI_DONE, 1, 1, 128);
    expect(DWQI_RETURN, 1, 2, 64);
}

Test(sends, a_large_body_keeps_the_order)
{
    send_item(DWQI_DONE, 1, 128, SOON);
    send_item(DWQI_DONE, 2, 256 * 1024, 0);
    expect(DWQI_DONE, 1, 1, 128);
    expect(DWQI_DONE, 1, 2, 256 * 1024);
}

Test(sends, a_full_frame_leaves)
{
    uint64_t n = 0;
    struct dwqi_message message;

    for (uint64_t i = 0; i < 100; i++) {
        send_item(DWQI_DONE, i, 512, i + 1 < 100 ? SOON : 0);
    }
    while (n < 100) {
        if (dwqi_poll(self.transport, &message) == DWQ_OK) {
            cr_assert_eq(message.status, DWQ_OK);
            cr_assert_leq(message.body_size, DWQI_INLINE_MAX);
            for (uint32_t i = 0; i < message.n_items; i++) {
                uint64_t number;

                memcpy(&number, message.body + i * 512, sizeof number);
                cr_assert_eq(number, n);
                n++;
            }
            dwqi_release(self.transport, &message);
        }
    }
}

Test(sends, a_pause_or_a_flush_sends_what_waits)
{
    struct dwqi_message message;

    send_item(DWQI_DONE, 1, 128, SOON);
    dwqi_pause(self.transport, INFINITY);
    expect(DWQI_DONE, 1, 1, 128);
    send_item(DWQI_DONE, 2, 128, SOON);
    dwqi_flush(self.transport);
    expect(DWQI_DONE, 1, 2, 128);
    cr_assert_eq(dwqi_poll(self.transport, &message), DWQ_E_AGAIN);
}

/* What has waited for as long as it may leaves with the next one of its kind. */
Test(sends, nothing_waits_long)
{
    for (uint64_t i = 0; i < 4; i++) {
        send_item(DWQI_DONE, i, 128, 6e-6);
    }
    expect(DWQI_DONE, 2, 0, 128);
    expect(DWQI_DONE, 2, 2, 128);
}

/* A look in vain gives the core away: a send that has just begun needs none, and
 * there is one for all that is under way. */
Test(sends, a_send_is_not_looked_at_when_it_begins)
{
    n_looks = 0;
    for (uint64_t i = 0; i < 3; i++) {
        send_item(DWQI_DONE, i, 1024, 0);
    }
    cr_assert_eq(n_looks, 0);
    for (uint64_t i = 0; i < 3; i++) {
        expect(DWQI_DONE, 1, i, 1024);
    }
}

/* What MPI says of a message is an error, and no end without end: see tear_down(). */
Test(sends, a_look_that_fails_leaves_nothing_to_wait_for)
{
    struct dwqi_message message;

    send_item(DWQI_DONE, 1, 1024, 0);
    looks_fail = true;
    cr_assert_eq(dwqi_poll(self.transport, &message), DWQ_E_MPI);
    looks_fail = false;
    cr_assert_eq(dwqi_poll(self.transport, &message), DWQ_E_AGAIN);
}

/* How many glances in vain before the one that finds what is there. */
static int glances_in_vain(void)
{
    struct dwqi_message message;
    int n = 0;

    send_item(DWQI_DONE, 5, 128, 0);
    cr_assert_eq(dwqi_flush(self.transport), DWQ_OK);
    while (dwqi_glance(self.transport, &message) == DWQ_E_AGAIN) {
        cr_assert_lt(++n, 100);
    }
    dwqi_release(self.transport, &message);
    return n;
}

Test(sends, a_glance_looks_now_and_then_and_always_before_a_sleep)
{
    dwqi_backoff_reset(&self.backoff);
    cr_assert_eq(glances_in_vain(), 15);
    for (int i = 0; i < 3; i++) {
        self.backoff.n_pauses = self.backoff.spins + self.backoff.yields;
        cr_assert_eq(glances_in_vain(), 0);
    }
    dwqi_backoff_reset(&self.backoff);
    cr_assert_eq(glances_in_vain(), 15);
}

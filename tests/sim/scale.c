/* How the controller scales past this machine: many workers in one process, on
 * the simulated transport.
 *
 *     scale WORKERS CALLS [SECONDS]    calls that take so long (virtual; 0.01)
 *
 * The workers here answer without running anything, and the time within the
 * simulated transport (which runs them) is taken off, but for the reading of the
 * clock: what is left is the controller. Prints "NAME VALUE" lines; exits 1 if a
 * result is missing or wrong. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/clock.h"
#include "libdwq/item/codec.h"
#include "libdwq/queue/controller.h"
#include "tests/sim/transport_sim.h"
#include <dwq/dwq.h>

/* The controller's end of the simulated transport, timed. */
struct timed {
    struct dwqi_transport base;
    struct dwqi_transport *inner;
    double seconds; /* real, in it */
};

struct scale {
    struct dwqi_sim *sim;
    struct timed transport;
    struct dwqi_log log;
    int n_workers;
    double seconds; /* of one call, virtual */
    struct dwqi_scratch scratch;
    dwq_controller_t *controller;
};

struct stub {
    struct scale *s;
    struct dwqi_transport *transport;
    int number;
    bool begun;
};

/* --- Workers -------------------------------------------------------------- */

static dwq_status_t answer(struct stub *w, const struct dwqi_task_head *task)
{
    struct dwqi_part_head head = { .id = task->id,
                                   .n_parts = 1,
                                   .attempt = task->attempt,
                                   .this_time = w->s->seconds };
    dwq_value_t value = dwq_value_double((double)task->id);
    struct dwqi_pack pack;
    struct dwqi_extent part;
    const char *why;
    dwq_status_t status = dwqi_pack_part(
        &head, NULL, (dwq_values_t){ 1, &value }, &w->s->scratch, &pack, &why);

    if (status != DWQ_OK) {
        return status;
    }
    part = (struct dwqi_extent){ pack.block, pack.block_size };
    dwqi_sim_advance(w->s->sim, w->number, w->s->seconds);
    status = dwqi_send(
        w->transport, 0,
        &(struct dwqi_outgoing){
            .tag = DWQI_DONE, .n_items = 1, .parts = &part, .n_parts = 1 });
    dwqi_pack_finish(&pack);
    return status;
}

static dwq_status_t handle(struct stub *w, const struct dwqi_message *message)
{
    dwq_status_t status = DWQ_OK;
    struct dwqi_task_head head;
    size_t at = 0;

    if (message->tag == DWQI_EXIT) {
        return dwqi_send_bare(w->transport, 0, DWQI_BYE);
    }
    for (uint32_t i = 0; i < message->n_items && status == DWQ_OK; i++) {
        status = dwqi_task_head_read(message->body + at,
                                     message->body_size - at, &head);
        if (status == DWQ_OK) {
            at += head.size;
            status = answer(w, &head);
        }
    }
    return status;
}

static dwq_status_t step(void *arg)
{
    struct stub *w = arg;
    struct dwqi_message message;
    dwq_status_t status = DWQ_OK;

    if (!w->begun) {
        w->begun = true;
        return dwqi_send_bare(w->transport, 0, DWQI_READY);
    }
    while (status == DWQ_OK) {
        status = dwqi_poll(w->transport, &message);
        if (status == DWQ_OK) {
            status = handle(w, &message);
            dwqi_release(w->transport, &message);
        }
    }
    return status;
}

/* --- The transport ---------------------------------------------------------- */

static struct timed *timed_of(struct dwqi_transport *transport)
{
    return (struct timed *)transport;
}

static dwq_status_t timed_send(struct dwqi_transport *transport, int peer,
                               const struct dwqi_outgoing *message)
{
    struct timed *t = timed_of(transport);
    double begin = dwqi_clock_now();
    dwq_status_t status = dwqi_send(t->inner, peer, message);

    t->seconds += dwqi_clock_now() - begin;
    return status;
}

static dwq_status_t timed_poll(struct dwqi_transport *transport,
                               struct dwqi_message *message_out)
{
    struct timed *t = timed_of(transport);
    double begin = dwqi_clock_now();
    dwq_status_t status = dwqi_poll(t->inner, message_out);

    t->seconds += dwqi_clock_now() - begin;
    return status;
}

static dwq_status_t timed_pause(struct dwqi_transport *transport, double until)
{
    struct timed *t = timed_of(transport);
    double begin = dwqi_clock_now();
    dwq_status_t status = dwqi_pause(t->inner, until);

    t->seconds += dwqi_clock_now() - begin;
    return status;
}

static dwq_status_t timed_flush(struct dwqi_transport *transport)
{
    return dwqi_flush(timed_of(transport)->inner);
}

static double timed_now(struct dwqi_transport *transport)
{
    return dwqi_now(timed_of(transport)->inner);
}

static void timed_release(struct dwqi_transport *transport,
                          struct dwqi_message *message)
{
    struct timed *t = timed_of(transport);
    double begin = dwqi_clock_now();

    dwqi_release(t->inner, message);
    t->seconds += dwqi_clock_now() - begin;
}

static void timed_close(struct dwqi_transport *transport)
{
    (void)transport; /* the simulation's */
}

static const struct dwqi_transport_ops timed_ops = {
    .send = timed_send,
    .poll = timed_poll,
    .pause = timed_pause,
    .now = timed_now,
    .release = timed_release,
    .flush = timed_flush,
    .close = timed_close,
};

/* --- The controller --------------------------------------------------------- */

static dwq_status_t submit(struct scale *s, double x)
{
    dwq_task_t task = { .function = "echo", DWQ_ARGS(x) };

    return dwq_controller_submit_call(s->controller, &task, NULL);
}

static bool take(struct scale *s)
{
    dwq_result_t result;
    double y = -1;
    bool good =
        dwq_controller_get_next_result(s->controller, &result) == DWQ_OK &&
        dwq_result_get(&result, 0, 0, &y) && y == (double)result.id;

    if (good) {
        dwq_result_clear(&result);
    }
    return good;
}

/* Enough outstanding that no worker waits for a submit. */
static bool stream(struct scale *s, long n)
{
    long window = 2000 + 4L * s->n_workers, sent = 0, taken = 0;

    while (taken < n) {
        while (sent < n && sent - taken < window) {
            if (submit(s, (double)sent) != DWQ_OK) {
                return false;
            }
            sent++;
        }
        if (!take(s)) {
            return false;
        }
        taken++;
    }
    return true;
}

static bool make_controller(struct scale *s)
{
    int *peers = calloc((size_t)s->n_workers + 1, sizeof *peers);
    struct dwqi_controller_config config = {
        .queue.transport = &s->transport.base,
        .queue.log = &s->log,
        .n_workers = s->n_workers,
        .peers = peers,
        .queue.held_max = 64,
        .feeding = DWQI_FED_BY_CALLS,
        .queue.time_limit = INFINITY,
        .queue.grace_end = INFINITY,
    };
    dwq_status_t status = DWQ_E_NOMEM;

    s->transport = (struct timed){ .base.ops = &timed_ops,
                                   .inner = dwqi_sim_endpoint(s->sim, 0) };
    for (int w = 0; peers && w < s->n_workers; w++) {
        peers[w] = w + 1;
    }
    if (peers) {
        status = dwqi_controller_create(&config, &s->controller);
    }
    free(peers);
    return status == DWQ_OK;
}

static bool play(struct scale *s, long n)
{
    double begin, in_transport, all;

    if (!stream(s, n / 10 + s->n_workers)) {
        return false;
    }
    begin = dwqi_clock_now();
    in_transport = s->transport.seconds;
    if (!stream(s, n)) {
        return false;
    }
    all = dwqi_clock_now() - begin;
    in_transport = s->transport.seconds - in_transport;
    printf("calls_per_s %.9g\ncontroller_calls_per_s %.9g\n", (double)n / all,
           (double)n / (all - in_transport));
    return dwqi_controller_close(s->controller, false) == DWQ_OK;
}

int main(int argc, char **argv)
{
    struct scale s = { .n_workers = argc > 1 ? atoi(argv[1]) : 0 };
    long n = argc > 2 ? atol(argv[2]) : 0;
    struct stub *stubs;
    bool good = false;

    s.seconds = argc > 3 ? strtod(argv[3], NULL) : 0.01;
    if (s.n_workers < 1 || n < 1) {
        fprintf(stderr, "usage: scale WORKERS CALLS [SECONDS]\n");
        return 2;
    }
    s.sim = dwqi_sim_create(&(struct dwqi_sim_config){
        .n_endpoints = s.n_workers + 1, .seed = 1, .mean_delay = 2e-6 });
    stubs = calloc((size_t)s.n_workers + 1, sizeof *stubs);
    if (s.sim && stubs && make_controller(&s)) {
        for (int w = 1; w <= s.n_workers; w++) {
            stubs[w] = (struct stub){ .s = &s,
                                      .transport = dwqi_sim_endpoint(s.sim, w),
                                      .number = w };
            dwqi_sim_set_step(s.sim, w, step, &stubs[w], 0);
        }
        good = play(&s, n);
    }
    dwqi_controller_destroy(s.controller);
    dwqi_sim_destroy(s.sim);
    dwqi_scratch_finish(&s.scratch);
    free(stubs);
    if (!good) {
        fprintf(stderr, "scale: a call or its result went wrong\n");
    }
    return good ? 0 : 1;
}

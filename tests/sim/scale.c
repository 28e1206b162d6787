/* How the controller scales past this machine: many workers in one process, on
 * the simulated transport.
 *
 *     scale WORKERS CALLS [SECONDS]    calls that take so long (virtual; 0.01)
 *
 * The workers here answer without running anything, so that what is measured is
 * the controller, and the simulation that carries its messages. Prints
 * "NAME VALUE" lines; exits 1 if a result is missing or wrong. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/clock.h"
#include "libdwq/core/controller.h"
#include "libdwq/wire/codec.h"
#include "libdwq/wire/transport_sim.h"
#include <dwq/dwq.h>

struct scale {
    struct dwqi_sim *sim;
    struct dwqi_log log;
    int n_workers;
    double seconds;    /* of one call, virtual */
    double in_workers; /* seconds, real */
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

static dwq_status_t answer(struct stub *w, uint64_t id)
{
    struct dwqi_part_head head = { .id = id,
                                   .n_parts = 1,
                                   .this_time = w->s->seconds };
    dwq_value_t value = dwq_value_double((double)id);
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
            status = answer(w, head.id);
        }
    }
    return status;
}

static dwq_status_t step(void *arg)
{
    struct stub *w = arg;
    double begin = dwqi_clock_now();
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
    w->s->in_workers += dwqi_clock_now() - begin;
    return status;
}

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
        .transport = dwqi_sim_endpoint(s->sim, 0),
        .log = &s->log,
        .n_workers = s->n_workers,
        .peers = peers,
        .n_peers = s->n_workers + 1,
        .held_max = 64,
        .time_limit = INFINITY,
        .grace_end = INFINITY,
    };
    dwq_status_t status = DWQ_E_NOMEM;

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
    double begin, in_workers, all;

    if (!stream(s, n / 10 + s->n_workers)) {
        return false;
    }
    begin = dwqi_clock_now();
    in_workers = s->in_workers;
    if (!stream(s, n)) {
        return false;
    }
    all = dwqi_clock_now() - begin;
    in_workers = s->in_workers - in_workers;
    printf("calls_per_s %.9g\ncontroller_calls_per_s %.9g\n", (double)n / all,
           (double)n / (all - in_workers));
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

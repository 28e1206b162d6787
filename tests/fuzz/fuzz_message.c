/* Whole messages, as a worker and as a controller take them: each input is a few
 * messages with any tag and body (their heads made right, or taken as they are),
 * given to a real server and to a real controller that waits for results. Nothing
 * may crash, leak or wait for ever; every task has one result. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/queue/controller.h"
#include "workers/serve.h"
#include "workers/solo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A transport whose incoming messages are the input's. */
struct feed {
    struct dwqi_transport base;
    const uint8_t *data;
    size_t size;
    bool exit_sent; /* the controller said EXIT: the workers say BYE */
    int n_bye;
};

static struct feed *of(struct dwqi_transport *transport)
{
    return (struct feed *)transport;
}

static dwq_status_t feed_send(struct dwqi_transport *transport, int peer,
                              const struct dwqi_outgoing *message)
{
    (void)peer;
    if (message->tag == DWQI_EXIT) {
        of(transport)->exit_sent = true;
    }
    if (message->release) {
        message->release(message->owner);
    }
    return DWQ_OK;
}

/* A message from the input: tag, peer, items, nothing, size of the body / 8. */
static dwq_status_t from_input(struct feed *f, struct dwqi_message *out)
{
    size_t body = f->size >= 5 ? 8 * (size_t)f->data[4] : 0;
    size_t padded = dwqi_align(body);
    struct dwqi_head head;
    void *memory;

    if (f->size < 5 || f->size - 5 < body ||
        !(memory = dwqi_pool_get(NULL, sizeof head + padded))) {
        f->size = 0;
        return DWQ_E_AGAIN;
    }
    head = dwqi_head_make((enum dwqi_tag)(f->data[0] % 16), f->data[2], padded);
    memset(memory, 0, sizeof head + padded);
    memcpy(memory, &head, sizeof head);
    memcpy((char *)memory + sizeof head, f->data + 5, body);
    if (f->data[0] >= 240 && body >= sizeof head) {
        memcpy(memory, f->data + 5, sizeof head); /* any head at all */
    }
    *out = (struct dwqi_message){ .peer = f->data[1] % 4,
                                  .memory = memory,
                                  .in_frame = true };
    out->status = dwqi_head_read(memory, sizeof head + padded, DWQI_INLINE_MAX,
                                 &head, &out->why);
    if (out->status == DWQ_OK) {
        out->tag = head.tag;
        out->n_items = head.n_items;
        out->body_size = head.body_size;
        out->body = padded > 0 ? (unsigned char *)memory + sizeof head : NULL;
    }
    f->data += 5 + body;
    f->size -= 5 + body;
    return DWQ_OK;
}

static dwq_status_t feed_poll(struct dwqi_transport *transport,
                              struct dwqi_message *message_out)
{
    struct feed *f = of(transport);

    if (f->size > 0) {
        return from_input(f, message_out);
    }
    if (f->exit_sent && f->n_bye < 2) {
        f->n_bye++;
        *message_out =
            (struct dwqi_message){ .peer = f->n_bye, .tag = DWQI_BYE };
        return DWQ_OK;
    }
    return DWQ_E_AGAIN;
}

/* Nothing will come: the end of the run, for what still waits. */
static dwq_status_t feed_pause(struct dwqi_transport *transport, double until)
{
    (void)until;
    return of(transport)->size > 0 ||
                   (of(transport)->exit_sent && of(transport)->n_bye < 2)
               ? DWQ_OK
               : DWQ_E_MPI;
}

static double feed_now(struct dwqi_transport *transport)
{
    (void)transport;
    return 0;
}

static void feed_release(struct dwqi_transport *transport,
                         struct dwqi_message *message)
{
    (void)transport;
    dwqi_pool_give(message->memory);
    message->memory = NULL;
}

static dwq_status_t feed_flush(struct dwqi_transport *transport)
{
    (void)transport;
    return DWQ_OK;
}

static const struct dwqi_transport_ops feed_ops = {
    .send = feed_send,
    .poll = feed_poll,
    .pause = feed_pause,
    .now = feed_now,
    .release = feed_release,
    .flush = feed_flush,
};

static void quiet(const char *line, void *arg)
{
    (void)line;
    (void)arg;
}

static int touch(dwq_call_t *call, void *arg)
{
    dwq_array_t array;
    double sum = 0;

    (void)arg;
    if (dwq_arg(call, 0, &array) && array.type == DWQ_DOUBLE) {
        for (size_t i = 0; i < dwq_array_count(&array); i++) {
            sum += ((const double *)array.data)[i];
        }
    }
    return dwq_call_return(call, DWQ_VALUES(sum));
}

static double no_clock(void *arg)
{
    (void)arg;
    return 0;
}

static void as_worker(const uint8_t *data, size_t size)
{
    static const dwq_function_t functions[] = { { "f", touch, NULL },
                                                { NULL, NULL, NULL } };
    struct dwqi_log log = { .line = quiet };
    struct feed feed = { .base.ops = &feed_ops, .data = data, .size = size };
    struct dwqi_registry *registry = NULL;
    struct dwqi_executor *executor = NULL;
    struct dwqi_solo solo;
    struct dwqi_role *server = NULL;
    struct dwqi_error reason;

    dwqi_registry_create(functions, NULL, "/nowhere", &log, &registry, &reason);
    dwqi_executor_create(
        &(struct dwqi_executor_config){
            .registry = registry, .log = &log, .now = no_clock, .size = 1 },
        &executor);
    dwqi_solo_init(&solo, executor);
    dwqi_server_create(&(struct dwqi_server_config){ .transport = &feed.base,
                                                     .runner = &solo.runner,
                                                     .log = &log,
                                                     .time_limit = INFINITY },
                       &server);
    server->ops->begin(server);
    while (server->ops->step(server) == DWQ_OK) {
    }
    dwqi_role_finish(server);
    dwqi_solo_finish(&solo);
    dwqi_executor_destroy(executor);
    dwqi_registry_destroy(registry);
}

/* Ids 1..4 are submitted; two workers, endpoints 1 and 2. */
static void as_controller(const uint8_t *data, size_t size)
{
    struct dwqi_log log = { .line = quiet };
    struct feed feed = { .base.ops = &feed_ops, .data = data, .size = size };
    dwq_controller_t *c = NULL;
    dwq_result_t result;
    int n = 0;

    dwqi_controller_create(
        &(struct dwqi_controller_config){ .queue.transport = &feed.base,
                                          .queue.log = &log,
                                          .n_workers = 2,
                                          .peers = (const int[]){ 1, 2 },
                                          .queue.held_max = 8,
                                          .queue.time_limit = INFINITY,
                                          .queue.grace_end = INFINITY },
        &c);
    for (int i = 0; i < 4; i++) {
        dwq_controller_submit_call(c, &(dwq_task_t){ .function = "f" }, NULL);
    }
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        for (int r = 0; r < result.n_ranks; r++) {
            for (size_t i = 0; i < dwq_result_n_values(&result, r); i++) {
                (void)dwq_result_value(&result, r, i);
            }
        }
        dwq_result_clear(&result);
        if (++n > 4) {
            abort(); /* more results than tasks */
        }
    }
    dwqi_controller_close(c, true);
    dwqi_controller_destroy(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] % 2 == 0) {
        as_worker(data + 1, size - 1);
    } else if (size > 0) {
        as_controller(data + 1, size - 1);
    }
    return 0;
}

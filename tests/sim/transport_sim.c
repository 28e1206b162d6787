#include "tests/sim/transport_sim_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "libdwq/base/pool.h"

static bool event_before(const void *left, const void *right)
{
    const struct event *a = left, *b = right;

    return a->time != b->time ? a->time < b->time : a->sequence < b->sequence;
}

struct event *dwqi_sim_add_event(struct dwqi_sim *sim, enum event_kind kind,
                                 int endpoint, double time)
{
    struct event *event = dwqi_sim_memory(sizeof *event);

    event->kind = kind;
    event->endpoint = endpoint;
    event->time = time;
    event->sequence = sim->sequence++;
    if (!dwqi_heap_push(&sim->events, event) &&
        !dwqi_heap_push(&sim->events, event)) {
        abort();
    }
    return event;
}

static struct endpoint *host_of(struct endpoint *e)
{
    return &e->sim->endpoints[e->host];
}

static void wake(struct dwqi_sim *sim, struct endpoint *e, double time)
{
    e = host_of(e);
    if (e->step && !e->waking) {
        dwqi_sim_add_event(sim, EVENT_WAKE, e->number, fmax(time, e->clock));
        e->waking = true;
    }
}

/* --- On the wire -------------------------------------------------------- */

/* The message as it comes out of a wire: head and body as bytes, and the head
 * read again. */
static void deliver(struct dwqi_sim *sim, struct parcel *parcel)
{
    struct dwqi_message *message = &parcel->message;
    unsigned char *bytes = message->memory;
    size_t size = message->body_size;
    struct dwqi_head head = { 0 };

    dwqi_parts_copy(parcel->parts, parcel->n_parts, bytes + sizeof head);
    free(parcel->parts);
    parcel->parts = NULL;
    if (parcel->noisy) {
        dwqi_random_noise(&sim->random, bytes, sizeof head + size);
        sim->n_corrupted++;
    }
    message->status =
        dwqi_head_read(bytes, sizeof head + (message->in_frame ? size : 0),
                       DWQI_INLINE_MAX, &head, &message->why);
    message->tag = head.tag;
    message->n_items = head.n_items;
    message->body = size > 0 ? bytes + sizeof head : NULL;
}

/* --- Time --------------------------------------------------------------- */

static void finish_transfer(struct dwqi_sim *sim, struct event *event)
{
    if (event->kind == EVENT_RELEASE && event->call) {
        event->call(event->arg);
        event->call = NULL;
        sim->n_unreleased--;
        sim->endpoints[event->sender].released = true;
    }
}

static void run_step(struct dwqi_sim *sim, struct endpoint *e)
{
    dwq_status_t status;

    e->waking = false;
    e->clock = fmax(e->clock, sim->clock);
    status = e->step(e->step_arg);
    if (status == DWQ_OK) {
        wake(sim, e, e->clock);
    } else if (status != DWQ_E_AGAIN) {
        e->step = NULL;
        sim->error = sim->error == DWQ_OK ? status : sim->error;
    }
}

void dwqi_sim_free_parcel(struct parcel *parcel)
{
    dwqi_pool_give(parcel->message.memory);
    free(parcel->parts);
    free(parcel);
}

static void arrive(struct dwqi_sim *sim, struct endpoint *e,
                   struct parcel *parcel)
{
    if (e->dead) {
        dwqi_sim_free_parcel(parcel);
        return;
    }
    if (parcel->parts) {
        deliver(sim, parcel);
    }
    DL_APPEND(e->inbox, parcel);
    wake(sim, e, sim->clock);
}

static void run_event(struct dwqi_sim *sim)
{
    struct event *event = dwqi_heap_top(&sim->events);
    struct endpoint *e = &sim->endpoints[event->endpoint];

    dwqi_heap_remove(&sim->events, event);
    sim->clock = fmax(sim->clock, event->time);
    finish_transfer(sim, event);
    if (event->kind == EVENT_RELEASE) {
        wake(sim, &sim->endpoints[event->sender], sim->clock);
    } else if (event->kind == EVENT_CALL) {
        event->call(event->arg);
        wake(sim, e, sim->clock);
    } else if (event->kind == EVENT_ARRIVAL) {
        arrive(sim, e, event->parcel);
    } else if (event->kind == EVENT_WAKE && e->step) {
        run_step(sim, e);
    }
    free(event);
}

static bool is_due(const struct dwqi_sim *sim, double until)
{
    const struct event *event = dwqi_heap_top(&sim->events);

    return event && event->time <= until;
}

/* --- The transport ------------------------------------------------------ */

static struct endpoint *of(struct dwqi_transport *transport)
{
    return (struct endpoint *)transport;
}

double *dwqi_sim_last_of_pair(struct dwqi_sim *sim, int from, int to)
{
    struct pair *pair = NULL;
    uint64_t key = (uint64_t)from << 32 | (uint32_t)to;

    if (to == 0) {
        return &sim->endpoints[from].last_to_0;
    }
    if (from == 0) {
        return &sim->endpoints[to].last_from_0;
    }
    HASH_FIND(hh, sim->pairs, &key, sizeof key, pair);
    if (!pair) {
        pair = dwqi_sim_memory(sizeof *pair);
        pair->key = key;
        HASH_ADD(hh, sim->pairs, key, sizeof pair->key, pair);
    }
    return &pair->last;
}

static double arrival_time(struct dwqi_sim *sim, int from, int to, double now)
{
    double *last = dwqi_sim_last_of_pair(sim, from, to);
    double delay =
        -sim->config.mean_delay * log(1 - dwqi_random_unit(&sim->random));

    if (dwqi_random_unit(&sim->random) < sim->config.long_share) {
        delay += sim->config.long_delay * dwqi_random_unit(&sim->random);
    }
    *last = fmax(*last, now + delay);
    return *last;
}

static bool is_noisy(struct dwqi_sim *sim, int from, int to, size_t size)
{
    int below = sim->config.corrupt_below;

    return size > 0 && (below == 0 || (from < below && to < below)) &&
           dwqi_random_unit(&sim->random) < sim->config.corrupt;
}

static struct parcel *make_parcel(struct dwqi_sim *sim, int from, int to,
                                  const struct dwqi_outgoing *out)
{
    size_t size = dwqi_parts_size(out->parts, out->n_parts);
    struct dwqi_head head = dwqi_head_make(out->tag, out->n_items, size);
    struct parcel *parcel = calloc(1, sizeof *parcel);
    void *memory = NULL;

    if (!parcel || !(memory = dwqi_pool_get(NULL, sizeof head + size))) {
        free(parcel);
        return NULL;
    }
    memcpy(memory, &head, sizeof head);
    parcel->message =
        (struct dwqi_message){ .peer = from - sim->endpoints[to].offset,
                               .memory = memory,
                               .body_size = size,
                               .in_frame = size <= DWQI_INLINE_MAX };
    parcel->noisy = is_noisy(sim, from, to, size);
    parcel->n_parts = out->n_parts;
    parcel->parts = dwqi_sim_memory((out->n_parts + 1) * sizeof *parcel->parts);
    for (size_t i = 0; i < out->n_parts; i++) {
        parcel->parts[i] = out->parts[i];
    }
    if (parcel->message.in_frame) {
        deliver(sim, parcel);
    }
    return parcel;
}

static dwq_status_t sim_send(struct dwqi_transport *transport, int peer,
                             const struct dwqi_outgoing *message)
{
    struct endpoint *e = of(transport);
    struct dwqi_sim *sim = e->sim;
    int to = e->offset + peer;
    struct parcel *parcel = make_parcel(sim, e->number, to, message);
    double arrival = arrival_time(sim, e->number, to, host_of(e)->clock);
    struct event *event;

    if (!parcel) {
        if (message->release) {
            message->release(message->owner);
        }
        return DWQ_E_NOMEM;
    }
    event = dwqi_sim_add_event(sim, EVENT_ARRIVAL, to, arrival);
    sim->n_sent++;
    event->parcel = parcel;
    event->sender = e->number;
    event->sent = host_of(e)->clock;
    if (!message->release) {
        return DWQ_OK;
    }
    if (parcel->message.in_frame) {
        message->release(message->owner);
        return DWQ_OK;
    }
    event = dwqi_sim_add_event(sim, EVENT_RELEASE, to,
                               arrival + 100 * sim->config.mean_delay);
    event->sender = e->number;
    event->call = message->release;
    event->arg = message->owner;
    sim->n_unreleased++;
    return DWQ_OK;
}

static dwq_status_t sim_poll(struct dwqi_transport *transport,
                             struct dwqi_message *message_out)
{
    struct endpoint *e = of(transport);
    struct parcel *parcel;

    /* Endpoint 0 is not stepped: what happened until now happens here. */
    while (e->number == 0 && is_due(e->sim, e->clock)) {
        run_event(e->sim);
    }
    parcel = e->inbox;
    if (!parcel) {
        return DWQ_E_AGAIN;
    }
    DL_DELETE(e->inbox, parcel);
    *message_out = parcel->message;
    free(parcel);
    return DWQ_OK;
}

static dwq_status_t sim_pause(struct dwqi_transport *transport, double until)
{
    struct endpoint *e = of(transport);
    struct dwqi_sim *sim = e->sim;

    if (sim->error != DWQ_OK) {
        return DWQ_E_MPI; /* the job has ended */
    }
    e->released = false;
    while (!e->inbox && !e->released && is_due(sim, until)) {
        run_event(sim);
    }
    if (e->inbox || e->released) {
        e->clock = fmax(e->clock, sim->clock);
    } else if (isinf(until)) {
        sim->stuck = true;
        return DWQ_E_MPI;
    } else {
        e->clock = fmax(e->clock, until);
    }
    return DWQ_OK;
}

static double sim_now(struct dwqi_transport *transport)
{
    return host_of(of(transport))->clock;
}

static void sim_release(struct dwqi_transport *transport,
                        struct dwqi_message *message)
{
    (void)transport;
    dwqi_pool_give(message->memory);
    message->memory = NULL;
}

/* What is under way leaves its sender at once. */
static dwq_status_t sim_flush(struct dwqi_transport *transport)
{
    struct endpoint *e = of(transport);

    for (size_t i = 0; i < e->sim->events.n; i++) {
        struct event *event = e->sim->events.items[i];

        if (event->sender == e->number && event->parcel &&
            event->parcel->parts) {
            deliver(e->sim, event->parcel);
        }
    }
    for (size_t i = 0; i < e->sim->events.n; i++) {
        struct event *event = e->sim->events.items[i];

        if (event->sender == e->number) {
            finish_transfer(e->sim, event);
        }
    }
    return DWQ_OK;
}

static void sim_moving(struct dwqi_transport *transport, int change)
{
    of(transport)->n_moving += change;
}

static struct dwqi_desk *sim_desk(struct dwqi_transport *transport, int peer)
{
    struct endpoint *e = of(transport);
    int number = peer == DWQI_SELF ? e->number : e->offset + peer;
    void **memory = &e->sim->endpoints[number].desk_memory;

    if (e->sim->config.far) {
        return NULL;
    }
    if (!*memory) {
        *memory = dwqi_sim_memory(sizeof(struct dwqi_desk) + DWQI_ALIGN);
    }
    return (void *)dwqi_align((size_t)*memory);
}

static void sim_ring(struct dwqi_transport *transport, int peer)
{
    struct endpoint *e = of(transport);
    struct dwqi_sim *sim = e->sim;

    wake(sim, &sim->endpoints[e->offset + peer],
         host_of(e)->clock + sim->config.mean_delay);
}

static void sim_close(struct dwqi_transport *transport)
{
    (void)transport;
}

static const struct dwqi_transport_ops sim_ops = {
    .send = sim_send,
    .poll = sim_poll,
    .pause = sim_pause,
    .now = sim_now,
    .release = sim_release,
    .flush = sim_flush,
    .moving = sim_moving,
    .desk = sim_desk,
    .ring = sim_ring,
    .close = sim_close,
};

/* --- The simulation ----------------------------------------------------- */

struct dwqi_sim *dwqi_sim_create(const struct dwqi_sim_config *config)
{
    size_t n = (size_t)config->n_endpoints;
    struct dwqi_sim *sim =
        calloc(1, sizeof *sim + n * sizeof sim->endpoints[0]);

    if (!sim) {
        return NULL;
    }
    sim->config = *config;
    sim->random = config->seed;
    dwqi_heap_init(&sim->events, event_before, offsetof(struct event, place));
    for (size_t i = 0; i < n; i++) {
        sim->endpoints[i].base.ops = &sim_ops;
        sim->endpoints[i].sim = sim;
        sim->endpoints[i].number = (int)i;
        sim->endpoints[i].host = (int)i;
    }
    return sim;
}

void dwqi_sim_destroy(struct dwqi_sim *sim)
{
    struct pair *pair, *next_pair;
    struct event *event;

    if (!sim) {
        return;
    }
    for (int i = 0; i < sim->config.n_endpoints; i++) {
        free(sim->endpoints[i].desk_memory);
    }
    while ((event = dwqi_heap_top(&sim->events)) != NULL) {
        dwqi_heap_remove(&sim->events, event);
        finish_transfer(sim, event);
        if (event->parcel) {
            dwqi_sim_free_parcel(event->parcel);
        }
        free(event);
    }
    for (int i = 0; i < sim->config.n_endpoints; i++) {
        struct endpoint *e = &sim->endpoints[i];

        while (e->inbox) {
            struct parcel *parcel = e->inbox;

            DL_DELETE(e->inbox, parcel);
            dwqi_sim_free_parcel(parcel);
        }
    }
    HASH_ITER(hh, sim->pairs, pair, next_pair)
    {
        HASH_DEL(sim->pairs, pair);
        free(pair);
    }
    dwqi_heap_finish(&sim->events);
    free(sim);
}

struct dwqi_transport *dwqi_sim_endpoint(struct dwqi_sim *sim, int endpoint)
{
    return &sim->endpoints[endpoint].base;
}

void dwqi_sim_set_base(struct dwqi_sim *sim, int endpoint, int base)
{
    sim->endpoints[endpoint].offset = base;
}

void dwqi_sim_join(struct dwqi_sim *sim, int endpoint, int host)
{
    sim->endpoints[endpoint].host = host;
}

void dwqi_sim_set_step(struct dwqi_sim *sim, int endpoint,
                       dwq_status_t (*step)(void *arg), void *arg, double start)
{
    struct endpoint *e = &sim->endpoints[endpoint];

    e->step = step;
    e->step_arg = arg;
    e->clock = fmax(e->clock, start);
    wake(sim, e, start);
}

void dwqi_sim_advance(struct dwqi_sim *sim, int endpoint, double seconds)
{
    host_of(&sim->endpoints[endpoint])->clock += seconds;
}

double dwqi_sim_now(const struct dwqi_sim *sim, int endpoint)
{
    return sim->endpoints[sim->endpoints[endpoint].host].clock;
}

void dwqi_sim_call(struct dwqi_sim *sim, int endpoint, double time,
                   void (*call)(void *arg), void *arg)
{
    struct event *event = dwqi_sim_add_event(sim, EVENT_CALL, endpoint, time);

    event->call = call;
    event->arg = arg;
}

bool dwqi_sim_drain(struct dwqi_sim *sim, uint64_t most)
{
    while (dwqi_heap_top(&sim->events) && most > 0) {
        run_event(sim);
        most--;
    }
    return dwqi_heap_top(&sim->events) == NULL;
}

int dwqi_sim_n_moving(const struct dwqi_sim *sim, int endpoint)
{
    return sim->endpoints[endpoint].n_moving;
}

bool dwqi_sim_is_stuck(const struct dwqi_sim *sim)
{
    return sim->stuck;
}

uint64_t dwqi_sim_n_sent(const struct dwqi_sim *sim)
{
    return sim->n_sent;
}

uint64_t dwqi_sim_n_corrupted(const struct dwqi_sim *sim)
{
    return sim->n_corrupted;
}

size_t dwqi_sim_n_unreleased(const struct dwqi_sim *sim)
{
    return sim->n_unreleased;
}

dwq_status_t dwqi_sim_error(const struct dwqi_sim *sim)
{
    return sim->error;
}

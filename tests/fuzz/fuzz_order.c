/* Orders as a rank of a group takes them: input is what a broker sends by messages
 * (sendrecv) or by collectives (gather), or a task item that a broker cuts for its
 * group. Nothing may crash, leak or read outside; what was accepted is run. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/group/team.h"
#include "workers/serve_team.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* Sizes in the input may be anything: a broker is trusted with memory. */
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=64";
}

#define N_RANKS 3
#define FRAME_SIZE 1024

struct feed {
    struct dwqi_transport transport;
    struct dwqi_coll coll;
    const uint8_t *data;
    size_t size;
    bool by_message;
};

static struct feed *of_transport(struct dwqi_transport *transport)
{
    return (struct feed *)(void *)transport;
}

static struct feed *of_coll(struct dwqi_coll *coll)
{
    return (struct feed *)(void *)((char *)coll - offsetof(struct feed, coll));
}

/* --- Messages -------------------------------------------------------------- */

static dwq_status_t feed_send(struct dwqi_transport *transport, int peer,
                              const struct dwqi_outgoing *message)
{
    (void)transport;
    (void)peer;
    if (message->release) {
        message->release(message->owner);
    }
    return DWQ_OK;
}

/* Tag, blocks of 64 bytes, the body. */
static dwq_status_t feed_poll(struct dwqi_transport *transport,
                              struct dwqi_message *message_out)
{
    struct feed *f = of_transport(transport);
    size_t body = f->size >= 2 ? 64 * (size_t)f->data[1] : 0;
    void *memory = NULL;

    if (!f->by_message || f->size < 2 || f->size - 2 < body ||
        !(memory = dwqi_pool_get(NULL, body))) {
        return DWQ_E_AGAIN;
    }
    memcpy(memory, f->data + 2, body);
    *message_out = (struct dwqi_message){
        .tag = (enum dwqi_tag)(f->data[0] % DWQI_TAG_COUNT),
        .n_items = 1,
        .body = body > 0 ? memory : NULL,
        .body_size = body,
        .memory = memory,
        .in_frame = true,
    };
    f->data += 2 + body;
    f->size -= 2 + body;
    return DWQ_OK;
}

static dwq_status_t feed_pause(struct dwqi_transport *transport, double until)
{
    (void)transport;
    (void)until;
    return DWQ_E_MPI;
}

static double no_clock(void *arg)
{
    (void)arg;
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

static const struct dwqi_transport_ops transport_ops = {
    .send = feed_send,
    .poll = feed_poll,
    .pause = feed_pause,
    .release = feed_release,
    .flush = feed_flush,
};

/* --- Collectives ------------------------------------------------------------- */

/* The next bytes of the input; without any, the end. */
static dwq_status_t take(struct feed *f, void *data, size_t size)
{
    if (size > f->size) {
        return DWQ_E_MPI;
    }
    memcpy(data, f->data, size);
    f->data += size;
    f->size -= size;
    return DWQ_OK;
}

static dwq_status_t feed_bcast(struct dwqi_coll *coll, void *data, size_t size)
{
    struct feed *f = of_coll(coll);

    if (size == FRAME_SIZE && f->size > 0 && f->size < size) {
        memset(data, 0, size); /* a short input is a short frame */
        return take(f, data, f->size);
    }
    return take(f, data, size);
}

static dwq_status_t feed_scatterv(struct dwqi_coll *coll, const void *all,
                                  const size_t *at, const size_t *sizes,
                                  void *mine, size_t size)
{
    (void)all;
    (void)at;
    (void)sizes;
    return take(of_coll(coll), mine, size);
}

static dwq_status_t feed_gather(struct dwqi_coll *coll, const void *mine,
                                size_t size, void *all)
{
    (void)coll;
    (void)mine;
    (void)size;
    (void)all;
    return DWQ_OK;
}

static dwq_status_t feed_gatherv(struct dwqi_coll *coll,
                                 const struct dwqi_extent *parts,
                                 size_t n_parts, void *all, const size_t *at,
                                 const size_t *sizes)
{
    volatile unsigned char sum = 0;

    (void)coll;
    (void)all;
    (void)at;
    (void)sizes;
    for (size_t i = 0; i < n_parts; i++) { /* they are still there */
        for (size_t b = 0; b < parts[i].size; b += 64) {
            sum = sum + ((const unsigned char *)parts[i].data)[b];
        }
    }
    return DWQ_OK;
}

static dwq_status_t feed_test(struct dwqi_coll *coll)
{
    (void)coll;
    return DWQ_OK;
}

static const struct dwqi_coll_ops coll_ops = {
    .bcast = feed_bcast,
    .scatterv = feed_scatterv,
    .gather = feed_gather,
    .gatherv = feed_gatherv,
    .test = feed_test,
};

/* --- What is accepted -------------------------------------------------------- */

static unsigned touch_values(dwq_values_t values);

static unsigned touch_value(const dwq_value_t *value)
{
    const unsigned char *bytes = value->u.array.data;
    unsigned sum = 0;

    switch (value->kind) {
    case DWQ_KIND_ARRAY:
        for (size_t i = 0, n = dwq_array_size(&value->u.array); i < n; i++) {
            sum += bytes[i];
        }
        return sum;
    case DWQ_KIND_LIST:
        return touch_values(value->u.list);
    case DWQ_KIND_MAP:
        for (size_t i = 0; i < value->u.map.n; i++) {
            sum += touch_value(&value->u.map.items[i].value);
        }
        return sum;
    default:
        return 0;
    }
}

static unsigned touch_values(dwq_values_t values)
{
    unsigned sum = 0;

    for (size_t i = 0; i < values.n; i++) {
        sum += touch_value(&values.items[i]);
    }
    return sum;
}

/* Gives a part that fits into a frame, or one that has to be collected. */
static int run(dwq_call_t *call, void *arg)
{
    static const double large[1000];
    unsigned sum = 0;

    (void)arg;
    for (size_t i = 0; i < dwq_call_n_args(call); i++) {
        sum += touch_value(dwq_call_arg(call, i));
    }
    return dwq_call_return(
        call, DWQ_VALUES(dwq_array(DWQ_DOUBLE, large, 1,
                                   (size_t[]){ sum % 2 ? 1000 : 1 })));
}

static void quiet(const char *line, void *arg)
{
    (void)line;
    (void)arg;
}

static void as_member(const uint8_t *data, size_t size, int rank, bool gather)
{
    static const dwq_function_t functions[] = { { "f", run, NULL },
                                                { NULL, NULL, NULL } };
    struct dwqi_log log = { .line = quiet };
    struct feed f = { .transport.ops = &transport_ops,
                      .coll = { &coll_ops, rank + 1, N_RANKS + 1, 4096, 4096 },
                      .data = data,
                      .size = size,
                      .by_message = !gather };
    struct dwqi_registry *registry = NULL;
    struct dwqi_executor *executor = NULL;
    struct dwqi_team *team = NULL;
    struct dwqi_role *leaf = NULL;
    struct dwqi_error reason;
    int n_steps = 0;

    dwqi_registry_create(functions, NULL, "/nowhere", &log, &registry, &reason);
    dwqi_executor_create(&(struct dwqi_executor_config){ .registry = registry,
                                                         .log = &log,
                                                         .now = no_clock,
                                                         .rank = rank,
                                                         .size = N_RANKS },
                         &executor);
    dwqi_team_create(
        &(struct dwqi_team_config){ .transport = &f.transport,
                                    .coll = gather ? &f.coll : NULL,
                                    .log = &log,
                                    .rank = rank + 1,
                                    .size = N_RANKS + 1,
                                    .first = 1 },
        &team);
    dwqi_leaf_create(&(struct dwqi_leaf_config){ .team = team,
                                                 .executor = executor,
                                                 .log = &log },
                     &leaf);
    leaf->ops->begin(leaf);
    while (leaf->ops->step(leaf) == DWQ_OK && !leaf->ops->is_closed(leaf) &&
           n_steps < 100) {
        n_steps++;
    }
    dwqi_role_finish(leaf);
    dwqi_team_destroy(team);
    dwqi_executor_destroy(executor);
    dwqi_registry_destroy(registry);
}

/* --- An item, cut by its broker ------------------------------------------------ */

static void take_share(const void *item, const struct dwqi_task_head *head,
                       const struct dwqi_share *share)
{
    size_t size = dwqi_share_size(share);
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_task_view view;
    void *mine;

    if (size > head->size || size % 64 != 0) {
        abort(); /* more than there is */
    }
    if (posix_memalign(&mine, 64, size) != 0) {
        return;
    }
    dwqi_share_copy(share, item, mine);
    if (dwqi_task_unpack(mine, head, share, 0, &arena, &view) == DWQ_OK) {
        touch_values(view.args);
    }
    dwqi_arena_finish(&arena);
    free(mine);
}

static void as_broker(const uint8_t *data, size_t size)
{
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_segment *segments;
    struct dwqi_task_head head;
    size_t n;
    void *item;

    if (size == 0 || posix_memalign(&item, 64, size) != 0) {
        return;
    }
    memcpy(item, data, size);
    if (dwqi_task_head_read(item, size, &head) == DWQ_OK &&
        dwqi_share_cut(item, &head, &arena, &segments, &n) == DWQ_OK) {
        if (!dwqi_share_is_sound(segments, n, head.size) ||
            segments[0].rows != 0) {
            abort(); /* no rank would take it */
        }
        for (int r = 0; r < N_RANKS; r++) {
            take_share(item, &head,
                       &(struct dwqi_share){ segments, n, r, N_RANKS });
        }
    }
    dwqi_arena_finish(&arena);
    free(item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    if (data[0] % 3 == 0) {
        as_broker(data + 1, size - 1);
    } else {
        as_member(data + 1, size - 1, data[0] / 3 % N_RANKS, data[0] % 3 == 1);
    }
    return 0;
}

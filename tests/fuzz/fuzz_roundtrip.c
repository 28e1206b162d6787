/* Any bytes as a recipe for values: those that are valid come back the same
 * from a task, from a part and alone; the others are refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/item/codec.h"
#include "tests/values_equal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                     \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

enum {
    DATA_SIZE = 80000, /* of arrays: above DWQI_EXTENT_MIN */
    VALUES_MAX = 2000, /* in one input */
    ITEMS_MAX = 40     /* in one list */
};

struct cook {
    const uint8_t *at, *end;
    struct dwqi_arena arena;   /* what values name */
    const unsigned char *data; /* DATA_SIZE bytes that arrays name */
    int n_values;
    bool bad; /* something that the codec must refuse was made */
};

static uint8_t next(struct cook *c)
{
    return c->at < c->end ? *c->at++ : 0;
}

static uint64_t next_bytes(struct cook *c, int n)
{
    uint64_t number = 0;

    while (n-- > 0) {
        number = number << 8 | next(c);
    }
    return number;
}

static void *room(struct cook *c, size_t n, size_t size)
{
    void *at = dwqi_arena_alloc(&c->arena, n, size);

    MUST(at);
    return at;
}

static const char *cook_text(struct cook *c)
{
    size_t size = next(c) % 40;
    char *text;

    size = size == 39 ? next_bytes(c, 2) : size; /* all headers */
    text = room(c, size + 1, 1);
    memset(text, 'a' + next(c) % 26, size);
    for (size_t i = 0; i < size && i < 4; i++) {
        uint8_t byte = next(c);

        text[i] = (char)(byte ? byte : 1);
    }
    text[size] = '\0';
    return text;
}

static dwq_bytes_t cook_bytes(struct cook *c)
{
    return (dwq_bytes_t){ c->data, next_bytes(c, 1 + next(c) % 2) };
}

/* Of a valid shape: its elements are there. */
static dwq_array_t cook_good_array(struct cook *c)
{
    dwq_type_t type = (dwq_type_t)(1 + next(c) % 12);
    int ndim = next(c) % (DWQ_MAX_DIMS + 1);
    size_t left = DATA_SIZE / dwq_type_size(type);
    size_t shape[DWQ_MAX_DIMS];

    for (int i = 0; i < ndim; i++) {
        shape[i] = next_bytes(c, 1 + next(c) % 3) % (left + 1);
        left = shape[i] ? left / shape[i] : left;
    }
    return dwq_array(type, c->data, ndim, shape);
}

static dwq_array_t cook_bad_array(struct cook *c)
{
    dwq_array_t array = { .type = (dwq_type_t)next(c),
                          .ndim = (int8_t)next(c),
                          .data = next(c) & 1 ? (void *)c->data : NULL };

    for (int i = 0; i < DWQ_MAX_DIMS; i++) {
        array.shape[i] = next_bytes(c, 8);
    }
    /* Good by chance: claims data that is not there. */
    if (dwq_array(array.type, array.data, array.ndim, array.shape).type) {
        array.type = (dwq_type_t)0;
    }
    c->bad = true;
    return array;
}

static dwq_array_t cook_array(struct cook *c)
{
    uint8_t how = next(c);
    dwq_array_t array = how >= 250 ? cook_bad_array(c) : cook_good_array(c);

    array = how & 1 ? dwq_borrow(array) : array;
    if (how & 2) {
        array = dwq_scatter(array);
        c->bad |= array.ndim == 0;
    }
    if (how & 4) {
        array.flags |= DWQI_ARRAY_OWNED;
    }
    return array;
}

static dwq_value_t cook_value(struct cook *c, int depth);

static dwq_values_t cook_list(struct cook *c, int depth)
{
    size_t n = next(c) % ITEMS_MAX;
    dwq_value_t *items = room(c, n, sizeof *items);

    for (size_t i = 0; i < n; i++) {
        items[i] = cook_value(c, depth);
    }
    return (dwq_values_t){ n, items };
}

static dwq_kwargs_t cook_map(struct cook *c, int depth)
{
    size_t n = next(c) % ITEMS_MAX;
    dwq_kwarg_t *items = room(c, n, sizeof *items);

    for (size_t i = 0; i < n; i++) {
        items[i].name = cook_text(c);
        items[i].value = cook_value(c, depth);
        for (size_t k = 0; k < i; k++) {
            c->bad |= strcmp(items[k].name, items[i].name) == 0;
        }
    }
    return (dwq_kwargs_t){ n, items };
}

/* A list or map at this depth; lists in lists to any depth by one byte each. */
static dwq_value_t cook_nest(struct cook *c, uint8_t what, int depth)
{
    dwq_value_t *item;

    c->bad |= depth >= DWQ_MAX_DEPTH;
    if (depth > DWQ_MAX_DEPTH) {
        return dwq_value_nil();
    }
    if (what % 3 == 0) {
        return dwq_value_list(cook_list(c, depth + 1));
    }
    if (what % 3 == 1) {
        return dwq_value_map(cook_map(c, depth + 1));
    }
    item = room(c, 1, sizeof *item);
    *item = cook_value(c, depth + 1);
    return dwq_value_list((dwq_values_t){ 1, item });
}

static dwq_value_t cook_value(struct cook *c, int depth)
{
    uint8_t what = next(c);
    uint64_t bits;
    double real;

    if (++c->n_values > VALUES_MAX) {
        return dwq_value_nil();
    }
    switch (what % 9) {
    case 0:
        return dwq_value_nil();
    case 1:
        return dwq_value_bool(what & 16);
    case 2:
        return dwq_value_int((int64_t)next_bytes(c, what >> 5) + 1);
    case 3:
        return dwq_value_uint(next_bytes(c, 8));
    case 4:
        bits = next_bytes(c, 8);
        memcpy(&real, &bits, sizeof real);
        return dwq_value_double(real);
    case 5:
        return dwq_value_string(cook_text(c));
    case 6:
        return dwq_value_bytes(cook_bytes(c));
    case 7:
        return cook_nest(c, what / 9, depth);
    default:
        return dwq_value_array(cook_array(c));
    }
}

/* As it arrives. */
static void *deliver(struct dwqi_pack *pack, dwq_status_t status, bool bad)
{
    void *item;

    MUST(status == (bad ? DWQ_E_ARG : DWQ_OK));
    if (bad) {
        MUST(!pack->block);
        return NULL;
    }
    MUST(pack->block_size % 64 == 0 && pack->size % 64 == 0);
    MUST(posix_memalign(&item, 64, pack->size) == 0);
    memset(item, 0xa5, pack->size);
    dwqi_pack_copy(pack, item);
    dwqi_pack_finish(pack);
    return item;
}

static void try_task(const dwq_task_t *task, bool bad)
{
    struct dwqi_scratch scratch = { .pool = NULL };
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_pack pack = { .block = NULL };
    struct dwqi_task_head head;
    struct dwqi_task_view view;
    const char *why;
    dwq_status_t status = dwqi_pack_task(task, 77, &scratch, &pack, &why);
    size_t size = pack.size;
    void *item = deliver(&pack, status, bad);

    if (item) {
        MUST(dwqi_task_head_read(item, size, &head) == DWQ_OK);
        MUST(head.size == size && head.id == 77);
        MUST(dwqi_task_unpack(item, &head, NULL, 0, &arena, &view) == DWQ_OK);
        MUST(strcmp(view.function, task->function) == 0);
        MUST(!view.module == !task->module &&
             (!view.module || strcmp(view.module, task->module) == 0));
        MUST(values_equal(view.args, task->args));
        MUST(entries_equal(view.kwargs, task->kwargs));
    }
    free(item);
    dwqi_arena_finish(&arena);
    dwqi_scratch_finish(&scratch);
}

static void try_part(dwq_values_t values, const char *message, bool bad)
{
    struct dwqi_scratch scratch = { .pool = NULL };
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_pack pack = { .block = NULL };
    struct dwqi_part_head head = { .id = 78, .n_parts = 1 };
    struct dwqi_part_view view;
    const char *why;
    dwq_status_t status =
        dwqi_pack_part(&head, message, values, &scratch, &pack, &why);
    size_t size = pack.size;
    void *item = deliver(&pack, status, bad);

    if (item) {
        MUST(dwqi_part_head_read(item, size, &head) == DWQ_OK);
        MUST(head.size == size && head.id == 78 && head.n_parts == 1);
        MUST(dwqi_part_unpack(item, &head, &arena, &view) == DWQ_OK);
        MUST(strcmp(view.message, message ? message : "") == 0);
        MUST(values_equal(view.values, values));
    }
    free(item);
    dwqi_arena_finish(&arena);
    dwqi_scratch_finish(&scratch);
}

static void try_values(dwq_values_t values, dwq_kwargs_t kwargs, bool bad)
{
    struct dwqi_scratch scratch = { .pool = NULL };
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_pack pack = { .block = NULL };
    dwq_values_t values_out;
    dwq_kwargs_t kwargs_out;
    const char *why;
    dwq_status_t status =
        dwqi_values_pack(values, kwargs, &scratch, &pack, &why);
    size_t size = pack.size;
    void *item;

    MUST(pack.n_extents == 0);
    item = deliver(&pack, status, bad);
    if (item) {
        MUST(dwqi_values_unpack(item, size, &arena, &values_out, &kwargs_out) ==
             DWQ_OK);
        MUST(values_equal(values_out, values));
        MUST(entries_equal(kwargs_out, kwargs));
    }
    free(item);
    dwqi_arena_finish(&arena);
    dwqi_scratch_finish(&scratch);
}

static const unsigned char *pattern(void)
{
    static unsigned char bytes[DATA_SIZE]; /* the same in every run */

    for (size_t i = 0; i < DATA_SIZE && bytes[1] == 0; i++) {
        bytes[DATA_SIZE - 1 - i] = (unsigned char)(i * 31 + (i >> 8));
    }
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cook c = { .at = data, .end = data + size, .data = pattern() };
    dwq_task_t task = { .function = "f" };
    const char *message;
    bool bad_args;

    message = next(&c) & 1 ? cook_text(&c) : NULL;
    task.module = next(&c) & 1 ? "module" : NULL;
    task.args = cook_list(&c, 0);
    bad_args = c.bad;
    task.kwargs = cook_map(&c, 0);
    try_part(task.args, message, bad_args);
    try_task(&task, c.bad);
    try_values(task.args, task.kwargs, c.bad);
    dwqi_arena_finish(&c.arena);
    return 0;
}

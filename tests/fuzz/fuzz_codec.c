/* Any bytes as a task, as parts in a row, as a result, and as values: they are
 * refused, or give values that lie within them and come back the same when packed
 * again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/item/outcome.h"
#include "tests/values_equal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                     \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

/* Decoded values and the item that they must lie in. */
struct walk {
    const char *item;
    size_t size;
    FILE *null;
};

static void must_lie_inside(const struct walk *w, const void *data, size_t size)
{
    const char *at = data;

    MUST(size == 0 || (at >= w->item && size <= w->size &&
                       (size_t)(at - w->item) <= w->size - size));
}

static void walk_list(const struct walk *w, dwq_values_t list, int depth);
static void walk_map(const struct walk *w, dwq_kwargs_t map, int depth);

static void walk_value(const struct walk *w, const dwq_value_t *value,
                       int depth)
{
    const dwq_array_t *array = &value->u.array;

    switch (value->kind) {
    case DWQ_KIND_STRING:
        must_lie_inside(w, value->u.string, strlen(value->u.string) + 1);
        break;
    case DWQ_KIND_BYTES:
        must_lie_inside(w, value->u.bytes.data, value->u.bytes.size);
        break;
    case DWQ_KIND_ARRAY:
        MUST(dwq_type_size(array->type) > 0);
        MUST((uintptr_t)array->data % 64 == 0);
        must_lie_inside(w, array->data, dwq_array_size(array));
        break;
    case DWQ_KIND_LIST:
        walk_list(w, value->u.list, depth + 1);
        break;
    case DWQ_KIND_MAP:
        walk_map(w, value->u.map, depth + 1);
        break;
    default:
        MUST(value->kind >= DWQ_KIND_NIL && value->kind <= DWQ_KIND_DOUBLE);
    }
}

static void walk_list(const struct walk *w, dwq_values_t list, int depth)
{
    MUST(depth <= DWQ_MAX_DEPTH);
    for (size_t i = 0; i < list.n; i++) {
        walk_value(w, &list.items[i], depth);
    }
}

static void walk_map(const struct walk *w, dwq_kwargs_t map, int depth)
{
    MUST(depth <= DWQ_MAX_DEPTH);
    for (size_t i = 0; i < map.n; i++) {
        must_lie_inside(w, map.items[i].name, strlen(map.items[i].name) + 1);
        walk_value(w, &map.items[i].value, depth);
    }
}

/* Names that occur twice are taken, but not packed: then that is the answer. */
static void must_pack_the_same(dwq_values_t values, dwq_kwargs_t kwargs)
{
    struct dwqi_scratch scratch = { .pool = NULL };
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_pack pack = { .block = NULL };
    dwq_values_t values_again;
    dwq_kwargs_t kwargs_again;
    void *item = NULL;
    const char *why = NULL;
    dwq_status_t status =
        dwqi_values_pack(values, kwargs, &scratch, &pack, &why);

    if (status == DWQ_OK) {
        MUST(posix_memalign(&item, 64, pack.size) == 0);
        dwqi_pack_copy(&pack, item);
        MUST(dwqi_values_unpack(item, pack.size, &arena, &values_again,
                                &kwargs_again) == DWQ_OK);
        MUST(values_equal(values, values_again));
        MUST(entries_equal(kwargs, kwargs_again));
    } else {
        MUST(status == DWQ_E_ARG && strstr(why, "twice"));
    }
    free(item);
    dwqi_pack_finish(&pack);
    dwqi_arena_finish(&arena);
    dwqi_scratch_finish(&scratch);
}

static void check(const struct walk *w, dwq_values_t values,
                  dwq_kwargs_t kwargs)
{
    dwq_value_t list = dwq_value_list(values);
    dwq_value_t map = dwq_value_map(kwargs);

    walk_list(w, values, 0);
    walk_map(w, kwargs, 0);
    dwq_value_print(&list, w->null);
    dwq_value_print(&map, w->null);
    must_pack_the_same(values, kwargs);
}

static void try_task(const struct walk *w, struct dwqi_arena *arena)
{
    struct dwqi_task_head head;
    struct dwqi_task_view view;

    if (dwqi_task_head_read(w->item, w->size, &head) != DWQ_OK) {
        return;
    }
    MUST(head.size <= w->size && head.size % 64 == 0);
    if (dwqi_task_unpack(w->item, &head, NULL, 0, arena, &view) == DWQ_OK) {
        MUST(view.function);
        if (view.function[0]) {
            must_lie_inside(w, view.function, strlen(view.function) + 1);
        }
        if (view.module) {
            must_lie_inside(w, view.module, strlen(view.module) + 1);
        }
        check(w, view.args, view.kwargs);
    }
}

static void try_parts(const struct walk *w, struct dwqi_arena *arena)
{
    struct dwqi_part_head head;
    struct dwqi_part_view view;
    size_t at = 0;

    while (dwqi_part_head_read(w->item + at, w->size - at, &head) == DWQ_OK) {
        MUST(head.size > 0 && head.size <= w->size - at);
        if (dwqi_part_unpack(w->item + at, &head, arena, &view) == DWQ_OK) {
            MUST(view.message);
            if (view.message[0]) {
                must_lie_inside(w, view.message, strlen(view.message) + 1);
            }
            check(w, view.values, (dwq_kwargs_t){ 0, NULL });
        }
        at += head.size;
    }
}

/* As a controller takes it: parts that belong together, copied. */
static void try_result(const struct walk *w)
{
    struct dwqi_outcome *outcome;
    dwq_result_t result;
    struct dwqi_part_head first;
    size_t size;

    if (dwqi_result_size(w->item, w->size, &first, &size) != DWQ_OK) {
        return;
    }
    MUST(size <= w->size && size % 64 == 0);
    if (dwqi_outcome_create(w->item, size, NULL, &outcome) != DWQ_OK) {
        return;
    }
    dwqi_outcome_give(outcome, 1, &result);
    MUST(result.n_ranks > 0 && result.rank < result.n_ranks);
    MUST((result.status == DWQ_OK) == (result.failed_rank < 0));
    fputs(result.message, w->null);
    for (int r = 0; r < result.n_ranks; r++) {
        for (size_t i = 0; i < dwq_result_n_values(&result, r); i++) {
            dwq_value_print(dwq_result_value(&result, r, i), w->null);
        }
    }
    dwq_result_clear(&result);
}

static void try_values(const struct walk *w, struct dwqi_arena *arena)
{
    dwq_values_t values;
    dwq_kwargs_t kwargs;

    if (dwqi_values_unpack(w->item, w->size, arena, &values, &kwargs) ==
        DWQ_OK) {
        check(w, values, kwargs);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dwqi_arena arena = { .chunks = NULL };
    struct walk w = { .size = size, .null = fopen("/dev/null", "w") };
    void *item;

    /* A block of just this size, so that tools see a read behind its end. */
    MUST(w.null && posix_memalign(&item, 64, size ? size : 1) == 0);
    if (size > 0) {
        memcpy(item, data, size);
    }
    w.item = item;
    try_task(&w, &arena);
    dwqi_arena_reset(&arena);
    try_parts(&w, &arena);
    try_result(&w);
    dwqi_arena_reset(&arena);
    try_values(&w, &arena);
    dwqi_arena_finish(&arena);
    free(item);
    fclose(w.null);
    return 0;
}

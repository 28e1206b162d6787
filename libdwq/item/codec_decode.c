/* Bytes -> values. Nothing that comes in is trusted: every length is compared
 * with what is left before it is used. */
#include <float.h>
#include <string.h>

#include "libdwq/item/codec_private.h"

struct decoder {
    const char *values;
    size_t size;
    size_t at;
    size_t owed; /* bytes at least that the lists and maps around still need */
    const unsigned char *arrays;    /* where the first array stands */
    size_t arrays_size;             /* of the whole item */
    size_t front;                   /* bytes before the arrays */
    const struct dwqi_share *share; /* or NULL: the item is whole */
    unsigned mark;                  /* flags of all arrays */
    struct dwqi_arena *arena;
};

static dwq_status_t decode_value(struct decoder *d, int depth,
                                 dwq_value_t *value_out);

static size_t left(const struct decoder *d)
{
    return d->size - d->at;
}

/* Bytes that a count may claim. Were it left() alone, lists in lists could each
 * claim all of it, and so 32 times the memory. */
static size_t unclaimed(const struct decoder *d)
{
    return left(d) > d->owed ? left(d) - d->owed : 0;
}

/* --- Scalars, strings, arrays ------------------------------------------- */

static dwq_status_t view_text(const char *text, size_t size,
                              const char **text_out)
{
    if (size == 0 || memchr(text, '\0', size) != text + size - 1) {
        return DWQ_E_MESSAGE;
    }
    *text_out = text;
    return DWQ_OK;
}

/* Where the array is in the share of one rank, and which rows of it. */
static dwq_status_t view_share(const struct decoder *d, size_t offset,
                               dwq_array_t *array)
{
    size_t at;

    if (!d->share) {
        array->data = (void *)(uintptr_t)(d->arrays + offset);
        return DWQ_OK;
    }
    if (!dwqi_share_find(d->share, d->front + offset, array, &at)) {
        return DWQ_E_MESSAGE;
    }
    if (dwq_array_size(array) > 0) {
        array->data = (void *)(uintptr_t)(d->arrays + (at - d->front));
    }
    return DWQ_OK;
}

/* The next bytes; false: so many are not left. */
static bool take(struct decoder *d, void *out, size_t size)
{
    if (size > left(d)) {
        return false;
    }
    memcpy(out, d->values + d->at, size);
    d->at += size;
    return true;
}

/* A size and so many bytes, which stay where they are. */
static bool take_sized(struct decoder *d, dwq_bytes_t *bytes_out)
{
    uint32_t size;

    if (!take(d, &size, sizeof size) || size > left(d)) {
        return false;
    }
    *bytes_out = (dwq_bytes_t){ d->values + d->at, size };
    d->at += size;
    return true;
}

static dwq_status_t decode_text(struct decoder *d, const char **text_out)
{
    dwq_bytes_t text;

    return take_sized(d, &text) ? view_text(text.data, text.size, text_out)
                                : DWQ_E_MESSAGE;
}

static dwq_status_t decode_array(struct decoder *d, dwq_array_t *array_out)
{
    struct dwqi_array_head head;
    size_t shape[DWQ_MAX_DIMS];
    dwq_array_t array;

    if (!take(d, &head, sizeof head) || head.ndim > DWQ_MAX_DIMS ||
        (head.flags & ~DWQI_ARRAY_SCATTER) != 0 ||
        (head.flags != 0 && head.ndim == 0) || head.offset % DWQI_ALIGN != 0 ||
        head.offset > d->arrays_size) {
        return DWQ_E_MESSAGE;
    }
    for (int i = 0; i < head.ndim; i++) {
        uint64_t extent;

        if (!take(d, &extent, sizeof extent) || extent > SIZE_MAX) {
            return DWQ_E_MESSAGE;
        }
        shape[i] = (size_t)extent;
    }
    array = dwq_array((dwq_type_t)head.type, d->arrays, head.ndim, shape);
    if (dwq_type_size(array.type) == 0 ||
        dwq_array_size(&array) > d->arrays_size - head.offset) {
        return DWQ_E_MESSAGE;
    }
    array.flags = head.flags | d->mark;
    if (view_share(d, head.offset, &array) != DWQ_OK) {
        return DWQ_E_MESSAGE;
    }
    *array_out = array;
    return DWQ_OK;
}

/* --- Lists and maps ----------------------------------------------------- */

/* n values in a row; each takes at least one byte. */
static dwq_status_t decode_values(struct decoder *d, size_t n, int depth,
                                  dwq_values_t *values_out)
{
    dwq_value_t *items = NULL;

    if (n > unclaimed(d)) {
        return DWQ_E_MESSAGE;
    }
    if (n > 0) {
        items = dwqi_arena_alloc(d->arena, n, sizeof *items);
        if (!items) {
            return DWQ_E_NOMEM;
        }
    }
    d->owed += n;
    for (size_t i = 0; i < n; i++) {
        dwq_status_t status;

        d->owed--;
        status = decode_value(d, depth, &items[i]);
        if (status != DWQ_OK) {
            return status;
        }
    }
    *values_out = (dwq_values_t){ n, items };
    return DWQ_OK;
}

#define ENTRY_MIN ((size_t)6) /* bytes of a name and its value */

/* n names with their values. */
static dwq_status_t decode_entries(struct decoder *d, size_t n, int depth,
                                   dwq_kwargs_t *entries_out)
{
    dwq_kwarg_t *items = NULL;

    if (n > unclaimed(d) / ENTRY_MIN) {
        return DWQ_E_MESSAGE;
    }
    if (n > 0) {
        items = dwqi_arena_alloc(d->arena, n, sizeof *items);
        if (!items) {
            return DWQ_E_NOMEM;
        }
    }
    d->owed += n * ENTRY_MIN;
    for (size_t i = 0; i < n; i++) {
        dwq_status_t status = decode_text(d, &items[i].name);

        d->owed -= ENTRY_MIN;
        if (status == DWQ_OK) {
            status = decode_value(d, depth, &items[i].value);
        }
        if (status != DWQ_OK) {
            return status;
        }
    }
    *entries_out = (dwq_kwargs_t){ n, items };
    return DWQ_OK;
}

static dwq_status_t decode_list(struct decoder *d, int depth,
                                dwq_values_t *list_out)
{
    uint32_t n;

    return depth < DWQ_MAX_DEPTH && take(d, &n, sizeof n)
               ? decode_values(d, n, depth + 1, list_out)
               : DWQ_E_MESSAGE;
}

static dwq_status_t decode_map(struct decoder *d, int depth,
                               dwq_kwargs_t *map_out)
{
    uint32_t n;

    return depth < DWQ_MAX_DEPTH && take(d, &n, sizeof n)
               ? decode_entries(d, n, depth + 1, map_out)
               : DWQ_E_MESSAGE;
}

static dwq_status_t decode_value(struct decoder *d, int depth,
                                 dwq_value_t *value_out)
{
    unsigned char kind, truth;
    bool there = true;

    if (!take(d, &kind, sizeof kind)) {
        return DWQ_E_MESSAGE;
    }
    *value_out = (dwq_value_t){ .kind = (dwq_kind_t)kind };
    switch (value_out->kind) {
    case DWQ_KIND_NIL:
        break;
    case DWQ_KIND_BOOL:
        there = take(d, &truth, sizeof truth) && truth <= 1;
        value_out->u.boolean = there && truth == 1;
        break;
    case DWQ_KIND_INT:
    case DWQ_KIND_UINT:
    case DWQ_KIND_DOUBLE:
        there = take(d, &value_out->u, sizeof(uint64_t));
        if (kind == DWQ_KIND_UINT) { /* which is what no INT holds */
            *value_out = dwq_value_uint(value_out->u.uinteger);
        }
        break;
    case DWQ_KIND_STRING:
        return decode_text(d, &value_out->u.string);
    case DWQ_KIND_BYTES:
        there = take_sized(d, &value_out->u.bytes);
        break;
    case DWQ_KIND_LIST:
        return decode_list(d, depth, &value_out->u.list);
    case DWQ_KIND_MAP:
        return decode_map(d, depth, &value_out->u.map);
    case DWQ_KIND_ARRAY:
        return decode_array(d, &value_out->u.array);
    default:
        return DWQ_E_MESSAGE;
    }
    return there ? DWQ_OK : DWQ_E_MESSAGE;
}

/* --- Items -------------------------------------------------------------- */

/* Whether front (head, texts, values) and all fit into the item's size, and
 * that into what is there. */
static bool sizes_fit(uint64_t size, uint64_t front, size_t available)
{
    return size % DWQI_ALIGN == 0 && size <= available && front <= size;
}

dwq_status_t dwqi_task_head_read(const void *item, size_t available,
                                 struct dwqi_task_head *head_out)
{
    struct dwqi_task_head head;

    if (available < sizeof head) {
        return DWQ_E_MESSAGE;
    }
    memcpy(&head, item, sizeof head);
    if (!sizes_fit(head.size,
                   sizeof head + (uint64_t)head.values_size +
                       head.function_size + head.module_size,
                   available)) {
        return DWQ_E_MESSAGE;
    }
    *head_out = head;
    return DWQ_OK;
}

/* Times go into the order of the scheduler's heaps, which NaN would break. */
static bool is_time(double seconds)
{
    return seconds >= 0 && seconds <= DBL_MAX;
}

dwq_status_t dwqi_part_head_read(const void *item, size_t available,
                                 struct dwqi_part_head *head_out)
{
    struct dwqi_part_head head;

    if (available < sizeof head) {
        return DWQ_E_MESSAGE;
    }
    memcpy(&head, item, sizeof head);
    if (head.n_parts == 0 || !is_time(head.this_time) ||
        !sizes_fit(head.size,
                   sizeof head + (uint64_t)head.values_size + head.message_size,
                   available)) {
        return DWQ_E_MESSAGE;
    }
    *head_out = head;
    return DWQ_OK;
}

static struct decoder decoder_for(const void *item, size_t size,
                                  size_t texts_size, size_t values_size,
                                  struct dwqi_arena *arena)
{
    const char *values = (const char *)item + DWQI_ALIGN + texts_size;
    size_t front = dwqi_align(DWQI_ALIGN + texts_size + values_size);

    return (struct decoder){ .values = values,
                             .size = values_size,
                             .arrays = (const unsigned char *)item + front,
                             .arrays_size = size - front,
                             .front = front,
                             .arena = arena };
}

/* All values have to be used up. */
static dwq_status_t decoder_finish(const struct decoder *d, dwq_status_t status)
{
    return status == DWQ_OK && left(d) > 0 ? DWQ_E_MESSAGE : status;
}

dwq_status_t dwqi_task_unpack(const void *item,
                              const struct dwqi_task_head *head,
                              const struct dwqi_share *share, unsigned mark,
                              struct dwqi_arena *arena,
                              struct dwqi_task_view *view_out)
{
    size_t names = (size_t)head->function_size + head->module_size;
    const char *text = (const char *)item + sizeof *head;
    struct dwqi_task_view view = { .id = head->id,
                                   .time_est = head->time_est,
                                   .function = "" };
    struct decoder d =
        decoder_for(item, head->size, names, head->values_size, arena);
    dwq_status_t status = DWQ_OK;

    d.share = share;
    d.mark = mark;
    if (head->function_size > 0) {
        status = view_text(text, head->function_size, &view.function);
    }
    if (status == DWQ_OK && head->module_size > 0) {
        status = view_text(text + head->function_size, head->module_size,
                           &view.module);
    }
    if (status == DWQ_OK) {
        status = decode_values(&d, head->n_args, 0, &view.args);
    }
    if (status == DWQ_OK) {
        status = decode_entries(&d, head->n_kwargs, 0, &view.kwargs);
    }
    status = decoder_finish(&d, status);
    if (status == DWQ_OK) {
        *view_out = view;
    }
    return status;
}

dwq_status_t dwqi_part_unpack(const void *item,
                              const struct dwqi_part_head *head,
                              struct dwqi_arena *arena,
                              struct dwqi_part_view *view_out)
{
    struct dwqi_part_view view = { .head = *head, .message = "" };
    struct decoder d = decoder_for(item, head->size, head->message_size,
                                   head->values_size, arena);
    dwq_status_t status = DWQ_OK;

    if (head->message_size > 0) {
        status = view_text((const char *)item + sizeof *head,
                           head->message_size, &view.message);
    }
    if (status == DWQ_OK) {
        status = decode_values(&d, head->n_values, 0, &view.values);
    }
    status = decoder_finish(&d, status);
    if (status == DWQ_OK) {
        *view_out = view;
    }
    return status;
}

dwq_status_t dwqi_values_unpack(const void *item, size_t available,
                                struct dwqi_arena *arena,
                                dwq_values_t *values_out,
                                dwq_kwargs_t *kwargs_out)
{
    struct dwqi_task_head head;
    struct dwqi_task_view view;
    dwq_status_t status = dwqi_task_head_read(item, available, &head);

    if (status == DWQ_OK) {
        status = dwqi_task_unpack(item, &head, NULL, 0, arena, &view);
    }
    if (status == DWQ_OK) {
        *values_out = view.args;
        *kwargs_out = view.kwargs;
    }
    return status;
}

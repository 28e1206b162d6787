/* Bytes -> values. Nothing that comes in is trusted: every length is compared
 * with what is left before it is used. */
#include <float.h>
#include <msgpack.h>
#include <string.h>

#include "libdwq/wire/codec_private.h"

struct decoder {
    const char *values; /* msgpack */
    size_t size;
    size_t at;
    size_t owed; /* bytes at least that the lists and maps around still need */
    const unsigned char *arrays;    /* where the first array stands */
    size_t arrays_size;             /* of the whole item */
    size_t front;                   /* bytes before the arrays */
    const struct dwqi_share *share; /* or NULL: the item is whole */
    unsigned mark;                  /* flags of all arrays */
    struct dwqi_arena *arena;
    msgpack_zone
        *zone; /* msgpack-c wants one for strings, bytes and arrays, and
                         * takes nothing from it */
};

#define ZONE_SIZE 16

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

static dwq_status_t view_array(const struct decoder *d,
                               const msgpack_object_ext *ext,
                               dwq_array_t *array_out)
{
    struct dwqi_array_head head;
    size_t shape[DWQ_MAX_DIMS];
    uint64_t extent;
    dwq_array_t array;

    if (ext->type != DWQI_EXT_ARRAY || ext->size < sizeof head) {
        return DWQ_E_MESSAGE;
    }
    memcpy(&head, ext->ptr, sizeof head);
    if (head.ndim > DWQ_MAX_DIMS || (head.flags & ~DWQI_ARRAY_SCATTER) != 0 ||
        (head.flags != 0 && head.ndim == 0) ||
        ext->size != sizeof head + head.ndim * sizeof extent ||
        head.offset % DWQI_ALIGN != 0 || head.offset > d->arrays_size) {
        return DWQ_E_MESSAGE;
    }
    for (int i = 0; i < head.ndim; i++) {
        memcpy(&extent, ext->ptr + sizeof head + (size_t)i * sizeof extent,
               sizeof extent);
        shape[i] = extent;
        if (shape[i] != extent) {
            return DWQ_E_MESSAGE;
        }
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

static dwq_status_t from_object(const struct decoder *d,
                                const msgpack_object *object,
                                dwq_value_t *value_out)
{
    dwq_status_t status = DWQ_OK;

    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        *value_out = dwq_value_nil();
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        *value_out = dwq_value_bool(object->via.boolean);
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        *value_out = dwq_value_uint(object->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        *value_out = dwq_value_int(object->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        *value_out = dwq_value_double(object->via.f64);
        break;
    case MSGPACK_OBJECT_STR:
        value_out->kind = DWQ_KIND_STRING;
        status = view_text(object->via.str.ptr, object->via.str.size,
                           &value_out->u.string);
        break;
    case MSGPACK_OBJECT_BIN:
        *value_out = dwq_value_bytes(
            (dwq_bytes_t){ object->via.bin.ptr, object->via.bin.size });
        break;
    case MSGPACK_OBJECT_EXT:
        value_out->kind = DWQ_KIND_ARRAY;
        status = view_array(d, &object->via.ext, &value_out->u.array);
        break;
    default:
        status = DWQ_E_MESSAGE;
    }
    return status;
}

/* `bytes` big-endian bytes behind a lead byte. */
static bool read_bits(struct decoder *d, size_t bytes, uint64_t *bits_out)
{
    uint64_t bits = 0;

    if (left(d) < 1 + bytes) {
        return false;
    }
    for (size_t i = 1; i <= bytes; i++) {
        bits = bits << 8 | (unsigned char)d->values[d->at + i];
    }
    d->at += 1 + bytes;
    *bits_out = bits;
    return true;
}

/* Numbers, which most calls take, without the set-up of msgpack_unpack(); false:
 * not one of these, or cut off. */
static bool decode_number(struct decoder *d, dwq_value_t *value_out)
{
    unsigned char lead = (unsigned char)d->values[d->at];
    uint64_t bits;
    double real;

    if (lead < 0x80 || lead >= 0xe0) {
        *value_out = dwq_value_int((int8_t)lead);
        d->at++;
        return true;
    }
    if (lead == 0xcb && read_bits(d, 8, &bits)) {
        memcpy(&real, &bits, sizeof real);
        *value_out = dwq_value_double(real);
        return true;
    }
    if (lead >= 0xcc && lead <= 0xcf &&
        read_bits(d, (size_t)1 << (lead - 0xcc), &bits)) {
        *value_out = dwq_value_uint(bits);
        return true;
    }
    return false;
}

/* Nil, bools and numbers: 0x00-0x7f, 0xc0-0xc3, 0xca-0xd3, 0xe0-0xff. */
static bool is_scalar(unsigned char lead)
{
    return lead < 0x80 || (lead >= 0xc0 && lead <= 0xc3) ||
           (lead >= 0xca && lead <= 0xd3) || lead >= 0xe0;
}

/* One object that holds no others. */
static dwq_status_t decode_object(struct decoder *d, dwq_value_t *value_out)
{
    msgpack_object object;
    msgpack_unpack_return answer;

    if (decode_number(d, value_out)) {
        return DWQ_OK;
    }
    if (!d->zone && !is_scalar((unsigned char)d->values[d->at])) {
        d->zone = msgpack_zone_new(ZONE_SIZE);
        if (!d->zone) {
            return DWQ_E_NOMEM;
        }
    }
    answer = msgpack_unpack(d->values, d->size, &d->at, d->zone, &object);
    if (answer != MSGPACK_UNPACK_SUCCESS &&
        answer != MSGPACK_UNPACK_EXTRA_BYTES) {
        return DWQ_E_MESSAGE;
    }
    return from_object(d, &object, value_out);
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

static dwq_status_t decode_name(struct decoder *d, const char **name_out)
{
    dwq_value_t name;
    dwq_status_t status = decode_value(d, DWQ_MAX_DEPTH, &name);

    if (status == DWQ_OK && name.kind != DWQ_KIND_STRING) {
        return DWQ_E_MESSAGE;
    }
    if (status == DWQ_OK) {
        *name_out = name.u.string;
    }
    return status;
}

#define ENTRY_MIN ((size_t)3) /* bytes of a name and its value */

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
        dwq_status_t status = decode_name(d, &items[i].name);

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

static dwq_status_t decode_list(struct decoder *d, size_t n, int depth,
                                dwq_value_t *value_out)
{
    if (depth >= DWQ_MAX_DEPTH) {
        return DWQ_E_MESSAGE;
    }
    value_out->kind = DWQ_KIND_LIST;
    return decode_values(d, n, depth + 1, &value_out->u.list);
}

static dwq_status_t decode_map(struct decoder *d, size_t n, int depth,
                               dwq_value_t *value_out)
{
    if (depth >= DWQ_MAX_DEPTH) {
        return DWQ_E_MESSAGE;
    }
    value_out->kind = DWQ_KIND_MAP;
    return decode_entries(d, n, depth + 1, &value_out->u.map);
}

/* Lists and maps are walked here, everything else by msgpack-c, which would
 * believe their counts (the lead bytes: msgpack specification, "Formats"). */
static dwq_status_t decode_value(struct decoder *d, int depth,
                                 dwq_value_t *value_out)
{
    unsigned char lead;
    uint64_t n;

    if (left(d) == 0) {
        return DWQ_E_MESSAGE;
    }
    lead = (unsigned char)d->values[d->at];
    if ((lead & 0xf0) == 0x80 || (lead & 0xf0) == 0x90) {
        d->at++;
        n = lead & 0x0f;
        return (lead & 0xf0) == 0x80 ? decode_map(d, n, depth, value_out)
                                     : decode_list(d, n, depth, value_out);
    }
    if (lead >= 0xdc && lead <= 0xdf) {
        if (!read_bits(d, lead % 2 == 0 ? 2 : 4, &n)) {
            return DWQ_E_MESSAGE;
        }
        return lead >= 0xde ? decode_map(d, n, depth, value_out)
                            : decode_list(d, n, depth, value_out);
    }
    return decode_object(d, value_out);
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
static dwq_status_t decoder_finish(struct decoder *d, dwq_status_t status)
{
    if (d->zone) {
        msgpack_zone_free(d->zone);
    }
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

/* Values -> bytes. One pass writes the values into scratch and notes the
 * arrays; then one block is allocated for everything that is copied. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/memory.h"
#include "libdwq/base/plain.h"
#include "libdwq/item/codec_private.h"

#define INLINE_ARRAYS 16
/* Leaves room for everything else in a size_t. */
#define ARRAYS_MAX (SIZE_MAX / 2)
/* Up to so many names each is compared with each. */
#define FEW_NAMES 16

struct encoder {
    struct dwqi_buffer *out; /* values */
    struct dwqi_scratch *scratch;
    unsigned keep_flag; /* arrays with it may stay where they are */
    const char *why;
    const char *name; /* of the keyword that `why` is about, or NULL */
    const char *list; /* what the user calls the values */
    size_t nth; /* of these, from 1, is the one that `why` is about; or 0 */
    dwq_status_t status;
    /* Arrays in the order in which they stand: copied ones, and kept ones. Their
     * offsets are patched when all are known. */
    dwq_array_t *arrays;
    size_t *heads; /* where their heads are in `out` */
    size_t n_arrays, capacity;
    size_t arrays_size; /* bytes, pads included: at most ARRAYS_MAX */
    dwq_array_t inline_arrays[INLINE_ARRAYS];
    size_t inline_heads[INLINE_ARRAYS];
};

static void refuse(struct encoder *e, dwq_status_t status, const char *why)
{
    if (e->status == DWQ_OK) {
        e->status = status;
        e->why = why;
    }
}

static void encoder_init(struct encoder *e, struct dwqi_scratch *scratch,
                         unsigned keep_flag, const char *list)
{
    e->out = &scratch->buffer;
    e->out->size = 0;
    e->out->failed = false;
    e->scratch = scratch;
    e->keep_flag = keep_flag;
    e->why = e->name = NULL;
    e->list = list;
    e->nth = 0;
    e->status = DWQ_OK;
    e->arrays = e->inline_arrays;
    e->heads = e->inline_heads;
    e->n_arrays = 0;
    e->arrays_size = 0;
    e->capacity = INLINE_ARRAYS;
}

static void encoder_finish(struct encoder *e)
{
    if (e->arrays != e->inline_arrays) {
        free(e->arrays);
        free(e->heads);
    }
}

static bool grow_arrays(struct encoder *e)
{
    size_t capacity = 2 * e->capacity;
    dwq_array_t *arrays = malloc(capacity * sizeof *arrays);
    size_t *heads = malloc(capacity * sizeof *heads);

    if (!arrays || !heads) {
        free(arrays);
        free(heads);
        return false;
    }
    memcpy(arrays, e->arrays, e->n_arrays * sizeof *arrays);
    memcpy(heads, e->heads, e->n_arrays * sizeof *heads);
    encoder_finish(e);
    e->arrays = arrays;
    e->heads = heads;
    e->capacity = capacity;
    return true;
}

static bool is_kept(const struct encoder *e, const dwq_array_t *array)
{
    return (array->flags & e->keep_flag) != 0 &&
           dwq_array_size(array) >= DWQI_EXTENT_MIN;
}

/* The kind, and what each value of it has. A failure is seen at the end. */
static void put_value(struct encoder *e, dwq_kind_t kind, const void *data,
                      size_t size)
{
    unsigned char *at = dwqi_buffer_grow(e->out, 1 + size);

    if (at) {
        at[0] = (unsigned char)kind;
        if (size > 0) {
            memcpy(at + 1, data, size);
        }
    }
}

static void encode_array(struct encoder *e, const dwq_array_t *array)
{
    unsigned char body[DWQI_ARRAY_HEAD_MAX];
    struct dwqi_array_head head = {
        .type = (uint8_t)array->type,
        .ndim = (uint8_t)array->ndim,
        .flags = (uint8_t)(array->flags & DWQI_ARRAY_SCATTER),
    };
    dwq_array_t checked =
        dwq_array(array->type, array->data, array->ndim, array->shape);
    size_t size = sizeof head + (size_t)checked.ndim * sizeof(uint64_t);

    if (dwq_type_size(checked.type) == 0) {
        refuse(e, DWQ_E_ARG, "an array whose type, shape or data is not valid");
        return;
    }
    if (e->scratch->is_live &&
        !e->scratch->is_live(e->scratch->live_arg, array)) {
        refuse(e, DWQ_E_ARG, "an array that another call got or allocated");
        return;
    }
    if ((array->flags & DWQI_ARRAY_SCATTER) && array->ndim == 0) {
        refuse(e, DWQ_E_ARG, "dwq_scatter of an array without dimensions");
        return;
    }
    if (dwqi_align(dwq_array_size(&checked)) > ARRAYS_MAX - e->arrays_size) {
        refuse(e, DWQ_E_ARG, "arrays that are together too large");
        return;
    }
    if (e->n_arrays == e->capacity && !grow_arrays(e)) {
        refuse(e, DWQ_E_NOMEM, "out of memory");
        return;
    }
    memcpy(body, &head, sizeof head);
    for (int i = 0; i < array->ndim; i++) {
        uint64_t extent = array->shape[i];

        memcpy(body + sizeof head + (size_t)i * sizeof extent, &extent,
               sizeof extent);
    }
    e->arrays[e->n_arrays] = *array;
    e->heads[e->n_arrays] = e->out->size + 1;
    e->n_arrays++;
    e->arrays_size += dwqi_align(dwq_array_size(&checked));
    put_value(e, DWQ_KIND_ARRAY, body, size);
}

/* A count or size. */
static void put_count(struct encoder *e, size_t count)
{
    uint32_t n = (uint32_t)count;

    dwqi_buffer_append(e->out, &n, sizeof n);
}

static void put_text(struct encoder *e, const char *text)
{
    size_t size = strlen(text) + 1;

    if (size > UINT32_MAX) {
        refuse(e, DWQ_E_ARG, "a string of 4 GiB or more: use an array");
        return;
    }
    put_count(e, size);
    dwqi_buffer_append(e->out, text, size);
}

static void encode_bytes(struct encoder *e, dwq_bytes_t bytes)
{
    if (bytes.size > UINT32_MAX || (bytes.size > 0 && !bytes.data)) {
        refuse(e, DWQ_E_ARG,
               "bytes of 4 GiB or more (use an array), or without data");
        return;
    }
    put_count(e, bytes.size);
    dwqi_buffer_append(e->out, bytes.data, bytes.size);
}

static void encode_value(struct encoder *e, const dwq_value_t *value,
                         int depth);

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A name that stands there twice, or NULL. */
static const char *twice_of_few(dwq_kwargs_t entries)
{
    for (size_t i = 0; i < entries.n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(entries.items[k].name, entries.items[i].name) == 0) {
                return entries.items[i].name;
            }
        }
    }
    return NULL;
}

static const char *twice_of_many(struct encoder *e, dwq_kwargs_t entries)
{
    const char **names = calloc(entries.n, sizeof *names);
    const char *twice = NULL;

    if (!names) {
        refuse(e, DWQ_E_NOMEM, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < entries.n; i++) {
        names[i] = entries.items[i].name;
    }
    qsort(names, entries.n, sizeof *names, compare_names);
    for (size_t i = 1; i < entries.n && !twice; i++) {
        twice = strcmp(names[i - 1], names[i]) == 0 ? names[i] : NULL;
    }
    free(names);
    return twice;
}

static void encode_entries(struct encoder *e, dwq_kwargs_t entries, int depth)
{
    for (size_t i = 0; i < entries.n; i++) {
        if (!entries.items[i].name) {
            refuse(e, DWQ_E_ARG, "a keyword without a name");
            return;
        }
    }
    e->name = entries.n <= FEW_NAMES ? twice_of_few(entries)
                                     : twice_of_many(e, entries);
    if (e->name) {
        refuse(e, DWQ_E_ARG, "this name is given twice");
    }
    for (size_t i = 0; i < entries.n && e->status == DWQ_OK; i++) {
        put_text(e, entries.items[i].name);
        encode_value(e, &entries.items[i].value, depth);
        if (e->status != DWQ_OK && !e->name) {
            e->name = entries.items[i].name;
        }
    }
}

/* Depth of the items that stand in a list or map at `depth`. */
static bool go_deeper(struct encoder *e, int depth, int *depth_out)
{
    if (depth >= DWQ_MAX_DEPTH) {
        refuse(e, DWQ_E_ARG, "lists and maps nested deeper than 32");
        return false;
    }
    *depth_out = depth + 1;
    return true;
}

static void encode_list(struct encoder *e, dwq_values_t list, int depth)
{
    if (list.n > UINT32_MAX || (list.n > 0 && !list.items)) {
        refuse(e, DWQ_E_ARG, "a list without items");
        return;
    }
    if (!go_deeper(e, depth, &depth)) {
        return;
    }
    put_count(e, list.n);
    for (size_t i = 0; i < list.n && e->status == DWQ_OK; i++) {
        encode_value(e, &list.items[i], depth);
    }
}

static void encode_map(struct encoder *e, dwq_kwargs_t map, int depth)
{
    if (map.n > UINT32_MAX || (map.n > 0 && !map.items)) {
        refuse(e, DWQ_E_ARG, "a map without entries");
        return;
    }
    if (!go_deeper(e, depth, &depth)) {
        return;
    }
    put_count(e, map.n);
    encode_entries(e, map, depth);
}

static void encode_value(struct encoder *e, const dwq_value_t *value, int depth)
{
    switch (value->kind) {
    case DWQ_KIND_NIL:
        put_value(e, value->kind, NULL, 0);
        return;
    case DWQ_KIND_BOOL:
        put_value(e, value->kind, &(unsigned char){ value->u.boolean }, 1);
        return;
    case DWQ_KIND_INT:
    case DWQ_KIND_UINT:
    case DWQ_KIND_DOUBLE:
        put_value(e, value->kind, &value->u, sizeof(uint64_t));
        return;
    case DWQ_KIND_STRING:
        put_value(e, value->kind, NULL, 0);
        put_text(e, value->u.string ? value->u.string : "");
        return;
    case DWQ_KIND_BYTES:
        put_value(e, value->kind, NULL, 0);
        encode_bytes(e, value->u.bytes);
        return;
    case DWQ_KIND_LIST:
        put_value(e, value->kind, NULL, 0);
        encode_list(e, value->u.list, depth);
        return;
    case DWQ_KIND_MAP:
        put_value(e, value->kind, NULL, 0);
        encode_map(e, value->u.map, depth);
        return;
    case DWQ_KIND_ARRAY:
        encode_array(e, &value->u.array);
        return;
    }
    refuse(e, DWQ_E_ARG, "a value of an unknown kind");
}

static void encode_all(struct encoder *e, dwq_values_t values,
                       dwq_kwargs_t kwargs)
{
    if ((values.n > 0 && !values.items) || (kwargs.n > 0 && !kwargs.items) ||
        values.n > UINT32_MAX || kwargs.n > UINT32_MAX) {
        refuse(e, DWQ_E_ARG, "a count of values without values");
        return;
    }
    for (size_t i = 0; i < values.n && e->status == DWQ_OK; i++) {
        encode_value(e, &values.items[i], 0);
        e->nth = e->status != DWQ_OK ? i + 1 : 0;
    }
    if (e->status == DWQ_OK) {
        encode_entries(e, kwargs, 0);
    }
    if (e->status == DWQ_OK && e->out->failed) {
        refuse(e, DWQ_E_NOMEM, "out of memory");
    }
    if (e->status == DWQ_OK && e->out->size > UINT32_MAX) {
        refuse(e, DWQ_E_ARG, "values of 4 GiB or more that are no arrays");
    }
}

/* --- Layout ------------------------------------------------------------- */

/* Give each array its place: copied ones first, kept ones behind the block.
 * Returns the bytes of the copied ones. */
static size_t place_arrays(struct encoder *e, size_t *n_kept_out,
                           size_t *total_out)
{
    size_t at = 0, copied = 0, n_kept = 0;

    for (int kept = 0; kept <= 1; kept++) {
        for (size_t i = 0; i < e->n_arrays; i++) {
            uint64_t offset = at;

            if (is_kept(e, &e->arrays[i]) != (kept == 1)) {
                continue;
            }
            memcpy(e->out->data + e->heads[i] +
                       offsetof(struct dwqi_array_head, offset),
                   &offset, sizeof offset);
            at += dwqi_align(dwq_array_size(&e->arrays[i]));
            n_kept += kept == 1;
        }
        copied = kept == 0 ? at : copied;
    }
    *n_kept_out = n_kept;
    *total_out = at;
    return copied;
}

static unsigned char *put(unsigned char *at, const void *data, size_t size)
{
    if (size > 0) {
        memcpy(at, data, size);
    }
    return at + size;
}

static unsigned char *pad(unsigned char *block, unsigned char *at)
{
    size_t used = (size_t)(at - block);

    memset(at, 0, dwqi_align(used) - used);
    return block + dwqi_align(used);
}

/* The block of a small item has no head of a pool's: most items are small. */
static bool is_pooled(const struct dwqi_pack *pack)
{
    return pack->block_size >= DWQI_POOL_MIN;
}

static void *take_block(const struct dwqi_scratch *scratch,
                        const struct dwqi_pack *pack)
{
    if (pack->block_size <= scratch->small_size) {
        return scratch->small;
    }
    return is_pooled(pack) ? dwqi_pool_get(scratch->pool, pack->block_size)
                           : malloc(pack->block_size);
}

/* Head (64 bytes), two texts, values, copied arrays. The head's size field is
 * the second u64 of either head. */
static dwq_status_t make_pack(struct encoder *e, const void *head,
                              const void *text1, size_t size1,
                              const void *text2, size_t size2,
                              struct dwqi_pack *pack_out)
{
    size_t front = dwqi_align(DWQI_ALIGN + size1 + size2 + e->out->size);
    size_t n_kept, total, copied = place_arrays(e, &n_kept, &total);
    struct dwqi_pack pack = { .block_size = front + copied,
                              .n_extents = n_kept,
                              .size = front + total };
    unsigned char *at;
    uint64_t size = pack.size;

    pack.extents = n_kept ? calloc(n_kept, sizeof *pack.extents) : NULL;
    if (n_kept == 0 || pack.extents) {
        pack.block = take_block(e->scratch, &pack);
    }
    if (!pack.block) {
        free(pack.extents);
        return DWQ_E_NOMEM;
    }
    at = put(pack.block, head, DWQI_ALIGN);
    memcpy(pack.block + sizeof(uint64_t), &size, sizeof size);
    at = put(at, text1, size1);
    at = put(at, text2, size2);
    at = pad(pack.block, put(at, e->out->data, e->out->size));
    n_kept = 0;
    for (size_t i = 0; i < e->n_arrays; i++) {
        const dwq_array_t *array = &e->arrays[i];

        if (is_kept(e, array)) {
            pack.extents[n_kept++] =
                (struct dwqi_extent){ array->data, dwq_array_size(array) };
        } else {
            at = pad(pack.block, put(at, array->data, dwq_array_size(array)));
        }
    }
    *pack_out = pack;
    return DWQ_OK;
}

_Static_assert(offsetof(struct dwqi_task_head, size) == sizeof(uint64_t) &&
                   offsetof(struct dwqi_part_head, size) == sizeof(uint64_t),
               "make_pack writes the size");

/* Into the scratch: "args[2]: keyword 'mesh': why". */
static const char *explain(const struct encoder *e)
{
    const char *name = e->name ? e->name : "";
    char place[40] = "";

    if (e->nth > 0) {
        snprintf(place, sizeof place, "%s[%zu]: ", e->list, e->nth - 1);
    }
    dwqi_plain_format(e->scratch->why, sizeof e->scratch->why,
                      e->name ? "%skeyword '%.*s': %s" : "%s%.*s%s", place,
                      dwqi_plain_fit(name, 80), name, e->why);
    return e->scratch->why;
}

static dwq_status_t finish(struct encoder *e, const char **why_out)
{
    if (e->status != DWQ_OK) {
        *why_out = e->status == DWQ_E_ARG ? explain(e) : "out of memory";
    }
    encoder_finish(e);
    return e->status;
}

static uint32_t count_scattered(const struct encoder *e)
{
    uint32_t n = 0;

    for (size_t i = 0; i < e->n_arrays; i++) {
        n += (e->arrays[i].flags & DWQI_ARRAY_SCATTER) != 0;
    }
    return n;
}

static dwq_status_t pack_task(const dwq_task_t *task, uint64_t id,
                              unsigned keep_flag, struct dwqi_scratch *scratch,
                              struct dwqi_pack *pack_out, const char **why_out)
{
    size_t function = task->function ? strlen(task->function) + 1 : 0;
    size_t module = task->module ? strlen(task->module) + 1 : 0;
    struct dwqi_task_head head = { .id = id, .time_est = task->time_est };
    struct encoder e;

    encoder_init(&e, scratch, keep_flag, task->function ? "args" : "values");
    if (function > UINT16_MAX || module > UINT16_MAX) {
        refuse(&e, DWQ_E_ARG, "a function or module name of 64 KiB or more");
    } else {
        encode_all(&e, task->args, task->kwargs);
    }
    if (e.status == DWQ_OK) {
        head.time_limit = task->time_limit;
        head.values_size = (uint32_t)e.out->size;
        head.n_args = (uint32_t)task->args.n;
        head.n_kwargs = (uint32_t)task->kwargs.n;
        head.function_size = (uint32_t)function;
        head.module_size = (uint32_t)module;
        head.n_scattered = count_scattered(&e);
        e.status = make_pack(&e, &head, task->function, function, task->module,
                             module, pack_out);
    }
    return finish(&e, why_out);
}

dwq_status_t dwqi_pack_task(const dwq_task_t *task, uint64_t id,
                            struct dwqi_scratch *scratch,
                            struct dwqi_pack *pack_out, const char **why_out)
{
    if (!task->function || task->function[0] == '\0') {
        *why_out = "function is NULL or \"\"";
        return DWQ_E_ARG;
    }
    if (!dwqi_is_zero(task->reserved,
                      sizeof task->reserved / sizeof task->reserved[0])) {
        *why_out = "reserved is not 0: not initialized, or of a later libdwq";
        return DWQ_E_ARG;
    }
    return pack_task(task, id, DWQI_ARRAY_BORROWED, scratch, pack_out, why_out);
}

dwq_status_t dwqi_values_pack(dwq_values_t values, dwq_kwargs_t kwargs,
                              struct dwqi_scratch *scratch,
                              struct dwqi_pack *pack_out, const char **why_out)
{
    dwq_task_t task = { .args = values, .kwargs = kwargs };

    return pack_task(&task, 0, 0, scratch, pack_out, why_out);
}

dwq_status_t dwqi_pack_part(const struct dwqi_part_head *head,
                            const char *message, dwq_values_t values,
                            struct dwqi_scratch *scratch,
                            struct dwqi_pack *pack_out, const char **why_out)
{
    struct dwqi_part_head filled = *head;
    size_t text = message ? strlen(message) + 1 : 0;
    struct encoder e;

    encoder_init(&e, scratch, DWQI_ARRAY_OWNED, "values");
    if (text > UINT32_MAX) {
        refuse(&e, DWQ_E_ARG, "a message of 4 GiB or more");
    } else {
        encode_all(&e, values, (dwq_kwargs_t){ 0, NULL });
    }
    if (e.status == DWQ_OK) {
        filled.values_size = (uint32_t)e.out->size;
        filled.n_values = (uint32_t)values.n;
        filled.message_size = (uint32_t)text;
        e.status = make_pack(&e, &filled, message, text, NULL, 0, pack_out);
    }
    return finish(&e, why_out);
}

void dwqi_pack_set_attempt(struct dwqi_pack *pack, uint32_t attempt)
{
    memcpy(pack->block + offsetof(struct dwqi_task_head, attempt), &attempt,
           sizeof attempt);
}

void dwqi_scratch_finish(struct dwqi_scratch *scratch)
{
    dwqi_buffer_finish(&scratch->buffer);
}

void dwqi_pack_finish(struct dwqi_pack *pack)
{
    if (is_pooled(pack)) {
        dwqi_pool_give(pack->block);
    } else {
        free(pack->block);
    }
    free(pack->extents);
    *pack = (struct dwqi_pack){ .block = NULL };
}

void dwqi_pack_copy(const struct dwqi_pack *pack, void *out)
{
    unsigned char *at = put(out, pack->block, pack->block_size);

    for (size_t i = 0; i < pack->n_extents; i++) {
        at = pad(out, put(at, pack->extents[i].data, pack->extents[i].size));
    }
}

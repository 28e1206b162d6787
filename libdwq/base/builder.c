/* A task, or a list of values, built value by value. Each open list or map collects its
 * values in a frame; when it ends, they are one piece of memory and one value of the
 * frame around it. */
#include <dwq/flat.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/arena.h"
#include "libdwq/base/buffer.h"
#include "libdwq/base/field.h"

struct frame {
    bool is_map;
    const char *name;           /* in the frame around it; or NULL */
    struct dwqi_buffer items;   /* dwq_value_t */
    struct dwqi_buffer entries; /* dwq_kwarg_t */
};

struct dwq_builder {
    dwq_task_t task; /* its lists are those of the first frame */
    bool spoilt;
    int depth;                /* of the innermost frame that is open */
    struct dwqi_arena memory; /* names, texts, lists that have ended */
    struct frame frames[1 + DWQ_MAX_DEPTH];
};

static const struct dwqi_field fields[] = {
    DWQI_FIELD(dwq_task_t, function, DWQI_FIELD_STRING),
    DWQI_FIELD(dwq_task_t, module, DWQI_FIELD_STRING),
    DWQI_FIELD(dwq_task_t, host, DWQI_FIELD_STRING),
    DWQI_FIELD(dwq_task_t, id, DWQI_FIELD_UINT64),
    DWQI_FIELD(dwq_task_t, worker, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_task_t, priority, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_task_t, ranks, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_task_t, retry_failed, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_task_t, retries, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_task_t, time_limit, DWQI_FIELD_DOUBLE),
    DWQI_FIELD(dwq_task_t, time_est, DWQI_FIELD_DOUBLE),
    { NULL, DWQI_FIELD_INT, 0 },
};

/* A copy of what `data` names, as long as the builder; NULL: no memory. */
static void *keep(dwq_builder_t *b, const void *data, size_t size)
{
    void *copy = dwqi_arena_alloc(&b->memory, size > 0 ? size : 1, 1);

    if (copy && size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

static const char *keep_text(dwq_builder_t *b, const char *text)
{
    return keep(b, text, strlen(text) + 1);
}

dwq_builder_t *dwq_builder_create(const char *function)
{
    dwq_builder_t *b = calloc(1, sizeof *b);

    if (b && function) {
        b->task.function = keep_text(b, function);
        if (!b->task.function) {
            free(b);
            return NULL;
        }
    }
    return b;
}

void dwq_builder_destroy(dwq_builder_t *builder)
{
    if (!builder) {
        return;
    }
    for (int i = 0; i <= DWQ_MAX_DEPTH; i++) {
        dwqi_buffer_finish(&builder->frames[i].items);
        dwqi_buffer_finish(&builder->frames[i].entries);
    }
    dwqi_arena_finish(&builder->memory);
    free(builder);
}

const dwq_task_t *dwq_builder_task(const dwq_builder_t *builder)
{
    return builder && !builder->spoilt && builder->depth == 0 ? &builder->task
                                                              : NULL;
}

/* --- Fields --------------------------------------------------------------- */

dwq_status_t dwq_builder_set_int(dwq_builder_t *builder, const char *field,
                                 int64_t value)
{
    return builder && dwqi_field_set_int(fields, &builder->task, field, value)
               ? DWQ_OK
               : DWQ_E_ARG;
}

dwq_status_t dwq_builder_set_double(dwq_builder_t *builder, const char *field,
                                    double value)
{
    double *at = builder ? dwqi_field_at(fields, &builder->task, field,
                                         DWQI_FIELD_DOUBLE)
                         : NULL;

    if (!at) {
        return DWQ_E_ARG;
    }
    *at = value;
    return DWQ_OK;
}

dwq_status_t dwq_builder_set_string(dwq_builder_t *builder, const char *field,
                                    const char *value)
{
    const char **at = builder ? dwqi_field_at(fields, &builder->task, field,
                                              DWQI_FIELD_STRING)
                              : NULL;
    const char *copy = NULL;

    if (!at) {
        return DWQ_E_ARG;
    }
    if (value) {
        copy = keep_text(builder, value);
        if (!copy) {
            return DWQ_E_NOMEM;
        }
    }
    *at = copy;
    return DWQ_OK;
}

/* --- Values --------------------------------------------------------------- */

static dwq_status_t spoil(dwq_builder_t *b, dwq_status_t status)
{
    if (b) {
        b->spoilt = true;
    }
    return status;
}

static dwq_values_t items_of(const struct frame *frame)
{
    return (dwq_values_t){ frame->items.size / sizeof(dwq_value_t),
                           (const void *)frame->items.data };
}

static dwq_kwargs_t entries_of(const struct frame *frame)
{
    return (dwq_kwargs_t){ frame->entries.size / sizeof(dwq_kwarg_t),
                           (const void *)frame->entries.data };
}

/* Into the innermost frame; `name` is kept already. */
static dwq_status_t append(dwq_builder_t *b, const char *name,
                           dwq_value_t value)
{
    struct frame *frame = &b->frames[b->depth];
    dwq_kwarg_t entry = { name, value };

    if (name) {
        dwqi_buffer_append(&frame->entries, &entry, sizeof entry);
    } else {
        dwqi_buffer_append(&frame->items, &value, sizeof value);
    }
    if (frame->entries.failed || frame->items.failed) {
        return spoil(b, DWQ_E_NOMEM);
    }
    if (b->depth == 0) {
        b->task.args = items_of(frame);
        b->task.kwargs = entries_of(frame);
    }
    return DWQ_OK;
}

/* Whether the innermost frame takes a value of this name, or without one. */
static bool takes(const dwq_builder_t *b, const char *name)
{
    return b->depth == 0 || b->frames[b->depth].is_map == (name != NULL);
}

static dwq_status_t add(dwq_builder_t *b, const char *name, dwq_value_t value)
{
    if (!b || !takes(b, name)) {
        return spoil(b, DWQ_E_ARG);
    }
    if (name) {
        name = keep_text(b, name);
        if (!name) {
            return spoil(b, DWQ_E_NOMEM);
        }
    }
    return append(b, name, value);
}

dwq_status_t dwq_builder_bool(dwq_builder_t *builder, const char *name,
                              bool value)
{
    return add(builder, name, dwq_value_bool(value));
}

dwq_status_t dwq_builder_int(dwq_builder_t *builder, const char *name,
                             int64_t value)
{
    return add(builder, name, dwq_value_int(value));
}

dwq_status_t dwq_builder_uint(dwq_builder_t *builder, const char *name,
                              uint64_t value)
{
    return add(builder, name, dwq_value_uint(value));
}

dwq_status_t dwq_builder_double(dwq_builder_t *builder, const char *name,
                                double value)
{
    return add(builder, name, dwq_value_double(value));
}

dwq_status_t dwq_builder_string(dwq_builder_t *builder, const char *name,
                                const char *value)
{
    const char *copy = builder && value ? keep_text(builder, value) : NULL;

    if (builder && value && !copy) {
        return spoil(builder, DWQ_E_NOMEM);
    }
    return add(builder, name, dwq_value_string(copy));
}

dwq_status_t dwq_builder_bytes(dwq_builder_t *builder, const char *name,
                               const void *data, size_t size)
{
    dwq_bytes_t copy = { .size = size };

    if (!builder || (!data && size > 0)) {
        return spoil(builder, DWQ_E_ARG);
    }
    copy.data = keep(builder, data, size);
    if (!copy.data) {
        return spoil(builder, DWQ_E_NOMEM);
    }
    return add(builder, name, dwq_value_bytes(copy));
}

dwq_status_t dwq_builder_array(dwq_builder_t *builder, const char *name,
                               int type, const void *data, int ndim,
                               const size_t *shape, int taken)
{
    dwq_array_t array = dwq_array((dwq_type_t)type, data, ndim, shape);

    if (array.type == 0 ||
        (taken & ~(DWQ_TAKEN_BORROWED | DWQ_TAKEN_SCATTERED)) != 0) {
        return spoil(builder, DWQ_E_ARG);
    }
    array = taken & DWQ_TAKEN_BORROWED ? dwq_borrow(array) : array;
    array = taken & DWQ_TAKEN_SCATTERED ? dwq_scatter(array) : array;
    return add(builder, name, dwq_value_array(array));
}

/* --- Lists and maps --------------------------------------------------------- */

static dwq_status_t begin(dwq_builder_t *b, const char *name, bool is_map)
{
    if (!b || !takes(b, name) || b->depth == DWQ_MAX_DEPTH) {
        return spoil(b, DWQ_E_ARG);
    }
    if (name) {
        name = keep_text(b, name);
        if (!name) {
            return spoil(b, DWQ_E_NOMEM);
        }
    }
    b->depth++;
    b->frames[b->depth].is_map = is_map;
    b->frames[b->depth].name = name;
    return DWQ_OK;
}

dwq_status_t dwq_builder_list(dwq_builder_t *builder, const char *name)
{
    return begin(builder, name, false);
}

dwq_status_t dwq_builder_map(dwq_builder_t *builder, const char *name)
{
    return begin(builder, name, true);
}

dwq_status_t dwq_builder_end(dwq_builder_t *builder)
{
    struct frame *frame;
    dwq_values_t list;
    dwq_kwargs_t map;

    if (!builder || builder->depth == 0) {
        return spoil(builder, DWQ_E_ARG);
    }
    frame = &builder->frames[builder->depth--];
    list = items_of(frame);
    map = entries_of(frame);
    list.items = keep(builder, list.items, frame->items.size);
    map.items = keep(builder, map.items, frame->entries.size);
    frame->items.size = frame->entries.size = 0;
    if (!list.items || !map.items) {
        return spoil(builder, DWQ_E_NOMEM);
    }
    return append(builder, frame->name,
                  frame->is_map ? dwq_value_map(map) : dwq_value_list(list));
}

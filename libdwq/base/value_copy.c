/* Copies of values with all that they name, each in one piece of memory that begins
 * with the copied list. The same walk counts first, and copies then. */
#include <stdlib.h>
#include <string.h>

#include <dwq/value.h>

#include "libdwq/base/memory.h"

#define ALIGN 64 /* of arrays, and so of all */

struct piece {
    unsigned char *block; /* NULL: no more than counted */
    size_t used;
};

static bool copy_value(struct piece *piece, dwq_value_t *value, int depth);

/* NULL while it is counted. */
static void *put(struct piece *piece, const void *data, size_t size)
{
    unsigned char *at = piece->block ? piece->block + piece->used : NULL;

    piece->used += (size + ALIGN - 1) / ALIGN * ALIGN;
    if (at && size > 0) {
        memcpy(at, data, size);
    }
    return at;
}

static bool copy_values(struct piece *piece, dwq_values_t *values, int depth)
{
    const dwq_value_t *from = values->items;
    dwq_value_t *items = put(piece, from, values->n * sizeof *items);
    bool ok = depth <= DWQ_MAX_DEPTH;

    for (size_t i = 0; i < values->n && ok; i++) {
        dwq_value_t value = from[i];

        ok = copy_value(piece, &value, depth);
        if (items) {
            items[i] = value;
        }
    }
    values->items = items;
    return ok;
}

static bool copy_entries(struct piece *piece, dwq_kwargs_t *entries, int depth)
{
    const dwq_kwarg_t *from = entries->items;
    dwq_kwarg_t *items = put(piece, from, entries->n * sizeof *items);
    bool ok = depth <= DWQ_MAX_DEPTH;

    for (size_t i = 0; i < entries->n && ok; i++) {
        dwq_kwarg_t entry = from[i];

        ok = entry.name && copy_value(piece, &entry.value, depth);
        if (ok) {
            entry.name = put(piece, entry.name, strlen(entry.name) + 1);
        }
        if (items) {
            items[i] = entry;
        }
    }
    entries->items = items;
    return ok;
}

/* What it names is copied, and named instead. false: too deep, or a string is
 * missing. */
static bool copy_value(struct piece *piece, dwq_value_t *value, int depth)
{
    dwq_array_t *array = &value->u.array;
    dwq_bytes_t *bytes = &value->u.bytes;
    const char *string = value->u.string;

    switch (value->kind) {
    case DWQ_KIND_STRING:
        value->u.string =
            string ? put(piece, string, strlen(string) + 1) : NULL;
        return string != NULL;
    case DWQ_KIND_BYTES:
        bytes->data = put(piece, bytes->data, bytes->size);
        return true;
    case DWQ_KIND_ARRAY:
        array->data = put(piece, array->data, dwq_array_size(array));
        return true;
    case DWQ_KIND_LIST:
        return copy_values(piece, &value->u.list, depth + 1);
    case DWQ_KIND_MAP:
        return copy_entries(piece, &value->u.map, depth + 1);
    default:
        return true;
    }
}

/* A list or a map. */
static dwq_status_t copy(dwq_value_t *value)
{
    struct piece piece = { .block = NULL };
    dwq_value_t counted = *value;

    if (!copy_value(&piece, &counted, -1)) {
        return DWQ_E_ARG;
    }
    piece = (struct piece){ .block = dwqi_memory_get(ALIGN, piece.used + 1) };
    if (!piece.block) {
        return DWQ_E_NOMEM;
    }
    copy_value(&piece, value, -1);
    return DWQ_OK;
}

dwq_status_t dwq_values_copy(dwq_values_t values, dwq_values_t *copy_out)
{
    dwq_value_t list = dwq_value_list(values);
    dwq_status_t status = copy_out ? copy(&list) : DWQ_E_ARG;

    if (status == DWQ_OK) {
        *copy_out = list.u.list;
    }
    return status;
}

dwq_status_t dwq_kwargs_copy(dwq_kwargs_t entries, dwq_kwargs_t *copy_out)
{
    dwq_value_t map = dwq_value_map(entries);
    dwq_status_t status = copy_out ? copy(&map) : DWQ_E_ARG;

    if (status == DWQ_OK) {
        *copy_out = map.u.map;
    }
    return status;
}

void dwq_values_free(dwq_values_t copy)
{
    free((void *)copy.items);
}

void dwq_kwargs_free(dwq_kwargs_t copy)
{
    free((void *)copy.items);
}

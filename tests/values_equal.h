/* For the tests: whether two values are the same, arrays by their elements and
 * doubles by their bits (so that NaN equals itself). */
#ifndef DWQ_TESTS_VALUES_EQUAL_H
#define DWQ_TESTS_VALUES_EQUAL_H

#include <string.h>

#include <dwq/value.h>

#include "libdwq/base/value_flags.h"

static inline bool values_equal(dwq_values_t a, dwq_values_t b);
static inline bool entries_equal(dwq_kwargs_t a, dwq_kwargs_t b);

static inline bool bytes_equal(const void *a, const void *b, size_t size)
{
    return size == 0 || memcmp(a, b, size) == 0;
}

/* Of the flags only SCATTER travels. */
static inline bool arrays_equal(const dwq_array_t *a, const dwq_array_t *b)
{
    return a->type == b->type && a->ndim == b->ndim &&
           memcmp(a->shape, b->shape, sizeof a->shape) == 0 &&
           ((a->flags ^ b->flags) & DWQI_ARRAY_SCATTER) == 0 &&
           bytes_equal(a->data, b->data, dwq_array_size(a));
}

static inline bool value_equal(const dwq_value_t *a, const dwq_value_t *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case DWQ_KIND_NIL:
        return true;
    case DWQ_KIND_BOOL:
        return a->u.boolean == b->u.boolean;
    case DWQ_KIND_INT:
        return a->u.integer == b->u.integer;
    case DWQ_KIND_UINT:
        return a->u.uinteger == b->u.uinteger;
    case DWQ_KIND_DOUBLE:
        return bytes_equal(&a->u.real, &b->u.real, sizeof a->u.real);
    case DWQ_KIND_STRING:
        return strcmp(a->u.string, b->u.string) == 0;
    case DWQ_KIND_BYTES:
        return a->u.bytes.size == b->u.bytes.size &&
               bytes_equal(a->u.bytes.data, b->u.bytes.data, a->u.bytes.size);
    case DWQ_KIND_LIST:
        return values_equal(a->u.list, b->u.list);
    case DWQ_KIND_MAP:
        return entries_equal(a->u.map, b->u.map);
    case DWQ_KIND_ARRAY:
        return arrays_equal(&a->u.array, &b->u.array);
    }
    return false;
}

static inline bool values_equal(dwq_values_t a, dwq_values_t b)
{
    bool equal = a.n == b.n;

    for (size_t i = 0; equal && i < a.n; i++) {
        equal = value_equal(&a.items[i], &b.items[i]);
    }
    return equal;
}

static inline bool entries_equal(dwq_kwargs_t a, dwq_kwargs_t b)
{
    bool equal = a.n == b.n;

    for (size_t i = 0; equal && i < a.n; i++) {
        equal = strcmp(a.items[i].name, b.items[i].name) == 0 &&
                value_equal(&a.items[i].value, &b.items[i].value);
    }
    return equal;
}

#endif

/* Values: what calls take and return. A value is a small struct that is copied
 * freely; strings, bytes, arrays, lists and maps are views, never owners. */
#ifndef DWQ_VALUE_H
#define DWQ_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <dwq/status.h>
#include <dwq/value_macros.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DWQ_MAX_DIMS 8   /* dimensions of an array */
#define DWQ_MAX_DEPTH 32 /* nesting of lists and maps */

/* Element types of arrays: X(name, value, size in bytes) */
#define DWQ_TYPE_LIST(X)        \
    X(DWQ_INT8, 1, 1)           \
    X(DWQ_UINT8, 2, 1)          \
    X(DWQ_INT16, 3, 2)          \
    X(DWQ_UINT16, 4, 2)         \
    X(DWQ_INT32, 5, 4)          \
    X(DWQ_UINT32, 6, 4)         \
    X(DWQ_INT64, 7, 8)          \
    X(DWQ_UINT64, 8, 8)         \
    X(DWQ_FLOAT, 9, 4)          \
    X(DWQ_DOUBLE, 10, 8)        \
    X(DWQ_COMPLEX_FLOAT, 11, 8) \
    X(DWQ_COMPLEX_DOUBLE, 12, 16)

typedef enum dwq_type {
#define DWQ_TYPE_ENUM(name, value, size) name = value,
    DWQ_TYPE_LIST(DWQ_TYPE_ENUM)
#undef DWQ_TYPE_ENUM
} dwq_type_t;

typedef enum dwq_kind {
    DWQ_KIND_NIL = 0,
    DWQ_KIND_BOOL,
    DWQ_KIND_INT,  /* any integer that int64_t holds */
    DWQ_KIND_UINT, /* only integers above INT64_MAX */
    DWQ_KIND_DOUBLE,
    DWQ_KIND_STRING,
    DWQ_KIND_BYTES,
    DWQ_KIND_LIST,
    DWQ_KIND_MAP,
    DWQ_KIND_ARRAY
} dwq_kind_t;

typedef struct dwq_bytes {
    const void *data;
    size_t size; /* bytes */
} dwq_bytes_t;

/* A typed n-d array, row-major. What arrives in a message is 64-byte aligned. */
typedef struct dwq_array {
    dwq_type_t type;
    int ndim;                   /* 0..DWQ_MAX_DIMS; 0 is one element */
    size_t shape[DWQ_MAX_DIMS]; /* elements; entries from ndim on are 0 */
    void *data;
    unsigned flags; /* of the library: borrowed, scattered */
} dwq_array_t;

typedef struct dwq_value dwq_value_t;
typedef struct dwq_kwarg dwq_kwarg_t;

typedef struct dwq_values {
    size_t n;
    const dwq_value_t *items;
} dwq_values_t;

typedef struct dwq_kwargs {
    size_t n;
    const dwq_kwarg_t *items;
} dwq_kwargs_t;

struct dwq_value {
    dwq_kind_t kind;
    union {
        bool boolean;
        int64_t integer;
        uint64_t uinteger;
        double real;
        const char *string; /* ends with '\0' */
        dwq_bytes_t bytes;
        dwq_values_t list;
        dwq_kwargs_t map;
        dwq_array_t array;
    } u;
};

/* A keyword argument, and an entry of a map. */
struct dwq_kwarg {
    const char *name;
    dwq_value_t value;
};

/* Makers. Each gives a view: what a pointer names must live until the call
 * that takes the value returns. A NULL string is nil. */
DWQ_API dwq_value_t dwq_value_nil(void);
DWQ_API dwq_value_t dwq_value_bool(bool value);
DWQ_API dwq_value_t dwq_value_int(int64_t value);
DWQ_API dwq_value_t dwq_value_uint(uint64_t value);
DWQ_API dwq_value_t dwq_value_double(double value);
DWQ_API dwq_value_t dwq_value_string(const char *value);
DWQ_API dwq_value_t dwq_value_bytes(dwq_bytes_t value);
DWQ_API dwq_value_t dwq_value_array(dwq_array_t value);
DWQ_API dwq_value_t dwq_value_list(dwq_values_t items);
DWQ_API dwq_value_t dwq_value_map(dwq_kwargs_t entries);
DWQ_API dwq_value_t dwq_value_self(dwq_value_t value);

/**
 * A view of a dense row-major array.
 *
 * @param type   Element type.
 * @param data   Borrowed: prod(shape) elements. May be NULL when that is 0.
 * @param ndim   0..DWQ_MAX_DIMS.
 * @param shape  ndim extents; NULL when ndim is 0.
 *
 * @return The array. A bad type, ndim, shape or data gives an array of type 0,
 *         which every call that takes values refuses with DWQ_E_ARG.
 */
DWQ_API dwq_array_t dwq_array(dwq_type_t type, const void *data, int ndim,
                              const size_t *shape) DWQ_KEEPS(2);

/**
 * The same array, sent from where it is: its data is borrowed until the
 * result of the task is collected. (Arrays below 64 KiB are copied all the
 * same: that is cheaper.)
 */
DWQ_API dwq_array_t dwq_borrow(dwq_array_t array);

/**
 * The same array, its first dimension split over the ranks of the group that
 * runs the call; a worker of one rank gets the whole of it. An array without
 * dimensions is refused with DWQ_E_ARG when it is submitted. Composes with
 * dwq_borrow().
 */
DWQ_API dwq_array_t dwq_scatter(dwq_array_t array);

/** Elements, and bytes, of an array; 0 for one that is not valid. */
DWQ_API size_t dwq_array_count(const dwq_array_t *array);
DWQ_API size_t dwq_array_size(const dwq_array_t *array);
/** Bytes of one element; 0 for an unknown type. */
DWQ_API size_t dwq_type_size(dwq_type_t type);

/* Readers: what dwq_arg(), dwq_kwarg() and dwq_result_get() use. Each is false
 * when the value is of another kind or cannot be converted exactly, and then
 * leaves *out alone. Integers become doubles, 0 and 1 become bools, doubles
 * become floats, where that is exact; nothing else is converted. */
DWQ_API bool dwq_read_bool(const dwq_value_t *value, bool *out);
DWQ_API bool dwq_read_int(const dwq_value_t *value, int *out);
DWQ_API bool dwq_read_int64(const dwq_value_t *value, int64_t *out);
DWQ_API bool dwq_read_uint64(const dwq_value_t *value, uint64_t *out);
DWQ_API bool dwq_read_float(const dwq_value_t *value, float *out);
DWQ_API bool dwq_read_double(const dwq_value_t *value, double *out);
DWQ_API bool dwq_read_string(const dwq_value_t *value, const char **out);
DWQ_API bool dwq_read_bytes(const dwq_value_t *value, dwq_bytes_t *out);
DWQ_API bool dwq_read_array(const dwq_value_t *value, dwq_array_t *out);
DWQ_API bool dwq_read_value(const dwq_value_t *value, dwq_value_t *out);

/** The entry of a map, or NULL. */
DWQ_API const dwq_value_t *dwq_map_find(dwq_kwargs_t map, const char *name);

/**
 * Copies of lists and entries, with all that they name (strings, arrays, borrowed ones
 * too). What DWQ_VALUES() and DWQ_ENTRIES() make lives to the end of the block { } in
 * which they stand: what has to live longer is copied there,
 *
 *     if (is_fine) {
 *         dwq_kwargs_copy(DWQ_ENTRIES({ "mesh", dwq_value(path) }),
 *                         &options.run_args);
 *     }
 *
 * @param copy_out  Gives the copy: release it with dwq_values_free() or
 *                  dwq_kwargs_free().
 *
 * @return DWQ_OK; DWQ_E_ARG: an entry has no name, or lists nest deeper than
 *         DWQ_MAX_DEPTH; DWQ_E_NOMEM
 */
DWQ_API dwq_status_t dwq_values_copy(dwq_values_t values,
                                     dwq_values_t *copy_out);
DWQ_API dwq_status_t dwq_kwargs_copy(dwq_kwargs_t entries,
                                     dwq_kwargs_t *copy_out);
DWQ_API void dwq_values_free(dwq_values_t copy);
DWQ_API void dwq_kwargs_free(dwq_kwargs_t copy);

/** Print a value in one line, arrays as type and shape. */
DWQ_API void dwq_value_print(const dwq_value_t *value, FILE *out);

#ifdef __cplusplus
}
#endif

#endif

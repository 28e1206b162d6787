/* Values: makers, exact readers, sizes. */
#include <dwq/value.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "libdwq/base/value_flags.h"

dwq_value_t dwq_value_nil(void)
{
    return (dwq_value_t){ .kind = DWQ_KIND_NIL };
}

dwq_value_t dwq_value_bool(bool value)
{
    return (dwq_value_t){ .kind = DWQ_KIND_BOOL, .u.boolean = value };
}

dwq_value_t dwq_value_int(int64_t value)
{
    return (dwq_value_t){ .kind = DWQ_KIND_INT, .u.integer = value };
}

dwq_value_t dwq_value_uint(uint64_t value)
{
    if (value <= INT64_MAX) {
        return dwq_value_int((int64_t)value);
    }
    return (dwq_value_t){ .kind = DWQ_KIND_UINT, .u.uinteger = value };
}

dwq_value_t dwq_value_double(double value)
{
    return (dwq_value_t){ .kind = DWQ_KIND_DOUBLE, .u.real = value };
}

dwq_value_t dwq_value_string(const char *value)
{
    if (!value) {
        return dwq_value_nil();
    }
    return (dwq_value_t){ .kind = DWQ_KIND_STRING, .u.string = value };
}

dwq_value_t dwq_value_bytes(dwq_bytes_t value)
{
    return (dwq_value_t){ .kind = DWQ_KIND_BYTES, .u.bytes = value };
}

dwq_value_t dwq_value_array(dwq_array_t value)
{
    return (dwq_value_t){ .kind = DWQ_KIND_ARRAY, .u.array = value };
}

dwq_value_t dwq_value_list(dwq_values_t items)
{
    return (dwq_value_t){ .kind = DWQ_KIND_LIST, .u.list = items };
}

dwq_value_t dwq_value_map(dwq_kwargs_t entries)
{
    return (dwq_value_t){ .kind = DWQ_KIND_MAP, .u.map = entries };
}

dwq_value_t dwq_value_self(dwq_value_t value)
{
    return value;
}

/* --- Arrays ------------------------------------------------------------- */

size_t dwq_type_size(dwq_type_t type)
{
    switch (type) {
#define TYPE_SIZE(name, value, size) \
    case name:                       \
        return size;
        DWQ_TYPE_LIST(TYPE_SIZE)
#undef TYPE_SIZE
    }
    return 0;
}

/* Elements; false when that is not a shape, or more than memory can hold. */
static bool count_elements(const dwq_array_t *array, size_t *count_out)
{
    size_t count = 1, element = dwq_type_size(array->type);

    if (element == 0 || array->ndim < 0 || array->ndim > DWQ_MAX_DIMS) {
        return false;
    }
    for (int i = 0; i < array->ndim; i++) {
        if (array->shape[i] == 0) {
            *count_out = 0;
            return true;
        }
    }
    for (int i = 0; i < array->ndim; i++) {
        if (array->shape[i] > SIZE_MAX / 4 / element / count) {
            return false;
        }
        count *= array->shape[i];
    }
    *count_out = count;
    return true;
}

dwq_array_t dwq_array(dwq_type_t type, const void *data, int ndim,
                      const size_t *shape)
{
    dwq_array_t array = { .type = type, .ndim = ndim, .data = (void *)data };
    size_t count;

    if (ndim < 0 || ndim > DWQ_MAX_DIMS || (ndim > 0 && !shape)) {
        return (dwq_array_t){ .data = NULL };
    }
    for (int i = 0; i < ndim; i++) {
        array.shape[i] = shape[i];
    }
    if (!count_elements(&array, &count) || (count > 0 && !data)) {
        return (dwq_array_t){ .data = NULL };
    }
    return array;
}

dwq_array_t dwq_borrow(dwq_array_t array)
{
    array.flags |= DWQI_ARRAY_BORROWED;
    return array;
}

dwq_array_t dwq_scatter(dwq_array_t array)
{
    array.flags |= DWQI_ARRAY_SCATTER;
    return array;
}

size_t dwq_array_count(const dwq_array_t *array)
{
    size_t count;

    return array && count_elements(array, &count) ? count : 0;
}

size_t dwq_array_size(const dwq_array_t *array)
{
    return array ? dwq_array_count(array) * dwq_type_size(array->type) : 0;
}

/* --- Readers ------------------------------------------------------------ */

bool dwq_read_bool(const dwq_value_t *value, bool *out)
{
    if (!value || !out) {
        return false;
    }
    if (value->kind == DWQ_KIND_BOOL) {
        *out = value->u.boolean;
        return true;
    }
    if (value->kind == DWQ_KIND_INT &&
        (value->u.integer == 0 || value->u.integer == 1)) {
        *out = value->u.integer == 1;
        return true;
    }
    return false;
}

bool dwq_read_int64(const dwq_value_t *value, int64_t *out)
{
    if (!value || !out || value->kind != DWQ_KIND_INT) {
        return false;
    }
    *out = value->u.integer;
    return true;
}

bool dwq_read_int(const dwq_value_t *value, int *out)
{
    int64_t wide;

    if (!out || !dwq_read_int64(value, &wide) || wide < INT_MIN ||
        wide > INT_MAX) {
        return false;
    }
    *out = (int)wide;
    return true;
}

bool dwq_read_uint64(const dwq_value_t *value, uint64_t *out)
{
    if (!value || !out) {
        return false;
    }
    if (value->kind == DWQ_KIND_UINT) {
        *out = value->u.uinteger;
        return true;
    }
    if (value->kind != DWQ_KIND_INT || value->u.integer < 0) {
        return false;
    }
    *out = (uint64_t)value->u.integer;
    return true;
}

/* Whether an integer is the same as a double. 2^63 and 2^64 themselves are
 * doubles, but no integers of these types. */
static bool int_as_double(int64_t integer, double *out)
{
    double real = (double)integer;

    if (real >= 0x1p63 || (int64_t)real != integer) {
        return false;
    }
    *out = real;
    return true;
}

static bool uint_as_double(uint64_t integer, double *out)
{
    double real = (double)integer;

    if (real >= 0x1p64 || (uint64_t)real != integer) {
        return false;
    }
    *out = real;
    return true;
}

bool dwq_read_double(const dwq_value_t *value, double *out)
{
    if (!value || !out) {
        return false;
    }
    switch (value->kind) {
    case DWQ_KIND_DOUBLE:
        *out = value->u.real;
        return true;
    case DWQ_KIND_INT:
        return int_as_double(value->u.integer, out);
    case DWQ_KIND_UINT:
        return uint_as_double(value->u.uinteger, out);
    default:
        return false;
    }
}

bool dwq_read_float(const dwq_value_t *value, float *out)
{
    double real;

    if (!out || !dwq_read_double(value, &real)) {
        return false;
    }
    /* Outside of float's range the conversion would be undefined. */
    if (isfinite(real) &&
        (fabs(real) > (double)FLT_MAX || (double)(float)real != real)) {
        return false;
    }
    *out = (float)real;
    return true;
}

bool dwq_read_string(const dwq_value_t *value, const char **out)
{
    if (!value || !out || value->kind != DWQ_KIND_STRING) {
        return false;
    }
    *out = value->u.string;
    return true;
}

bool dwq_read_bytes(const dwq_value_t *value, dwq_bytes_t *out)
{
    if (!value || !out || value->kind != DWQ_KIND_BYTES) {
        return false;
    }
    *out = value->u.bytes;
    return true;
}

bool dwq_read_array(const dwq_value_t *value, dwq_array_t *out)
{
    if (!value || !out || value->kind != DWQ_KIND_ARRAY) {
        return false;
    }
    *out = value->u.array;
    return true;
}

bool dwq_read_value(const dwq_value_t *value, dwq_value_t *out)
{
    if (!value || !out) {
        return false;
    }
    *out = *value;
    return true;
}

const dwq_value_t *dwq_map_find(dwq_kwargs_t map, const char *name)
{
    for (size_t i = 0; name && i < map.n; i++) {
        if (map.items[i].name && strcmp(map.items[i].name, name) == 0) {
            return &map.items[i].value;
        }
    }
    return NULL;
}

/* --- Printing ----------------------------------------------------------- */

static const char *type_name(dwq_type_t type)
{
    switch (type) {
#define TYPE_NAME(name, value, size) \
    case name:                       \
        return #name;
        DWQ_TYPE_LIST(TYPE_NAME)
#undef TYPE_NAME
    }
    return "unknown type";
}

/* Quoted, in one line; bytes from 0x80 on (UTF-8) as they are. */
static void print_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; text && *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte == '"' || byte == '\\') {
            fprintf(out, "\\%c", byte);
        } else if (byte == '\n') {
            fputs("\\n", out);
        } else if (byte == '\t') {
            fputs("\\t", out);
        } else if (byte < 0x20 || byte == 0x7f) {
            fprintf(out, "\\x%02x", byte);
        } else {
            fputc(byte, out);
        }
    }
    fputc('"', out);
}

static void print_number(double number, FILE *out)
{
    char text[32];

    dwqi_plain_format(text, sizeof text, "%.17g", number);
    fputs(text, out);
}

static void print_array(const dwq_array_t *array, FILE *out)
{
    fprintf(out, "array(%s", type_name(array->type));
    for (int i = 0; i < array->ndim; i++) {
        fprintf(out, "%s%zu", i ? " x " : ", ", array->shape[i]);
    }
    fputc(')', out);
}

static void print_list(dwq_values_t list, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < list.n; i++) {
        fputs(i ? ", " : "", out);
        dwq_value_print(&list.items[i], out);
    }
    fputc(']', out);
}

static void print_map(dwq_kwargs_t map, FILE *out)
{
    fputc('{', out);
    for (size_t i = 0; i < map.n; i++) {
        fputs(i ? ", " : "", out);
        print_text(map.items[i].name, out);
        fputs(": ", out);
        dwq_value_print(&map.items[i].value, out);
    }
    fputc('}', out);
}

void dwq_value_print(const dwq_value_t *value, FILE *out)
{
    if (!value || !out) {
        return;
    }
    switch (value->kind) {
    case DWQ_KIND_NIL:
        fputs("nil", out);
        break;
    case DWQ_KIND_BOOL:
        fputs(value->u.boolean ? "true" : "false", out);
        break;
    case DWQ_KIND_INT:
        fprintf(out, "%lld", (long long)value->u.integer);
        break;
    case DWQ_KIND_UINT:
        fprintf(out, "%llu", (unsigned long long)value->u.uinteger);
        break;
    case DWQ_KIND_DOUBLE:
        print_number(value->u.real, out);
        break;
    case DWQ_KIND_STRING:
        print_text(value->u.string, out);
        break;
    case DWQ_KIND_BYTES:
        fprintf(out, "bytes(%zu)", value->u.bytes.size);
        break;
    case DWQ_KIND_LIST:
        print_list(value->u.list, out);
        break;
    case DWQ_KIND_MAP:
        print_map(value->u.map, out);
        break;
    case DWQ_KIND_ARRAY:
        print_array(&value->u.array, out);
        break;
    }
}

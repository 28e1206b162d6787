/* Values: makers, sizes, exact readers, maps, printing. */
#include <criterion/criterion.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <dwq/dwq.h>

#include "libdwq/base/value_flags.h"

/* --- Makers ------------------------------------------------------------- */

Test(makers, dwq_value_picks_the_kind_by_type)
{
    char text[] = "text";
    dwq_values_t list = DWQ_VALUES(1);
    dwq_kwargs_t map = DWQ_ENTRIES({ "a", dwq_value(1) });

    cr_assert_eq(dwq_value((bool)true).kind, DWQ_KIND_BOOL);
    cr_assert_eq(dwq_value((char)1).kind, DWQ_KIND_INT);
    cr_assert_eq(dwq_value((signed char)-1).u.integer, -1);
    cr_assert_eq(dwq_value((short)-2).u.integer, -2);
    cr_assert_eq(dwq_value(-3).u.integer, -3);
    cr_assert_eq(dwq_value(-4L).u.integer, -4);
    cr_assert_eq(dwq_value(-5LL).u.integer, -5);
    cr_assert_eq(dwq_value((unsigned char)255).u.integer, 255);
    cr_assert_eq(dwq_value((unsigned short)65535).u.integer, 65535);
    cr_assert_eq(dwq_value(UINT_MAX).u.integer, UINT_MAX);
    cr_assert_eq(dwq_value(5UL).kind, DWQ_KIND_INT);
    cr_assert_eq(dwq_value(ULLONG_MAX).kind, DWQ_KIND_UINT);
    cr_assert_eq(dwq_value(1.5f).u.real, 1.5);
    cr_assert_eq(dwq_value(1.5).kind, DWQ_KIND_DOUBLE);
    cr_assert_eq(dwq_value(text).kind, DWQ_KIND_STRING);
    cr_assert_eq(dwq_value((const char *)text).u.string, text);
    cr_assert_eq(dwq_value(((dwq_bytes_t){ text, 2 })).u.bytes.size, 2);
    cr_assert_eq(dwq_value(dwq_array(DWQ_INT8, text, 0, NULL)).kind,
                 DWQ_KIND_ARRAY);
    cr_assert_eq(dwq_value(list).kind, DWQ_KIND_LIST);
    cr_assert_eq(dwq_value(map).kind, DWQ_KIND_MAP);
    cr_assert_eq(dwq_value(dwq_value_nil()).kind, DWQ_KIND_NIL);
}

Test(makers, null_string_is_nil)
{
    cr_assert_eq(dwq_value_string(NULL).kind, DWQ_KIND_NIL);
}

Test(makers, uint_is_int_up_to_the_largest_int)
{
    cr_assert_eq(dwq_value_uint(0).kind, DWQ_KIND_INT);
    cr_assert_eq(dwq_value_uint(INT64_MAX).kind, DWQ_KIND_INT);
    cr_assert_eq(dwq_value_uint(INT64_MAX).u.integer, INT64_MAX);
    cr_assert_eq(dwq_value_uint((uint64_t)INT64_MAX + 1).kind, DWQ_KIND_UINT);
    cr_assert_eq(dwq_value_uint(UINT64_MAX).u.uinteger, UINT64_MAX);
}

#define EIGHT(n) n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7
#define THIRTY_TWO(n) EIGHT(n), EIGHT(n + 8), EIGHT(n + 16), EIGHT(n + 24)

Test(makers, values_take_0_to_64_arguments_in_order)
{
    dwq_values_t none = DWQ_VALUES();
    dwq_values_t one = DWQ_VALUES(7);
    dwq_values_t many = DWQ_VALUES(THIRTY_TWO(0));
    dwq_values_t most = DWQ_VALUES(THIRTY_TWO(0), THIRTY_TWO(32));
    dwq_task_t task = { DWQ_ARGS(THIRTY_TWO(0), THIRTY_TWO(32)) };

    cr_assert_eq(none.n, 0);
    cr_assert_eq(one.n, 1);
    cr_assert_eq(one.items[0].u.integer, 7);
    cr_assert_eq(many.n, 32);
    cr_assert_eq(most.n, 64);
    cr_assert_eq(task.args.n, 64);
    for (int64_t i = 0; i < 64; i++) {
        cr_assert_eq(most.items[i].u.integer, i);
        cr_assert_eq(task.args.items[i].u.integer, i);
        cr_assert(i >= 32 || many.items[i].u.integer == i);
    }
}

Test(makers, arguments_may_be_in_parentheses_or_calls)
{
    dwq_values_t values = DWQ_VALUES((1), abs(-2), (double)(3));

    cr_assert_eq(values.n, 3);
    cr_assert_eq(values.items[1].u.integer, 2);
    cr_assert_eq(values.items[2].u.real, 3.0);
}

/* --- Arrays ------------------------------------------------------------- */

Test(arrays, every_type_has_its_size)
{
    cr_assert_eq(dwq_type_size(DWQ_INT8), 1);
    cr_assert_eq(dwq_type_size(DWQ_UINT8), 1);
    cr_assert_eq(dwq_type_size(DWQ_INT16), 2);
    cr_assert_eq(dwq_type_size(DWQ_UINT16), 2);
    cr_assert_eq(dwq_type_size(DWQ_INT32), 4);
    cr_assert_eq(dwq_type_size(DWQ_UINT32), 4);
    cr_assert_eq(dwq_type_size(DWQ_INT64), 8);
    cr_assert_eq(dwq_type_size(DWQ_UINT64), 8);
    cr_assert_eq(dwq_type_size(DWQ_FLOAT), sizeof(float));
    cr_assert_eq(dwq_type_size(DWQ_DOUBLE), sizeof(double));
    cr_assert_eq(dwq_type_size(DWQ_COMPLEX_FLOAT), sizeof(float _Complex));
    cr_assert_eq(dwq_type_size(DWQ_COMPLEX_DOUBLE), sizeof(double _Complex));
    cr_assert_eq(dwq_type_size((dwq_type_t)0), 0);
    cr_assert_eq(dwq_type_size((dwq_type_t)13), 0);
    cr_assert_eq(dwq_type_size((dwq_type_t)-1), 0);
}

Test(arrays, 0_d_is_one_element_and_unused_extents_are_0)
{
    double x = 1;
    dwq_array_t array = dwq_array(DWQ_DOUBLE, &x, 0, NULL);
    dwq_array_t matrix =
        dwq_array(DWQ_DOUBLE, &x, 2, (size_t[]){ 1, 1, 99, 99 });

    cr_assert_eq(dwq_array_count(&array), 1);
    cr_assert_eq(dwq_array_size(&array), 8);
    cr_assert_eq(matrix.shape[2], 0);
    cr_assert_eq(matrix.ndim, 2);
    cr_assert_eq(matrix.data, &x);
}

Test(arrays, all_dimensions_count)
{
    char data[1];
    dwq_array_t array = dwq_array(DWQ_INT16, data, DWQ_MAX_DIMS,
                                  (size_t[]){ 2, 3, 4, 5, 1, 2, 1, 7 });

    cr_assert_eq(array.ndim, DWQ_MAX_DIMS);
    cr_assert_eq(dwq_array_count(&array), 1680);
    cr_assert_eq(dwq_array_size(&array), 3360);
}

Test(arrays, empty_ones_need_no_data)
{
    dwq_array_t array =
        dwq_array(DWQ_DOUBLE, NULL, 3, (size_t[]){ SIZE_MAX, 0, SIZE_MAX });

    cr_assert_eq(array.type, DWQ_DOUBLE);
    cr_assert_eq(dwq_array_count(&array), 0);
    cr_assert_eq(dwq_array_size(&array), 0);
    cr_assert_eq(array.shape[0], SIZE_MAX);
}

Test(arrays, bad_type_ndim_shape_or_data_gives_type_0)
{
    double x[2] = { 1, 2 };
    size_t two[DWQ_MAX_DIMS + 1] = { 2 };

    cr_assert_eq((int)dwq_array((dwq_type_t)0, x, 1, two).type, 0);
    cr_assert_eq((int)dwq_array((dwq_type_t)13, x, 1, two).type, 0);
    cr_assert_eq((int)dwq_array(DWQ_DOUBLE, x, -1, two).type, 0);
    cr_assert_eq((int)dwq_array(DWQ_DOUBLE, x, DWQ_MAX_DIMS + 1, two).type, 0);
    cr_assert_eq((int)dwq_array(DWQ_DOUBLE, x, 1, NULL).type, 0);
    cr_assert_eq((int)dwq_array(DWQ_DOUBLE, NULL, 1, two).type, 0);
    cr_assert_eq((int)dwq_array(DWQ_DOUBLE, NULL, 0, NULL).type, 0);
}

Test(arrays, size_that_overflows_gives_type_0)
{
    char x[1];
    size_t half = (size_t)1 << (sizeof(size_t) * CHAR_BIT / 2);

    cr_assert_eq((int)dwq_array(DWQ_INT8, x, 2, (size_t[]){ half, half }).type,
                 0);
    cr_assert_eq(
        (int)dwq_array(DWQ_DOUBLE, x, 1, (size_t[]){ SIZE_MAX / 8 + 1 }).type,
        0);
    cr_assert_eq((int)dwq_array(DWQ_INT8, x, 1, (size_t[]){ SIZE_MAX }).type,
                 0);
    cr_assert_eq(
        (int)dwq_array(DWQ_INT8, x, 3, (size_t[]){ half, half, half }).type, 0);
}

Test(arrays, size_of_one_that_is_not_valid_is_0)
{
    char x[1];
    dwq_array_t array = { .type = DWQ_INT8, .data = x };

    for (int i = 0; i < DWQ_MAX_DIMS; i++) {
        array.shape[i] = 1;
    }
    array.ndim = DWQ_MAX_DIMS;
    cr_assert_eq(dwq_array_count(&array), 1);
    array.ndim = DWQ_MAX_DIMS + 1;
    cr_assert_eq(dwq_array_count(&array), 0);
    array.ndim = -1;
    cr_assert_eq(dwq_array_count(&array), 0);
    array = (dwq_array_t){ .data = x };
    cr_assert_eq(dwq_array_size(&array), 0);
}

Test(arrays, more_than_2_gib_is_counted_in_full)
{
    char x[1];
    dwq_array_t array = dwq_array(DWQ_DOUBLE, x, 2, (size_t[]){ 70000, 70000 });

    cr_assert_eq(dwq_array_size(&array), (size_t)39200000000);
}

Test(arrays, borrow_and_scatter_compose)
{
    char x[1];
    dwq_array_t array = dwq_array(DWQ_INT8, x, 1, (size_t[]){ 1 });

    cr_assert_eq(array.flags, 0);
    cr_assert_eq(dwq_borrow(array).flags, DWQI_ARRAY_BORROWED);
    cr_assert_eq(dwq_scatter(array).flags, DWQI_ARRAY_SCATTER);
    cr_assert_eq(dwq_scatter(dwq_borrow(array)).flags,
                 DWQI_ARRAY_BORROWED | DWQI_ARRAY_SCATTER);
    cr_assert_eq(dwq_borrow(dwq_scatter(array)).flags,
                 DWQI_ARRAY_BORROWED | DWQI_ARRAY_SCATTER);
    cr_assert_eq(array.flags, 0, "the argument stays as it was");
}

/* --- Readers ------------------------------------------------------------ */

static const char some_text[] = "text";

/* One value of every kind, in the order of the enum. */
static dwq_value_t of_kind(dwq_kind_t kind)
{
    static const int8_t byte = 1;

    switch (kind) {
    case DWQ_KIND_NIL:
        return dwq_value_nil();
    case DWQ_KIND_BOOL:
        return dwq_value_bool(true);
    case DWQ_KIND_INT:
        return dwq_value_int(1);
    case DWQ_KIND_UINT:
        return dwq_value_uint((uint64_t)1 << 63);
    case DWQ_KIND_DOUBLE:
        return dwq_value_double(1);
    case DWQ_KIND_STRING:
        return dwq_value_string(some_text);
    case DWQ_KIND_BYTES:
        return dwq_value_bytes((dwq_bytes_t){ some_text, 2 });
    case DWQ_KIND_LIST:
        return dwq_value_list((dwq_values_t){ 0, NULL });
    case DWQ_KIND_MAP:
        return dwq_value_map((dwq_kwargs_t){ 0, NULL });
    case DWQ_KIND_ARRAY:
        return dwq_value_array(dwq_array(DWQ_INT8, &byte, 0, NULL));
    }
    cr_assert_fail("a kind without a value");
    return dwq_value_nil();
}

enum {
    N_KINDS = DWQ_KIND_ARRAY + 1
};

/* Whether a reader takes a value, and leaves the variable alone if not. */
#define READS(reader, T, value, out)                                  \
    do {                                                              \
        T before_;                                                    \
        T after_;                                                     \
                                                                      \
        memset(&before_, 0x5a, sizeof before_);                       \
        memset(&after_, 0x5a, sizeof after_);                         \
        (out) = reader((value), &after_);                             \
        if (!(out)) {                                                 \
            cr_assert_eq(memcmp(&before_, &after_, sizeof after_), 0, \
                         #reader " wrote without success");           \
        }                                                             \
    } while (0)

/* Row: reader. Column: kind. The values are those of of_kind(). */
Test(readers, each_takes_just_the_kinds_it_converts_exactly)
{
    static const char *const rows[] = {
        /* nbiudsxlma: nil bool int uint double string bytes list map array */
        "-bi-------", /* bool */
        "--i-------", /* int */
        "--i-------", /* int64 */
        "--iu------", /* uint64 */
        "--iud-----", /* float: 1, 2^63 and 1.0 are floats */
        "--iud-----", /* double */
        "-----s----", /* string */
        "------x---", /* bytes */
        "---------a", /* array */
        "nbiudsxlma", /* value */
    };

    for (int kind = 0; kind < N_KINDS; kind++) {
        dwq_value_t value = of_kind((dwq_kind_t)kind);
        bool takes[10];

        READS(dwq_read_bool, bool, &value, takes[0]);
        READS(dwq_read_int, int, &value, takes[1]);
        READS(dwq_read_int64, int64_t, &value, takes[2]);
        READS(dwq_read_uint64, uint64_t, &value, takes[3]);
        READS(dwq_read_float, float, &value, takes[4]);
        READS(dwq_read_double, double, &value, takes[5]);
        READS(dwq_read_string, const char *, &value, takes[6]);
        READS(dwq_read_bytes, dwq_bytes_t, &value, takes[7]);
        READS(dwq_read_array, dwq_array_t, &value, takes[8]);
        READS(dwq_read_value, dwq_value_t, &value, takes[9]);
        for (int reader = 0; reader < 10; reader++) {
            cr_assert_eq(takes[reader], rows[reader][kind] != '-',
                         "reader %d, kind %d", reader, kind);
        }
    }
}

Test(readers, absent_value_is_false_and_leaves_the_variable_alone)
{
    bool ok;

    READS(dwq_read_bool, bool, NULL, ok);
    cr_assert(!ok);
    READS(dwq_read_int, int, NULL, ok);
    cr_assert(!ok);
    READS(dwq_read_int64, int64_t, NULL, ok);
    cr_assert(!ok);
    READS(dwq_read_uint64, uint64_t, NULL, ok);
    cr_assert(!ok);
    READS(dwq_read_float, float, NULL, ok);
    cr_assert(!ok);
    READS(dwq_read_double, double, NULL, ok);
    cr_assert(!ok);
    READS(dwq_read_string, const char *, NULL, ok);
    cr_assert(!ok);
    READS(dwq_read_bytes, dwq_bytes_t, NULL, ok);
    cr_assert(!ok);
    READS(dwq_read_array, dwq_array_t, NULL, ok);
    cr_assert(!ok);
    READS(dwq_read_value, dwq_value_t, NULL, ok);
    cr_assert(!ok);
}

Test(readers, views_name_the_same_memory)
{
    dwq_value_t value = of_kind(DWQ_KIND_STRING);
    const char *text;
    dwq_bytes_t bytes;
    dwq_array_t array;

    cr_assert(dwq_read_string(&value, &text));
    cr_assert_eq(text, some_text);
    value = of_kind(DWQ_KIND_BYTES);
    cr_assert(dwq_read_bytes(&value, &bytes));
    cr_assert_eq(bytes.data, some_text);
    cr_assert_eq(bytes.size, 2);
    value = of_kind(DWQ_KIND_ARRAY);
    cr_assert(dwq_read_array(&value, &array));
    cr_assert_eq(array.data, value.u.array.data);
}

Test(readers, int_0_and_1_are_bools_and_no_other)
{
    bool out;

    for (int64_t i = -2; i <= 3; i++) {
        dwq_value_t value = dwq_value_int(i);

        out = i != 1;
        cr_assert_eq(dwq_read_bool(&value, &out), i == 0 || i == 1);
        cr_assert_eq(out, i == 0 || i == 1 ? i == 1 : i != 1);
    }
}

Test(readers, int_is_refused_outside_its_range)
{
    static const struct {
        int64_t value;
        bool fits;
    } rows[] = {
        { INT_MIN, true },
        { INT_MAX, true },
        { (int64_t)INT_MIN - 1, false },
        { (int64_t)INT_MAX + 1, false },
        { INT64_MIN, false },
        { INT64_MAX, false },
        { (int64_t)1 << 32, false },
        { 0, true },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dwq_value_t value = dwq_value_int(rows[i].value);
        int out = 77;

        cr_assert_eq(dwq_read_int(&value, &out), rows[i].fits);
        cr_assert_eq(out, rows[i].fits ? (int)rows[i].value : 77);
    }
}

Test(readers, uint64_is_refused_below_0)
{
    dwq_value_t value = dwq_value_int(-1);
    uint64_t out = 77;

    cr_assert(!dwq_read_uint64(&value, &out));
    cr_assert_eq(out, 77);
    value = dwq_value_int(INT64_MAX);
    cr_assert(dwq_read_uint64(&value, &out));
    cr_assert_eq(out, INT64_MAX);
    value = dwq_value_uint(UINT64_MAX);
    cr_assert(dwq_read_uint64(&value, &out));
    cr_assert_eq(out, UINT64_MAX);
}

Test(readers, int_is_a_double_where_that_is_exact)
{
    static const struct {
        int64_t value;
        bool exact;
    } rows[] = {
        { 0, true },
        { -1, true },
        { ((int64_t)1 << 53) - 1, true },
        { (int64_t)1 << 53, true },
        { ((int64_t)1 << 53) + 1, false },
        { -((int64_t)1 << 53) - 1, false },
        { ((int64_t)1 << 53) + 2, true },
        { (int64_t)1 << 62, true },
        { INT64_MIN, true },
        { INT64_MIN + 1, false },
        { INT64_MAX, false },
        { INT64_MAX - 1023, true },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dwq_value_t value = dwq_value_int(rows[i].value);
        double out = 0.25;

        cr_assert_eq(dwq_read_double(&value, &out), rows[i].exact, "row %zu",
                     i);
        cr_assert_eq(out, rows[i].exact ? (double)rows[i].value : 0.25);
    }
}

Test(readers, uint_is_a_double_where_that_is_exact)
{
    dwq_value_t value = dwq_value_uint((uint64_t)1 << 63);
    double out = 0.25;

    cr_assert(dwq_read_double(&value, &out));
    cr_assert_eq(out, 0x1p63);
    value = dwq_value_uint(((uint64_t)1 << 63) + 1);
    cr_assert(!dwq_read_double(&value, &out));
    value = dwq_value_uint(UINT64_MAX); /* rounds to 2^64 */
    cr_assert(!dwq_read_double(&value, &out));
    cr_assert_eq(out, 0x1p63);
    value = dwq_value_uint(UINT64_MAX - 2047);
    cr_assert(dwq_read_double(&value, &out));
    cr_assert_eq(out, 0x1.fffffffffffffp63);
}

Test(readers, double_is_a_float_where_that_is_exact)
{
    static const struct {
        double value;
        bool exact;
    } rows[] = {
        { 0, true },         { 1.5, true },
        { 0.1, false },      { FLT_MAX, true },
        { -FLT_MAX, true },  { 0x1p128, false },
        { -0x1p128, false }, { DBL_MAX, false },
        { 0x1p-149, true }, /* the smallest float */
        { 0x1p-150, false }, { DBL_MIN, false },
        { INFINITY, true },  { -INFINITY, true },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dwq_value_t value = dwq_value_double(rows[i].value);
        float out = 0.25f;

        cr_assert_eq(dwq_read_float(&value, &out), rows[i].exact, "row %zu", i);
        cr_assert_eq(out, rows[i].exact ? (float)rows[i].value : 0.25f);
    }
}

Test(readers, nan_stays_nan_and_minus_zero_minus_zero)
{
    dwq_value_t value = dwq_value_double(NAN);
    float out = 0;
    double wide = 0;

    cr_assert(dwq_read_float(&value, &out));
    cr_assert(isnan(out));
    cr_assert(dwq_read_double(&value, &wide));
    cr_assert(isnan(wide));
    value = dwq_value_double(-0.0);
    cr_assert(dwq_read_float(&value, &out));
    cr_assert(out == 0 && signbit(out));
}

Test(readers, int_is_a_float_where_that_is_exact)
{
    dwq_value_t value = dwq_value_int(1 << 24);
    float out = 0.25f;

    cr_assert(dwq_read_float(&value, &out));
    cr_assert_eq(out, 16777216.0f);
    value = dwq_value_int((1 << 24) + 1);
    cr_assert(!dwq_read_float(&value, &out));
    cr_assert_eq(out, 16777216.0f);
}

/* --- Maps --------------------------------------------------------------- */

Test(maps, find_gives_the_entry_or_null)
{
    dwq_kwargs_t map = DWQ_ENTRIES({ "a", dwq_value(1) }, { "", dwq_value(2) },
                                   { "ab", dwq_value(3) });

    cr_assert_eq(dwq_map_find(map, "a"), &map.items[0].value);
    cr_assert_eq(dwq_map_find(map, ""), &map.items[1].value);
    cr_assert_eq(dwq_map_find(map, "ab"), &map.items[2].value);
    cr_assert_null(dwq_map_find(map, "b"));
    cr_assert_null(dwq_map_find(map, NULL));
    cr_assert_null(dwq_map_find((dwq_kwargs_t){ 0, NULL }, "a"));
}

Test(maps, find_passes_over_entries_without_a_name)
{
    dwq_kwarg_t items[] = { { NULL, dwq_value_nil() },
                            { "a", dwq_value_int(1) } };

    cr_assert_eq(dwq_map_find((dwq_kwargs_t){ 2, items }, "a"),
                 &items[1].value);
}

/* --- Printing ----------------------------------------------------------- */

static void prints(dwq_value_t value, const char *expected)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    cr_assert_not_null(out);
    dwq_value_print(&value, out);
    fclose(out);
    cr_assert_str_eq(text, expected);
    free(text);
}

Test(printing, every_kind_has_its_form)
{
    double x = 0;
    dwq_array_t array = dwq_array(DWQ_DOUBLE, &x, 2, (size_t[]){ 1, 1 });

    prints(dwq_value_nil(), "nil");
    prints(dwq_value_bool(true), "true");
    prints(dwq_value_bool(false), "false");
    prints(dwq_value_int(INT64_MIN), "-9223372036854775808");
    prints(dwq_value_uint(UINT64_MAX), "18446744073709551615");
    prints(dwq_value_double(0.5), "0.5");
    prints(dwq_value_string("text"), "\"text\"");
    prints(dwq_value_bytes((dwq_bytes_t){ "ab", 2 }), "bytes(2)");
    prints(DWQ_LIST(1, DWQ_LIST(), 2), "[1, [], 2]");
    prints(DWQ_MAP({ "a", dwq_value(1) }, { "b", dwq_value_nil() }),
           "{\"a\": 1, \"b\": nil}");
    prints(dwq_value_array(array), "array(DWQ_DOUBLE, 1 x 1)");
    prints(dwq_value_array(dwq_array(DWQ_DOUBLE, &x, 0, NULL)),
           "array(DWQ_DOUBLE)");
    prints(dwq_value_array((dwq_array_t){ .data = NULL }),
           "array(unknown type)");
}

Test(printing, text_stays_in_one_line)
{
    prints(dwq_value_string("a\nb\t\"c\"\\\x01\x7f\xc3\xa9"),
           "\"a\\nb\\t\\\"c\\\"\\\\\\x01\\x7f\xc3\xa9\"");
    prints(DWQ_MAP({ "a\n", dwq_value(1) }), "{\"a\\n\": 1}");
}

Test(printing, missing_text_is_no_crash)
{
    dwq_value_t value = { .kind = DWQ_KIND_STRING };
    dwq_kwarg_t entry = { NULL, dwq_value_nil() };

    prints(value, "\"\"");
    prints(dwq_value_map((dwq_kwargs_t){ 1, &entry }), "{\"\": nil}");
}

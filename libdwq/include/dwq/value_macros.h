/* The macros behind dwq_value(), DWQ_VALUES, DWQ_ARGS and DWQ_KWARGS: counting
 * and mapping over up to 64 arguments, and picking a kind by _Generic. In C++
 * use the functions of value.h. */
#ifndef DWQ_VALUE_MACROS_H
#define DWQ_VALUE_MACROS_H

#ifndef __cplusplus

/* Any integer type, so that "long long" and "char" work too. */
/* clang-format off */
#define dwq_value(x)                            \
    _Generic((x),                               \
        _Bool: dwq_value_bool,                  \
        char: dwq_value_int,                    \
        signed char: dwq_value_int,             \
        short: dwq_value_int,                   \
        int: dwq_value_int,                     \
        long: dwq_value_int,                    \
        long long: dwq_value_int,               \
        unsigned char: dwq_value_uint,          \
        unsigned short: dwq_value_uint,         \
        unsigned: dwq_value_uint,               \
        unsigned long: dwq_value_uint,          \
        unsigned long long: dwq_value_uint,     \
        float: dwq_value_double,                \
        double: dwq_value_double,               \
        char *: dwq_value_string,               \
        const char *: dwq_value_string,         \
        dwq_bytes_t: dwq_value_bytes,           \
        dwq_array_t: dwq_value_array,           \
        dwq_values_t: dwq_value_list,           \
        dwq_kwargs_t: dwq_value_map,            \
        dwq_value_t: dwq_value_self)(x)

/* The reader for a pointer's type. */
#define DWQ_READER(prefix, out)                 \
    _Generic((out),                             \
        _Bool *: prefix##_bool,                 \
        int *: prefix##_int,                    \
        int64_t *: prefix##_int64,              \
        uint64_t *: prefix##_uint64,            \
        float *: prefix##_float,                \
        double *: prefix##_double,              \
        const char **: prefix##_string,         \
        dwq_bytes_t *: prefix##_bytes,          \
        dwq_array_t *: prefix##_array,          \
        dwq_value_t *: prefix##_value)

/* Number of arguments, 0..64. */
#define DWQ_PP_PICK(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, _18, _19, _20, _21, _22, _23, _24, _25, _26, _27, _28, _29, _30, _31, _32, _33, _34, _35, _36, _37, _38, _39, _40, _41, _42, _43, _44, _45, _46, _47, _48, _49, _50, _51, _52, _53, _54, _55, _56, _57, _58, _59, _60, _61, _62, _63, _64, n, ...) n
#define DWQ_PP_COUNT1(...) DWQ_PP_PICK(__VA_ARGS__, 64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define DWQ_PP_COMMA(...) DWQ_PP_PICK(__VA_ARGS__, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0)
#define DWQ_PP_PAREN(...) ,
#define DWQ_PP_CAT(a, b) DWQ_PP_CAT_(a, b)
#define DWQ_PP_CAT_(a, b) a##b
/* Empty only if none of these has a comma but the last one has. */
#define DWQ_PP_EMPTY(...)                                          \
    DWQ_PP_EMPTY_(DWQ_PP_COMMA(__VA_ARGS__),                       \
                  DWQ_PP_COMMA(DWQ_PP_PAREN __VA_ARGS__),          \
                  DWQ_PP_COMMA(__VA_ARGS__ ()),                    \
                  DWQ_PP_COMMA(DWQ_PP_PAREN __VA_ARGS__ ()))
#define DWQ_PP_EMPTY_(a, b, c, d) DWQ_PP_EMPTY__(a, b, c, d)
#define DWQ_PP_EMPTY__(a, b, c, d) DWQ_PP_COMMA(DWQ_PP_CASE_##a##b##c##d)
#define DWQ_PP_CASE_0001 ,
#define DWQ_PP_COUNT(...) \
    DWQ_PP_CAT(DWQ_PP_COUNT_, DWQ_PP_EMPTY(__VA_ARGS__))(__VA_ARGS__)
#define DWQ_PP_COUNT_0(...) DWQ_PP_COUNT1(__VA_ARGS__)
#define DWQ_PP_COUNT_1(...) 0

/* dwq_value() of each argument. */
#define DWQ_PP_VALUES(...) \
    DWQ_PP_CAT(DWQ_PP_V, DWQ_PP_COUNT(__VA_ARGS__))(__VA_ARGS__)
#define DWQ_PP_V0(...) { DWQ_KIND_NIL, { 0 } }
#define DWQ_PP_V1(x) dwq_value(x)
#define DWQ_PP_V2(x, ...) dwq_value(x), DWQ_PP_V1(__VA_ARGS__)
#define DWQ_PP_V3(x, ...) dwq_value(x), DWQ_PP_V2(__VA_ARGS__)
#define DWQ_PP_V4(x, ...) dwq_value(x), DWQ_PP_V3(__VA_ARGS__)
#define DWQ_PP_V5(x, ...) dwq_value(x), DWQ_PP_V4(__VA_ARGS__)
#define DWQ_PP_V6(x, ...) dwq_value(x), DWQ_PP_V5(__VA_ARGS__)
#define DWQ_PP_V7(x, ...) dwq_value(x), DWQ_PP_V6(__VA_ARGS__)
#define DWQ_PP_V8(x, ...) dwq_value(x), DWQ_PP_V7(__VA_ARGS__)
#define DWQ_PP_V9(x, ...) dwq_value(x), DWQ_PP_V8(__VA_ARGS__)
#define DWQ_PP_V10(x, ...) dwq_value(x), DWQ_PP_V9(__VA_ARGS__)
#define DWQ_PP_V11(x, ...) dwq_value(x), DWQ_PP_V10(__VA_ARGS__)
#define DWQ_PP_V12(x, ...) dwq_value(x), DWQ_PP_V11(__VA_ARGS__)
#define DWQ_PP_V13(x, ...) dwq_value(x), DWQ_PP_V12(__VA_ARGS__)
#define DWQ_PP_V14(x, ...) dwq_value(x), DWQ_PP_V13(__VA_ARGS__)
#define DWQ_PP_V15(x, ...) dwq_value(x), DWQ_PP_V14(__VA_ARGS__)
#define DWQ_PP_V16(x, ...) dwq_value(x), DWQ_PP_V15(__VA_ARGS__)
#define DWQ_PP_V17(x, ...) dwq_value(x), DWQ_PP_V16(__VA_ARGS__)
#define DWQ_PP_V18(x, ...) dwq_value(x), DWQ_PP_V17(__VA_ARGS__)
#define DWQ_PP_V19(x, ...) dwq_value(x), DWQ_PP_V18(__VA_ARGS__)
#define DWQ_PP_V20(x, ...) dwq_value(x), DWQ_PP_V19(__VA_ARGS__)
#define DWQ_PP_V21(x, ...) dwq_value(x), DWQ_PP_V20(__VA_ARGS__)
#define DWQ_PP_V22(x, ...) dwq_value(x), DWQ_PP_V21(__VA_ARGS__)
#define DWQ_PP_V23(x, ...) dwq_value(x), DWQ_PP_V22(__VA_ARGS__)
#define DWQ_PP_V24(x, ...) dwq_value(x), DWQ_PP_V23(__VA_ARGS__)
#define DWQ_PP_V25(x, ...) dwq_value(x), DWQ_PP_V24(__VA_ARGS__)
#define DWQ_PP_V26(x, ...) dwq_value(x), DWQ_PP_V25(__VA_ARGS__)
#define DWQ_PP_V27(x, ...) dwq_value(x), DWQ_PP_V26(__VA_ARGS__)
#define DWQ_PP_V28(x, ...) dwq_value(x), DWQ_PP_V27(__VA_ARGS__)
#define DWQ_PP_V29(x, ...) dwq_value(x), DWQ_PP_V28(__VA_ARGS__)
#define DWQ_PP_V30(x, ...) dwq_value(x), DWQ_PP_V29(__VA_ARGS__)
#define DWQ_PP_V31(x, ...) dwq_value(x), DWQ_PP_V30(__VA_ARGS__)
#define DWQ_PP_V32(x, ...) dwq_value(x), DWQ_PP_V31(__VA_ARGS__)
#define DWQ_PP_V33(x, ...) dwq_value(x), DWQ_PP_V32(__VA_ARGS__)
#define DWQ_PP_V34(x, ...) dwq_value(x), DWQ_PP_V33(__VA_ARGS__)
#define DWQ_PP_V35(x, ...) dwq_value(x), DWQ_PP_V34(__VA_ARGS__)
#define DWQ_PP_V36(x, ...) dwq_value(x), DWQ_PP_V35(__VA_ARGS__)
#define DWQ_PP_V37(x, ...) dwq_value(x), DWQ_PP_V36(__VA_ARGS__)
#define DWQ_PP_V38(x, ...) dwq_value(x), DWQ_PP_V37(__VA_ARGS__)
#define DWQ_PP_V39(x, ...) dwq_value(x), DWQ_PP_V38(__VA_ARGS__)
#define DWQ_PP_V40(x, ...) dwq_value(x), DWQ_PP_V39(__VA_ARGS__)
#define DWQ_PP_V41(x, ...) dwq_value(x), DWQ_PP_V40(__VA_ARGS__)
#define DWQ_PP_V42(x, ...) dwq_value(x), DWQ_PP_V41(__VA_ARGS__)
#define DWQ_PP_V43(x, ...) dwq_value(x), DWQ_PP_V42(__VA_ARGS__)
#define DWQ_PP_V44(x, ...) dwq_value(x), DWQ_PP_V43(__VA_ARGS__)
#define DWQ_PP_V45(x, ...) dwq_value(x), DWQ_PP_V44(__VA_ARGS__)
#define DWQ_PP_V46(x, ...) dwq_value(x), DWQ_PP_V45(__VA_ARGS__)
#define DWQ_PP_V47(x, ...) dwq_value(x), DWQ_PP_V46(__VA_ARGS__)
#define DWQ_PP_V48(x, ...) dwq_value(x), DWQ_PP_V47(__VA_ARGS__)
#define DWQ_PP_V49(x, ...) dwq_value(x), DWQ_PP_V48(__VA_ARGS__)
#define DWQ_PP_V50(x, ...) dwq_value(x), DWQ_PP_V49(__VA_ARGS__)
#define DWQ_PP_V51(x, ...) dwq_value(x), DWQ_PP_V50(__VA_ARGS__)
#define DWQ_PP_V52(x, ...) dwq_value(x), DWQ_PP_V51(__VA_ARGS__)
#define DWQ_PP_V53(x, ...) dwq_value(x), DWQ_PP_V52(__VA_ARGS__)
#define DWQ_PP_V54(x, ...) dwq_value(x), DWQ_PP_V53(__VA_ARGS__)
#define DWQ_PP_V55(x, ...) dwq_value(x), DWQ_PP_V54(__VA_ARGS__)
#define DWQ_PP_V56(x, ...) dwq_value(x), DWQ_PP_V55(__VA_ARGS__)
#define DWQ_PP_V57(x, ...) dwq_value(x), DWQ_PP_V56(__VA_ARGS__)
#define DWQ_PP_V58(x, ...) dwq_value(x), DWQ_PP_V57(__VA_ARGS__)
#define DWQ_PP_V59(x, ...) dwq_value(x), DWQ_PP_V58(__VA_ARGS__)
#define DWQ_PP_V60(x, ...) dwq_value(x), DWQ_PP_V59(__VA_ARGS__)
#define DWQ_PP_V61(x, ...) dwq_value(x), DWQ_PP_V60(__VA_ARGS__)
#define DWQ_PP_V62(x, ...) dwq_value(x), DWQ_PP_V61(__VA_ARGS__)
#define DWQ_PP_V63(x, ...) dwq_value(x), DWQ_PP_V62(__VA_ARGS__)
#define DWQ_PP_V64(x, ...) dwq_value(x), DWQ_PP_V63(__VA_ARGS__)

/* All of these name memory that lives to the end of the enclosing block { }, of one turn
 * of a loop, and compilers do not warn where it is used behind that. Right in the call
 * that takes them, or in an initializer. What has to live longer:
 * dwq_values_copy(), dwq_kwargs_copy(), or a list that is declared outside:
 *
 *     dwq_kwargs_t fine = DWQ_ENTRIES({ "mesh", dwq_value("fine") });
 *
 *     if (is_fine) {
 *         options.run_args = fine;
 *     }
 */

/* A list of 0..64 values, each of its own kind; to its block's end. */
#define DWQ_VALUES(...)                     \
    ((dwq_values_t){                        \
        DWQ_PP_COUNT(__VA_ARGS__),          \
        (const dwq_value_t[]){ DWQ_PP_VALUES(__VA_ARGS__) } })

/* Entries { "name", dwq_value(x) }, ...: keyword arguments, or a map; to its block's
 * end. */
#define DWQ_ENTRIES(...)                                                 \
    ((dwq_kwargs_t){                                                     \
        sizeof((const dwq_kwarg_t[]){ __VA_ARGS__ }) / sizeof(dwq_kwarg_t), \
        (const dwq_kwarg_t[]){ __VA_ARGS__ } })

/* Inside the initializer of a dwq_task_t, which is good as long as their block: tasks
 * that a loop collects for dwq_controller_submit_multiple() need copies. */
#define DWQ_ARGS(...) .args = DWQ_VALUES(__VA_ARGS__)
#define DWQ_KWARGS(...) .kwargs = DWQ_ENTRIES(__VA_ARGS__)

/* Lists and maps as values; to their block's end. */
#define DWQ_LIST(...) dwq_value_list(DWQ_VALUES(__VA_ARGS__))
#define DWQ_MAP(...) dwq_value_map(DWQ_ENTRIES(__VA_ARGS__))
/* clang-format on */

#endif
#endif

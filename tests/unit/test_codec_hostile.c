/* What the codec refuses to unpack: items that were cut, changed, or made to
 * deceive. Run under the sanitizers this also shows that nothing is read beyond
 * the item. */
#include <stddef.h>

#include "tests/unit/codec_fixture.h"

/* Everything that was decoded is touched, so that a tool sees a view that leads
 * outside. */
static void walk(dwq_values_t values, dwq_kwargs_t kwargs)
{
    FILE *null = fopen("/dev/null", "w");
    dwq_value_t list = dwq_value_list(values);
    dwq_value_t map = dwq_value_map(kwargs);

    dwq_value_print(&list, null);
    dwq_value_print(&map, null);
    fclose(null);
    cr_assert(values_equal(values, values));
    cr_assert(entries_equal(kwargs, kwargs));
}

/* Decode a task of which `size` bytes are there. */
static dwq_status_t decode(const void *item, size_t size)
{
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_task_head head;
    struct dwqi_task_view view = { .id = 4711 };
    dwq_status_t status = dwqi_task_head_read(item, size, &head);

    if (status == DWQ_OK) {
        status = dwqi_task_unpack(item, &head, NULL, 0, &arena, &view);
    }
    if (status == DWQ_OK) {
        walk(view.args, view.kwargs);
    } else {
        cr_assert(view.id == 4711 && !view.function, "written on failure");
    }
    dwqi_arena_finish(&arena);
    return status;
}

static dwq_status_t decode_part(const void *item, size_t size)
{
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_part_head head;
    struct dwqi_part_view view = { .message = NULL };
    dwq_status_t status = dwqi_part_head_read(item, size, &head);

    if (status == DWQ_OK) {
        status = dwqi_part_unpack(item, &head, &arena, &view);
    }
    if (status == DWQ_OK) {
        cr_assert_not_null(view.message);
        cr_assert_geq(strlen(view.message), 0);
        walk(view.values, (dwq_kwargs_t){ 0, NULL });
    } else {
        cr_assert_null(view.message, "written on failure");
    }
    dwqi_arena_finish(&arena);
    return status;
}

/* A block of just this size. */
static void *exact_copy(const void *item, size_t size)
{
    void *copy;

    cr_assert_eq(posix_memalign(&copy, 64, size ? size : 1), 0);
    memcpy(copy, item, size);
    return copy;
}

static const double some_reals[6] = { 1, 2, 3, 4, 5, 6 };

static void pack_rich_task(struct codec *c)
{
    dwq_array_t array =
        dwq_array(DWQ_DOUBLE, some_reals, 2, (size_t[]){ 2, 3 });
    dwq_task_t task = {
        .function = "square",
        .module = "mesh",
        DWQ_ARGS(1, -200, 0.5, "text", dwq_scatter(array),
                 DWQ_LIST(1, DWQ_LIST("a"), (bool)true, dwq_value_nil()),
                 ((dwq_bytes_t){ "abc", 3 }), UINT64_MAX),
        DWQ_KWARGS({ "a", dwq_value(array) },
                   { "m", DWQ_MAP({ "x", dwq_value(1) }) }),
    };

    pack_task(c, &task, 3);
}

static void pack_rich_part(struct codec *c)
{
    struct dwqi_part_head head = { .id = 3,
                                   .n_parts = 1,
                                   .status = DWQ_E_TASK };
    dwq_array_t array =
        dwq_array(DWQ_DOUBLE, some_reals, 2, (size_t[]){ 2, 3 });

    clear(c);
    cr_assert_eq(dwqi_pack_part(&head, "went wrong",
                                DWQ_VALUES(1, array, "text", DWQ_LIST(2)),
                                &c->scratch, &c->pack, &c->why),
                 DWQ_OK);
    deliver(c);
}

/* --- Cut ---------------------------------------------------------------- */

Test(hostile, item_that_was_cut_is_refused_at_every_length)
{
    struct codec c = { .item = NULL };

    for (int part = 0; part <= 1; part++) {
        (part ? pack_rich_part : pack_rich_task)(&c);
        for (size_t size = 0; size < c.pack.size; size++) {
            void *cut = exact_copy(c.item, size);

            cr_assert_eq((part ? decode_part : decode)(cut, size),
                         DWQ_E_MESSAGE);
            free(cut);
        }
        cr_assert_eq((part ? decode_part : decode)(c.item, c.pack.size),
                     DWQ_OK);
    }
    finish(&c);
}

Test(hostile, item_that_was_cut_and_says_so_is_refused_too)
{
    struct codec c = { .item = NULL };

    for (int part = 0; part <= 1; part++) {
        (part ? pack_rich_part : pack_rich_task)(&c);
        for (uint64_t size = 64; size < c.pack.size; size += 64) {
            char *cut = exact_copy(c.item, size);

            memcpy(cut + 8, &size, sizeof size);
            cr_assert_eq((part ? decode_part : decode)(cut, size),
                         DWQ_E_MESSAGE);
            free(cut);
        }
    }
    finish(&c);
}

/* --- Changed ------------------------------------------------------------ */

#define SET(field, T, number)                                              \
    do {                                                                   \
        T changed_ = (T)(number);                                          \
        char *item_ = exact_copy(c.item, c.pack.size);                     \
                                                                           \
        memcpy(item_ + offsetof(HEAD, field), &changed_, sizeof changed_); \
        cr_assert_eq(DECODE(item_, c.pack.size), DWQ_E_MESSAGE,            \
                     #field " = %llu", (unsigned long long)changed_);      \
        free(item_);                                                       \
    } while (0)

#define HEAD struct dwqi_task_head
#define DECODE decode
Test(hostile, each_size_and_count_in_the_head_of_a_task_is_checked)
{
    struct codec c = { .item = NULL };
    struct dwqi_task_head head;

    pack_rich_task(&c);
    memcpy(&head, c.item, sizeof head);
    SET(size, uint64_t, 0);
    SET(size, uint64_t, 64);
    SET(size, uint64_t, head.size - 1);
    SET(size, uint64_t, head.size + 1);
    SET(size, uint64_t, head.size - 64);
    SET(size, uint64_t, head.size + 64);
    SET(size, uint64_t, UINT64_MAX);
    SET(size, uint64_t, UINT64_MAX - 63);
    SET(values_size, uint32_t, 0);
    SET(values_size, uint32_t, head.values_size - 1);
    SET(values_size, uint32_t, head.values_size + 1);
    SET(values_size, uint32_t, UINT32_MAX);
    SET(n_args, uint32_t, 0);
    SET(n_args, uint32_t, head.n_args - 1);
    SET(n_args, uint32_t, head.n_args + 1);
    SET(n_args, uint32_t, head.values_size + 1);
    SET(n_args, uint32_t, UINT32_MAX);
    SET(n_kwargs, uint32_t, 0);
    SET(n_kwargs, uint32_t, head.n_kwargs - 1);
    SET(n_kwargs, uint32_t, head.n_kwargs + 1);
    SET(n_kwargs, uint32_t, UINT32_MAX);
    SET(function_size, uint32_t, 0);
    SET(function_size, uint32_t, head.function_size - 1);
    SET(function_size, uint32_t, head.function_size + 1);
    SET(function_size, uint32_t, UINT32_MAX);
    SET(module_size, uint32_t, 0);
    SET(module_size, uint32_t, head.module_size - 1);
    SET(module_size, uint32_t, head.module_size + 1);
    SET(module_size, uint32_t, UINT32_MAX);
    finish(&c);
}
#undef HEAD
#undef DECODE

#define HEAD struct dwqi_part_head
#define DECODE decode_part
Test(hostile, each_size_and_count_in_the_head_of_a_part_is_checked)
{
    struct codec c = { .item = NULL };
    struct dwqi_part_head head;

    pack_rich_part(&c);
    memcpy(&head, c.item, sizeof head);
    SET(size, uint64_t, 0);
    SET(size, uint64_t, head.size - 64);
    SET(size, uint64_t, head.size + 64);
    SET(size, uint64_t, head.size - 1);
    SET(size, uint64_t, UINT64_MAX - 63);
    SET(values_size, uint32_t, 0);
    SET(values_size, uint32_t, head.values_size - 1);
    SET(values_size, uint32_t, head.values_size + 1);
    SET(values_size, uint32_t, UINT32_MAX);
    SET(n_values, uint32_t, 0);
    SET(n_values, uint32_t, head.n_values - 1);
    SET(n_values, uint32_t, head.n_values + 1);
    SET(n_values, uint32_t, UINT32_MAX);
    SET(message_size, uint32_t, 0);
    SET(message_size, uint32_t, head.message_size - 1);
    SET(message_size, uint32_t, head.message_size + 1);
    SET(message_size, uint32_t, UINT32_MAX);
    SET(n_parts, uint32_t, 0);
    finish(&c);
}

Test(hostile, any_changed_bit_gives_values_or_a_refusal)
{
    struct codec c = { .item = NULL };

    for (int part = 0; part <= 1; part++) {
        (part ? pack_rich_part : pack_rich_task)(&c);
        for (size_t bit = 0; bit < 8 * c.pack.size; bit++) {
            unsigned char *item = exact_copy(c.item, c.pack.size);
            dwq_status_t status;

            item[bit / 8] ^= (unsigned char)(1 << bit % 8);
            status = (part ? decode_part : decode)(item, c.pack.size);
            cr_assert(status == DWQ_OK || status == DWQ_E_MESSAGE);
            free(item);
        }
    }
    finish(&c);
}

/* --- Made to deceive ---------------------------------------------------- */

/* An item of a task with these values and `n_arrays` bytes behind. */
static dwq_status_t decode_bytes(const void *values, size_t size,
                                 uint32_t n_args, uint32_t n_kwargs,
                                 size_t arrays_size)
{
    size_t front = dwqi_align(sizeof(struct dwqi_task_head) + size);
    struct dwqi_task_head head = { .id = 1,
                                   .size = front + arrays_size,
                                   .values_size = (uint32_t)size,
                                   .n_args = n_args,
                                   .n_kwargs = n_kwargs };
    unsigned char *item = calloc(1, head.size);
    dwq_status_t status;

    memcpy(item, &head, sizeof head);
    memcpy(item + sizeof head, values, size);
    status = decode(item, head.size);
    free(item);
    return status;
}

#define ONE(bytes) decode_bytes(bytes, sizeof bytes - 1, 1, 0, 0)
#define NAMED(bytes) decode_bytes(bytes, sizeof bytes - 1, 0, 1, 0)

/* Kinds, and the numbers of this machine (little-endian) as they stand. */
#define NIL "\x00"
#define TRUE "\x01\x01"
#define INT(low) "\x02" low "\x00\x00\x00\x00\x00\x00\x00"
#define N(low) low "\x00\x00\x00" /* a count or size */
#define MANY "\xff\xff\xff\xff"
#define STRING "\x05"
#define BYTES "\x06"
#define LIST "\x07"
#define MAP "\x08"
#define ARRAY "\x09"
#define K N("\x02") "k\x00" /* a name */

Test(hostile, kinds_are_known)
{
    cr_assert_eq(ONE(NIL), DWQ_OK);
    cr_assert_eq(ONE(TRUE), DWQ_OK);
    cr_assert_eq(ONE("\x01\x02"), DWQ_E_MESSAGE, "neither true nor false");
    cr_assert_eq(ONE("\x01"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\x0a"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xff"), DWQ_E_MESSAGE);
}

Test(hostile, strings_end_with_their_only_nul)
{
    cr_assert_eq(ONE(STRING N("\x01") "\x00"), DWQ_OK);
    cr_assert_eq(ONE(STRING N("\x02") "x\x00"), DWQ_OK);
    cr_assert_eq(ONE(STRING N("\x00")), DWQ_E_MESSAGE, "no NUL");
    cr_assert_eq(ONE(STRING N("\x01") "x"), DWQ_E_MESSAGE, "no NUL");
    cr_assert_eq(ONE(STRING N("\x03") "x\x00\x00"), DWQ_E_MESSAGE,
                 "NUL inside");
    cr_assert_eq(ONE(STRING N("\x03") "\x00x\x00"), DWQ_E_MESSAGE,
                 "NUL inside");
    cr_assert_eq(ONE(STRING N("\x03") "x\x00"), DWQ_E_MESSAGE,
                 "beyond the end");
    cr_assert_eq(ONE(STRING MANY "x"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE(STRING "\x00\x00"), DWQ_E_MESSAGE, "half a size");
}

Test(hostile, bytes_stay_within_the_values)
{
    cr_assert_eq(ONE(BYTES N("\x00")), DWQ_OK);
    cr_assert_eq(ONE(BYTES N("\x02") "xy"), DWQ_OK);
    cr_assert_eq(ONE(BYTES N("\x02") "x"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE(BYTES MANY "x"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE(BYTES "\x00"), DWQ_E_MESSAGE);
}

Test(hostile, numbers_are_whole)
{
    static const char *const kinds[] = { "\x02", "\x03", "\x04" };
    char number[9] = { 0 };

    for (size_t i = 0; i < 3; i++) {
        number[0] = kinds[i][0];
        cr_assert_eq(decode_bytes(number, 9, 1, 0, 0), DWQ_OK);
        for (size_t size = 1; size < 9; size++) {
            cr_assert_eq(decode_bytes(number, size, 1, 0, 0), DWQ_E_MESSAGE);
        }
    }
}

Test(hostile, names_are_strings)
{
    cr_assert_eq(NAMED(K NIL), DWQ_OK);
    cr_assert_eq(NAMED(N("\x01") "k" NIL), DWQ_E_MESSAGE, "no NUL");
    cr_assert_eq(NAMED(N("\x00") NIL NIL), DWQ_E_MESSAGE, "empty");
    cr_assert_eq(NAMED(K), DWQ_E_MESSAGE, "no value");
    cr_assert_eq(NAMED(MANY "k\x00" NIL), DWQ_E_MESSAGE);
    cr_assert_eq(ONE(MAP N("\x01") K NIL), DWQ_OK);
    cr_assert_eq(ONE(MAP N("\x01") "\x02\x00" NIL), DWQ_E_MESSAGE);
}

Test(hostile, values_are_used_up)
{
    cr_assert_eq(decode_bytes(NIL NIL, 2, 2, 0, 0), DWQ_OK);
    cr_assert_eq(decode_bytes(NIL NIL, 2, 1, 0, 0), DWQ_E_MESSAGE);
    cr_assert_eq(decode_bytes(NIL, 1, 0, 0, 0), DWQ_E_MESSAGE);
    cr_assert_eq(decode_bytes("", 0, 0, 0, 0), DWQ_OK);
    cr_assert_eq(decode_bytes("", 0, 1, 0, 0), DWQ_E_MESSAGE);
    cr_assert_eq(decode_bytes("", 0, 0, 1, 0), DWQ_E_MESSAGE);
}

/* The values fill the item to its last byte, so that a tool sees the read of
 * one more. */
Test(hostile, nothing_is_read_behind_values_at_the_end_of_the_item)
{
    static const size_t least[] = { 1, 2, 9, 9, 9, 5, 5, 5, 5, 17 };
    unsigned char values[64] = { DWQ_KIND_BYTES, 59 };

    cr_assert_eq(decode_bytes(values, 64, 1, 0, 0), DWQ_OK);
    cr_assert_eq(decode_bytes(values, 64, 2, 0, 0), DWQ_E_MESSAGE);
    for (unsigned char kind = 0; kind <= DWQ_KIND_ARRAY; kind++) {
        for (uint32_t n = 1; n < least[kind]; n++) { /* too few bytes of it */
            memset(values, DWQ_KIND_NIL, sizeof values);
            values[64 - n] = kind;
            cr_assert_eq(decode_bytes(values, 64, 65 - n, 0, 0), DWQ_E_MESSAGE,
                         "%d %u", kind, n);
        }
    }
}

Test(hostile, counts_of_lists_and_maps_are_checked)
{
    cr_assert_eq(ONE(LIST N("\x02") NIL NIL), DWQ_OK);
    cr_assert_eq(ONE(LIST N("\x02") NIL), DWQ_E_MESSAGE);
    cr_assert_eq(ONE(LIST N("\x01") INT("\x05")), DWQ_OK);
    cr_assert_eq(ONE(LIST N("\x00")), DWQ_OK);
    cr_assert_eq(ONE(LIST MANY NIL), DWQ_E_MESSAGE);
    cr_assert_eq(ONE(LIST "\x00\x00\x00"), DWQ_E_MESSAGE, "half a count");
    cr_assert_eq(ONE(MAP N("\x01") K INT("\x05")), DWQ_OK);
    cr_assert_eq(ONE(MAP N("\x00")), DWQ_OK);
    cr_assert_eq(ONE(MAP MANY K NIL), DWQ_E_MESSAGE);
    cr_assert_eq(ONE(MAP N("\x0f") K NIL), DWQ_E_MESSAGE);
}

Test(hostile, nesting_above_the_limit_is_refused)
{
    enum {
        SIZE = 5 * DWQ_MAX_DEPTH
    };
    char lists[SIZE + 5];

    for (size_t i = 0; i < DWQ_MAX_DEPTH; i++) {
        memcpy(lists + 5 * i, LIST N("\x01"), 5);
    }
    memcpy(lists + SIZE, NIL, 1);
    cr_assert_eq(decode_bytes(lists, SIZE + 1, 1, 0, 0), DWQ_OK);
    memcpy(lists + SIZE, LIST N("\x00"), 5); /* empty, one deeper */
    cr_assert_eq(decode_bytes(lists, SIZE + 5, 1, 0, 0), DWQ_E_MESSAGE);
    memcpy(lists + SIZE, MAP N("\x00"), 5);
    cr_assert_eq(decode_bytes(lists, SIZE + 5, 1, 0, 0), DWQ_E_MESSAGE);
}

/* Chunks begin with a pointer to the next one. */
static int count_chunks(const struct dwqi_arena *arena)
{
    const void *chunk = arena->chunks;
    int n = 0;

    while (chunk) {
        memcpy(&chunk, chunk, sizeof chunk);
        n++;
    }
    return n;
}

/* 30 lists in each other that each claim all that follows. Were each believed,
 * the memory would be 30 times that of the values. */
Test(hostile, nested_counts_cannot_claim_the_same_bytes)
{
    enum {
        SIZE = 1 << 20,
        DEPTH = 30
    };
    struct dwqi_task_head head = { .size = 64 + SIZE,
                                   .values_size = SIZE,
                                   .n_args = 1 };
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_task_view view;
    unsigned char *item = calloc(1, head.size);

    memcpy(item, &head, sizeof head);
    for (uint32_t i = 0; i < DEPTH; i++) {
        uint32_t n = SIZE - 5 * (i + 1); /* all that follows */
        unsigned char *list = item + 64 + (size_t)5 * i;

        list[0] = DWQ_KIND_LIST;
        memcpy(list + 1, &n, sizeof n);
    }
    cr_assert_eq(dwqi_task_head_read(item, head.size, &head), DWQ_OK);
    cr_assert_eq(dwqi_task_unpack(item, &head, NULL, 0, &arena, &view),
                 DWQ_E_MESSAGE);
    cr_assert_leq(count_chunks(&arena), 2, "the argument, the first list");
    dwqi_arena_finish(&arena);
    free(item);
}

/* A name and its value take 6 bytes at least. */
Test(hostile, count_of_entries_cannot_claim_each_byte)
{
    enum {
        SIZE = 1 << 10
    };
    struct dwqi_task_head head = { .size = 64 + SIZE,
                                   .values_size = SIZE,
                                   .n_args = 1 };
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_task_view view;
    unsigned char *item = calloc(1, head.size);

    memcpy(item, &head, sizeof head);
    memcpy(item + 64, MAP "\xfb\x03\x00\x00", 5); /* SIZE - 5 */
    cr_assert_eq(dwqi_task_unpack(item, &head, NULL, 0, &arena, &view),
                 DWQ_E_MESSAGE);
    cr_assert_eq(count_chunks(&arena), 1, "the argument");
    dwqi_arena_finish(&arena);
    free(item);
}

/* --- Arrays ------------------------------------------------------------- */

struct claim {
    struct dwqi_array_head_fields {
        uint8_t type, ndim, flags, reserved[5];
        uint64_t offset;
    } head;
    uint64_t shape[9];
};

/* One array, as claimed, with 128 bytes behind the values. */
static dwq_status_t decode_claim(struct claim claim)
{
    unsigned char values[128] = { DWQ_KIND_ARRAY };
    size_t size = sizeof claim.head + 8 * (size_t)claim.head.ndim;

    if (size > sizeof claim.head + sizeof claim.shape) {
        size = sizeof claim.head;
    }
    memcpy(values + 1, &claim.head, sizeof claim.head);
    memcpy(values + 1 + sizeof claim.head, claim.shape,
           size - sizeof claim.head);
    return decode_bytes(values, 1 + size, 1, 0, 128);
}

#define CLAIM(...) decode_claim((struct claim){ __VA_ARGS__ })

Test(hostile, arrays_stay_within_the_item)
{
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 1, 0, { 0 }, 0 }, { 16 }), DWQ_OK);
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 1, 0, { 0 }, 64 }, { 8 }), DWQ_OK);
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 0, 0, { 0 }, 64 }, { 0 }), DWQ_OK);
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 1, 0, { 0 }, 128 }, { 0 }), DWQ_OK);
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 1, 0, { 0 }, 0 }, { 17 }), DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 1, 0, { 0 }, 64 }, { 9 }), DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 1, 0, { 0 }, 128 }, { 1 }), DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 0, 0, { 0 }, 128 }, { 0 }), DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 1, 0, { 0 }, 192 }, { 0 }), DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 1, 0, { 0 }, UINT64_MAX - 63 }, { 1 }),
                 DWQ_E_MESSAGE);
}

Test(hostile, arrays_stand_at_multiples_of_64)
{
    cr_assert_eq(CLAIM({ DWQ_INT8, 1, 0, { 0 }, 1 }, { 1 }), DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_INT8, 1, 0, { 0 }, 32 }, { 1 }), DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_INT8, 1, 0, { 0 }, 64 }, { 1 }), DWQ_OK);
}

Test(hostile, array_shapes_whose_product_overflows_are_refused)
{
    uint64_t half = (uint64_t)1 << 32;

    cr_assert_eq(CLAIM({ DWQ_INT8, 2, 0, { 0 }, 0 }, { half, half }),
                 DWQ_E_MESSAGE);
    cr_assert_eq(
        CLAIM({ DWQ_DOUBLE, 1, 0, { 0 }, 0 }, { ((uint64_t)1 << 61) + 1 }),
        DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 2, 0, { 0 }, 0 }, { UINT64_MAX, 2 }),
                 DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_DOUBLE, 2, 0, { 0 }, 0 }, { UINT64_MAX, 0 }),
                 DWQ_OK, "no elements at all");
}

Test(hostile, array_heads_make_sense)
{
    cr_assert_eq(CLAIM({ 0, 1, 0, { 0 }, 0 }, { 1 }), DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ 13, 1, 0, { 0 }, 0 }, { 1 }), DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ 255, 1, 0, { 0 }, 0 }, { 1 }), DWQ_E_MESSAGE);
    cr_assert_eq(
        CLAIM({ DWQ_INT8, 9, 0, { 0 }, 0 }, { 1, 1, 1, 1, 1, 1, 1, 1, 1 }),
        DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_INT8, 255, 0, { 0 }, 0 }, { 1 }), DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_INT8, 1, 2, { 0 }, 0 }, { 1 }), DWQ_OK);
    cr_assert_eq(CLAIM({ DWQ_INT8, 1, 1, { 0 }, 0 }, { 1 }), DWQ_E_MESSAGE,
                 "borrowed does not travel");
    cr_assert_eq(CLAIM({ DWQ_INT8, 1, 128, { 0 }, 0 }, { 1 }), DWQ_E_MESSAGE);
    cr_assert_eq(CLAIM({ DWQ_INT8, 0, 2, { 0 }, 0 }, { 1 }), DWQ_E_MESSAGE,
                 "scatter of no dimensions");
    cr_assert_eq(ONE(ARRAY), DWQ_E_MESSAGE, "without a head");
    cr_assert_eq(ONE(ARRAY "0123456789abcdef"), DWQ_E_MESSAGE,
                 "a head of letters");
}

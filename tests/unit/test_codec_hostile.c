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

/* An item of a task with these msgpack bytes and `n_arrays` bytes behind. */
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

Test(hostile, strings_end_with_their_only_nul)
{
    cr_assert_eq(ONE("\xa1\x00"), DWQ_OK);
    cr_assert_eq(ONE("\xa2x\x00"), DWQ_OK);
    cr_assert_eq(ONE("\xd9\x02x\x00"), DWQ_OK, "not the shortest header");
    cr_assert_eq(ONE("\xa0"), DWQ_E_MESSAGE, "no NUL");
    cr_assert_eq(ONE("\xa1x"), DWQ_E_MESSAGE, "no NUL");
    cr_assert_eq(ONE("\xa3x\x00\x00"), DWQ_E_MESSAGE, "NUL inside");
    cr_assert_eq(ONE("\xa3\x00x\x00"), DWQ_E_MESSAGE, "NUL inside");
    cr_assert_eq(ONE("\xa3x\x00"), DWQ_E_MESSAGE, "beyond the end");
    cr_assert_eq(ONE("\xdb\xff\xff\xff\xffx"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xdb\x00\x00"), DWQ_E_MESSAGE, "half a header");
}

Test(hostile, bytes_stay_within_the_values)
{
    cr_assert_eq(ONE("\xc4\x00"), DWQ_OK);
    cr_assert_eq(ONE("\xc4\x02xy"), DWQ_OK);
    cr_assert_eq(ONE("\xc4\x02x"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xc6\xff\xff\xff\xffx"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xc5\x00"), DWQ_E_MESSAGE);
}

Test(hostile, numbers_are_whole)
{
    cr_assert_eq(ONE("\xca\x3f\x80\x00\x00"), DWQ_OK, "a float");
    cr_assert_eq(ONE("\xca\x3f\x80\x00"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xcb\x3f\xf0\x00\x00\x00\x00\x00"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xcd\x01"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xd3\x01\x01\x01\x01\x01\x01\x01"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xc1"), DWQ_E_MESSAGE, "never used");
}

Test(hostile, names_are_strings)
{
    cr_assert_eq(NAMED("\xa2k\x00\x01"), DWQ_OK);
    cr_assert_eq(NAMED("\x01\xcc\x05"), DWQ_E_MESSAGE);
    cr_assert_eq(NAMED("\x90\xcc\x05"), DWQ_E_MESSAGE);
    cr_assert_eq(NAMED("\xc4\x00\x05"), DWQ_E_MESSAGE, "bytes");
    cr_assert_eq(NAMED("\xa1k\xc0"), DWQ_E_MESSAGE);
    cr_assert_eq(NAMED("\xa2k\x00"), DWQ_E_MESSAGE, "no value");
    cr_assert_eq(ONE("\x81\xa2k\x00\x01"), DWQ_OK);
    cr_assert_eq(ONE("\x81\x01\xcc\x05"), DWQ_E_MESSAGE);
}

Test(hostile, values_are_used_up)
{
    cr_assert_eq(decode_bytes("\x01\x02", 2, 2, 0, 0), DWQ_OK);
    cr_assert_eq(decode_bytes("\x01\x02", 2, 1, 0, 0), DWQ_E_MESSAGE);
    cr_assert_eq(decode_bytes("\x01", 1, 0, 0, 0), DWQ_E_MESSAGE);
    cr_assert_eq(decode_bytes("", 0, 0, 0, 0), DWQ_OK);
    cr_assert_eq(decode_bytes("", 0, 1, 0, 0), DWQ_E_MESSAGE);
    cr_assert_eq(decode_bytes("", 0, 0, 1, 0), DWQ_E_MESSAGE);
}

/* The values fill the item to its last byte, so that a tool sees the read of
 * one more. */
Test(hostile, nothing_is_read_behind_values_at_the_end_of_the_item)
{
    unsigned char values[64] = { 0xc4, 62 };

    cr_assert_eq(decode_bytes(values, 64, 1, 0, 0), DWQ_OK);
    cr_assert_eq(decode_bytes(values, 64, 2, 0, 0), DWQ_E_MESSAGE);
    memset(values, 0xc0, sizeof values);
    memcpy(values + 61, "\xc7\x00\x01", 3); /* an array without a head */
    cr_assert_eq(decode_bytes(values, 64, 62, 0, 0), DWQ_E_MESSAGE);
    memcpy(values + 61, "\xc0\xc0\xd9", 3); /* half of each header */
    cr_assert_eq(decode_bytes(values, 64, 64, 0, 0), DWQ_E_MESSAGE);
    values[63] = 0xdf;
    cr_assert_eq(decode_bytes(values, 64, 64, 0, 0), DWQ_E_MESSAGE);
    values[63] = 0xcb;
    cr_assert_eq(decode_bytes(values, 64, 64, 0, 0), DWQ_E_MESSAGE);
    memcpy(values + 60, "\xdf\x00\x00\x00", 4); /* a byte short */
    cr_assert_eq(decode_bytes(values, 64, 61, 0, 0), DWQ_E_MESSAGE);
    memcpy(values + 60, "\xc0\xc0\xdc\x00", 4);
    cr_assert_eq(decode_bytes(values, 64, 63, 0, 0), DWQ_E_MESSAGE);
}

Test(hostile, counts_of_lists_and_maps_are_checked)
{
    cr_assert_eq(ONE("\x92\x01\x02"), DWQ_OK);
    cr_assert_eq(ONE("\x92\x01"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xdc\x00\x01\x05"), DWQ_OK);
    cr_assert_eq(ONE("\xdd\x00\x00\x00\x01\x05"), DWQ_OK);
    cr_assert_eq(ONE("\xdc\xff\xff\x05"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xdd\xff\xff\xff\xff\x05"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xdd\x00\x00\x00"), DWQ_E_MESSAGE, "half a header");
    cr_assert_eq(ONE("\xde\x00\x01\xa1\x00\x05"), DWQ_OK);
    cr_assert_eq(ONE("\xdf\x00\x00\x00\x01\xa1\x00\x05"), DWQ_OK);
    cr_assert_eq(ONE("\xde\xff\xff\x05"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\xdf\xff\xff\xff\xff\xa1\x00\x05"), DWQ_E_MESSAGE);
    cr_assert_eq(ONE("\x8f\xa1\x00\x05"), DWQ_E_MESSAGE);
}

Test(hostile, nesting_above_the_limit_is_refused)
{
    char lists[DWQ_MAX_DEPTH + 2];

    memset(lists, '\x91', sizeof lists);
    lists[DWQ_MAX_DEPTH] = '\x01';
    cr_assert_eq(decode_bytes(lists, DWQ_MAX_DEPTH + 1, 1, 0, 0), DWQ_OK);
    lists[DWQ_MAX_DEPTH] = '\x90'; /* empty, one deeper */
    cr_assert_eq(decode_bytes(lists, DWQ_MAX_DEPTH + 1, 1, 0, 0),
                 DWQ_E_MESSAGE);
    lists[DWQ_MAX_DEPTH] = '\x80';
    cr_assert_eq(decode_bytes(lists, DWQ_MAX_DEPTH + 1, 1, 0, 0),
                 DWQ_E_MESSAGE);
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
        unsigned char list[5] = { 0xdd, (unsigned char)(n >> 24),
                                  (unsigned char)(n >> 16),
                                  (unsigned char)(n >> 8), (unsigned char)n };

        memcpy(item + 64 + (size_t)5 * i, list, sizeof list);
    }
    cr_assert_eq(dwqi_task_head_read(item, head.size, &head), DWQ_OK);
    cr_assert_eq(dwqi_task_unpack(item, &head, NULL, 0, &arena, &view),
                 DWQ_E_MESSAGE);
    cr_assert_leq(count_chunks(&arena), 2, "the argument, the first list");
    dwqi_arena_finish(&arena);
    free(item);
}

/* A name and its value take 3 bytes at least. */
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
    memcpy(item + 64, "\xde\x03\xfd", 3); /* SIZE - 3 */
    cr_assert_eq(dwqi_task_unpack(item, &head, NULL, 0, &arena, &view),
                 DWQ_E_MESSAGE);
    cr_assert_eq(count_chunks(&arena), 1, "the argument");
    dwqi_arena_finish(&arena);
    free(item);
}

/* --- Arrays ------------------------------------------------------------- */

struct claim {
    int ext;
    size_t extra; /* bytes behind the shape */
    struct dwqi_array_head_fields {
        uint8_t type, ndim, flags, reserved[5];
        uint64_t offset;
    } head;
    uint64_t shape[9];
};

/* One array, as claimed, with 128 bytes behind the values. */
static dwq_status_t decode_claim(struct claim claim)
{
    unsigned char values[128] = { 0xc7 };
    size_t size = sizeof claim.head + 8 * (size_t)claim.head.ndim;

    if (size > sizeof claim.head + sizeof claim.shape) {
        size = sizeof claim.head;
    }
    values[1] = (unsigned char)(size + claim.extra);
    values[2] = (unsigned char)claim.ext;
    memcpy(values + 3, &claim.head, sizeof claim.head);
    memcpy(values + 3 + sizeof claim.head, claim.shape,
           size - sizeof claim.head);
    return decode_bytes(values, 3 + size + claim.extra, 1, 0, 128);
}

#define CLAIM(...) decode_claim((struct claim){ 1, 0, __VA_ARGS__ })

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
    struct claim longer = { 1, 8, { DWQ_INT8, 1, 0, { 0 }, 0 }, { 1 } };
    struct claim other = { 2, 0, { DWQ_INT8, 1, 0, { 0 }, 0 }, { 1 } };

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
    cr_assert_eq(decode_claim(longer), DWQ_E_MESSAGE);
    cr_assert_eq(decode_claim(other), DWQ_E_MESSAGE, "another ext type");
    cr_assert_eq(ONE("\xc7\x00\x01"), DWQ_E_MESSAGE, "an empty ext");
    cr_assert_eq(ONE("\xd8\x01"
                     "0123456789abcdef"),
                 DWQ_E_MESSAGE, "a head of letters");
}

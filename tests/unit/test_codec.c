/* Tasks, parts and values through the codec and back. */
#include <malloc.h>
#include <math.h>

#include "tests/unit/codec_fixture.h"

/* --- Round trips -------------------------------------------------------- */

Test(codec, head_of_a_task_survives)
{
    struct codec c = { .item = NULL };
    dwq_task_t task = {
        .function = "square", .module = "mesh", .time_est = 2.5, .id = 5
    };

    pack_task(&c, &task, UINT64_MAX);
    unpack_task(&c);
    cr_assert_eq(c.task.id, UINT64_MAX, "the id is that of the call");
    cr_assert_eq(c.task.time_est, 2.5);
    cr_assert_str_eq(c.task.function, "square");
    cr_assert_str_eq(c.task.module, "mesh");
    cr_assert_eq(c.task.args.n, 0);
    cr_assert_eq(c.task.kwargs.n, 0);
    task.module = NULL;
    pack_task(&c, &task, 1);
    unpack_task(&c);
    cr_assert_null(c.task.module);
    task.module = "";
    pack_task(&c, &task, 1);
    unpack_task(&c);
    cr_assert_str_eq(c.task.module, "");
    finish(&c);
}

Test(codec, every_kind_survives_at_every_place)
{
    struct codec c = { .item = NULL };
    double x[3] = { 1, 2, 3 };
    dwq_values_t all =
        DWQ_VALUES(dwq_value_nil(), (bool)true, (bool)false, -1, UINT64_MAX,
                   0.1, "text", ((dwq_bytes_t){ "a\0b", 3 }),
                   DWQ_LIST(1, "two"), DWQ_MAP({ "k", dwq_value(1) }),
                   dwq_array(DWQ_DOUBLE, x, 1, (size_t[]){ 3 }));
    dwq_value_t list = dwq_value_list(all);
    dwq_kwargs_t named = DWQ_ENTRIES({ "list", list }, { "", dwq_value_nil() },
                                     { "a", all.items[10] });

    for (size_t i = 0; i < all.n; i++) {
        round_trip_one(&c, all.items[i]);
    }
    round_trip(&c, all, named);
    round_trip(&c, DWQ_VALUES(list, dwq_value_map(named)), named);
    finish(&c);
}

Test(codec, integers_of_every_width_survive)
{
    struct codec c = { .item = NULL };

    for (int bit = 0; bit < 64; bit++) {
        for (int d = -2; d <= 2; d++) {
            uint64_t bits = ((uint64_t)1 << bit) + (uint64_t)d;

            round_trip_one(&c, dwq_value_uint(bits));
            round_trip_one(&c, dwq_value_int((int64_t)bits));
            round_trip_one(&c, dwq_value_int(-(int64_t)(bits >> 1)));
        }
    }
    round_trip_one(&c, dwq_value_int(INT64_MIN));
    finish(&c);
}

Test(codec, doubles_survive_to_the_last_bit)
{
    struct codec c = { .item = NULL };
    static const double reals[] = { 0,         -0.0,     0.1,
                                    NAN,       INFINITY, -INFINITY,
                                    0x1p-1074, 1.7e308,  3 };

    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        round_trip_one(&c, dwq_value_double(reals[i]));
    }
    finish(&c);
}

Test(codec, strings_and_bytes_of_every_header_survive)
{
    struct codec c = { .item = NULL };
    static const size_t sizes[] = { 0,   1,   30,  31,    32,    33,   254,
                                    255, 256, 257, 65534, 65535, 65536 };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *text = malloc(sizes[i] + 1);

        memset(text, 'x', sizes[i]);
        text[sizes[i]] = '\0';
        round_trip_one(&c, dwq_value_string(text));
        memset(text, 0, sizes[i]);
        round_trip_one(&c, dwq_value_bytes((dwq_bytes_t){ text, sizes[i] }));
        free(text);
    }
    round_trip_one(&c, dwq_value_bytes((dwq_bytes_t){ NULL, 0 }));
    finish(&c);
}

Test(codec, lists_and_maps_of_every_header_survive)
{
    struct codec c = { .item = NULL };
    static const size_t sizes[] = { 0, 1, 15, 16, 17, 65535, 65536 };
    size_t most = 65536;
    dwq_value_t *items = calloc(most, sizeof *items);
    dwq_kwarg_t *entries = calloc(most, sizeof *entries);
    char(*names)[16] = calloc(most, sizeof *names);

    for (size_t i = 0; i < most; i++) {
        snprintf(names[i], sizeof names[i], "%zu", i);
        items[i] = dwq_value_int((int64_t)i);
        entries[i] = (dwq_kwarg_t){ names[i], items[i] };
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        round_trip_one(&c, dwq_value_list((dwq_values_t){ sizes[i], items }));
        round_trip_one(&c, dwq_value_map((dwq_kwargs_t){ sizes[i], entries }));
        round_trip(&c, (dwq_values_t){ sizes[i], items },
                   (dwq_kwargs_t){ sizes[i], entries });
    }
    finish(&c);
    free(items);
    free(entries);
    free(names);
}

Test(codec, arrays_of_every_type_and_ndim_survive_64_byte_aligned)
{
    struct codec c = { .item = NULL };
    static const size_t shape[DWQ_MAX_DIMS] = { 2, 3, 1, 2, 1, 1, 3, 1 };
    unsigned char data[36 * 16];

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (unsigned char)(i * 5 + 1);
    }
    for (int type = DWQ_INT8; type <= DWQ_COMPLEX_DOUBLE; type++) {
        for (int ndim = 0; ndim <= DWQ_MAX_DIMS; ndim++) {
            dwq_array_t array = dwq_array((dwq_type_t)type, data, ndim, shape);

            round_trip(&c, DWQ_VALUES(1, array, array, "x", array),
                       DWQ_ENTRIES({ "a", dwq_value(array) }));
            for (int i = 1; i < 5; i += i == 2 ? 2 : 1) {
                cr_assert_eq((uintptr_t)c.task.args.items[i].u.array.data % 64,
                             0);
            }
        }
    }
    finish(&c);
}

Test(codec, arrays_without_elements_survive_with_their_shape)
{
    struct codec c = { .item = NULL };
    char byte = 1;
    dwq_array_t empty =
        dwq_array(DWQ_DOUBLE, NULL, 3, (size_t[]){ 3, 0, SIZE_MAX });
    dwq_array_t one = dwq_array(DWQ_INT8, &byte, 1, (size_t[]){ 1 });

    round_trip(&c, DWQ_VALUES(empty), DWQ_ENTRIES({ "a", dwq_value(1) }));
    round_trip(&c, DWQ_VALUES(empty, one, empty, one, dwq_borrow(empty)),
               DWQ_ENTRIES({ "a", dwq_value(empty) }));
    finish(&c);
}

Test(codec, more_arrays_than_have_room_at_first_survive)
{
    struct codec c = { .item = NULL };
    int32_t data[200];
    dwq_value_t items[200];

    for (int i = 0; i < 200; i++) {
        data[i] = i;
        items[i] =
            dwq_value(dwq_array(DWQ_INT32, data, 1, (size_t[]){ (size_t)i }));
    }
    round_trip(&c, (dwq_values_t){ 200, items }, (dwq_kwargs_t){ 0, NULL });
    finish(&c);
}

#define EIGHT(n) n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7
#define THIRTY_TWO(n) EIGHT(n), EIGHT(n + 8), EIGHT(n + 16), EIGHT(n + 24)

Test(codec, 0_32_and_64_arguments_survive)
{
    struct codec c = { .item = NULL };
    dwq_kwargs_t none = { 0, NULL };

    round_trip(&c, DWQ_VALUES(), none);
    round_trip(&c, DWQ_VALUES(THIRTY_TWO(0)), none);
    round_trip(&c, DWQ_VALUES(THIRTY_TWO(0), THIRTY_TWO(1000)), none);
    finish(&c);
}

Test(codec, values_alone_survive_in_one_block)
{
    struct codec c = { .item = NULL };
    size_t size = 2 * DWQI_EXTENT_MIN;
    char *data = calloc(size, 1);
    dwq_values_t values =
        DWQ_VALUES(1, dwq_borrow(dwq_array(DWQ_INT8, data, 1, &size)));
    dwq_kwargs_t named = DWQ_ENTRIES({ "a", dwq_value("b") });
    dwq_values_t values_out;
    dwq_kwargs_t named_out;

    cr_assert_eq(dwqi_values_pack(values, named, &c.scratch, &c.pack, &c.why),
                 DWQ_OK);
    cr_assert_eq(c.pack.n_extents, 0);
    cr_assert_eq(c.pack.size, c.pack.block_size);
    deliver(&c);
    cr_assert_eq(dwqi_values_unpack(c.item, c.pack.size, &c.arena, &values_out,
                                    &named_out),
                 DWQ_OK);
    cr_assert(values_equal(values, values_out));
    cr_assert(entries_equal(named, named_out));
    finish(&c);
    free(data);
}

Test(codec, parts_in_a_row_survive_each_with_its_head)
{
    struct codec c = { .item = NULL };
    unsigned char *row = NULL;
    size_t size = 0;

    for (int i = 0; i < 5; i++) {
        struct dwqi_part_head head = { .id = 7,
                                       .this_time = i + 0.5,
                                       .attempt = (uint32_t)i + 3,
                                       .code = -i,
                                       .n_parts = 5,
                                       .status = i == 3 ? DWQ_E_TASK : DWQ_OK };

        cr_assert_eq(dwqi_pack_part(&head, i == 3 ? "no" : NULL,
                                    i == 2 ? DWQ_VALUES() : DWQ_VALUES(i, "s"),
                                    &c.scratch, &c.pack, &c.why),
                     DWQ_OK);
        row = realloc(row, size + c.pack.size);
        dwqi_pack_copy(&c.pack, row + size);
        size += c.pack.size;
        dwqi_pack_finish(&c.pack);
    }
    for (size_t i = 0, at = 0; i < 5; i++) {
        struct dwqi_part_head head;
        dwq_values_t expected = DWQ_VALUES((int)i, "s");

        cr_assert_eq(dwqi_part_head_read(row + at, size - at, &head), DWQ_OK);
        cr_assert_eq(dwqi_part_unpack(row + at, &head, &c.arena, &c.part),
                     DWQ_OK);
        cr_assert_eq(c.part.head.this_time, (double)i + 0.5);
        cr_assert_eq(c.part.head.attempt, (uint32_t)i + 3);
        cr_assert_eq(c.part.head.code, -(int)i);
        cr_assert_eq(c.part.head.n_parts, 5);
        cr_assert_eq(c.part.head.status, i == 3 ? DWQ_E_TASK : DWQ_OK);
        cr_assert_str_eq(c.part.message, i == 3 ? "no" : "");
        cr_assert(i == 2 ? c.part.values.n == 0
                         : values_equal(expected, c.part.values));
        at += head.size;
    }
    free(row);
    finish(&c);
}

Test(codec, same_task_gives_the_same_bytes)
{
    struct codec a = { .item = NULL }, b = { .item = NULL };
    char byte = 1;
    dwq_task_t task = {
        .function = "f",
        DWQ_ARGS("x", dwq_array(DWQ_INT8, &byte, 0, NULL),
                 dwq_array(DWQ_INT8, &byte, 1, (size_t[]){ 1 })),
    };

    /* What malloc() gives is full of something: pads that nobody writes differ.
     */
    mallopt(M_PERTURB, 0x5a);
    pack_task(&a, &task, 1);
    mallopt(M_PERTURB, 0x3c);
    pack_task(&b, &task, 1);
    mallopt(M_PERTURB, 0);
    cr_assert_eq(a.pack.size, b.pack.size);
    cr_assert_eq(memcmp(a.item, b.item, a.pack.size), 0);
    finish(&a);
    finish(&b);
}

/* --- What stays where it is --------------------------------------------- */

Test(extents, borrowed_arrays_are_copied_below_64_kib_and_kept_from_there_on)
{
    struct codec c = { .item = NULL };
    size_t most = DWQI_EXTENT_MIN + 1;
    char *data = calloc(most, 1);

    for (size_t size = most - 2; size <= most; size++) {
        dwq_array_t array = dwq_array(DWQ_INT8, data, 1, &size);
        bool kept = size >= DWQI_EXTENT_MIN;

        memset(data, (int)size, size);
        round_trip(&c, DWQ_VALUES(dwq_borrow(array)),
                   (dwq_kwargs_t){ 0, NULL });
        cr_assert_eq(c.pack.n_extents, kept);
        if (kept) {
            cr_assert_eq(c.pack.extents[0].data, data);
            cr_assert_eq(c.pack.extents[0].size, size);
            cr_assert_lt(c.pack.block_size, 1024);
        }
        round_trip(&c, DWQ_VALUES(array), (dwq_kwargs_t){ 0, NULL });
        cr_assert_eq(c.pack.n_extents, 0, "not borrowed: copied");
    }
    finish(&c);
    free(data);
}

Test(extents, kept_arrays_stand_behind_all_copied_ones_in_their_order)
{
    struct codec c = { .item = NULL };
    size_t n = DWQI_EXTENT_MIN + 3;
    char *data = calloc(2, n);
    char small[5] = { 1, 2, 3, 4, 5 };
    dwq_array_t first = dwq_borrow(dwq_array(DWQ_INT8, data, 1, &n));
    dwq_array_t second =
        dwq_scatter(dwq_borrow(dwq_array(DWQ_INT8, data + n, 1, &n)));
    dwq_array_t copied = dwq_array(DWQ_INT8, small, 1, (size_t[]){ 5 });
    const char *places[4];

    memset(data, 7, n);
    memset(data + n, 8, n);
    round_trip(&c, DWQ_VALUES(first, copied, second, copied),
               (dwq_kwargs_t){ 0, NULL });
    cr_assert_eq(c.pack.n_extents, 2);
    cr_assert_eq(c.pack.extents[0].data, data);
    cr_assert_eq(c.pack.extents[1].data, data + n);
    for (int i = 0; i < 4; i++) {
        places[i] = c.task.args.items[i].u.array.data;
        cr_assert_eq((uintptr_t)places[i] % 64, 0);
    }
    cr_assert(places[1] < places[3] && places[3] < places[0] &&
              places[0] < places[2]);
    cr_assert_eq((size_t)(places[0] - (char *)c.item), c.pack.block_size);
    finish(&c);
    free(data);
}

Test(extents, each_way_keeps_only_its_own_kind)
{
    struct codec c = { .item = NULL };
    size_t size = DWQI_EXTENT_MIN;
    char *data = calloc(size, 1);
    dwq_array_t array = dwq_array(DWQ_INT8, data, 1, &size);
    dwq_array_t owned = array;
    struct dwqi_part_head head = { .n_parts = 1 };

    owned.flags = DWQI_ARRAY_OWNED;
    round_trip(&c, DWQ_VALUES(owned), (dwq_kwargs_t){ 0, NULL });
    cr_assert_eq(c.pack.n_extents, 0, "owned, in a task");
    clear(&c);
    cr_assert_eq(dwqi_pack_part(&head, NULL, DWQ_VALUES(dwq_borrow(array)),
                                &c.scratch, &c.pack, &c.why),
                 DWQ_OK);
    cr_assert_eq(c.pack.n_extents, 0, "borrowed, in a part");
    clear(&c);
    cr_assert_eq(dwqi_pack_part(&head, NULL, DWQ_VALUES(owned), &c.scratch,
                                &c.pack, &c.why),
                 DWQ_OK);
    cr_assert_eq(c.pack.n_extents, 1, "owned, in a part");
    finish(&c);
    free(data);
}

/* The data is never looked at, so it need not be there. */
Test(extents, arrays_above_2_gib_keep_their_full_size)
{
    struct codec c = { .item = NULL };
    size_t gib = (size_t)1 << 30;
    char byte;
    dwq_array_t array =
        dwq_borrow(dwq_array(DWQ_DOUBLE, &byte, 2, (size_t[]){ gib / 2, 3 }));
    dwq_task_t task = { .function = "f", DWQ_ARGS(array, array) };
    struct dwqi_task_head head;

    cr_assert_eq(dwqi_pack_task(&task, 1, &c.scratch, &c.pack, &c.why), DWQ_OK);
    cr_assert_eq(c.pack.n_extents, 2);
    cr_assert_eq(c.pack.extents[1].size, 12 * gib);
    cr_assert_eq(c.pack.size, c.pack.block_size + 24 * gib);
    cr_assert_eq(dwqi_task_head_read(c.pack.block, c.pack.size, &head), DWQ_OK);
    cr_assert_eq(
        dwqi_task_unpack(c.pack.block, &head, NULL, 0, &c.arena, &c.task),
        DWQ_OK);
    cr_assert_eq((size_t)((unsigned char *)c.task.args.items[1].u.array.data -
                          c.pack.block),
                 c.pack.block_size + 12 * gib);
    cr_assert_eq(dwq_array_size(&c.task.args.items[1].u.array), 12 * gib);
    finish(&c);
}

Test(extents, sizes_whose_sum_overflows_are_refused)
{
    size_t quarter = SIZE_MAX / 4 - 64;
    char byte;
    dwq_array_t array = dwq_borrow(dwq_array(DWQ_INT8, &byte, 1, &quarter));
    dwq_task_t task = { .function = "f",
                        DWQ_ARGS(array, array, array, array, array, array) };
    struct codec c = { .item = NULL };

    cr_assert_eq((int)array.type, DWQ_INT8);
    cr_assert_eq(dwqi_pack_task(&task, 1, &c.scratch, &c.pack, &c.why),
                 DWQ_E_ARG);
    cr_assert_null(c.pack.block);
    finish(&c);
}

Test(scatter, survives_and_composes_with_borrow)
{
    struct codec c = { .item = NULL };
    size_t size = DWQI_EXTENT_MIN;
    char *data = calloc(size, 1);
    dwq_array_t array = dwq_scatter(dwq_array(DWQ_INT8, data, 1, &size));

    round_trip(&c, DWQ_VALUES(array, dwq_borrow(array), 1),
               (dwq_kwargs_t){ 0, NULL });
    cr_assert_eq(c.task.args.items[0].u.array.flags, DWQI_ARRAY_SCATTER);
    cr_assert_eq(c.task.args.items[1].u.array.flags, DWQI_ARRAY_SCATTER,
                 "borrowed is what the sender did");
    finish(&c);
    free(data);
}

/* Which bytes of a task each rank of a group gets, and that it decodes them as its
 * rows. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/codec_fixture.h"

#define MOST_RANKS 9

/* --- Rows ---------------------------------------------------------------------- */

Test(share, rows_are_dealt_in_order_and_earlier_ranks_get_the_remainder)
{
    for (int n = 1; n <= MOST_RANKS; n++) {
        for (uint64_t rows = 0; rows <= 40; rows++) {
            uint64_t next = 0, first, count, before = UINT64_MAX;

            for (int r = 0; r < n; r++) {
                dwqi_share_rows(rows, r, n, &first, &count);
                cr_assert_eq(first, next);
                cr_assert_leq(count, before);
                cr_assert(count == rows / (uint64_t)n ||
                          count == rows / (uint64_t)n + 1);
                before = count;
                next += count;
            }
            cr_assert_eq(next, rows);
        }
    }
}

Test(share, counts_near_the_end_of_64_bits_do_not_overflow)
{
    uint64_t first, count;

    dwqi_share_rows(UINT64_MAX, 6, 7, &first, &count);
    cr_assert_eq(first + count, UINT64_MAX);
}

/* --- Items ----------------------------------------------------------------------- */

/* One item cut for a group. */
struct cut {
    struct codec c;
    struct dwqi_task_head head;
    struct dwqi_arena arena;
    struct dwqi_segment *segments;
    size_t n;
};

static void cut(struct cut *t, dwq_values_t args, dwq_kwargs_t kwargs)
{
    *t = (struct cut){ .n = 0 };
    pack_task(&t->c,
              &(dwq_task_t){ .function = "f", .args = args, .kwargs = kwargs },
              1);
    cr_assert_eq(dwqi_task_head_read(t->c.item, t->c.pack.size, &t->head),
                 DWQ_OK);
    cr_assert_eq(
        dwqi_share_cut(t->c.item, &t->head, &t->arena, &t->segments, &t->n),
        DWQ_OK);
    cr_assert(dwqi_share_is_sound(t->segments, t->n, t->head.size));
}

static void finish_cut(struct cut *t)
{
    dwqi_arena_finish(&t->arena);
    finish(&t->c);
}

/* What one rank decodes; its memory ends where the share does. */
struct mine {
    void *item;
    struct dwqi_arena arena;
    struct dwqi_task_view view;
};

static dwq_status_t take(const struct cut *t, int rank, int n_ranks,
                         struct mine *mine)
{
    struct dwqi_share share = { t->segments, t->n, rank, n_ranks };
    size_t size = dwqi_share_size(&share);

    *mine = (struct mine){ .item = NULL };
    cr_assert_eq(size % 64, 0);
    cr_assert_eq(posix_memalign(&mine->item, 64, size), 0);
    dwqi_share_copy(&share, t->c.item, mine->item);
    return dwqi_task_unpack(mine->item, &t->head, &share, 0, &mine->arena,
                            &mine->view);
}

static void drop(struct mine *mine)
{
    dwqi_arena_finish(&mine->arena);
    free(mine->item);
}

/* Array `is` holds the rows of that rank of `whole`. */
static void check_rows(const dwq_array_t *whole, const dwq_value_t *is,
                       int rank, int n_ranks)
{
    size_t row =
        dwq_array_size(whole) / (whole->shape[0] > 0 ? whole->shape[0] : 1);
    uint64_t first = 0, count = whole->shape[0];

    if (whole->flags & DWQI_ARRAY_SCATTER) {
        dwqi_share_rows(count, rank, n_ranks, &first, &count);
    }
    cr_assert_eq(is->kind, DWQ_KIND_ARRAY);
    cr_assert_eq(is->u.array.shape[0], count);
    cr_assert_eq(is->u.array.shape[1], whole->shape[1]);
    if (count * row > 0) {
        cr_assert_eq((uintptr_t)is->u.array.data % 64, 0);
        cr_assert_eq(memcmp(is->u.array.data,
                            (const char *)whole->data + first * row,
                            count * row),
                     0);
    }
}

/* Scattered and shared arrays, in the arguments, in a list, in a map in it, and
 * among the named ones; for every number of rows and ranks. */
static void check_item(size_t rows, int n_ranks)
{
    static int8_t bytes[4096];
    static double doubles[4096];
    dwq_array_t a =
        dwq_scatter(dwq_array(DWQ_INT8, bytes, 2, (size_t[]){ rows, 5 }));
    dwq_array_t b = dwq_array(DWQ_DOUBLE, doubles, 2, (size_t[]){ rows, 3 });
    dwq_array_t c = dwq_scatter(
        dwq_array(DWQ_DOUBLE, doubles, 2, (size_t[]){ 2 * rows, 9 }));
    dwq_array_t d =
        dwq_scatter(dwq_array(DWQ_DOUBLE, doubles, 2, (size_t[]){ rows, 0 }));
    struct cut t;

    for (size_t i = 0; i < 4096; i++) {
        bytes[i] = (int8_t)i;
        doubles[i] = (double)i;
    }
    cut(&t,
        DWQ_VALUES(a, "x", DWQ_LIST(b, 1, DWQ_MAP({ "c", dwq_value(c) }), d)),
        DWQ_ENTRIES({ "a", dwq_value(a) }, { "b", dwq_value(b) }));
    for (int r = 0; r < n_ranks; r++) {
        struct mine mine;
        const dwq_value_t *list;

        cr_assert_eq(take(&t, r, n_ranks, &mine), DWQ_OK);
        list = mine.view.args.items[2].u.list.items;
        check_rows(&a, &mine.view.args.items[0], r, n_ranks);
        cr_assert_str_eq(mine.view.args.items[1].u.string, "x");
        check_rows(&b, &list[0], r, n_ranks);
        check_rows(&c, &list[2].u.map.items[0].value, r, n_ranks);
        check_rows(&d, &list[3], r, n_ranks);
        check_rows(&a, &mine.view.kwargs.items[0].value, r, n_ranks);
        check_rows(&b, &mine.view.kwargs.items[1].value, r, n_ranks);
        drop(&mine);
    }
    finish_cut(&t);
}

Test(share, every_rank_decodes_its_rows_aligned)
{
    for (int n = 1; n <= MOST_RANKS; n++) {
        for (size_t rows = 0; rows <= 20; rows++) {
            check_item(rows, n);
        }
    }
}

Test(share, an_item_that_scatters_nothing_is_one_segment)
{
    struct cut t;
    double x[20] = { 0 };

    cut(&t, DWQ_VALUES(dwq_array(DWQ_DOUBLE, x, 1, (size_t[]){ 20 })),
        DWQ_ENTRIES());
    cr_assert_eq(t.n, 1);
    cr_assert_eq(t.segments[0].size, t.head.size);
    cr_assert_eq(t.segments[0].rows, 0);
    finish_cut(&t);
}

/* must_hold: rows are sent once, to the rank that has them. */
Test(share, shares_sum_to_the_item_but_for_what_all_get)
{
    static double x[1000 * 8];
    struct cut t;
    size_t sum = 0;

    cut(&t,
        DWQ_VALUES(
            dwq_scatter(dwq_array(DWQ_DOUBLE, x, 2, (size_t[]){ 1000, 8 }))),
        DWQ_ENTRIES());
    cr_assert_eq(t.n, 2);
    for (int r = 0; r < 7; r++) {
        sum += dwqi_share_size(&(struct dwqi_share){ t.segments, t.n, r, 7 });
    }
    cr_assert_eq(sum, t.head.size + 6 * t.segments[0].size);
    finish_cut(&t);
}

Test(share, values_that_are_malformed_are_not_cut)
{
    double x[8] = { 0 };
    struct cut t;

    cut(&t,
        DWQ_VALUES(dwq_scatter(dwq_array(DWQ_DOUBLE, x, 1, (size_t[]){ 8 }))),
        DWQ_ENTRIES());
    t.head.n_scattered = 1000000; /* more than there are values */
    cr_assert_eq(dwqi_share_cut(t.c.item, &t.head, &t.arena, &t.segments, &t.n),
                 DWQ_E_MESSAGE);
    t.head.n_scattered = 1;
    t.head.n_args = 2;
    cr_assert_eq(dwqi_share_cut(t.c.item, &t.head, &t.arena, &t.segments, &t.n),
                 DWQ_E_MESSAGE);
    finish_cut(&t);
}

/* --- Hostile tables ---------------------------------------------------------------- */

static const struct {
    const char *what;
    size_t n;
    uint64_t size;
    struct dwqi_segment segments[3];
} hostile[] = {
    { "none", 0, 64, { { 0, 0, 0, 0 } } },
    { "none of an empty item", 0, 0, { { 0, 0, 0, 0 } } },
    { "a gap at the start", 1, 64, { { 64, 64, 0, 0 } } },
    { "a gap", 2, 128, { { 0, 64, 0, 0 }, { 128, 64, 0, 0 } } },
    { "an overlap", 2, 192, { { 0, 128, 0, 0 }, { 64, 64, 0, 0 } } },
    { "too short", 1, 128, { { 0, 64, 0, 0 } } },
    { "too long", 1, 64, { { 0, 128, 0, 0 } } },
    { "no size", 2, 64, { { 0, 64, 0, 0 }, { 64, 0, 0, 0 } } },
    { "no multiple of 64", 1, 65, { { 0, 65, 0, 0 } } },
    { "a size that wraps",
      2,
      64,
      { { 0, 128, 0, 0 }, { 128, UINT64_MAX - 63, 0, 0 } } },
    { "rows without bytes", 1, 64, { { 0, 64, 8, 0 } } },
    { "more rows than bytes", 1, 64, { { 0, 64, 65, 1 } } },
    { "rows that wrap", 1, 64, { { 0, 64, 1ull << 33, 1ull << 33 } } },
};

Test(share, tables_that_cannot_be_are_refused)
{
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        cr_assert_not(dwqi_share_is_sound(hostile[i].segments, hostile[i].n,
                                          hostile[i].size),
                      "%s", hostile[i].what);
    }
}

/* A table that is sound in itself and says something else than the values. */
Test(share, tables_of_other_arrays_are_refused_by_the_decoder)
{
    static double x[64];
    struct cut t;
    struct mine mine;
    struct dwqi_segment good;

    cut(&t,
        DWQ_VALUES(
            dwq_scatter(dwq_array(DWQ_DOUBLE, x, 2, (size_t[]){ 16, 4 }))),
        DWQ_ENTRIES());
    good = t.segments[1];
    t.segments[1] = (struct dwqi_segment){ good.at, good.size, 8, 64 };
    cr_assert_eq(take(&t, 0, 2, &mine), DWQ_E_MESSAGE, "other rows");
    drop(&mine);
    t.segments[1] = (struct dwqi_segment){ good.at, good.size, 16, 8 };
    cr_assert_eq(take(&t, 0, 2, &mine), DWQ_E_MESSAGE, "smaller rows");
    drop(&mine);
    t.segments[1] = (struct dwqi_segment){ good.at, good.size, 0, 0 };
    cr_assert_eq(take(&t, 0, 2, &mine), DWQ_E_MESSAGE, "shared");
    drop(&mine);
    t.n = 1; /* the rows are not there */
    cr_assert_eq(take(&t, 0, 2, &mine), DWQ_E_MESSAGE, "no segment");
    drop(&mine);
    finish_cut(&t);
}

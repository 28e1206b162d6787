/* The parts of a group's ranks -> one result, in rank order, whatever came. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <dwq/dwq.h>

#include "brokers/merge.h"
#include "libdwq/item/outcome.h"

#define N 4
#define ID 7

static const struct dwqi_task_head task = { .id = ID, .attempt = 2 };

struct parts {
    struct dwqi_scratch scratch;
    struct dwqi_pack packs[N];
    void *items[N]; /* as they came */
    struct dwqi_extent extents[N];
    struct dwqi_merge_input inputs[N];
};

static void make_part(struct parts *p, int r, uint64_t id, uint32_t n_parts)
{
    struct dwqi_part_head head = { .id = id, .n_parts = n_parts, .attempt = 2 };
    const char *why;

    cr_assert_eq(dwqi_pack_part(&head, NULL, DWQ_VALUES(100 + r), &p->scratch,
                                &p->packs[r], &why),
                 DWQ_OK);
    p->items[r] = dwqi_pool_get(NULL, p->packs[r].size);
    cr_assert_not_null(p->items[r]);
    dwqi_pack_copy(&p->packs[r], p->items[r]);
    p->extents[r] = (struct dwqi_extent){ p->items[r], p->packs[r].size };
    p->inputs[r] = (struct dwqi_merge_input){ &p->extents[r], 1, r % 2, NULL };
}

static void make(struct parts *p)
{
    *p = (struct parts){ .inputs = { { .extents = NULL } } };
    for (int r = 0; r < N; r++) {
        make_part(p, r, ID, N);
    }
}

static void drop(struct parts *p)
{
    for (int r = 0; r < N; r++) {
        dwqi_pack_finish(&p->packs[r]);
        dwqi_pool_give(p->items[r]);
    }
    dwqi_scratch_finish(&p->scratch);
}

/* As the controller reads it. */
static dwq_result_t merge(struct parts *p)
{
    struct dwqi_merge *merge = NULL;
    const struct dwqi_extent *extents;
    struct dwqi_outcome *outcome;
    dwq_result_t result;
    size_t n, size, at = 0, said;
    struct dwqi_part_head first;
    void *wire;

    cr_assert_eq(dwqi_merge_create(&task, p->inputs, N, "unreadable", &merge),
                 DWQ_OK);
    extents = dwqi_merge_extents(merge, &n, &size);
    wire = dwqi_pool_get(NULL, size);
    cr_assert_not_null(wire);
    for (size_t i = 0; i < n; i++) {
        memcpy((char *)wire + at, extents[i].data, extents[i].size);
        at += dwqi_align(extents[i].size);
    }
    cr_assert_eq(at, size);
    cr_assert_eq(dwqi_result_size(wire, size, &first, &said), DWQ_OK);
    cr_assert_eq(first.id, ID);
    cr_assert_eq(said, size);
    cr_assert_eq(dwqi_outcome_create(wire, size, wire, &outcome), DWQ_OK);
    dwqi_outcome_give(outcome, 1, &result);
    dwqi_merge_destroy(merge);
    return result;
}

/* All but `broken` (a mask) have their values at their place. */
static void check(struct parts *p, int broken)
{
    dwq_result_t result = merge(p);
    int first = -1, x;

    cr_assert_eq(result.n_ranks, N);
    for (int r = N - 1; r >= 0; r--) {
        bool has = dwq_result_get(&result, r, 0, &x);

        cr_assert_eq(has, !(broken >> r & 1), "rank %d", r);
        cr_assert(!has || x == 100 + r, "rank %d", r);
        first = broken >> r & 1 ? r : first;
    }
    cr_assert_eq(result.failed_rank, first);
    if (first >= 0) {
        cr_assert_eq(result.status, DWQ_E_TASK);
        cr_assert_eq(result.code, DWQ_E_MESSAGE);
        cr_assert_str_eq(result.message, "unreadable");
    }
    dwq_result_clear(&result);
}

/* A part that says it is of half the address space, and has to be copied. */
Test(merge, a_part_that_there_is_no_memory_for_is_one_of_a_failed_rank)
{
    struct parts p;
    struct dwqi_part_head head;
    struct dwqi_extent rest[2];
    dwq_result_t result;
    int x;

    make(&p);
    memcpy(&head, p.items[2], sizeof head);
    rest[0] = p.extents[2];
    rest[1] = (struct dwqi_extent){ p.items[2], SIZE_MAX / 2 + 1 };
    head.size = rest[0].size + rest[1].size;
    memcpy(p.items[2], &head, sizeof head);
    p.inputs[2] = (struct dwqi_merge_input){ rest, 2, false, NULL };
    result = merge(&p);
    cr_assert_eq(result.n_ranks, N);
    for (int r = 0; r < N; r++) {
        cr_assert_eq(dwq_result_get(&result, r, 0, &x), r != 2);
    }
    cr_assert_eq(result.status, DWQ_E_TASK);
    cr_assert_eq(result.failed_rank, 2);
    cr_assert_eq(result.code, DWQ_E_NOMEM);
    cr_assert_str_eq(result.message, "no memory for what this rank returned");
    dwq_result_clear(&result);
    drop(&p);
}

Test(merge, parts_are_in_rank_order)
{
    struct parts p;

    make(&p);
    check(&p, 0);
    drop(&p);
}

/* Every set of ranks, every way in which a part can be no part of this result. */
Test(merge, a_part_that_cannot_be_read_is_that_ranks_failure)
{
    struct parts p;
    static const char noise[128] = "noise";

    for (int mask = 1; mask < 1 << N; mask++) {
        for (int way = 0; way < 6; way++) {
            make(&p);
            for (int r = 0; r < N; r++) {
                if (!(mask >> r & 1)) {
                    continue;
                }
                if (way == 0) {
                    p.inputs[r].n_extents = 0;
                } else if (way == 1) {
                    p.extents[r].size -= 64; /* its end is missing */
                } else if (way == 2) {
                    p.extents[r].size = 32;
                } else if (way == 3) {
                    p.extents[r] = (struct dwqi_extent){ noise, 128 };
                } else {
                    dwqi_pack_finish(&p.packs[r]);
                    dwqi_pool_give(p.items[r]);
                    make_part(&p, r, way == 4 ? ID + 1 : ID,
                              way == 5 ? N + 1 : N);
                }
            }
            check(&p, mask);
            drop(&p);
        }
    }
}

/* The broker's own part: a block, and arrays where they are. */
Test(merge, an_own_part_with_extents_goes_with_the_result)
{
    struct parts p;
    struct dwqi_merge *merge = NULL;
    struct dwqi_done done = { .owned = NULL };
    struct dwqi_extent extents[2];
    size_t n = 20000, n_extents, size, total = 0;
    double *x = calloc(n, sizeof *x);
    dwq_array_t array = dwq_array(DWQ_DOUBLE, x, 1, &n);
    struct dwqi_part_head head = { .id = ID, .n_parts = N, .attempt = 2 };
    const char *why;

    make(&p);
    array.flags = DWQI_ARRAY_OWNED;
    cr_assert_eq(dwqi_pack_part(&head, NULL, DWQ_VALUES(100, array), &p.scratch,
                                &done.pack, &why),
                 DWQ_OK);
    cr_assert_eq(done.pack.n_extents, 1);
    extents[0] = (struct dwqi_extent){ done.pack.block, done.pack.block_size };
    extents[1] = done.pack.extents[0];
    p.inputs[0] = (struct dwqi_merge_input){ extents, 2, true, NULL };
    cr_assert_eq(dwqi_merge_create(&task, p.inputs, N, "no", &merge), DWQ_OK);
    dwqi_merge_take_done(merge, &done);
    cr_assert_null(done.pack.block, "it was taken");
    cr_assert_eq(dwqi_merge_extents(merge, &n_extents, &size)[1].data, x,
                 "it was not copied");
    for (int r = 1; r < N; r++) {
        total += p.packs[r].size;
    }
    cr_assert_eq(size, total + dwqi_align(extents[0].size) +
                           dwqi_align(n * sizeof *x));
    dwqi_merge_destroy(merge);
    free(x);
    drop(&p);
}

Test(merge, memory_that_it_takes_is_freed_with_it)
{
    struct parts p;
    struct dwqi_merge *merge = NULL;

    make(&p);
    cr_assert_eq(dwqi_merge_create(&task, p.inputs, N, "no", &merge), DWQ_OK);
    for (int r = 0; r < N; r++) {
        dwqi_merge_take(merge, p.items[r]); /* ASan and valgrind look */
        p.items[r] = NULL;
    }
    dwqi_merge_take(merge, NULL);
    dwqi_merge_destroy(merge);
    drop(&p);
}

/* The pool: what serves again, what is kept at most, and who outlives whom. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/pool.h"
#include "libdwq/item/codec.h"
#include "libdwq/item/outcome.h"

#define MIB ((size_t)1 << 20)

/* `n` blocks of this size that are in use at one time, and then are not. */
static void use(struct dwqi_pool *pool, size_t size, int n)
{
    void *blocks[DWQI_POOL_BLOCKS + 8];

    cr_assert_leq((size_t)n, sizeof blocks / sizeof blocks[0]);
    for (int i = 0; i < n; i++) {
        blocks[i] = dwqi_pool_get(pool, size);
        cr_assert_not_null(blocks[i]);
    }
    for (int i = 0; i < n; i++) {
        dwqi_pool_give(blocks[i]);
    }
}

Test(pool, memory_is_aligned_and_all_there)
{
    static const size_t sizes[] = {
        0,     1,     63,      64,          4096,
        65535, 65536, 3 * MIB, 4 * MIB + 1, DWQI_POOL_BLOCK_MAX + 1,
    };
    struct dwqi_pool *pool = dwqi_pool_create();

    for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i / 2];
        char *memory = dwqi_pool_get(i % 2 ? pool : NULL, size);

        cr_assert_not_null(memory);
        cr_assert_eq((uintptr_t)memory % 64, 0);
        memset(memory, 1, size); /* ASan and valgrind look */
        dwqi_pool_give(memory);
    }
    dwqi_pool_give(NULL);
    dwqi_pool_destroy(pool);
    dwqi_pool_destroy(NULL);
}

Test(pool, large_block_serves_again)
{
    struct dwqi_pool *pool = dwqi_pool_create();
    char *first = dwqi_pool_get(pool, MIB);

    for (int i = 0; i < 100; i++) {
        char *again;

        dwqi_pool_give(first);
        cr_assert_geq(dwqi_pool_kept(pool), MIB);
        again = dwqi_pool_get(pool, MIB - 1000 * (size_t)i);
        cr_assert_eq(again, first);
        cr_assert_eq(dwqi_pool_kept(pool), 0);
        memset(again, i, MIB);
    }
    dwqi_pool_give(first);
    dwqi_pool_destroy(pool);
}

Test(pool, block_serves_nothing_larger_and_nothing_below_its_half)
{
    struct dwqi_pool *pool = dwqi_pool_create();
    size_t kept;
    void *memory;

    use(pool, MIB, 1);
    kept = dwqi_pool_kept(pool);
    memory = dwqi_pool_get(pool, kept + 1);
    cr_assert_eq(dwqi_pool_kept(pool), kept);
    memset(memory, 1, kept + 1);
    dwqi_pool_give(dwqi_pool_get(NULL, MIB));
    cr_assert_eq(dwqi_pool_kept(pool), kept); /* that one has no pool */
    dwqi_pool_give(memory);
    dwqi_pool_destroy(pool);

    pool = dwqi_pool_create();
    use(pool, MIB, 1);
    memory = dwqi_pool_get(pool, kept / 2 - 1);
    cr_assert_eq(dwqi_pool_kept(pool), kept);
    dwqi_pool_give(memory);
    dwqi_pool_destroy(pool);
}

Test(pool, smallest_that_fits_is_taken_in_any_order)
{
    for (int order = 0; order <= 1; order++) {
        struct dwqi_pool *pool = dwqi_pool_create();
        char *blocks[2] = { dwqi_pool_get(pool, MIB),
                            dwqi_pool_get(pool, MIB + MIB / 2) };

        dwqi_pool_give(blocks[order]);
        dwqi_pool_give(blocks[1 - order]);
        cr_assert_eq(dwqi_pool_get(pool, MIB), blocks[0]);
        cr_assert_eq(dwqi_pool_get(pool, MIB), blocks[1]);
        dwqi_pool_give(blocks[0]);
        dwqi_pool_give(blocks[1]);
        dwqi_pool_destroy(pool);
    }
}

Test(pool, small_blocks_are_not_kept)
{
    struct dwqi_pool *pool = dwqi_pool_create();

    use(pool, DWQI_POOL_MIN - 1, 10);
    cr_assert_eq(dwqi_pool_kept(pool), 0);
    use(pool, DWQI_POOL_MIN, 1);
    cr_assert_geq(dwqi_pool_kept(pool), DWQI_POOL_MIN);
    dwqi_pool_destroy(pool);
}

Test(pool, huge_blocks_are_not_kept)
{
    struct dwqi_pool *pool = dwqi_pool_create();

    use(pool, DWQI_POOL_BLOCK_MAX + 1, 2);
    cr_assert_eq(dwqi_pool_kept(pool), 0);
    use(pool, DWQI_POOL_BLOCK_MAX, 1);
    cr_assert_eq(dwqi_pool_kept(pool), DWQI_POOL_BLOCK_MAX);
    dwqi_pool_destroy(pool);
}

/* An array of 64 MiB is in a block with more than that. */
Test(pool, what_is_kept_is_bounded_in_bytes)
{
    struct dwqi_pool *pool = dwqi_pool_create();

    use(pool, 64 * MIB + 320, 6);
    cr_assert_leq(dwqi_pool_kept(pool), DWQI_POOL_MAX);
    cr_assert_geq(dwqi_pool_kept(pool), 3 * 64 * MIB);
    dwqi_pool_destroy(pool);
}

Test(pool, what_is_kept_is_bounded_in_number_and_the_oldest_go)
{
    struct dwqi_pool *pool = dwqi_pool_create();

    use(pool, 2 * MIB, DWQI_POOL_BLOCKS);
    cr_assert_eq(dwqi_pool_kept(pool), 2 * MIB * DWQI_POOL_BLOCKS);
    use(pool, DWQI_POOL_MIN, DWQI_POOL_BLOCKS + 8);
    cr_assert_eq(dwqi_pool_kept(pool), DWQI_POOL_MIN * DWQI_POOL_BLOCKS);
    dwqi_pool_destroy(pool);
}

Test(pool, size_that_overflows_is_refused)
{
    struct dwqi_pool *pool = dwqi_pool_create();

    cr_assert_null(dwqi_pool_get(pool, SIZE_MAX));
    cr_assert_null(dwqi_pool_get(NULL, SIZE_MAX - 32));
    cr_assert_null(dwqi_pool_get(pool, SIZE_MAX / 2 + 1));
    dwqi_pool_destroy(pool);
}

Test(pool, blocks_go_back_to_their_own)
{
    struct dwqi_pool *one = dwqi_pool_create(), *other = dwqi_pool_create();
    void *a = dwqi_pool_get(one, MIB), *b = dwqi_pool_get(other, 2 * MIB);

    dwqi_pool_give(b);
    dwqi_pool_give(a);
    cr_assert_eq(dwqi_pool_kept(one), MIB);
    cr_assert_eq(dwqi_pool_kept(other), 2 * MIB);
    dwqi_pool_destroy(one);
    dwqi_pool_destroy(other);
}

/* ASan and valgrind see it when the pool goes too early, or never. */
Test(pool, blocks_outlive_it)
{
    struct dwqi_pool *pool = dwqi_pool_create();
    char *blocks[2] = { dwqi_pool_get(pool, MIB), dwqi_pool_get(pool, MIB) };

    use(pool, MIB, 2);
    dwqi_pool_destroy(pool);
    for (int i = 0; i < 2; i++) {
        memset(blocks[i], 1, MIB);
        dwqi_pool_give(blocks[i]);
    }
}

Test(pool, large_packed_items_are_in_its_blocks)
{
    struct dwqi_pool *pool = dwqi_pool_create();
    struct dwqi_scratch scratch = { .pool = pool };
    char *data = calloc(1, MIB);
    dwq_task_t task = { .function = "f",
                        DWQ_ARGS(
                            dwq_array(DWQ_UINT8, data, 1, (size_t[]){ MIB })) };
    const void *block = NULL;

    for (int i = 0; i < 3; i++) {
        struct dwqi_pack pack;
        const char *why;

        cr_assert_eq(dwqi_pack_task(&task, 1, &scratch, &pack, &why), DWQ_OK);
        cr_assert_eq(dwqi_pool_kept(pool), 0);
        cr_assert(block == NULL || block == pack.block);
        block = pack.block;
        dwqi_pack_finish(&pack);
        cr_assert_geq(dwqi_pool_kept(pool), MIB);
    }
    free(data);
    dwqi_scratch_finish(&scratch);
    dwqi_pool_destroy(pool);
}

/* As when the user clears a result after the run. */
Test(pool, results_outlive_it)
{
    struct dwqi_pool *pool = dwqi_pool_create();
    struct dwqi_scratch scratch = { .pool = pool };
    struct dwqi_part_head head = { .id = 7, .n_parts = 1 };
    char *data = calloc(1, MIB);
    struct dwqi_pack pack;
    struct dwqi_outcome *outcome;
    dwq_result_t result;
    dwq_array_t array;
    const char *why;

    cr_assert_eq(dwqi_pack_part(&head, NULL,
                                DWQ_VALUES(dwq_array(DWQ_UINT8, data, 1,
                                                     (size_t[]){ MIB })),
                                &scratch, &pack, &why),
                 DWQ_OK);
    cr_assert_eq(
        dwqi_outcome_create(pack.block, pack.size, pack.block, &outcome),
        DWQ_OK);
    pack.block = NULL; /* the outcome's */
    dwqi_pack_finish(&pack);
    dwqi_scratch_finish(&scratch);
    dwqi_pool_destroy(pool);
    dwqi_outcome_give(outcome, 1, &result);
    cr_assert(dwq_result_get(&result, 0, 0, &array));
    cr_assert_eq(memcmp(array.data, data, MIB), 0);
    dwq_result_clear(&result);
    free(data);
}

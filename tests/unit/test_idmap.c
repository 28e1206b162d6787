/* The map of ids, beside an array that cannot be wrong. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "libdwq/base/idmap.h"

#define N 4096

/* Add and remove at random; after each step every id gives what it should. */
static void check(const uint64_t *ids, size_t n, unsigned seed)
{
    struct dwqi_idmap map = { 0 };
    bool *there = calloc(n, sizeof *there);
    size_t count = 0;

    srand(seed);
    for (size_t i = 0; i < 20 * n; i++) {
        size_t k = (size_t)rand() % n;

        cr_assert_eq(dwqi_idmap_find(&map, ids[k]),
                     there[k] ? (void *)&ids[k] : NULL);
        if (there[k]) {
            dwqi_idmap_remove(&map, ids[k]);
        } else {
            cr_assert(dwqi_idmap_add(&map, ids[k], (void *)&ids[k]));
        }
        there[k] = !there[k];
        count += there[k] ? 1 : -(size_t)1;
        cr_assert_eq(map.n, count);
    }
    for (size_t k = 0; k < n; k++) {
        cr_assert_eq(dwqi_idmap_find(&map, ids[k]),
                     there[k] ? (void *)&ids[k] : NULL);
    }
    cr_assert_null(dwqi_idmap_find(&map, 0));
    dwqi_idmap_finish(&map);
    free(there);
}

Test(idmap, ids_in_a_row)
{
    uint64_t ids[N];

    for (size_t i = 0; i < N; i++) {
        ids[i] = i + 1;
    }
    check(ids, N, 1);
}

Test(idmap, few_ids_in_a_small_map)
{
    uint64_t ids[50];

    for (size_t i = 0; i < 50; i++) {
        ids[i] = UINT64_MAX - i;
    }
    check(ids, 50, 2);
}

/* A map that put these in one place would take minutes. */
Test(idmap, ids_far_apart_do_not_pile_up, .timeout = 30)
{
    static const int shifts[] = { 2, 6, 12, 20, 32, 44, 50 };

    for (size_t s = 0; s < sizeof shifts / sizeof shifts[0]; s++) {
        struct dwqi_idmap map = { 0 };
        size_t n = 8000, longest = 0, length = 0;

        for (uint64_t i = 1; i <= n; i++) {
            cr_assert(dwqi_idmap_add(&map, i << shifts[s], &map));
        }
        for (size_t i = 0; i < map.capacity; i++) {
            length = map.slots[i].id != 0 ? length + 1 : 0;
            longest = length > longest ? length : longest;
        }
        cr_assert_lt(longest, 400, "ids i << %d: %zu in a row", shifts[s],
                     longest);
        dwqi_idmap_finish(&map);
    }
}

Test(idmap, an_empty_map_finds_nothing)
{
    struct dwqi_idmap map = { 0 };

    cr_assert_null(dwqi_idmap_find(&map, 1));
    dwqi_idmap_finish(&map);
}

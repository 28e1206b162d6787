/* The cover that every test run takes of the table of grouped runs is one. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/mpi/table_rows.h"

static bool has_pair(const struct table_row *row, int a, int level_a, int b,
                     int level_b)
{
    return table_level(row, a) == level_a && table_level(row, b) == level_b;
}

/* Rows with that pair of settings that run, and those that are refused. */
struct seen {
    int running, refused;
};

static struct seen count_pair(const struct table_row *rows, size_t n, int a,
                              int level_a, int b, int level_b)
{
    struct seen seen = { 0, 0 };

    for (size_t i = 0; i < n; i++) {
        if (has_pair(&rows[i], a, level_a, b, level_b)) {
            *(table_n_groups(&rows[i]) > 0 ? &seen.running : &seen.refused) +=
                1;
        }
    }
    return seen;
}

/* A pair that some row of the table runs with, a row of the cover runs with. */
static void check_levels(bool with_spawn, int a, int b)
{
    struct table_row all[TABLE_ROWS_MAX], cover[TABLE_ROWS_MAX];
    size_t n_all = table_all(with_spawn, all);
    size_t n_cover = table_cover(with_spawn, cover);

    for (int i = 0; i < table_n_levels(a); i++) {
        for (int j = 0; j < table_n_levels(b); j++) {
            struct seen there = count_pair(all, n_all, a, i, b, j);
            struct seen here = count_pair(cover, n_cover, a, i, b, j);

            cr_expect(there.running == 0 || here.running > 0,
                      "settings %d = %d, %d = %d: in no row that runs", a, i, b,
                      j);
            cr_expect(there.running + there.refused == 0 ||
                          here.running + here.refused > 0,
                      "settings %d = %d, %d = %d: in no row", a, i, b, j);
        }
    }
}

Test(table_rows, every_pair_of_settings_occurs_in_the_cover)
{
    for (int a = 0; a < TABLE_FACTORS; a++) {
        for (int b = a + 1; b < TABLE_FACTORS; b++) {
            check_levels(false, a, b);
            check_levels(true, a, b);
        }
    }
}

Test(table_rows, the_cover_is_small_and_has_every_number_of_ranks)
{
    struct table_row cover[TABLE_ROWS_MAX];

    for (int with_spawn = 0; with_spawn < 2; with_spawn++) {
        size_t n = table_cover(with_spawn, cover);
        bool seen[TABLE_RANKS_MAX + 1] = { false };

        cr_expect(n <= 28, "%zu rows", n);
        for (size_t i = 0; i < n; i++) {
            seen[cover[i].ranks] = true;
        }
        for (int r = TABLE_RANKS_MIN; r <= TABLE_RANKS_MAX; r++) {
            cr_expect(seen[r], "no row with %d ranks", r);
        }
    }
}

Test(table_rows, at_most_eight_ranks_are_spawned_and_some_rows_are_refused)
{
    struct table_row all[TABLE_ROWS_MAX];
    size_t n = table_all(true, all);
    int n_refused = 0;

    cr_assert_eq(n, TABLE_ROWS_MAX);
    for (size_t i = 0; i < n; i++) {
        int children = all[i].nprocs - all[i].inside;

        n_refused += table_n_groups(&all[i]) == 0;
        cr_expect(!all[i].spawn ||
                  (table_n_groups(&all[i]) > 0 &&
                   table_n_groups(&all[i]) * children <= TABLE_SPAWNED_MAX));
    }
    /* Split, both modes. Inside: 2..nprocs ranks; beside: 2..nprocs + 1. */
    cr_expect_eq(n_refused, 2 * (0 + 1 + 2 + 3) + 2 * (1 + 2 + 3 + 4));
}

Test(table_rows, the_name_of_a_row_can_be_read)
{
    struct table_row all[TABLE_ROWS_MAX], row;
    size_t n = table_all(true, all);
    char name[40];

    for (size_t i = 0; i < n; i++) {
        table_row_print(&all[i], name, sizeof name);
        cr_assert(table_row_parse(name, &row));
        cr_expect(row.spawn == all[i].spawn && row.inside == all[i].inside &&
                  row.sendrecv == all[i].sendrecv &&
                  row.nprocs == all[i].nprocs);
    }
    cr_expect(table_row_parse("split-gather-inside-1", &row));
    cr_expect(!table_row_parse("split-gather-inside-9", &row));
}

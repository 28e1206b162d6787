#include "tests/mpi/table_rows.h"

#include <stdio.h>
#include <string.h>

size_t table_all(bool with_spawn, struct table_row *rows)
{
    int n_settings = with_spawn ? 8 : 4;
    size_t n = 0;

    for (int i = 0; i < n_settings; i++) {
        for (int nprocs = 1; nprocs <= TABLE_NPROCS_MAX; nprocs++) {
            for (int r = TABLE_RANKS_MIN; r <= TABLE_RANKS_MAX; r++) {
                rows[n++] = (struct table_row){ .spawn = i & 4,
                                                .sendrecv = i & 2,
                                                .inside = i & 1,
                                                .nprocs = nprocs,
                                                .ranks = r };
            }
        }
    }
    return n;
}

/* Ranks of the job that one group takes. */
static int ranks_per_group(const struct table_row *row)
{
    return row->spawn ? 1 : row->nprocs + !row->inside;
}

int table_needed(const struct table_row *row)
{
    return 1 + ranks_per_group(row);
}

int table_max_workers(const struct table_row *row)
{
    int children = row->nprocs - row->inside;

    return row->spawn && children > 0 ? TABLE_SPAWNED_MAX / children : 0;
}

int table_n_groups(const struct table_row *row)
{
    int n = (row->ranks - 1) / ranks_per_group(row);
    int max = table_max_workers(row);

    return max > 0 && n > max ? max : n;
}

/* --- Pairs of settings ---------------------------------------------------- */

int table_n_levels(int factor)
{
    static const int n_levels[TABLE_FACTORS] = { 2, 2, 2, TABLE_NPROCS_MAX,
                                                 TABLE_LEVELS_MAX };

    return n_levels[factor];
}

int table_level(const struct table_row *row, int factor)
{
    static const int classes[] = { 0, 0, 0, 1, 2, 3, 3, 4, 4, 5, 5, 5 };
    const int levels[TABLE_FACTORS] = { row->spawn, row->sendrecv, row->inside,
                                        row->nprocs - 1, classes[row->ranks] };

    return levels[factor];
}

/* What is still wanted: pairs of levels, in rows that run if there are such, and
 * every number of ranks. */
struct wanted {
    bool pair[TABLE_FACTORS][TABLE_LEVELS_MAX][TABLE_FACTORS][TABLE_LEVELS_MAX];
    bool ranks[TABLE_RANKS_MAX + 1];
    int n_used[TABLE_FACTORS]
              [TABLE_LEVELS_MAX]; /* rows taken with that level */
};

/* Pairs of the row that are wanted, all of which are marked so with `value`. */
static int mark(struct wanted *wanted, const struct table_row *row, bool value)
{
    int n = wanted->ranks[row->ranks];

    wanted->ranks[row->ranks] = value;
    for (int a = 0; a < TABLE_FACTORS; a++) {
        for (int b = a + 1; b < TABLE_FACTORS; b++) {
            bool *pair =
                &wanted->pair[a][table_level(row, a)][b][table_level(row, b)];

            n += *pair;
            *pair = value;
        }
    }
    return n;
}

/* First the pairs, then levels that were seldom taken. */
static int gain(const struct wanted *wanted, const struct table_row *row)
{
    struct wanted copy = *wanted;
    int n = mark(&copy, row, false), n_used = 0;

    for (int f = 0; f < TABLE_FACTORS; f++) {
        n_used += wanted->n_used[f][table_level(row, f)];
    }
    return n > 0 ? n * 1000 - n_used : 0;
}

/* The row that brings most; NULL: none brings anything. */
static const struct table_row *best(const struct wanted *wanted,
                                    const struct table_row *rows, size_t n,
                                    bool running)
{
    const struct table_row *found = NULL;
    int most = 0;

    for (size_t i = 0; i < n; i++) {
        if ((table_n_groups(&rows[i]) > 0) == running &&
            gain(wanted, &rows[i]) > most) {
            most = gain(wanted, &rows[i]);
            found = &rows[i];
        }
    }
    return found;
}

size_t table_cover(bool with_spawn, struct table_row *rows_out)
{
    struct table_row rows[TABLE_ROWS_MAX];
    struct wanted wanted = { .ranks = { false } };
    size_t n = table_all(with_spawn, rows), n_out = 0;

    for (size_t i = 0; i < n; i++) {
        mark(&wanted, &rows[i], true);
    }
    for (int running = 1; running >= 0; running--) {
        const struct table_row *row;

        while ((row = best(&wanted, rows, n, running)) != NULL) {
            mark(&wanted, row, false);
            for (int f = 0; f < TABLE_FACTORS; f++) {
                wanted.n_used[f][table_level(row, f)]++;
            }
            rows_out[n_out++] = *row;
        }
    }
    return n_out;
}

/* --- Text -------------------------------------------------------------------- */

void table_row_print(const struct table_row *row, char *text, size_t size)
{
    snprintf(text, size, "%s-%s-%s-%d", row->spawn ? "spawn" : "split",
             row->sendrecv ? "sendrecv" : "gather",
             row->inside ? "inside" : "beside", row->nprocs);
}

bool table_row_parse(const char *text, struct table_row *row_out)
{
    struct table_row rows[TABLE_ROWS_MAX];
    size_t n = table_all(true, rows);
    char name[40];

    for (size_t i = 0; i < n; i++) {
        table_row_print(&rows[i], name, sizeof name);
        if (strcmp(text, name) == 0) {
            *row_out = rows[i];
            return true;
        }
    }
    return false;
}

/* The rows of the table of grouped runs: every combination of settings, and a cover
 * of them for every day. Pure. */
#ifndef TESTS_MPI_TABLE_ROWS_H
#define TESTS_MPI_TABLE_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#define TABLE_NPROCS_MAX 4
#define TABLE_RANKS_MIN 2
#define TABLE_RANKS_MAX 11
#define TABLE_ROWS_MAX                      \
    ((size_t)2 * 2 * 2 * TABLE_NPROCS_MAX * \
     (TABLE_RANKS_MAX - TABLE_RANKS_MIN + 1))
/* Processes that a row starts by spawn, at most: other brokers take no role. */
#define TABLE_SPAWNED_MAX 8
/* Whether the table that is run has rows with spawn. */
#define TABLE_WITH_SPAWN true

struct table_row {
    bool spawn;    /* else split */
    bool sendrecv; /* else gather */
    bool inside;   /* the broker; else beside */
    int nprocs;    /* 1..TABLE_NPROCS_MAX */
    int ranks;     /* of the job, TABLE_RANKS_MIN..TABLE_RANKS_MAX */
};

/* All rows, or the cover; `rows` has room for TABLE_ROWS_MAX. The number of rows. */
size_t table_all(bool with_spawn, struct table_row *rows);
size_t table_cover(bool with_spawn, struct table_row *rows);

/* What the contract says of a row: ranks needed for one group, groups there are
 * (0: the run is refused), and option max_workers, where 0 is all. */
int table_needed(const struct table_row *row);
int table_max_workers(const struct table_row *row);
int table_n_groups(const struct table_row *row);

/* Settings as numbers: grouping, mode, place of the broker, nprocs, and numbers of
 * ranks that are alike: 2 | 3 | 4 | 5, 6 | 7, 8 | 9 to 11. */
enum {
    TABLE_FACTORS = 5,
    TABLE_LEVELS_MAX = 6
};
int table_n_levels(int factor);
int table_level(const struct table_row *row, int factor);

/* "split-gather-inside-3" and back; the ranks are not in it. */
void table_row_print(const struct table_row *row, char *text, size_t size);
bool table_row_parse(const char *text, struct table_row *row_out);

#endif

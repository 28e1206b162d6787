/* Figures for people: on a terminal, in markdown, beside older ones. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "bench/bench.h"

/* A number with a unit and a prefix that suits it ("1.25 us", "3 MiB"). */
#define QUANTITY_MAX 40
const char *quantity(char text[static QUANTITY_MAX], double value,
                     const char *unit);
/* The figure's value; "" of one that is of nobody. */
const char *value_text(char text[static QUANTITY_MAX],
                       const struct figure *figure);
/* "at least 0.5 x bare: 0.71", or "" */
#define VERDICT_MAX 80
const char *bar_text(char text[static VERDICT_MAX],
                     const struct figure *figure);

/* "5*" where they share cores, "" without MPI. */
#define RANKS_MAX 16
const char *ranks_text(char text[static RANKS_MAX],
                       const struct figure *figure);
/* The quartiles of a side ("1.2 us - 1.4 us"), "" of one job. */
#define SPREAD_MAX (2 * QUANTITY_MAX + 4)
const char *spread_text(char text[static SPREAD_MAX],
                        const struct figure *figure, enum side side);

const struct question *question_of(const struct figure *figure);

void facts_print(const struct facts *facts, FILE *out);
/* One line, at once. */
void table_print_line(const struct figure *figure, FILE *out);
void table_print(const struct bench *bench, const struct facts *facts,
                 FILE *out);
void table_print_markdown(const struct bench *bench, const struct facts *facts,
                          FILE *out);
/* Each figure beside that of an older run. */
void table_compare(const struct bench *old, const struct bench *bench,
                   FILE *out);

#endif

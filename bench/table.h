/* Figures for people, on a terminal. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "bench/bench.h"

/* A number with a unit and a prefix that suits it ("1.25 us", "3 MiB"). */
#define QUANTITY_MAX 40
const char *quantity(char text[static QUANTITY_MAX], double value,
                     const char *unit);
void facts_print(const struct facts *facts, FILE *out);
/* One line, at once. */
void table_print_line(const struct figure *figure, FILE *out);
void table_print(const struct bench *bench, const struct facts *facts,
                 FILE *out);

#endif

/* Figures as JSON, one object per line: the facts first, then the figures, then whether
 * they are all. report.py makes pages of them. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include "bench/bench.h"

void json_write_facts(FILE *out, const struct facts *facts);
void json_write_figure(FILE *out, const struct figure *figure);
/* The last line: whether the figures are all that were asked for, and why not. */
void json_write_end(FILE *out, const char *incomplete);

#endif

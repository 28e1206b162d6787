/* Figures as JSON, one object per line: the facts first, then the figures, then whether
 * they are all. Reads what it wrote; anything else only as far as it looks the same. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include "bench/bench.h"

void json_write_facts(FILE *out, const struct facts *facts);
void json_write_figure(FILE *out, const struct figure *figure);
/* The last line: whether the figures are all that were asked for, and why not. */
void json_write_end(FILE *out, const char *incomplete);

/* Read a file into bench->figures, bench->incomplete and *facts_out. false: cannot be opened, or
 * no figure in it. */
bool json_read(struct bench *bench, const char *path, struct facts *facts_out);

#endif

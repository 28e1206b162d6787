/* Figures as JSON, one object per line: the facts first, then the figures. Reads
 * what it wrote; anything else only as far as it looks the same. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include "bench/bench.h"

void json_write_facts(FILE *out, const struct facts *facts);
void json_write_figure(FILE *out, const struct figure *figure);

/* Read a file into bench->figures and *facts_out. false: cannot be opened, or
 * no figure in it. */
bool json_read(struct bench *bench, const char *path, struct facts *facts_out);

#endif

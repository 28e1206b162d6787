/* A folder with one page and its plots (SVG by gnuplot), and README.md. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench/bench.h"

/* DIR/index.html and a plot per question that has one. false: DIR cannot be
 * written. Without gnuplot the page has tables only, and that is said. */
bool report_write(const struct bench *bench, const struct facts *facts,
                  const char *folder);
/* Whether they could, as far as one can tell before; errno says why not. Makes the
 * folder. */
bool report_can_write(const char *folder);
bool report_can_write_readme(const char *path);
bool report_write_readme(const struct bench *bench, const struct facts *facts,
                         const char *path);

#endif

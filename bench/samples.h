/* Numbers that were measured, and what is said of them. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stddef.h>

struct samples {
    double *values;
    size_t n, capacity;
};

/* Exits when there is no memory. */
void samples_add(struct samples *samples, double value);
void samples_finish(struct samples *samples);

/* Of n numbers, in any order; p in 0..1, between two by interpolation. NAN
 * when there are none. */
double samples_percentile(const struct samples *samples, double p);
double samples_median(const struct samples *samples);

#endif

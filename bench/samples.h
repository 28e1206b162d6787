/* Numbers that were measured, and what is said of them. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stddef.h>

struct samples {
    double *values;
    size_t n, capacity;
    double
        *old; /* the older build's, each of the round of the value; or NULL */
};

/* Exit when there is no memory. All of some samples are pairs, or none. */
void samples_add(struct samples *samples, double value);
void samples_add_pair(struct samples *samples, double value, double old);
void samples_finish(struct samples *samples);

/* Of n numbers, in any order; p in 0..1, between two by interpolation. NAN
 * when there are none. */
double samples_percentile(const struct samples *samples, double p);
double samples_median(const struct samples *samples);
/* Between which two of them the median is with 93 % or more, whatever their
 * distribution: infinite of fewer than five. */
void samples_interval(const struct samples *samples, double *low_out,
                      double *high_out);
/* ours / the older build's, pair by pair, `offset` added to both. */
struct samples samples_ratios(const struct samples *samples, double offset);

#endif

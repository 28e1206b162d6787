#include "bench/samples.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void *need(void *memory)
{
    if (!memory) {
        fprintf(stderr, "dwq-bench: out of memory\n");
        exit(2);
    }
    return memory;
}

static void make_room(struct samples *samples, bool pairs)
{
    if (samples->n < samples->capacity) {
        return;
    }
    samples->capacity = samples->capacity ? 2 * samples->capacity : 16;
    samples->values = need(
        realloc(samples->values, samples->capacity * sizeof *samples->values));
    if (pairs) {
        samples->old = need(
            realloc(samples->old, samples->capacity * sizeof *samples->old));
    }
}

void samples_add(struct samples *samples, double value)
{
    make_room(samples, false);
    samples->values[samples->n++] = value;
}

void samples_add_pair(struct samples *samples, double value, double old)
{
    make_room(samples, true);
    samples->old[samples->n] = old;
    samples->values[samples->n++] = value;
}

void samples_finish(struct samples *samples)
{
    free(samples->values);
    free(samples->old);
    *samples = (struct samples){ .values = NULL };
}

double samples_percentile(const struct samples *samples, double p)
{
    double *sorted, at, value;
    size_t below;

    if (samples->n == 0) {
        return NAN;
    }
    sorted = need(malloc(samples->n * sizeof *sorted));
    memcpy(sorted, samples->values, samples->n * sizeof *sorted);
    qsort(sorted, samples->n, sizeof *sorted, compare);
    at = p * (double)(samples->n - 1);
    below = (size_t)at;
    value = sorted[below];
    if (below + 1 < samples->n) {
        value += (at - (double)below) * (sorted[below + 1] - value);
    }
    free(sorted);
    return value;
}

double samples_median(const struct samples *samples)
{
    return samples_percentile(samples, 0.5);
}

/* How many are below the median is binomial: two of its deviations. */
void samples_interval(const struct samples *samples, double *low_out,
                      double *high_out)
{
    double n = (double)samples->n;
    double outside = fmax(0, floor((n - 1.96 * sqrt(n)) / 2));

    *low_out = -INFINITY;
    *high_out = INFINITY;
    if (samples->n >= 5) {
        *low_out = samples_percentile(samples, outside / (n - 1));
        *high_out = samples_percentile(samples, 1 - outside / (n - 1));
    }
}

struct samples samples_ratios(const struct samples *samples, double offset)
{
    struct samples ratios = { .n = 0 };

    for (size_t i = 0; samples->old && i < samples->n; i++) {
        samples_add(&ratios,
                    (samples->values[i] + offset) / (samples->old[i] + offset));
    }
    return ratios;
}

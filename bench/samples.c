#include "bench/samples.h"

#include <math.h>
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

void samples_add(struct samples *samples, double value)
{
    if (samples->n == samples->capacity) {
        samples->capacity = samples->capacity ? 2 * samples->capacity : 16;
        samples->values = need(realloc(
            samples->values, samples->capacity * sizeof *samples->values));
    }
    samples->values[samples->n++] = value;
}

void samples_finish(struct samples *samples)
{
    free(samples->values);
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

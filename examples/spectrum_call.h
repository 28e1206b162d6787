/* The function that workers run: the spectrum of a recording, its segments shared
 * by the ranks of the group that has the call. */
#ifndef EXAMPLES_SPECTRUM_CALL_H
#define EXAMPLES_SPECTRUM_CALL_H

#include "examples/spectrum_welch.h"

#include <dwq/dwq.h>

/* What a call returns: these values, in this order, from rank 0 of the group. */
struct spectrum {
    struct welch_summary summary;
    int64_t n_segments;
    double mean_square; /* FS^2, of all samples, less their mean */
    double rate;        /* samples per second */
    dwq_array_t density;
};

/* spectrum(path, window) */
int spectrum_call(dwq_call_t *call, void *arg);

/** Read what a call returned. The density is a view into the result.
 *  @return false for a failed call: nothing was written. */
bool spectrum_get(const dwq_result_t *result, struct spectrum *out);

#endif

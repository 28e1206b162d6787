/* What came of one task: the parts of all ranks that ran it, decoded, with the
 * memory they lie in. Owned by the result that the user gets. */
#ifndef DWQI_ITEM_OUTCOME_H
#define DWQI_ITEM_OUTCOME_H

#include <float.h>

#include "libdwq/item/codec.h"

struct dwqi_outcome;

/**
 * Decode the result at `parts`: n parts, of `size` bytes together.
 *
 * @param memory  What the parts lie in: taken (given back to its pool with the
 *                outcome) on DWQ_OK. NULL: the parts are copied.
 *
 * @return DWQ_OK, DWQ_E_MESSAGE (a part is malformed), DWQ_E_NOMEM
 */
dwq_status_t dwqi_outcome_create(const void *parts, size_t size, void *memory,
                                 struct dwqi_outcome **outcome_out);

/* The outcome of a task that no rank reported: a status and why. NULL when
 * there is no memory. */
struct dwqi_outcome *dwqi_outcome_create_local(dwq_status_t status,
                                               const char *message);
void dwqi_outcome_destroy(struct dwqi_outcome *outcome);

/* Fill all of a result but id and worker; it owns the outcome from then on.
 * NULL stands for one that there was no memory for. */
void dwqi_outcome_give(struct dwqi_outcome *outcome, double time_est,
                       dwq_result_t *result_out);

/* What all calls of the worker took so far: their number, and seconds. */
void dwqi_outcome_set_totals(struct dwqi_outcome *outcome, uint64_t n_processed,
                             double total_time);
dwq_status_t dwqi_outcome_status(const struct dwqi_outcome *outcome);
/* Of the first rank that failed; "". */
const char *dwqi_outcome_message(const struct dwqi_outcome *outcome);
/* Seconds in the function, on the slowest rank. */
double dwqi_outcome_time(const struct dwqi_outcome *outcome);

/* A time over its estimate, which may be tiny: the largest number where it is
 * larger than any. */
static inline double dwqi_over_est(double time, double time_est)
{
    double over = time / time_est;

    return over < DBL_MAX ? over : DBL_MAX;
}

/* A result in a message: the head of its first part, and the bytes of all of them.
 * DWQ_E_MESSAGE when they do not fit together. */
dwq_status_t dwqi_result_size(const void *item, size_t available,
                              struct dwqi_part_head *first_out,
                              size_t *size_out);

#endif

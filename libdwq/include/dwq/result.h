/* What comes back: one result for each task. */
#ifndef DWQ_RESULT_H
#define DWQ_RESULT_H

#include <dwq/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One per task. Values and message live until dwq_result_clear(). */
typedef struct dwq_result {
    uint64_t id;
    dwq_status_t status;  /* DWQ_OK, _TASK, _WORKER, _TIME_LIMIT, _CANCELLED, or
                           * _NOMEM: it ran, and is too large for the controller */
    int code;             /* what the function returned, or dwq_call_fail(); of
                           * the library: DWQ_E_NOMEM, a rank had no memory for the
                           * task, or a broker none for what a rank returned */
    int failed_rank;      /* first rank of the group that failed, or -1 */
    int n_ranks;          /* ranks that ran it; 0: none reported it */
    int worker;           /* that ran it, 1..n_workers; 0: none, or in place */
    int rank;             /* slowest rank of the group */
    const char *message;  /* why it failed; "" otherwise */
    double this_time;     /* seconds in the function, on the slowest rank */
    double time_over_est; /* this_time / time_est */
    uint64_t
        n_processed; /* calls of that worker so far, this one included, and not
                           * those that failed and were run again */
    double total_time; /* seconds of these: the sum of their this_time */
    void *owner;       /* of the library */
    int attempts; /* starts of the call; 0: it never started, or is not known to have */
    uint64_t reserved[7]; /* 0 */
} dwq_result_t;

/** The value at `index` that `rank` of the group returned, or NULL. */
DWQ_API const dwq_value_t *dwq_result_value(const dwq_result_t *result,
                                            int rank, size_t index);
/** Number of values that `rank` returned. */
DWQ_API size_t dwq_result_n_values(const dwq_result_t *result, int rank);
/** Release what a result holds; a second time, or NULL, is harmless. */
DWQ_API void dwq_result_clear(dwq_result_t *result);

/* dwq_result_get(&result, rank, index, &x): like dwq_arg(). */
#ifndef __cplusplus
#define dwq_result_get(result, rank, index, out)                            \
    (DWQ_READER(dwq_read, out)(dwq_result_value((result), (rank), (index)), \
                               (out)))
#endif

#ifdef __cplusplus
}
#endif

#endif

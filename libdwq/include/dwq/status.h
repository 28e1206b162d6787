/* What every call of libdwq can answer: one list for names, values, texts. */
#ifndef DWQ_STATUS_H
#define DWQ_STATUS_H

#include <dwq/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Only what carries this mark leaves the library. */
#if defined(__GNUC__)
#define DWQ_API __attribute__((visibility("default")))
#define DWQ_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define DWQ_API
#define DWQ_PRINTF(text, first)
#endif

/* The function keeps pointer argument n without looking at what it names. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define DWQ_KEEPS(n) __attribute__((access(none, n)))
#else
#define DWQ_KEEPS(n)
#endif

/* X(name, value, text) */
#define DWQ_STATUS_LIST(X)                                          \
    X(DWQ_OK, 0, "success")                                         \
    X(DWQ_E_ARG, -1, "an argument is not valid")                    \
    X(DWQ_E_ID, -2, "no such task id, or the id is in use")         \
    X(DWQ_E_EMPTY, -3, "no task is queued, running or uncollected") \
    X(DWQ_E_AGAIN, -4, "still to come: ask again later")            \
    X(DWQ_E_TASK, -5, "the task failed")                            \
    X(DWQ_E_OPTION, -6, "an option is not valid")                   \
    X(DWQ_E_STATE, -7, "not possible in this state")                \
    X(DWQ_E_WORKER, -8, "the worker that the task needs is gone")   \
    X(DWQ_E_SERVICE, -9, "the service could not be reached")        \
    X(DWQ_E_TIME_LIMIT, -10, "a time limit has passed")             \
    X(DWQ_E_CANCELLED, -11, "the task was cancelled")               \
    X(DWQ_E_MPI, -12, "communication failed")                       \
    X(DWQ_E_NOMEM, -13, "out of memory")                            \
    X(DWQ_E_MESSAGE, -14, "a message could not be read")

typedef enum dwq_status {
#define DWQ_STATUS_ENUM(name, value, text) name = value,
    DWQ_STATUS_LIST(DWQ_STATUS_ENUM)
#undef DWQ_STATUS_ENUM
} dwq_status_t;

/**
 * The name ("DWQ_E_ID") or the meaning (one English phrase) of a status.
 *
 * @return A constant string, never NULL; unknown values say so.
 */
DWQ_API const char *dwq_status_name(dwq_status_t status);
DWQ_API const char *dwq_status_text(dwq_status_t status);

#ifdef __cplusplus
}
#endif

#endif

/* What the controller submits: calls to be made. */
#ifndef DWQ_TASK_H
#define DWQ_TASK_H

#include <dwq/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A call to be made. Everything but `function` may be zero. */
typedef struct dwq_task {
    const char *function;
    const char *module;  /* NULL: "__main__", the table of the options */
    uint64_t id;         /* 0: the library gives one, above 2^62 */
    int worker;          /* 1..n_workers, or 0: any. See the calls */
    int priority;        /* higher first */
    double time_est;     /* in any unit, the same for all; 0 means 1 */
    dwq_values_t args;   /* DWQ_ARGS(1.5, "text") */
    dwq_kwargs_t kwargs; /* DWQ_KWARGS({ "name", dwq_value(1) }) */

    /* Only workers that fit may run it, others never do. When only some fit, the
     * least loaded of them is picked at the submit (the wished one among equals).
     * A host is found with its domain and without ("node2", "node2.example.org"). */
    const char *host; /* NULL: any; all ranks of the worker are on this host */
    int ranks;        /* 0: any; ranks of the worker, at least */

    /* A call that fails (DWQ_E_TASK) is run again, at the task's place in the queue, up to
     * so many times; one that was asked to stop is not. 0: as option retry_failed says;
     * less: not at all. */
    int retry_failed;
    /* A call whose worker is lost is run again on another, up to so many times, in a run
     * that survives that (dwq_world_t). 0: as option retries says; less: not at all. */
    int retries;
    /* Seconds of one attempt, from the start of the function, after which the call is
     * asked to stop: see dwq_call_stop(). 0 or less: none. */
    double time_limit;

    uint64_t reserved[14]; /* 0; DWQ_E_ARG otherwise */
} dwq_task_t;

#ifdef __cplusplus
}
#endif

#endif

/* What a server runs its tasks with: this rank alone (solo.c), or a group behind a
 * broker (brokers/relay.c), whose work goes on between two polls. */
#ifndef DWQI_WORKERS_RUNNER_H
#define DWQI_WORKERS_RUNNER_H

#include "libdwq/item/codec.h"

/* The result of one task, ready to be sent: its parts in rank order. */
struct dwqi_report {
    const struct dwqi_extent *parts; /* each at a multiple of 64 on the wire */
    size_t n_parts;
    size_t size;                  /* bytes on the wire */
    void (*release)(void *owner); /* once, when it has left */
    void *owner;
};

struct dwqi_runner;

struct dwqi_runner_ops {
    /* Start the task at `item`, whose head was read; borrowed until poll gives
     * its report. One at a time. DWQ_OK, DWQ_E_NOMEM, DWQ_E_MPI. */
    dwq_status_t (*start)(struct dwqi_runner *runner, const void *item,
                          const struct dwqi_task_head *head);
    /* The same for a task that there was no memory for: it is over, and has
     * failed. */
    dwq_status_t (*fail)(struct dwqi_runner *runner,
                         const struct dwqi_task_head *head);
    /* DWQ_OK: it is over, and gives the report. DWQ_E_AGAIN: not yet. */
    dwq_status_t (*poll)(struct dwqi_runner *runner,
                         struct dwqi_report *report_out);
};

/* Embedded in what runs. */
struct dwqi_runner {
    const struct dwqi_runner_ops *ops;
};

#endif

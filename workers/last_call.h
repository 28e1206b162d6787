/* The call that a worker started last: whether the next one is as short, so that their
 * results may travel together. */
#ifndef DWQI_WORKERS_LAST_CALL_H
#define DWQI_WORKERS_LAST_CALL_H

#include "libdwq/item/codec.h"

/* Names longer than this never match. */
struct dwqi_last_call {
    uint32_t function_size, module_size;
    double time_est;
    char names[64];
};

/* The task at `item`, with this head, starts. */
void dwqi_last_call_keep(struct dwqi_last_call *last, const void *item,
                         const struct dwqi_task_head *head);

/**
 * The seconds of the task at `item`, which is next, if it is of the same function as the
 * last one, whose result is `part`, and short if its estimate is as good as that one's: only
 * a call that runs far longer than its estimate delays others. 0: it is not.
 */
double dwqi_last_call_next(const struct dwqi_last_call *last,
                           const struct dwqi_part_head *part, const void *item,
                           const struct dwqi_task_head *head);

#endif

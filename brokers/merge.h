/* The parts of a group's ranks -> one result. Pure. */
#ifndef DWQI_BROKERS_MERGE_H
#define DWQI_BROKERS_MERGE_H

#include "libdwq/item/codec.h"
#include "workers/executor.h"

/* The part of one rank as it came. */
struct dwqi_merge_input {
    const struct dwqi_extent
        *extents; /* each at a multiple of 64 in the part */
    size_t n_extents;
    bool stays; /* they stay where they are until the result has left; else they
                 * are copied */
    const char
        *lost; /* not NULL: there was no memory for it, and this says so */
};

struct dwqi_merge; /* a result, and the memory it needs */

/**
 * Put the parts of n ranks together, in rank order. A part that cannot be read, or
 * is not one of this attempt of the task, becomes one of a failed rank, with the message `why`; so
 * does one that there is no memory to copy.
 *
 * @return DWQ_OK (release with dwqi_merge_destroy()); DWQ_E_NOMEM: not even for a
 *         message
 */
dwq_status_t dwqi_merge_create(const struct dwqi_task_head *task,
                               const struct dwqi_merge_input *inputs, int n,
                               const char *why, struct dwqi_merge **merge_out);
/* Of DWQ_OK: what is sent, and its bytes on the wire. */
const struct dwqi_extent *dwqi_merge_extents(const struct dwqi_merge *merge,
                                             size_t *n_out, size_t *size_out);
/* Whether a rank's part says that its call failed, or cannot be read. */
bool dwqi_merge_has_failed(const struct dwqi_merge *merge);
/* Memory (malloc()ed) that goes with it; NULL is harmless. At most one for each
 * rank. */
void dwqi_merge_take(struct dwqi_merge *merge, void *memory);
/* The broker's own part, which is taken. */
void dwqi_merge_take_done(struct dwqi_merge *merge, struct dwqi_done *done);
void dwqi_merge_destroy(struct dwqi_merge *merge);

#endif

/* Collectives of one group, of which rank 0 is the root: begun, then tested until
 * done, so that a rank that waits can do other things, or sleep. One at a time. All
 * ranks begin the same ones in the same order. Over MPI, or simulated. */
#ifndef DWQI_ITEM_COLL_H
#define DWQI_ITEM_COLL_H

#include <dwq/status.h>

#include "libdwq/item/layout.h"

struct dwqi_coll;

/* Memory is borrowed until test says done. Each begins, and returns DWQ_OK,
 * DWQ_E_MPI or DWQ_E_NOMEM. */
struct dwqi_coll_ops {
    /* size bytes at the root to everybody; size <= max. */
    dwq_status_t (*bcast)(struct dwqi_coll *coll, void *data, size_t size);
    /* sizes[r] bytes at all + at[r] of the root to `mine` of rank r; `mine` is
     * NULL at the root, which gets none, and at a rank that has no memory for its
     * bytes: they are lost. */
    dwq_status_t (*scatterv)(struct dwqi_coll *coll, const void *all,
                             const size_t *at, const size_t *sizes, void *mine,
                             size_t size);
    /* size bytes of each rank to all + rank * size at the root. */
    dwq_status_t (*gather)(struct dwqi_coll *coll, const void *mine,
                           size_t size, void *all);
    /* The parts of each rank, in a row, each at a multiple of 64 bytes, to
     * all + at[r] at the root, which expects sizes[r] bytes of rank r. */
    dwq_status_t (*gatherv)(struct dwqi_coll *coll,
                            const struct dwqi_extent *parts, size_t n_parts,
                            void *all, const size_t *at, const size_t *sizes);
    /* DWQ_OK: done; DWQ_E_AGAIN: not yet; DWQ_E_MPI. */
    dwq_status_t (*test)(struct dwqi_coll *coll);
    void (*close)(struct dwqi_coll *coll);
};

struct dwqi_coll {
    const struct dwqi_coll_ops *ops;
    int rank;
    int size; /* ranks */
    /* Bytes that one collective may move in all: MPI counts in ints. */
    size_t max;
    /* The same of a gatherv, and not above it: more is faster, or only possible, by a
     * message from each rank. */
    size_t gatherv_max;
};

#endif

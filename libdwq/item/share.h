/* Which bytes of a task each rank of a group gets. An item is cut into segments:
 * those that all ranks get, and scattered arrays, of which each rank gets its rows.
 * A rank's share is the same segments in the same order, with fewer rows; each
 * starts at a multiple of 64 bytes there, too. Pure. */
#ifndef DWQI_ITEM_SHARE_H
#define DWQI_ITEM_SHARE_H

#include <dwq/value.h>

#include "libdwq/item/layout.h"

struct dwqi_segment {
    uint64_t at;       /* bytes from the start of the whole item */
    uint64_t size;     /* bytes in the whole item, a multiple of 64 */
    uint64_t rows;     /* of a scattered array; 0: everybody gets all of it */
    uint64_t row_size; /* bytes */
};
_Static_assert(sizeof(struct dwqi_segment) == 32, "wire struct");

struct dwqi_share {
    const struct dwqi_segment *segments; /* in order, without gaps */
    size_t n_segments;
    int rank; /* of the group */
    int n_ranks;
};

struct dwqi_task_head;
struct dwqi_arena;

/**
 * Cut an item whose head was read.
 *
 * @param segments_out  In the arena. One segment for an item that scatters
 *                      nothing.
 *
 * @return DWQ_OK, DWQ_E_MESSAGE (its values are malformed), DWQ_E_NOMEM
 */
dwq_status_t dwqi_share_cut(const void *item, const struct dwqi_task_head *head,
                            struct dwqi_arena *arena,
                            struct dwqi_segment **segments_out, size_t *n_out);

/* Whether segments that came in a message cover an item of `size` bytes, in order,
 * and each holds its rows. */
bool dwqi_share_is_sound(const struct dwqi_segment *segments, size_t n,
                         uint64_t size);

/* The rows of `rank`: earlier ranks get the remainder. */
void dwqi_share_rows(uint64_t rows, int rank, int n_ranks, uint64_t *first_out,
                     uint64_t *count_out);
/* The bytes of a segment that a rank gets, without pad, and where they start in
 * the whole item. */
struct dwqi_share_part {
    uint64_t at, size;
};
struct dwqi_share_part dwqi_share_part(const struct dwqi_segment *segment,
                                       int rank, int n_ranks);
/* Bytes of a whole share, a multiple of 64. */
size_t dwqi_share_size(const struct dwqi_share *share);
/* Copy a share out of the whole item. */
void dwqi_share_copy(const struct dwqi_share *share, const void *item,
                     void *out);

/**
 * Find an array of the item in a share: it stands at `at` in the whole item.
 *
 * @param array   Type and shape of the whole; shape[0] becomes the rank's rows.
 * @param at_out  Where its bytes start in the share.
 *
 * @return false: the segments say otherwise
 */
bool dwqi_share_find(const struct dwqi_share *share, uint64_t at,
                     dwq_array_t *array, size_t *at_out);

#endif

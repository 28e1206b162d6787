/* Shared by the two halves of the codec: how an array stands among the values. */
#ifndef DWQI_ITEM_CODEC_PRIVATE_H
#define DWQI_ITEM_CODEC_PRIVATE_H

#include "libdwq/item/codec.h"

/* Behind the kind; shape[ndim] (u64) follows. */
struct dwqi_array_head {
    uint8_t type;
    uint8_t ndim;
    uint8_t flags; /* DWQI_ARRAY_SCATTER or 0 */
    uint8_t reserved[5];
    uint64_t offset; /* bytes from the first array's place; 64 divides it */
};
_Static_assert(sizeof(struct dwqi_array_head) == 16, "wire struct");

#define DWQI_ARRAY_HEAD_MAX \
    (sizeof(struct dwqi_array_head) + DWQ_MAX_DIMS * sizeof(uint64_t))

#endif

/* Tasks and results <-> bytes ("items"). An item is
 *
 *     head | names or message | values | pad | array | pad | array ...
 *
 * with every array at a multiple of 64 bytes from the item's start, so that a
 * receiver whose item is 64-byte aligned uses arrays in place. A value is a byte
 * with its kind (dwq_kind_t), then: a bool, a byte; an integer or a double, 8 bytes;
 * a string (with its closing '\0') or bytes, their number (u32) and they; a list or
 * a map, a count (u32) and the values, each behind its name (a string without a
 * kind) in a map; an array, its head (codec_private.h), which tells its place.
 * Numbers are in the order of the machine, as in the heads. Decoding checks every
 * length against what is there before it allocates or follows it. */
#ifndef DWQI_ITEM_CODEC_H
#define DWQI_ITEM_CODEC_H

#include <dwq/controller.h>

#include "libdwq/base/arena.h"
#include "libdwq/base/buffer.h"
#include "libdwq/base/pool.h"
#include "libdwq/base/value_flags.h"
#include "libdwq/item/layout.h"
#include "libdwq/item/share.h"

/* Arrays below this are copied even when they need not be. */
#define DWQI_EXTENT_MIN ((size_t)64 * 1024)

/* What serves one packing after the other; {0} is an empty one. */
struct dwqi_scratch {
    struct dwqi_buffer buffer;
    struct dwqi_pool *pool; /* borrowed: of large blocks; or NULL */
    /* Where the next block lies if it is not larger: the pack does not own it then. */
    void *small;
    size_t small_size;
    /* Whether the memory of an array is what it was; NULL: that is not asked. */
    bool (*is_live)(const void *live_arg, const dwq_array_t *array);
    const void *live_arg;
    char why[256]; /* of the last item that was refused */
};
void dwqi_scratch_finish(struct dwqi_scratch *scratch);

/* An item ready to be sent: one block, then the arrays that were left where
 * they are. On the wire each starts at a multiple of 64 bytes. */
struct dwqi_pack {
    unsigned char *block;        /* malloc'ed, or (from DWQI_POOL_MIN on) a
                                  * pool's; or the scratch's `small` */
    size_t block_size;           /* bytes, a multiple of 64 */
    struct dwqi_extent *extents; /* malloc'ed, or NULL */
    size_t n_extents;
    size_t size; /* bytes on the wire, a multiple of 64 */
};

struct dwqi_task_head {
    uint64_t id;
    uint64_t size; /* of the whole item, a multiple of 64 */
    double time_est;
    uint32_t values_size; /* bytes */
    uint32_t n_args;
    uint32_t n_kwargs;
    uint32_t function_size; /* with its closing NUL; 0: values alone */
    uint32_t module_size;   /* with its closing NUL; 0: __main__ */
    uint32_t n_scattered;   /* arrays of dwq_scatter() */
    uint32_t attempt;       /* from 1; 0: it was not given to a worker */
    uint32_t reserved;
    double time_limit; /* seconds of one attempt; not above 0: none */
};
_Static_assert(sizeof(struct dwqi_task_head) == 64, "wire struct");

/* The part of one rank in a result; a result is n_parts of them in rank order.
 * */
struct dwqi_part_head {
    uint64_t id;
    uint64_t size;    /* of this part, a multiple of 64 */
    double this_time; /* seconds */
    int32_t status; /* DWQ_OK, DWQ_E_TASK, _WORKER, _CANCELLED or _TIME_LIMIT */
    int32_t code;
    uint32_t values_size;
    uint32_t n_values;
    uint32_t message_size; /* with its closing NUL; 0: none */
    uint32_t n_parts;
    uint32_t attempt; /* the task's */
    uint32_t reserved[3];
};
_Static_assert(sizeof(struct dwqi_part_head) == 64, "wire struct");

struct dwqi_task_view {
    uint64_t id;
    double time_est;
    const char *function;
    const char *module; /* NULL: __main__ */
    dwq_values_t args;
    dwq_kwargs_t kwargs;
};

struct dwqi_part_view {
    struct dwqi_part_head head;
    const char *message; /* never NULL */
    dwq_values_t values;
};

/**
 * Pack a task. `scratch` is emptied and used; its memory can serve the next
 * call. Arrays with flag BORROWED of at least DWQI_EXTENT_MIN bytes become
 * extents; everything else is copied.
 *
 * @return DWQ_OK; DWQ_E_ARG (no or too long a name, a value that is not valid,
 *         scatter of a 0-d array, nesting above DWQ_MAX_DEPTH: *why_out lives
 *         as long as the scratch, until its next use); DWQ_E_NOMEM
 */
dwq_status_t dwqi_pack_task(const dwq_task_t *task, uint64_t id,
                            struct dwqi_scratch *scratch,
                            struct dwqi_pack *pack_out, const char **why_out);

/* Pack one part: head's id, attempt, time, status, code and n_parts are the caller's;
 * sizes and counts are filled in. OWNED arrays become extents as above. */
dwq_status_t dwqi_pack_part(const struct dwqi_part_head *head,
                            const char *message, dwq_values_t values,
                            struct dwqi_scratch *scratch,
                            struct dwqi_pack *pack_out, const char **why_out);

/* Number the attempt that a packed task is sent for. */
void dwqi_pack_set_attempt(struct dwqi_pack *pack, uint32_t attempt);

/* Release block and extents (not what the extents name). */
void dwqi_pack_finish(struct dwqi_pack *pack);

/* Write the item as it goes over the wire into size bytes at `out` (64-byte
 * aligned; pads are zero). */
void dwqi_pack_copy(const struct dwqi_pack *pack, void *out);

/**
 * Check the head at `item`, of which `available` bytes are there: sizes add up
 * and fit. After DWQ_OK head_out->size tells where the next item starts, and
 * the id can be trusted, even when the values turn out to be malformed.
 *
 * @return DWQ_OK, DWQ_E_MESSAGE
 */
dwq_status_t dwqi_task_head_read(const void *item, size_t available,
                                 struct dwqi_task_head *head_out);
dwq_status_t dwqi_part_head_read(const void *item, size_t available,
                                 struct dwqi_part_head *head_out);

/**
 * Decode an item whose head was read. Views point into the item and the arena.
 *
 * @param share  NULL: the item is whole. Else it is the share of one rank of a
 *               group (item/share.h), and scattered arrays are that rank's rows.
 * @param mark   Flags that arrays get beside their own.
 *
 * @return DWQ_OK, DWQ_E_MESSAGE, DWQ_E_NOMEM
 */
dwq_status_t dwqi_task_unpack(const void *item,
                              const struct dwqi_task_head *head,
                              const struct dwqi_share *share, unsigned mark,
                              struct dwqi_arena *arena,
                              struct dwqi_task_view *view_out);
dwq_status_t dwqi_part_unpack(const void *item,
                              const struct dwqi_part_head *head,
                              struct dwqi_arena *arena,
                              struct dwqi_part_view *view_out);

/* Values alone, for READY data and run_args: the item is a task without a
 * function. Nothing becomes an extent: the item is pack_out->block. Views point
 * into item (64-byte aligned if it holds arrays) and arena. */
dwq_status_t dwqi_values_pack(dwq_values_t values, dwq_kwargs_t kwargs,
                              struct dwqi_scratch *scratch,
                              struct dwqi_pack *pack_out, const char **why_out);
dwq_status_t dwqi_values_unpack(const void *item, size_t available,
                                struct dwqi_arena *arena,
                                dwq_values_t *values_out,
                                dwq_kwargs_t *kwargs_out);

#endif

/* For the tests of the codec: one item on its way from values to bytes to values. */
#ifndef DWQ_TESTS_CODEC_FIXTURE_H
#define DWQ_TESTS_CODEC_FIXTURE_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include <dwq/dwq.h>

#include "libdwq/item/codec.h"
#include "tests/values_equal.h"

struct codec {
    struct dwqi_scratch scratch;
    struct dwqi_arena arena;
    struct dwqi_pack pack;
    const char *why;
    void *item; /* as it arrives: 64-byte aligned, not a byte more */
    struct dwqi_task_view task;
    struct dwqi_part_view part;
};

static inline void clear(struct codec *c)
{
    dwqi_pack_finish(&c->pack);
    dwqi_arena_reset(&c->arena);
    free(c->item);
    c->item = NULL;
}

static inline void finish(struct codec *c)
{
    clear(c);
    dwqi_arena_finish(&c->arena);
    dwqi_scratch_finish(&c->scratch);
}

static inline void deliver(struct codec *c)
{
    cr_assert_eq(c->pack.size % 64, 0);
    cr_assert_eq(c->pack.block_size % 64, 0);
    cr_assert_eq(posix_memalign(&c->item, 64, c->pack.size), 0);
    dwqi_pack_copy(&c->pack, c->item);
}

static inline void pack_task(struct codec *c, const dwq_task_t *task,
                             uint64_t id)
{
    clear(c);
    cr_assert_eq(dwqi_pack_task(task, id, &c->scratch, &c->pack, &c->why),
                 DWQ_OK);
    deliver(c);
}

static inline void unpack_task(struct codec *c)
{
    struct dwqi_task_head head;

    cr_assert_eq(dwqi_task_head_read(c->item, c->pack.size, &head), DWQ_OK);
    cr_assert_eq(head.size, c->pack.size);
    cr_assert_eq(dwqi_task_unpack(c->item, &head, NULL, 0, &c->arena, &c->task),
                 DWQ_OK);
}

static inline void round_trip(struct codec *c, dwq_values_t args,
                              dwq_kwargs_t kwargs)
{
    pack_task(
        c, &(dwq_task_t){ .function = "f", .args = args, .kwargs = kwargs }, 1);
    unpack_task(c);
    cr_assert(values_equal(args, c->task.args));
    cr_assert(entries_equal(kwargs, c->task.kwargs));
}

static inline void round_trip_one(struct codec *c, dwq_value_t value)
{
    round_trip(c, (dwq_values_t){ 1, &value }, (dwq_kwargs_t){ 0, NULL });
}

#endif

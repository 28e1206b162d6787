/* Memory that is given out in pieces and taken back all at once. A reset keeps
 * the largest chunk, so a loop that decodes small things allocates nothing. */
#ifndef DWQI_BASE_ARENA_H
#define DWQI_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct dwqi_arena_chunk;

/* {0} is an empty arena. */
struct dwqi_arena {
    struct dwqi_arena_chunk *chunks; /* newest first; pieces come from it */
    bool failed;                     /* a piece was refused, so far */
};

/* n * size bytes, 16-byte aligned, not cleared; NULL when out of memory or when
 * the product overflows. */
void *dwqi_arena_alloc(struct dwqi_arena *arena, size_t n, size_t size);
/* Begin with `size` bytes at `memory` (16-byte aligned), which are borrowed until
 * the arena is finished; it must not be reset. */
void dwqi_arena_begin(struct dwqi_arena *arena, void *memory, size_t size);
void dwqi_arena_reset(struct dwqi_arena *arena);
void dwqi_arena_finish(struct dwqi_arena *arena);

#endif

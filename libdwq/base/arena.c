#include "libdwq/base/arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "libdwq/base/memory.h"

#define CHUNK_MIN ((size_t)512)
/* Chunks double up to this; beyond it a chunk is as large as what it is for, so
 * that a huge piece does not ask for more of its size. */
#define CHUNK_DOUBLES ((size_t)1 << 20)
#define PIECE_ALIGN ((size_t)16)

struct dwqi_arena_chunk {
    struct dwqi_arena_chunk *next; /* older */
    size_t used;
    size_t capacity; /* bytes of data */
    bool borrowed;
    max_align_t data[];
};

static struct dwqi_arena_chunk *add_chunk(struct dwqi_arena *arena,
                                          size_t least)
{
    size_t capacity = arena->chunks ? 2 * arena->chunks->capacity : CHUNK_MIN;
    struct dwqi_arena_chunk *chunk;

    if (capacity > CHUNK_DOUBLES) {
        capacity = CHUNK_DOUBLES;
    }
    if (capacity < least) {
        capacity = least;
    }
    if (capacity > SIZE_MAX / 4) {
        return NULL;
    }
    chunk = dwqi_memory_get(0, sizeof *chunk + capacity);
    if (chunk) {
        chunk->next = arena->chunks;
        chunk->used = 0;
        chunk->capacity = capacity;
        chunk->borrowed = false;
        arena->chunks = chunk;
    }
    return chunk;
}

static void free_chunk(struct dwqi_arena_chunk *chunk)
{
    if (chunk && !chunk->borrowed) {
        free(chunk);
    }
}

void dwqi_arena_begin(struct dwqi_arena *arena, void *memory, size_t size)
{
    struct dwqi_arena_chunk *chunk = memory;

    arena->chunks = NULL;
    if (size > sizeof *chunk) {
        *chunk = (struct dwqi_arena_chunk){ .capacity = size - sizeof *chunk,
                                            .borrowed = true };
        arena->chunks = chunk;
    }
}

void *dwqi_arena_alloc(struct dwqi_arena *arena, size_t n, size_t size)
{
    struct dwqi_arena_chunk *chunk = arena->chunks;
    size_t bytes;
    void *piece;

    if (size > 0 && n > (SIZE_MAX - PIECE_ALIGN) / size) {
        arena->failed = true;
        return NULL;
    }
    bytes = (n * size + PIECE_ALIGN - 1) & ~(PIECE_ALIGN - 1);
    if (!chunk || chunk->capacity - chunk->used < bytes) {
        chunk = add_chunk(arena, bytes);
    }
    if (!chunk) {
        arena->failed = true;
        return NULL;
    }
    piece = (char *)chunk->data + chunk->used;
    chunk->used += bytes;
    return piece;
}

void dwqi_arena_reset(struct dwqi_arena *arena)
{
    struct dwqi_arena_chunk *largest = arena->chunks;
    struct dwqi_arena_chunk *chunk = largest ? largest->next : NULL;

    while (chunk) {
        struct dwqi_arena_chunk *older = chunk->next;

        if (chunk->capacity > largest->capacity) {
            free_chunk(largest);
            largest = chunk;
        } else {
            free_chunk(chunk);
        }
        chunk = older;
    }
    if (largest) {
        largest->next = NULL;
        largest->used = 0;
    }
    arena->chunks = largest;
    arena->failed = false;
}

void dwqi_arena_finish(struct dwqi_arena *arena)
{
    dwqi_arena_reset(arena);
    free_chunk(arena->chunks);
    arena->chunks = NULL;
}

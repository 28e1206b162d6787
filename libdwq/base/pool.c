/* Kept blocks are listed oldest first. A full pool drops the oldest ones, so that it
 * holds what the run uses now. A block knows its pool, and the pool counts the blocks
 * that are in use: the last one of a destroyed pool frees it. */
#include "libdwq/base/pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/memory.h"

#if defined __SANITIZE_ADDRESS__
#define HAS_ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(block) \
    __asan_poison_memory_region((block) + 1, (block)->capacity)
#define UNPOISON(block) \
    __asan_unpoison_memory_region((block) + 1, (block)->capacity)
#else
#define POISON(block) ((void)(block))
#define UNPOISON(block) ((void)(block))
#endif

#define ALIGN 64

/* In front of the memory. */
struct block {
    _Alignas(ALIGN) struct dwqi_pool *pool; /* NULL: it is not kept */
    size_t capacity;                        /* bytes behind this head */
};
_Static_assert(sizeof(struct block) == ALIGN, "the memory behind is aligned");

struct dwqi_pool {
    struct block *kept[DWQI_POOL_BLOCKS];
    size_t n_kept;
    size_t kept_size; /* bytes */
    size_t n_used;    /* blocks that were not given back */
    bool destroyed;
};

struct dwqi_pool *dwqi_pool_create(void)
{
    return calloc(1, sizeof(struct dwqi_pool));
}

/* Take a block out of the list. */
static struct block *remove_kept(struct dwqi_pool *pool, size_t i)
{
    struct block *block = pool->kept[i];

    pool->n_kept--;
    memmove(&pool->kept[i], &pool->kept[i + 1],
            (pool->n_kept - i) * sizeof(struct block *));
    pool->kept_size -= block->capacity;
    UNPOISON(block);
    return block;
}

static void drop_oldest(struct dwqi_pool *pool)
{
    free(remove_kept(pool, 0));
}

static void drop_all(struct dwqi_pool *pool)
{
    while (pool->n_kept > 0) {
        drop_oldest(pool);
    }
}

void dwqi_pool_destroy(struct dwqi_pool *pool)
{
    if (!pool) {
        return;
    }
    drop_all(pool);
    pool->destroyed = true;
    if (pool->n_used == 0) {
        free(pool);
    }
}

/* The smallest one that is large enough, and at most twice as large; of equal ones
 * the newest, which the caches may still hold. */
static struct block *take_kept(struct dwqi_pool *pool, size_t size)
{
    size_t best = pool->n_kept;

    for (size_t i = pool->n_kept; i-- > 0;) {
        size_t capacity = pool->kept[i]->capacity;

        if (capacity >= size && capacity / 2 <= size &&
            (best == pool->n_kept || capacity < pool->kept[best]->capacity)) {
            best = i;
        }
    }
    return best < pool->n_kept ? remove_kept(pool, best) : NULL;
}

/* Large ones in steps, so that one serves sizes that differ a little. */
static struct block *new_block(size_t size)
{
    size_t step = size >= DWQI_POOL_MIN ? DWQI_POOL_MIN : 1;
    struct block *block;

    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size = (size + step - 1) / step * step;
    block = dwqi_memory_get(ALIGN, sizeof *block + size);
    if (block) {
        block->pool = NULL;
        block->capacity = size;
    }
    return block;
}

void *dwqi_pool_get(struct dwqi_pool *pool, size_t size)
{
    struct block *block;

    if (!pool || size < DWQI_POOL_MIN) {
        block = new_block(size);
        return block ? block + 1 : NULL;
    }
    block = take_kept(pool, size);
    if (!block) {
        block = new_block(size);
    }
    if (!block && pool->n_kept > 0) {
        drop_all(pool);
        block = new_block(size);
    }
    if (!block) {
        return NULL;
    }
    block->pool = pool;
    pool->n_used++;
    return block + 1;
}

static void keep(struct dwqi_pool *pool, struct block *block)
{
    if (block->capacity > DWQI_POOL_BLOCK_MAX) {
        free(block);
        return;
    }
    while (pool->n_kept == DWQI_POOL_BLOCKS ||
           pool->kept_size > DWQI_POOL_MAX - block->capacity) {
        drop_oldest(pool);
    }
    pool->kept[pool->n_kept++] = block;
    pool->kept_size += block->capacity;
    POISON(block);
}

void dwqi_pool_give(void *memory)
{
    struct block *block = memory ? (struct block *)memory - 1 : NULL;
    struct dwqi_pool *pool = block ? block->pool : NULL;

    if (!pool) {
        free(block);
        return;
    }
    pool->n_used--;
    if (!pool->destroyed) {
        keep(pool, block);
        return;
    }
    free(block);
    if (pool->n_used == 0) {
        free(pool);
    }
}

size_t dwqi_pool_kept(const struct dwqi_pool *pool)
{
    return pool->kept_size;
}

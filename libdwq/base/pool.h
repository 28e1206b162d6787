/* Memory for messages, arrays and packed items. A large block that is given back is
 * kept for the next one: the system's memory has to be cleared and mapped page by
 * page at its first touch, which costs more than to send what it holds. */
#ifndef DWQI_BASE_POOL_H
#define DWQI_BASE_POOL_H

#include <stddef.h>

/* Smaller blocks are malloc()'s, which keeps such ones itself. */
#define DWQI_POOL_MIN ((size_t)64 << 10)
/* What is kept, at most. An array of 64 MiB has its next block ready on both sides,
 * there and back; one above 128 MiB is worth more to others than to this rank. */
#define DWQI_POOL_BLOCK_MAX ((size_t)128 << 20)
#define DWQI_POOL_MAX ((size_t)256 << 20)
#define DWQI_POOL_BLOCKS 64

/* Of one thread: that of the run. */
struct dwqi_pool;

/* NULL when out of memory; everything works without, from the system alone. */
struct dwqi_pool *dwqi_pool_create(void);
/* Frees what is kept. Blocks that are in use stay valid until they are given back. */
void dwqi_pool_destroy(struct dwqi_pool *pool);

/* `size` bytes at a multiple of 64, for dwqi_pool_give() alone; NULL when out of
 * memory. `pool` may be NULL. */
void *dwqi_pool_get(struct dwqi_pool *pool, size_t size);
/* Back to where it came from; NULL is nothing. */
void dwqi_pool_give(void *memory);

/* Bytes that wait for the next one. */
size_t dwqi_pool_kept(const struct dwqi_pool *pool);

#endif

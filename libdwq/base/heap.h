/* A binary heap of pointers to structs that know their place in it, so that
 * any of them can be taken out or moved in O(log n). */
#ifndef DWQI_BASE_HEAP_H
#define DWQI_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct dwqi_heap {
    /* Whether a comes out before b; a strict total order. */
    bool (*before)(const void *a, const void *b);
    size_t place_offset; /* of the size_t in the struct that holds its place:
                          * index + 1, or 0 when it is in no heap */
    void **items;
    size_t n;
    size_t capacity;
};

void dwqi_heap_init(struct dwqi_heap *heap,
                    bool (*before)(const void *a, const void *b),
                    size_t place_offset);
void dwqi_heap_finish(struct dwqi_heap *heap);
/* false: out of memory, and nothing was pushed. */
bool dwqi_heap_push(struct dwqi_heap *heap, void *item);
/* Room for n more pushes, so that they cannot fail. */
bool dwqi_heap_reserve(struct dwqi_heap *heap, size_t n);
/* NULL when empty. */
static inline void *dwqi_heap_top(const struct dwqi_heap *heap)
{
    return heap->n > 0 ? heap->items[0] : NULL;
}
void dwqi_heap_remove(struct dwqi_heap *heap, void *item);
/* Restore the order after the key of `item` changed. */
void dwqi_heap_update(struct dwqi_heap *heap, void *item);

#endif

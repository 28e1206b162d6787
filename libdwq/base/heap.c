#include "libdwq/base/heap.h"

#include <stdint.h>
#include <stdlib.h>

static size_t *place_of(const struct dwqi_heap *heap, void *item)
{
    return (size_t *)(void *)((char *)item + heap->place_offset);
}

static void put(struct dwqi_heap *heap, size_t at, void *item)
{
    heap->items[at] = item;
    *place_of(heap, item) = at + 1;
}

static void sift_up(struct dwqi_heap *heap, size_t at)
{
    void *item = heap->items[at];

    while (at > 0 && heap->before(item, heap->items[(at - 1) / 2])) {
        put(heap, at, heap->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(heap, at, item);
}

static void sift_down(struct dwqi_heap *heap, size_t at)
{
    void *item = heap->items[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < heap->n &&
            heap->before(heap->items[child + 1], heap->items[child])) {
            child++;
        }
        if (child >= heap->n || !heap->before(heap->items[child], item)) {
            break;
        }
        put(heap, at, heap->items[child]);
        at = child;
    }
    put(heap, at, item);
}

void dwqi_heap_init(struct dwqi_heap *heap,
                    bool (*before)(const void *a, const void *b),
                    size_t place_offset)
{
    *heap =
        (struct dwqi_heap){ .before = before, .place_offset = place_offset };
}

void dwqi_heap_finish(struct dwqi_heap *heap)
{
    free(heap->items);
    heap->items = NULL;
    heap->n = heap->capacity = 0;
}

bool dwqi_heap_reserve(struct dwqi_heap *heap, size_t n)
{
    size_t capacity = heap->capacity ? heap->capacity : 16;
    void **items;

    if (n > SIZE_MAX / sizeof *items / 4 - heap->n) {
        return false;
    }
    while (capacity < heap->n + n) {
        capacity *= 2;
    }
    if (capacity == heap->capacity) {
        return true;
    }
    items = realloc(heap->items, capacity * sizeof *items);
    if (!items) {
        return false;
    }
    heap->items = items;
    heap->capacity = capacity;
    return true;
}

bool dwqi_heap_push(struct dwqi_heap *heap, void *item)
{
    if (!dwqi_heap_reserve(heap, 1)) {
        return false;
    }
    heap->items[heap->n] = item;
    heap->n++;
    sift_up(heap, heap->n - 1);
    return true;
}

void dwqi_heap_remove(struct dwqi_heap *heap, void *item)
{
    size_t at = *place_of(heap, item) - 1;
    void *last = heap->items[--heap->n];

    *place_of(heap, item) = 0;
    if (last != item) {
        put(heap, at, last);
        dwqi_heap_update(heap, last);
    }
}

void dwqi_heap_update(struct dwqi_heap *heap, void *item)
{
    size_t at = *place_of(heap, item) - 1;

    sift_up(heap, at);
    sift_down(heap, *place_of(heap, item) - 1);
}

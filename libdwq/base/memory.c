#define _DEFAULT_SOURCE /* madvise */
#include "libdwq/base/memory.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define LARGE (2 * HUGE_PAGE)

void *dwqi_memory_get(size_t align, size_t size)
{
    bool is_large = size >= LARGE;
    void *memory = NULL;

    if (align == 0 && !is_large) {
        return malloc(size);
    }
    if (posix_memalign(&memory, is_large ? HUGE_PAGE : align,
                       size > 0 ? size : 1) != 0) {
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    if (is_large) {
        madvise(memory, size & ~(HUGE_PAGE - 1), MADV_HUGEPAGE); /* a wish */
    }
#endif
    return memory;
}

bool dwqi_memory_grow(void *array, int *room, int needed, size_t size)
{
    int wanted = *room > 0 ? *room : 16;
    void *items;

    if (needed <= *room) {
        return true;
    }
    while (wanted < needed) {
        if (wanted > INT_MAX / 2) {
            return false;
        }
        wanted *= 2;
    }
    memcpy(&items, array, sizeof items); /* whatever it points to */
    items = realloc(items, (size_t)wanted * size);
    if (!items) {
        return false;
    }
    memcpy(array, &items, sizeof items);
    *room = wanted;
    return true;
}

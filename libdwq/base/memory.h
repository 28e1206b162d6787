/* Memory for what may be large. */
#ifndef DWQI_BASE_MEMORY_H
#define DWQI_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the reserved words of a struct that a program passed in are 0, as they have to
 * be: a later version gives them a meaning. */
static inline bool dwqi_is_zero(const uint64_t *words, size_t n)
{
    uint64_t any = 0;

    for (size_t i = 0; i < n; i++) {
        any |= words[i];
    }
    return any == 0;
}

/* `size` bytes at a multiple of `align` (a power of two, at least that of a
 * pointer; 0: as malloc), for free(); NULL when out of memory. Large memory is
 * asked for in huge pages where the system has them: the first touch of small ones
 * costs more than to send what they hold. */
void *dwqi_memory_get(size_t align, size_t size);

/* The one growable array: room for `needed` items of `size` bytes in *array, which
 * has *room; it doubles. `array` is the address of a pointer to the items. false: out
 * of memory, and nothing changed. */
bool dwqi_memory_grow(void *array, int *room, int needed, size_t size);

#endif

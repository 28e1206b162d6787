/* A map from ids to pointers: open addressing, one cache line for most looks. Ids
 * are any numbers but 0. */
#ifndef DWQI_BASE_IDMAP_H
#define DWQI_BASE_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dwqi_idmap_slot {
    uint64_t id; /* 0: free */
    void *item;
};

/* All zero is an empty map. */
struct dwqi_idmap {
    struct dwqi_idmap_slot *slots;
    size_t n;
    size_t capacity; /* slots, a power of two, or 0 */
};

void dwqi_idmap_finish(struct dwqi_idmap *map);
void *dwqi_idmap_find(const struct dwqi_idmap *map, uint64_t id);
/* An id that is not there yet. false: out of memory. */
bool dwqi_idmap_add(struct dwqi_idmap *map, uint64_t id, void *item);
/* An id that is there. (To visit all, walk the slots whose id is not 0.) */
void dwqi_idmap_remove(struct dwqi_idmap *map, uint64_t id);

#endif

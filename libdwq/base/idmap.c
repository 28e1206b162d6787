#include "libdwq/base/idmap.h"

#include <stdlib.h>

#define CAPACITY_MIN ((size_t)64)

/* Where the search for an id begins. Four ids that follow each other, as
 * generated ones do, share a cache line; the lines are spread by Fibonacci
 * hashing (Knuth, The Art of Computer Programming 3, 6.4). */
static size_t home(const struct dwqi_idmap *map, uint64_t id)
{
    uint64_t line = id >> 2;

    line = (line ^ line >> 32) * 0x9e3779b97f4a7c15u >> 32;
    return (size_t)(line << 2 | (id & 3)) & (map->capacity - 1);
}

static size_t next(const struct dwqi_idmap *map, size_t at)
{
    return (at + 1) & (map->capacity - 1);
}

/* The slot of the id, or the free one where it would go. */
static size_t place(const struct dwqi_idmap *map, uint64_t id)
{
    size_t at = home(map, id);

    while (map->slots[at].id != 0 && map->slots[at].id != id) {
        at = next(map, at);
    }
    return at;
}

void dwqi_idmap_finish(struct dwqi_idmap *map)
{
    free(map->slots);
    *map = (struct dwqi_idmap){ .slots = NULL };
}

void *dwqi_idmap_find(const struct dwqi_idmap *map, uint64_t id)
{
    return map->n > 0 && id != 0 ? map->slots[place(map, id)].item : NULL;
}

static bool grow(struct dwqi_idmap *map)
{
    struct dwqi_idmap larger = {
        .n = map->n,
        .capacity = map->capacity ? 2 * map->capacity : CAPACITY_MIN,
    };

    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (!larger.slots) {
        return false;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].id != 0) {
            larger.slots[place(&larger, map->slots[i].id)] = map->slots[i];
        }
    }
    free(map->slots);
    *map = larger;
    return true;
}

bool dwqi_idmap_add(struct dwqi_idmap *map, uint64_t id, void *item)
{
    if (map->n >= map->capacity / 4 * 3 && !grow(map)) {
        return false;
    }
    map->slots[place(map, id)] = (struct dwqi_idmap_slot){ id, item };
    map->n++;
    return true;
}

/* Whether a search that begins at `from` would pass `hole` before `at`. */
static bool passes(size_t from, size_t hole, size_t at)
{
    return from <= at ? from <= hole && hole <= at : from <= hole || hole <= at;
}

void dwqi_idmap_remove(struct dwqi_idmap *map, uint64_t id)
{
    size_t hole = place(map, id);

    /* Bring back what was put behind it. */
    for (size_t at = next(map, hole); map->slots[at].id != 0;
         at = next(map, at)) {
        if (passes(home(map, map->slots[at].id), hole, at)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole] = (struct dwqi_idmap_slot){ 0, NULL };
    map->n--;
}

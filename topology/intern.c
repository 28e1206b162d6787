#include "topology/intern.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct dwqi_intern_key {
    uint64_t hash;
    size_t size;
    void *bytes;
};

void dwqi_intern_finish(struct dwqi_intern *table)
{
    for (int i = 0; i < table->n_keys; i++) {
        free(table->keys[i].bytes);
    }
    free(table->keys);
    free(table->slots);
    *table = (struct dwqi_intern){ .keys = NULL };
}

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t hash_of(const unsigned char *bytes, size_t size)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 1099511628211u;
    }
    return hash ^ hash >> 32;
}

/* At most half of the slots are taken, and their number is a power of two. */
static bool make_room(struct dwqi_intern *table)
{
    size_t n_slots = table->n_slots ? table->n_slots * 2 : 64;
    struct dwqi_intern_key *keys;
    int *slots;

    if (table->n_slots / 2 > (size_t)table->n_keys) {
        return true;
    }
    slots = table->n_keys < INT_MAX / 4 ? calloc(n_slots, sizeof *slots) : NULL;
    keys = realloc(table->keys, n_slots / 2 * sizeof *keys);
    if (keys) {
        table->keys = keys;
    }
    if (!keys || !slots) {
        free(slots);
        return false;
    }
    for (int i = 0; i < table->n_keys; i++) {
        size_t slot = keys[i].hash & (n_slots - 1);

        while (slots[slot] != 0) {
            slot = (slot + 1) & (n_slots - 1);
        }
        slots[slot] = i + 1;
    }
    free(table->slots);
    table->slots = slots;
    table->n_slots = n_slots;
    return true;
}

static int add_key(struct dwqi_intern *table, const void *key, size_t size,
                   uint64_t hash, size_t slot)
{
    void *bytes = malloc(size ? size : 1);

    if (!bytes) {
        return -1;
    }
    if (size > 0) {
        memcpy(bytes, key, size);
    }
    table->keys[table->n_keys] =
        (struct dwqi_intern_key){ .hash = hash, .size = size, .bytes = bytes };
    table->slots[slot] = ++table->n_keys;
    return table->n_keys - 1;
}

int dwqi_intern(struct dwqi_intern *table, const void *key, size_t size)
{
    uint64_t hash = hash_of(key, size);
    size_t slot;

    if (!make_room(table)) {
        return -1;
    }
    slot = hash & (table->n_slots - 1);
    while (table->slots[slot] != 0) {
        const struct dwqi_intern_key *old =
            &table->keys[table->slots[slot] - 1];

        if (old->hash == hash && old->size == size &&
            (size == 0 || memcmp(old->bytes, key, size) == 0)) {
            return table->slots[slot] - 1;
        }
        slot = (slot + 1) & (table->n_slots - 1);
    }
    return add_key(table, key, size, hash, slot);
}

#include "topology/intern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* uthash calls this instead of exit() when it has no memory. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(key) ((key)->oom = true)
#include <uthash.h>

struct dwqi_intern_key {
    UT_hash_handle hh;
    int number;
    bool oom;
    unsigned char bytes[];
};

void dwqi_intern_finish(struct dwqi_intern *table)
{
    struct dwqi_intern_key *key, *next;

    HASH_ITER(hh, table->keys, key, next)
    {
        HASH_DEL(table->keys, key);
        free(key);
    }
    *table = (struct dwqi_intern){ .keys = NULL };
}

int dwqi_intern(struct dwqi_intern *table, const void *key, size_t size)
{
    struct dwqi_intern_key *found = NULL;

    HASH_FIND(hh, table->keys, key, size, found);
    if (found) {
        return found->number;
    }
    found = malloc(sizeof *found + size);
    if (!found) {
        return -1;
    }
    found->number = table->n_keys;
    found->oom = false;
    if (size > 0) {
        memcpy(found->bytes, key, size);
    }
    HASH_ADD_KEYPTR(hh, table->keys, found->bytes, size, found);
    if (found->oom) {
        free(found);
        return -1;
    }
    return table->n_keys++;
}

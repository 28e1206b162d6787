/* Equal things get one number: keys of bytes -> 0, 1, 2, ... in the order in
 * which they first came. */
#ifndef DWQI_TOPOLOGY_INTERN_H
#define DWQI_TOPOLOGY_INTERN_H

#include <stddef.h>

struct dwqi_intern_key;

/* {0} holds nothing. */
struct dwqi_intern {
    struct dwqi_intern_key *keys; /* of uthash */
    int n_keys;
};

void dwqi_intern_finish(struct dwqi_intern *table);
/* The number of the key, which is copied when it is new (n_keys has then grown
 * by one); -1: out of memory. */
int dwqi_intern(struct dwqi_intern *table, const void *key, size_t size);

#endif

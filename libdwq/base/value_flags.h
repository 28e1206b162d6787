/* dwq_array_t.flags: how an array travels. */
#ifndef DWQI_BASE_VALUE_FLAGS_H
#define DWQI_BASE_VALUE_FLAGS_H

enum {
    DWQI_ARRAY_BORROWED = 1 << 0, /* dwq_borrow() */
    DWQI_ARRAY_SCATTER = 1 << 1,  /* dwq_scatter() */
    DWQI_ARRAY_OWNED = 1 << 2     /* dwq_call_alloc() */
};

#endif

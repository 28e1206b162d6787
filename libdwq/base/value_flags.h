/* dwq_array_t.flags: how an array travels, and which call it is of. */
#ifndef DWQI_BASE_VALUE_FLAGS_H
#define DWQI_BASE_VALUE_FLAGS_H

enum {
    DWQI_ARRAY_BORROWED = 1 << 0, /* dwq_borrow() */
    DWQI_ARRAY_SCATTER = 1 << 1,  /* dwq_scatter() */
    DWQI_ARRAY_OWNED = 1 << 2,    /* dwq_call_alloc() */
    DWQI_ARRAY_VIEW = 1 << 3      /* an argument */
};

/* Of the last two: a number of the call that gave it, in the bits from here on. */
#define DWQI_ARRAY_CALL_SHIFT 8

#endif

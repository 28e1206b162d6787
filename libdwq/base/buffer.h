/* A growable array of bytes. Once an append failed it stays failed, so a
 * series of appends needs one check at its end. */
#ifndef DWQI_BASE_BUFFER_H
#define DWQI_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct dwqi_buffer {
    unsigned char *data;
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes allocated */
    bool failed;     /* out of memory */
};

/* {0} is an empty buffer. */
void dwqi_buffer_finish(struct dwqi_buffer *buffer);
void dwqi_buffer_append(struct dwqi_buffer *buffer, const void *data,
                        size_t size);
/* Room for `size` more bytes, counted as used; NULL when out of memory. */
void *dwqi_buffer_grow(struct dwqi_buffer *buffer, size_t size);

#endif

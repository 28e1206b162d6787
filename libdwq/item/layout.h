/* The layout rule of everything on the wire: what starts, starts at a multiple
 * of 64 bytes, so that arrays can be used where they arrived. */
#ifndef DWQI_ITEM_LAYOUT_H
#define DWQI_ITEM_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define DWQI_ALIGN ((size_t)64)
/* Of the name of an MPI port: bytes, with the closing NUL. */
#define DWQI_PORT_MAX 1024

/* Wraps to a small number above SIZE_MAX - 63: check sizes first. */
static inline size_t dwqi_align(size_t size)
{
    return (size + DWQI_ALIGN - 1) & ~(DWQI_ALIGN - 1);
}

/* Bytes that stay where they are until they are sent. */
struct dwqi_extent {
    const void *data;
    size_t size; /* bytes */
};

#endif

#include "libdwq/base/buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void dwqi_buffer_finish(struct dwqi_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct dwqi_buffer){ .data = NULL };
}

void *dwqi_buffer_grow(struct dwqi_buffer *buffer, size_t size)
{
    size_t needed = buffer->size + size;
    void *at;

    if (buffer->failed || needed < size) {
        buffer->failed = true;
        return NULL;
    }
    if (needed > buffer->capacity || !buffer->data) {
        size_t capacity = buffer->capacity ? buffer->capacity : 256;
        unsigned char *data;

        while (capacity < needed && capacity <= SIZE_MAX / 2) {
            capacity *= 2;
        }
        data = capacity >= needed ? realloc(buffer->data, capacity) : NULL;
        if (!data) {
            buffer->failed = true;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    at = buffer->data + buffer->size;
    buffer->size = needed;
    return at;
}

void dwqi_buffer_append(struct dwqi_buffer *buffer, const void *data,
                        size_t size)
{
    void *at = dwqi_buffer_grow(buffer, size);

    if (at && size > 0) {
        memcpy(at, data, size);
    }
}

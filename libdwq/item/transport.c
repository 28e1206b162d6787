#include "libdwq/item/transport.h"

#include <string.h>

dwq_status_t dwqi_send_bare(struct dwqi_transport *transport, int peer,
                            enum dwqi_tag tag)
{
    return dwqi_send(transport, peer, &(struct dwqi_outgoing){ .tag = tag });
}

size_t dwqi_parts_size(const struct dwqi_extent *parts, size_t n_parts)
{
    size_t size = 0;

    for (size_t i = 0; i < n_parts; i++) {
        size += dwqi_align(parts[i].size);
    }
    return size;
}

void dwqi_parts_copy(const struct dwqi_extent *parts, size_t n_parts,
                     unsigned char *out)
{
    for (size_t i = 0; i < n_parts; i++) {
        size_t size = parts[i].size;

        if (size > 0) {
            memcpy(out, parts[i].data, size);
        }
        memset(out + size, 0, dwqi_align(size) - size);
        out += dwqi_align(size);
    }
}

#include "libdwq/item/share.h"

#include <stdlib.h>
#include <string.h>

#include "libdwq/item/codec.h"

/* --- Cutting ------------------------------------------------------------ */

/* Scattered arrays found in a decoded item. */
struct found {
    const unsigned char *item;
    struct dwqi_segment *segments;
    size_t n, max;
};

static bool find_scattered(struct found *found, const dwq_value_t *value);

static bool add_array(struct found *found, const dwq_array_t *array)
{
    size_t size = dwq_array_size(array);

    if (!(array->flags & DWQI_ARRAY_SCATTER) || size == 0) {
        return true;
    }
    if (found->n == found->max) {
        return false;
    }
    found->segments[found->n++] = (struct dwqi_segment){
        .at = (uint64_t)((const unsigned char *)array->data - found->item),
        .size = dwqi_align(size),
        .rows = array->shape[0],
        .row_size = size / array->shape[0],
    };
    return true;
}

static bool find_in_values(struct found *found, dwq_values_t values)
{
    for (size_t i = 0; i < values.n; i++) {
        if (!find_scattered(found, &values.items[i])) {
            return false;
        }
    }
    return true;
}

static bool find_in_entries(struct found *found, dwq_kwargs_t entries)
{
    for (size_t i = 0; i < entries.n; i++) {
        if (!find_scattered(found, &entries.items[i].value)) {
            return false;
        }
    }
    return true;
}

static bool find_scattered(struct found *found, const dwq_value_t *value)
{
    switch (value->kind) {
    case DWQ_KIND_ARRAY:
        return add_array(found, &value->u.array);
    case DWQ_KIND_LIST:
        return find_in_values(found, value->u.list);
    case DWQ_KIND_MAP:
        return find_in_entries(found, value->u.map);
    default:
        return true;
    }
}

static int by_place(const void *left, const void *right)
{
    const struct dwqi_segment *a = left, *b = right;

    return a->at < b->at ? -1 : a->at > b->at;
}

/* Put what lies between scattered arrays beside them. DWQ_E_MESSAGE: arrays
 * overlap. */
static dwq_status_t fill_gaps(const struct found *found, uint64_t size,
                              struct dwqi_segment *out, size_t *n_out)
{
    uint64_t at = 0;
    size_t n = 0;

    for (size_t i = 0; i < found->n; i++) {
        const struct dwqi_segment *segment = &found->segments[i];

        if (segment->at < at) {
            return DWQ_E_MESSAGE;
        }
        if (segment->at > at) {
            out[n++] = (struct dwqi_segment){ at, segment->at - at, 0, 0 };
        }
        out[n++] = *segment;
        at = segment->at + segment->size;
    }
    if (at < size) {
        out[n++] = (struct dwqi_segment){ at, size - at, 0, 0 };
    }
    *n_out = n;
    return DWQ_OK;
}

static dwq_status_t cut_scattered(const void *item,
                                  const struct dwqi_task_head *head,
                                  struct dwqi_arena *arena,
                                  struct dwqi_segment *out, size_t *n_out)
{
    struct dwqi_task_view view;
    struct found found = { .item = item, .max = head->n_scattered };
    dwq_status_t status = dwqi_task_unpack(item, head, NULL, 0, arena, &view);

    if (status != DWQ_OK) {
        return status;
    }
    found.segments = dwqi_arena_alloc(arena, found.max, sizeof *found.segments);
    if (!found.segments) {
        return DWQ_E_NOMEM;
    }
    if (!find_in_values(&found, view.args) ||
        !find_in_entries(&found, view.kwargs)) {
        return DWQ_E_MESSAGE;
    }
    qsort(found.segments, found.n, sizeof *found.segments, by_place);
    return fill_gaps(&found, head->size, out, n_out);
}

dwq_status_t dwqi_share_cut(const void *item, const struct dwqi_task_head *head,
                            struct dwqi_arena *arena,
                            struct dwqi_segment **segments_out, size_t *n_out)
{
    size_t max = 2 * (size_t)head->n_scattered + 1;
    struct dwqi_segment *out;
    dwq_status_t status;

    /* Each scattered array takes more than a byte of the values. */
    if (head->n_scattered > head->values_size) {
        return DWQ_E_MESSAGE;
    }
    out = dwqi_arena_alloc(arena, max, sizeof *out);
    if (!out) {
        return DWQ_E_NOMEM;
    }
    if (head->n_scattered == 0) {
        out[0] = (struct dwqi_segment){ 0, head->size, 0, 0 };
        *n_out = 1;
        *segments_out = out;
        return DWQ_OK;
    }
    status = cut_scattered(item, head, arena, out, n_out);
    if (status == DWQ_OK) {
        *segments_out = out;
    }
    return status;
}

bool dwqi_share_is_sound(const struct dwqi_segment *segments, size_t n,
                         uint64_t size)
{
    uint64_t at = 0;

    for (size_t i = 0; i < n; i++) {
        const struct dwqi_segment *s = &segments[i];

        if (s->at != at || s->size == 0 || s->size % DWQI_ALIGN != 0 ||
            s->size > size - at ||
            (s->rows > 0 &&
             (s->row_size == 0 || s->row_size > s->size / s->rows))) {
            return false;
        }
        at += s->size;
    }
    return n > 0 && at == size;
}

/* --- Shares ------------------------------------------------------------- */

void dwqi_share_rows(uint64_t rows, int rank, int n_ranks, uint64_t *first_out,
                     uint64_t *count_out)
{
    uint64_t n = (uint64_t)n_ranks, r = (uint64_t)rank;
    uint64_t each = rows / n, rest = rows % n;

    *first_out = r * each + (r < rest ? r : rest);
    *count_out = each + (r < rest);
}

struct dwqi_share_part dwqi_share_part(const struct dwqi_segment *segment,
                                       int rank, int n_ranks)
{
    uint64_t first, count;

    if (segment->rows == 0) {
        return (struct dwqi_share_part){ segment->at, segment->size };
    }
    dwqi_share_rows(segment->rows, rank, n_ranks, &first, &count);
    return (struct dwqi_share_part){ segment->at + first * segment->row_size,
                                     count * segment->row_size };
}

size_t dwqi_share_size(const struct dwqi_share *share)
{
    size_t size = 0;

    for (size_t i = 0; i < share->n_segments; i++) {
        size += dwqi_align(
            dwqi_share_part(&share->segments[i], share->rank, share->n_ranks)
                .size);
    }
    return size;
}

void dwqi_share_copy(const struct dwqi_share *share, const void *item,
                     void *out)
{
    unsigned char *to = out;

    for (size_t i = 0; i < share->n_segments; i++) {
        struct dwqi_share_part part =
            dwqi_share_part(&share->segments[i], share->rank, share->n_ranks);
        size_t padded = dwqi_align(part.size);

        memcpy(to, (const unsigned char *)item + part.at, part.size);
        memset(to + part.size, 0, padded - part.size);
        to += padded;
    }
}

bool dwqi_share_find(const struct dwqi_share *share, uint64_t at,
                     dwq_array_t *array, size_t *at_out)
{
    bool scattered = (array->flags & DWQI_ARRAY_SCATTER) != 0;
    size_t size = dwq_array_size(array), to = 0;
    uint64_t rows = scattered ? array->shape[0] : 0, first;
    const struct dwqi_segment *s = share->segments;
    const struct dwqi_segment *end = s + share->n_segments;

    if (scattered) {
        uint64_t mine;

        dwqi_share_rows(rows, share->rank, share->n_ranks, &first, &mine);
        array->shape[0] = mine;
    }
    for (; size > 0 && s < end && at >= s->at + s->size; s++) {
        to += dwqi_align(dwqi_share_part(s, share->rank, share->n_ranks).size);
    }
    if (size == 0) { /* it takes no place */
        *at_out = at;
        return true;
    }
    if (s == end || s->rows != rows || size > s->size - (at - s->at) ||
        (scattered && (at != s->at || s->row_size != size / rows))) {
        return false;
    }
    *at_out = to + (at - s->at);
    return true;
}

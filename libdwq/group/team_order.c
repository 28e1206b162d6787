/* What an order looks like on the wire, both ends. */
#include <string.h>

#include "libdwq/group/team_private.h"

unsigned char *dwqi_team_make_front(struct dwqi_team *team,
                                    enum dwqi_order_kind kind, uint64_t size,
                                    uint32_t flags, size_t *size_out)
{
    size_t n = kind == DWQI_ORDER_TASK ? team->n_segments : 0;
    size_t table = n * sizeof(struct dwqi_segment);
    size_t total = dwqi_align(sizeof(struct dwqi_order_head) + table);
    struct dwqi_order_head head = { .magic = DWQI_ORDER_MAGIC,
                                    .kind = kind,
                                    .size = size,
                                    .n_segments = (uint32_t)n,
                                    .flags = flags,
                                    .id = team->head.id,
                                    .attempt = team->head.attempt };
    unsigned char *front = dwqi_arena_alloc(&team->arena, total, 1);

    if (!front) {
        return NULL;
    }
    memset(front, 0, total);
    memcpy(front, &head, sizeof head);
    if (table > 0) {
        memcpy(front + sizeof head, team->segments, table);
    }
    *size_out = total;
    return front;
}

dwq_status_t dwqi_team_read_order(struct dwqi_team *team,
                                  const unsigned char *data, size_t size,
                                  struct dwqi_order_head *head_out,
                                  size_t *used_out)
{
    struct dwqi_order_head head;
    size_t table;

    if (size < sizeof head) {
        return DWQ_E_MESSAGE;
    }
    memcpy(&head, data, sizeof head);
    table = head.n_segments * sizeof(struct dwqi_segment);
    if (head.magic != DWQI_ORDER_MAGIC || table > size - sizeof head) {
        return DWQ_E_MESSAGE;
    }
    if (head.n_segments > 0) {
        dwqi_arena_reset(&team->arena);
        team->segments = dwqi_arena_alloc(&team->arena, table, 1);
        if (!team->segments) {
            return DWQ_E_NOMEM;
        }
        memcpy(team->segments, data + sizeof head, table);
    }
    team->n_segments = head.n_segments;
    team->order.share = (struct dwqi_share){ .segments = team->segments,
                                             .n_segments = head.n_segments,
                                             .rank = dwqi_team_rank(team),
                                             .n_ranks = team->n_ranks };
    *head_out = head;
    *used_out = dwqi_align(sizeof head + table);
    return DWQ_OK;
}

void dwqi_team_take_lost(struct dwqi_team *team,
                         const struct dwqi_order_head *head, uint64_t size)
{
    team->order = (struct dwqi_order){ .kind = DWQI_ORDER_TASK,
                                       .lost = size,
                                       .head = { .id = head->id,
                                                 .attempt = head->attempt } };
    team->has_order = true;
}

dwq_status_t dwqi_team_take_item(struct dwqi_team *team,
                                 const unsigned char *item, size_t size)
{
    struct dwqi_order *order = &team->order;
    const struct dwqi_share *share = &order->share;
    const struct dwqi_segment *first = share->segments;
    struct dwqi_task_head *head = &order->head;
    dwq_status_t status;
    uint64_t whole = 0;

    for (size_t i = 0; i < share->n_segments; i++) {
        whole += share->segments[i].size;
    }
    if (share->n_segments == 0 || first->rows != 0 ||
        !dwqi_share_is_sound(first, share->n_segments, whole) ||
        dwqi_share_size(share) > size || size < sizeof *head) {
        return DWQ_E_MESSAGE;
    }
    status = dwqi_task_head_read(item, whole, head);
    /* Names and values stand in the first segment, in front of all arrays; an item
     * that scatters nothing is decoded as a whole. */
    if (status != DWQ_OK || head->size != whole ||
        (head->n_scattered == 0 && share->n_segments != 1) ||
        sizeof *head + (uint64_t)head->values_size + head->function_size +
                head->module_size >
            first->size) {
        return DWQ_E_MESSAGE;
    }
    order->kind = DWQI_ORDER_TASK;
    order->lost = 0;
    order->item = item;
    team->has_order = true;
    return DWQ_OK;
}

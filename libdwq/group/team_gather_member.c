/* The other ranks' end of the gather mode. */
#include <stdlib.h>
#include <string.h>

#include "libdwq/group/team_gather_private.h"

static dwq_status_t take_inline(struct dwqi_team *team, size_t front)
{
    struct gather *g = dwqi_gather_of(team);
    const struct dwqi_share *share = &team->order.share;
    unsigned char *item = g->frame + front;

    if (share->n_segments == 0 || g->head.size > FRAME - front ||
        !dwqi_share_is_sound(share->segments, share->n_segments,
                             g->head.size)) {
        return DWQ_E_MESSAGE;
    }
    if (share->n_segments > 1 || share->segments[0].rows > 0) {
        dwqi_gather_make_item(team);
        if (g->lost > 0) {
            return dwqi_gather_all_is_down(team);
        }
        dwqi_share_copy(share, item, g->item);
        item = g->item;
    }
    g->state = HAS_ORDER;
    return dwqi_team_take_item(team, item, dwqi_share_size(share));
}

static dwq_status_t begin_table(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);
    size_t table = g->head.n_segments * sizeof *team->segments;

    if (g->head.magic != DWQI_ORDER_MAGIC ||
        g->head.n_segments > g->head.size / DWQI_ALIGN) {
        return DWQ_E_MESSAGE;
    }
    dwqi_arena_reset(&team->arena);
    team->segments = dwqi_arena_alloc(&team->arena, table, 1);
    if (!team->segments) {
        return DWQ_E_NOMEM;
    }
    team->n_segments = g->head.n_segments;
    team->order.share = (struct dwqi_share){ .segments = team->segments,
                                             .n_segments = team->n_segments,
                                             .rank = dwqi_team_rank(team),
                                             .n_ranks = team->n_ranks };
    g->state = IN_TABLE;
    return dwqi_gather_bcast(team, team->segments, table);
}

static dwq_status_t has_part_to_collect(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);
    struct dwqi_coll *coll = team->config.coll;
    dwq_status_t status = DWQ_OK;

    if (!(g->head.flags & FLAG_MESSAGES)) {
        g->state = IN_COLLECT;
        return coll->ops->gatherv(coll, g->parts, g->parts ? g->n_parts : 0,
                                  NULL, NULL, NULL);
    }
    if (g->parts) {
        status = dwqi_send(team->config.transport, 0,
                           &(struct dwqi_outgoing){ .tag = DWQI_DONE,
                                                    .n_items = 1,
                                                    .parts = g->parts,
                                                    .n_parts = g->n_parts,
                                                    .release = g->release,
                                                    .owner = g->owner });
        g->parts = NULL;
    }
    return status == DWQ_OK ? dwqi_gather_begin_frame(team, IN_FRAME) : status;
}

dwq_status_t dwqi_gather_frame_came(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);
    size_t front = 0;
    dwq_status_t status = DWQ_OK;

    memcpy(&g->head, g->frame, sizeof g->head);
    if (!(g->head.flags & FLAG_TABLE)) {
        status = dwqi_team_read_order(team, g->frame, FRAME, &g->head, &front);
    }
    if (status != DWQ_OK) {
        return status;
    }
    switch (g->head.kind) {
    case DWQI_ORDER_TASK:
        return g->head.flags & FLAG_INLINE  ? take_inline(team, front)
               : g->head.flags & FLAG_TABLE ? begin_table(team)
                                            : dwqi_gather_first_segment(team);
    case DWQI_ORDER_COLLECT:
        return has_part_to_collect(team);
    case DWQI_ORDER_ACCEPT:
        g->state = HAS_ORDER;
        team->order = (struct dwqi_order){ .kind = DWQI_ORDER_ACCEPT };
        team->has_order = true;
        return DWQ_OK;
    case DWQI_ORDER_EXIT:
    case DWQI_ORDER_RENEW: /* the next frame begins when it was done */
        g->state = IDLE;
        team->order.kind = g->head.kind;
        team->has_order = true;
        return DWQ_OK;
    default:
        return DWQ_E_MESSAGE;
    }
}

dwq_status_t dwqi_gather_part(struct dwqi_team *team,
                              const struct dwqi_extent *parts, size_t n_parts,
                              void (*release)(void *owner), void *owner)
{
    struct gather *g = dwqi_gather_of(team);
    struct up_head head = { .size = dwqi_parts_size(parts, n_parts),
                            .n_ready = team->n_ready_said };

    memcpy(g->up, &head, sizeof head);
    if (head.size <= UP_MAX) {
        dwqi_parts_copy(parts, n_parts, g->up + sizeof head);
        release(owner);
        return dwqi_gather_begin_parts(team);
    }
    g->parts = parts;
    g->n_parts = n_parts;
    g->release = release;
    g->owner = owner;
    return dwqi_gather_begin_parts(team);
}

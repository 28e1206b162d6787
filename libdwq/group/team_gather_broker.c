/* The broker's end of the gather mode. */
#include <stdlib.h>
#include <string.h>

#include "libdwq/group/team_gather_private.h"

dwq_status_t dwqi_gather_order(struct dwqi_team *team,
                               enum dwqi_order_kind kind)
{
    struct gather *g = dwqi_gather_of(team);
    size_t size = kind == DWQI_ORDER_TASK ? team->head.size : 0, front_size;
    unsigned char *front =
        dwqi_team_make_front(team, kind, size, 0, &front_size);
    struct dwqi_order_head head;
    bool fits;

    if (!front) {
        return DWQ_E_NOMEM;
    }
    memcpy(&head, front, sizeof head);
    fits = front_size <= FRAME && size <= FRAME - front_size;
    if (front_size > FRAME) {
        head.flags = FLAG_TABLE;
    } else if (kind == DWQI_ORDER_TASK && fits) {
        head.flags = FLAG_INLINE;
    }
    memcpy(g->frame, &head, sizeof head);
    if (front_size <= FRAME) {
        memcpy(g->frame + sizeof head, front + sizeof head,
               front_size - sizeof head);
    }
    if (head.flags & FLAG_INLINE) {
        memcpy(g->frame + front_size, team->item, size);
    }
    g->head = head;
    return dwqi_gather_begin_frame(team, IN_FRAME);
}

/* The frame has gone. */
dwq_status_t dwqi_gather_frame_left(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);

    if (team->sending != DWQI_ORDER_TASK || (g->head.flags & FLAG_INLINE)) {
        return dwqi_gather_all_is_down(team);
    }
    if (g->head.flags & FLAG_TABLE) {
        g->state = IN_TABLE;
        return dwqi_gather_bcast(team, team->segments,
                                 team->n_segments * sizeof *team->segments);
    }
    return dwqi_gather_first_segment(team);
}

/* Which parts are in the frames; the others have to be collected. */
static size_t read_ups(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);
    size_t total = 0;

    for (int peer = 1; peer < team->config.size; peer++) {
        const unsigned char *up = g->ups + (size_t)peer * FRAME;
        int r = peer - team->config.first;
        struct up_head head;

        memcpy(&head, up, sizeof head);
        team->members[r].n_ready_due = head.n_ready;
        g->at[peer] = total;
        g->sizes[peer] = head.size > UP_MAX ? head.size : 0;
        total += g->sizes[peer];
        if (head.size <= UP_MAX) {
            dwqi_team_part_came(
                team, r,
                (struct dwqi_team_part){ .data = up + sizeof head,
                                         .size = head.size });
        }
    }
    g->at[0] = g->sizes[0] = 0;
    return total;
}

static dwq_status_t collect(struct dwqi_team *team, size_t total)
{
    struct gather *g = dwqi_gather_of(team);
    bool messages = total > team->config.coll->gatherv_max;

    if (!messages) {
        g->collected = dwqi_pool_get(team->config.pool, total);
        messages = !g->collected; /* there may be memory for some of them */
    }
    g->head = (struct dwqi_order_head){ .magic = DWQI_ORDER_MAGIC,
                                        .kind = DWQI_ORDER_COLLECT,
                                        .size = total,
                                        .flags = messages ? FLAG_MESSAGES : 0 };
    memcpy(g->frame, &g->head, sizeof g->head);
    return dwqi_gather_begin_frame(team, IN_COLLECT_FRAME);
}

dwq_status_t dwqi_gather_parts_came(struct dwqi_team *team)
{
    size_t total = read_ups(team);

    dwqi_gather_of(team)->state = IDLE;
    return total > 0 ? collect(team, total) : DWQ_OK;
}

dwq_status_t dwqi_gather_collect(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);
    struct dwqi_coll *coll = team->config.coll;

    if (g->head.flags & FLAG_MESSAGES) {
        g->state = IDLE; /* they come as messages */
        return DWQ_OK;
    }
    g->state = IN_COLLECT;
    return coll->ops->gatherv(coll, NULL, 0, g->collected, g->at, g->sizes);
}

dwq_status_t dwqi_gather_collected(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);

    for (int peer = 1; peer < team->config.size; peer++) {
        if (g->sizes[peer] > 0) {
            dwqi_team_part_came(
                team, peer - team->config.first,
                (struct dwqi_team_part){
                    .data = g->collected + g->at[peer],
                    .size = g->sizes[peer],
                    .memory = g->at[peer] == 0 ? g->collected : NULL,
                    .stays = true });
        }
    }
    g->collected = NULL;
    g->state = IDLE;
    return DWQ_OK;
}

bool dwqi_gather_may_be_part(const struct dwqi_team *team, int group_rank)
{
    const struct gather *g = team->gather;
    const struct dwqi_team_member *member = &team->members[group_rank];

    return g->head.kind == DWQI_ORDER_COLLECT &&
           (g->head.flags & FLAG_MESSAGES) &&
           member->word.n_ready + member->n_lost >= member->n_ready_due;
}

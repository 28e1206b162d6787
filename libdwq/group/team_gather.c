/* Orders and parts by collectives. Every order starts with a broadcast frame, and
 * every task ends with a gather of frames, so that a small task goes down in one
 * collective and comes up in one:
 *
 *     frame [table] [segment ...]     bcast; a scattered segment: scatterv
 *     frames                          gather
 *     frame COLLECT, large parts      gatherv, when a part is larger than a frame
 *
 * What is too large for the counts of one scatterv or gatherv goes by messages. */
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/memory.h"
#include "libdwq/group/team_gather_private.h"

dwq_status_t dwqi_team_gather_init(struct dwqi_team *team)
{
    size_t size = (size_t)team->config.size;
    struct gather *g = calloc(1, sizeof *g);

    if (!g) {
        return DWQ_E_NOMEM;
    }
    team->gather = g;
    g->frame = dwqi_memory_get(DWQI_ALIGN, FRAME);
    g->up = dwqi_memory_get(DWQI_ALIGN, FRAME);
    g->ups = dwqi_gather_is_root(team)
                 ? dwqi_memory_get(DWQI_ALIGN, size * FRAME)
                 : NULL;
    g->at = calloc(size, sizeof *g->at);
    g->sizes = calloc(size, sizeof *g->sizes);
    if (!g->frame || !g->up || !g->at || !g->sizes ||
        (dwqi_gather_is_root(team) && !g->ups)) {
        return DWQ_E_NOMEM;
    }
    memset(g->frame, 0, FRAME);
    memset(g->up, 0, FRAME);
    return DWQ_OK;
}

static void drop_item(struct gather *g)
{
    dwqi_pool_give(g->item);
    g->item = NULL;
}

static void drop_part(struct gather *g)
{
    if (g->parts) {
        g->release(g->owner);
        g->parts = NULL;
    }
}

static void gather_finish(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);

    drop_item(g);
    drop_part(g);
    free(g->frame);
    free(g->up);
    free(g->ups);
    free(g->at);
    free(g->sizes);
    dwqi_pool_give(g->collected);
    free(g);
}

dwq_status_t dwqi_gather_bcast(struct dwqi_team *team, void *data, size_t size)
{
    return team->config.coll->ops->bcast(team->config.coll, data, size);
}

/* --- Segments, both ends --------------------------------------------------- */

static void has_left(void *owner)
{
    struct dwqi_team *team = owner;

    team->n_unsent--;
}

/* The rows of each rank in the segment, in bytes from its start. */
static void set_rows(struct dwqi_team *team, const struct dwqi_segment *segment)
{
    struct gather *g = dwqi_gather_of(team);

    g->at[0] = 0;
    g->sizes[0] = 0;
    for (int r = 0; r < team->n_ranks; r++) {
        struct dwqi_share_part part =
            dwqi_share_part(segment, r, team->n_ranks);
        int peer = dwqi_team_peer(team, r);

        g->at[peer] = part.at - segment->at;
        g->sizes[peer] = peer == 0 ? 0 : part.size; /* the broker has its own */
    }
}

static dwq_status_t send_rows(struct dwqi_team *team,
                              const struct dwqi_segment *segment)
{
    struct gather *g = dwqi_gather_of(team);
    dwq_status_t status = DWQ_OK;

    for (int peer = 1; peer < team->config.size && status == DWQ_OK; peer++) {
        struct dwqi_extent rows = { team->item + segment->at + g->at[peer],
                                    g->sizes[peer] };

        team->n_unsent++;
        status = dwqi_send(team->config.transport, peer,
                           &(struct dwqi_outgoing){ .tag = DWQI_TASK,
                                                    .n_items = 1,
                                                    .parts = &rows,
                                                    .n_parts = 1,
                                                    .release = has_left,
                                                    .owner = team });
    }
    return status;
}

static bool by_message(const struct dwqi_team *team,
                       const struct dwqi_segment *segment)
{
    return segment->rows > 0 && segment->size > team->config.coll->max;
}

/* The memory at which this rank sends (broker) or receives the next bytes of the
 * segment; NULL: they are lost. */
static unsigned char *segment_memory(struct dwqi_team *team,
                                     const struct dwqi_segment *segment)
{
    struct gather *g = dwqi_gather_of(team);

    if (dwqi_gather_is_root(team)) {
        return (unsigned char *)(uintptr_t)team->item + segment->at + g->done;
    }
    if (g->lost > 0) {
        return segment->rows > 0 ? NULL : g->item;
    }
    return g->item + g->item_at + g->done;
}

static dwq_status_t begin_segment(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);
    const struct dwqi_segment *segment = &team->segments[g->segment];
    struct dwqi_coll *coll = team->config.coll;
    unsigned char *memory = segment_memory(team, segment);

    g->state = IN_SEGMENT;
    if (segment->rows == 0) {
        uint64_t left = segment->size - g->done;
        size_t most = coll->max < BCAST_MAX ? coll->max : BCAST_MAX;

        g->chunk = left < most ? left : most;
        return dwqi_gather_bcast(team, memory, g->chunk);
    }
    set_rows(team, segment);
    g->chunk = segment->size;
    if (by_message(team, segment)) {
        g->state = WAITS_FOR_ROWS;
        return dwqi_gather_is_root(team) ? send_rows(team, segment) : DWQ_OK;
    }
    return dwqi_gather_is_root(team)
               ? coll->ops->scatterv(coll, memory, g->at, g->sizes, NULL, 0)
               : coll->ops->scatterv(coll, NULL, NULL, NULL, memory,
                                     g->sizes[team->config.rank]);
}

dwq_status_t dwqi_gather_begin_parts(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);
    struct dwqi_coll *coll = team->config.coll;

    g->state = IN_PARTS;
    return coll->ops->gather(coll, g->up, FRAME, g->ups);
}

dwq_status_t dwqi_gather_begin_frame(struct dwqi_team *team, enum state state)
{
    dwqi_gather_of(team)->state = state;
    return dwqi_gather_bcast(team, dwqi_gather_of(team)->frame, FRAME);
}

dwq_status_t dwqi_gather_all_is_down(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);

    if (dwqi_gather_is_root(team)) {
        team->down = true;
        g->state = IDLE;
        return team->sending == DWQI_ORDER_EXIT ||
                       team->sending == DWQI_ORDER_RENEW
                   ? DWQ_OK
                   : dwqi_gather_begin_parts(team);
    }
    g->state = HAS_ORDER;
    if (g->lost > 0) {
        dwqi_team_take_lost(team, &g->head, g->lost);
        return DWQ_OK;
    }
    return dwqi_team_take_item(team, g->item,
                               dwqi_share_size(&team->order.share));
}

/* A segment, or a chunk of it, is through. */
static dwq_status_t next_segment(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);
    const struct dwqi_segment *segment = &team->segments[g->segment];

    g->done += g->chunk;
    if (g->done < segment->size) {
        return begin_segment(team);
    }
    if (!dwqi_gather_is_root(team)) {
        g->item_at += dwqi_align(
            dwqi_share_part(segment, dwqi_team_rank(team), team->n_ranks).size);
    }
    g->done = 0;
    g->segment++;
    return g->segment < team->n_segments ? begin_segment(team)
                                         : dwqi_gather_all_is_down(team);
}

/* The rows of a segment that came as a message. */
static dwq_status_t take_rows(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);
    size_t size = g->sizes[team->config.rank];

    if (dwqi_gather_is_root(team)) {
        return next_segment(team); /* they are under way */
    }
    if (!team->has_received) {
        return DWQ_E_AGAIN;
    }
    if (team->received.body_size < size) {
        return DWQ_E_MESSAGE;
    }
    if (team->received.status == DWQ_E_NOMEM) {
        g->lost = dwqi_share_size(&team->order.share);
    } else if (size > 0 && g->lost == 0) {
        memcpy(g->item + g->item_at, team->received.body, size);
    }
    dwqi_team_drop_received(team);
    return next_segment(team);
}

void dwqi_gather_make_item(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);
    size_t size = dwqi_share_size(&team->order.share);

    g->lost = 0;
    g->item = dwqi_pool_get(team->config.pool, size);
    if (!g->item) {
        g->lost = size;
        g->item = dwqi_pool_get(NULL, BCAST_MAX);
    }
}

dwq_status_t dwqi_gather_first_segment(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);

    g->segment = 0;
    g->done = 0;
    g->item_at = 0;
    if (!dwqi_gather_is_root(team)) {
        if (!dwqi_share_is_sound(team->segments, team->n_segments,
                                 g->head.size)) {
            return DWQ_E_MESSAGE;
        }
        dwqi_gather_make_item(team);
        if (!g->item) {
            return DWQ_E_NOMEM;
        }
    }
    return begin_segment(team);
}

/* --- Both ----------------------------------------------------------------------- */

/* What follows when the collective under way is done. */
static dwq_status_t go_on(struct dwqi_team *team)
{
    switch (dwqi_gather_of(team)->state) {
    case IN_FRAME:
        return dwqi_gather_is_root(team) ? dwqi_gather_frame_left(team)
                                         : dwqi_gather_frame_came(team);
    case IN_TABLE:
        return dwqi_gather_first_segment(team);
    case IN_SEGMENT:
        return next_segment(team);
    case IN_PARTS:
        return dwqi_gather_is_root(team)
                   ? dwqi_gather_parts_came(team)
                   : dwqi_gather_begin_frame(team, IN_FRAME);
    case IN_COLLECT_FRAME:
        return dwqi_gather_collect(team);
    case IN_COLLECT:
        if (dwqi_gather_is_root(team)) {
            return dwqi_gather_collected(team);
        }
        drop_part(dwqi_gather_of(team));
        return dwqi_gather_begin_frame(team, IN_FRAME);
    default:
        return DWQ_E_STATE;
    }
}

static dwq_status_t gather_progress(struct dwqi_team *team)
{
    struct gather *g = dwqi_gather_of(team);
    struct dwqi_coll *coll = team->config.coll;
    dwq_status_t status = DWQ_OK;
    bool moving;

    while (status == DWQ_OK && g->state != HAS_ORDER) {
        if (g->state == IDLE) {
            if (dwqi_gather_is_root(team) || team->has_order) {
                break;
            }
            status = dwqi_gather_begin_frame(team, IN_FRAME);
        } else if (g->state == WAITS_FOR_ROWS) {
            status = take_rows(team);
        } else {
            status = coll->ops->test(coll);
            if (status == DWQ_OK) {
                dwqi_stir(team->config.transport);
                status = go_on(team);
            }
        }
    }
    /* A large transfer moves only while somebody polls. */
    moving = g->state == IN_SEGMENT || g->state == IN_COLLECT;
    if (moving != g->moving) {
        g->moving = moving;
        dwqi_moving(team->config.transport, moving ? 1 : -1);
    }
    return status == DWQ_E_AGAIN ? DWQ_OK : status;
}

static void gather_finish_order(struct dwqi_team *team)
{
    drop_item(dwqi_gather_of(team));
}

/* A collective that nobody waits for has to end before the next begins: that of a
 * group of one, or the frame that asks for parts which came before it had left. */
static bool gather_is_busy(struct dwqi_team *team)
{
    return dwqi_gather_of(team)->state != IDLE;
}

const struct dwqi_team_ops dwqi_team_gather_ops = {
    .send_order = dwqi_gather_order,
    .progress = gather_progress,
    .send_part = dwqi_gather_part,
    .finish_order = gather_finish_order,
    .may_be_part = dwqi_gather_may_be_part,
    .is_busy = gather_is_busy,
    .finish = gather_finish,
};

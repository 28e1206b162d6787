/* Orders and parts as messages, each sent from where it lies. An order of a task is
 * one message: its front, then the segments of the item, of which a scattered one is
 * cut down to the receiver's rows. */
#include <stdlib.h>
#include <string.h>

#include "libdwq/group/team_private.h"

static void has_left(void *owner)
{
    struct dwqi_team *team = owner;

    team->n_unsent--;
}

static dwq_status_t send_share(struct dwqi_team *team, int group_rank,
                               struct dwqi_extent *parts)
{
    size_t n = 1; /* the front is there */

    for (size_t i = 0; i < team->n_segments; i++) {
        struct dwqi_share_part part =
            dwqi_share_part(&team->segments[i], group_rank, team->n_ranks);

        if (part.size > 0) {
            parts[n++] =
                (struct dwqi_extent){ team->item + part.at, part.size };
        }
    }
    team->n_unsent++;
    return dwqi_send(team->config.transport, dwqi_team_peer(team, group_rank),
                     &(struct dwqi_outgoing){ .tag = DWQI_TASK,
                                              .n_items = 1,
                                              .parts = parts,
                                              .n_parts = n,
                                              .release = has_left,
                                              .owner = team });
}

static dwq_status_t send_bare(struct dwqi_team *team, enum dwqi_tag tag)
{
    dwq_status_t status = DWQ_OK;

    for (int peer = 1; peer < team->config.size && status == DWQ_OK; peer++) {
        status = dwqi_send_bare(team->config.transport, peer, tag);
    }
    return status;
}

static dwq_status_t send_accept(struct dwqi_team *team)
{
    struct dwqi_service accept = { .kind = DWQI_SERVICE_ACCEPT };
    dwq_status_t status = DWQ_OK;

    for (int peer = 1; peer < team->config.size && status == DWQ_OK; peer++) {
        status = dwqi_service_send(team->config.transport, peer, &accept);
    }
    return status;
}

static dwq_status_t sendrecv_order(struct dwqi_team *team,
                                   enum dwqi_order_kind kind)
{
    struct dwqi_extent *parts;
    unsigned char *front;
    size_t size;
    dwq_status_t status = DWQ_OK;

    team->down = true;
    if (kind == DWQI_ORDER_EXIT) {
        return send_bare(team, DWQI_EXIT);
    }
    if (kind == DWQI_ORDER_RENEW) {
        return send_bare(team, DWQI_RENEW);
    }
    if (kind == DWQI_ORDER_ACCEPT) {
        return send_accept(team);
    }
    front = dwqi_team_make_front(team, kind, team->head.size, 0, &size);
    parts = dwqi_arena_alloc(&team->arena, 1 + team->n_segments, sizeof *parts);
    if (!front || !parts) {
        return DWQ_E_NOMEM;
    }
    parts[0] = (struct dwqi_extent){ front, size };
    for (int r = 0; r < team->n_ranks && status == DWQ_OK; r++) {
        if (dwqi_team_peer(team, r) != 0) {
            status = send_share(team, r, parts);
        }
    }
    return status;
}

static void release_nothing(void *owner)
{
    (void)owner;
}

/* A task that cannot be read: an empty part, of which the broker makes a failure. */
static dwq_status_t refuse(struct dwqi_team *team)
{
    dwqi_log_warning(team->config.log, "a task could not be read");
    dwqi_team_finish_order(team);
    dwqi_team_enter(team); /* the others do, and count the calls */
    if (dwqi_team_leave(team) != DWQ_OK) {
        return DWQ_E_MPI;
    }
    return dwqi_team_send_part(team, NULL, 0, release_nothing, NULL);
}

static dwq_status_t sendrecv_progress(struct dwqi_team *team)
{
    struct dwqi_message *message = &team->received;
    struct dwqi_order_head head;
    size_t used;
    dwq_status_t status;

    if (!team->has_received || team->has_order) {
        return DWQ_OK;
    }
    if (message->status == DWQ_E_NOMEM) {
        memcpy(&head, message->body, sizeof head);
        if (head.magic != DWQI_ORDER_MAGIC) {
            return DWQ_E_MESSAGE;
        }
        dwqi_team_take_lost(team, &head, message->body_size);
        return DWQ_OK;
    }
    status = dwqi_team_read_order(team, message->body, message->body_size,
                                  &head, &used);
    if (status == DWQ_OK) {
        status = dwqi_team_take_item(team, message->body + used,
                                     message->body_size - used);
    }
    return status == DWQ_E_MESSAGE ? refuse(team) : status;
}

static dwq_status_t sendrecv_part(struct dwqi_team *team,
                                  const struct dwqi_extent *parts,
                                  size_t n_parts, void (*release)(void *owner),
                                  void *owner)
{
    return dwqi_send(team->config.transport, 0,
                     &(struct dwqi_outgoing){ .tag = DWQI_DONE,
                                              .n_items = n_parts > 0,
                                              .parts = parts,
                                              .n_parts = n_parts,
                                              .release = release,
                                              .owner = owner });
}

const struct dwqi_team_ops dwqi_team_sendrecv_ops = {
    .send_order = sendrecv_order,
    .progress = sendrecv_progress,
    .send_part = sendrecv_part,
};

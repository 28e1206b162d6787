#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "libdwq/base/memory.h"
#include "libdwq/group/team_private.h"

/* --- Life ---------------------------------------------------------------- */

dwq_status_t dwqi_team_create(const struct dwqi_team_config *config,
                              struct dwqi_team **team_out)
{
    struct dwqi_team *team = calloc(1, sizeof *team);
    dwq_status_t status = DWQ_OK;

    if (!team) {
        return DWQ_E_NOMEM;
    }
    team->config = *config;
    team->n_ranks = config->size - config->first;
    team->in_call =
        true; /* the function in which this rank does not serve yet */
    team->members = calloc((size_t)team->n_ranks + 1, sizeof *team->members);
    team->ops = config->coll ? &dwqi_team_gather_ops : &dwqi_team_sendrecv_ops;
    if (!team->members) {
        status = DWQ_E_NOMEM;
    } else if (config->coll) {
        status = dwqi_team_gather_init(team);
    }
    if (status != DWQ_OK) {
        dwqi_team_destroy(team);
        return status;
    }
    *team_out = team;
    return DWQ_OK;
}

void dwqi_team_destroy(struct dwqi_team *team)
{
    if (!team) {
        return;
    }
    if (team->members) {
        dwqi_team_drop_parts(team);
    }
    for (int r = 0; team->members && r < team->n_ranks; r++) {
        free(team->members[r].word.reason);
        free(team->members[r].word.data);
    }
    while (team->has_received) {
        dwqi_team_drop_received(team);
    }
    if (team->gather) {
        team->ops->finish(team);
    }
    dwqi_arena_finish(&team->arena);
    free(team->members);
    free(team);
}

int dwqi_team_n_ranks(const struct dwqi_team *team)
{
    return team->n_ranks;
}

int dwqi_team_rank(const struct dwqi_team *team)
{
    return team->config.rank - team->config.first;
}

dwq_status_t dwqi_team_pause(struct dwqi_team *team, double until)
{
    return dwqi_pause(team->config.transport, until);
}

/* --- Words before serving ------------------------------------------------- */

dwq_status_t dwqi_team_say_ready(struct dwqi_team *team,
                                 struct dwqi_extent data)
{
    bool has_data = data.size > 0;
    dwq_status_t status =
        dwqi_send(team->config.transport, 0,
                  &(struct dwqi_outgoing){ .tag = DWQI_READY,
                                           .n_items = has_data,
                                           .parts = &data,
                                           .n_parts = has_data });

    team->n_ready_said++;
    /* The data may be replaced by the user at any time. */
    return status == DWQ_OK ? dwqi_flush(team->config.transport) : status;
}

dwq_status_t dwqi_team_say_withdrawn(struct dwqi_team *team, const char *reason)
{
    struct dwqi_extent part = { reason, strlen(reason) + 1 };
    dwq_status_t status = dwqi_send(
        team->config.transport, 0,
        &(struct dwqi_outgoing){
            .tag = DWQI_WITHDRAW, .n_items = 1, .parts = &part, .n_parts = 1 });

    return status == DWQ_OK ? dwqi_flush(team->config.transport) : status;
}

static void withdrew(struct dwqi_team_word *word, const char *reason)
{
    word->withdrew = true;
    free(word->reason);
    word->reason = strdup(reason);
}

static dwq_status_t ready_came(struct dwqi_team *team,
                               struct dwqi_team_member *member,
                               const struct dwqi_message *message)
{
    struct dwqi_team_word *word = &member->word;

    if (message->body) {
        void *data = dwqi_memory_get(DWQI_ALIGN, message->body_size);

        if (!data) {
            return DWQ_E_NOMEM;
        }
        memcpy(data, message->body, message->body_size);
        free(word->data);
        word->data = data;
        word->data_size = message->body_size;
    }
    word->ready = true;
    word->n_ready++;
    team->n_ready++;
    return DWQ_OK;
}

dwq_status_t dwqi_team_poll_ready(struct dwqi_team *team)
{
    dwq_status_t status = dwqi_team_receive(team);

    for (int r = 0; r < team->n_ranks && status == DWQ_OK; r++) {
        const struct dwqi_team_word *word = &team->members[r].word;

        if (dwqi_team_peer(team, r) != 0 && !word->ready && !word->withdrew) {
            return DWQ_E_AGAIN;
        }
    }
    return status;
}

const struct dwqi_team_word *dwqi_team_word(const struct dwqi_team *team,
                                            int group_rank)
{
    return &team->members[group_rank].word;
}

uint64_t dwqi_team_n_ready(const struct dwqi_team *team)
{
    return team->n_ready;
}

/* --- Parts ---------------------------------------------------------------- */

void dwqi_team_part_came(struct dwqi_team *team, int group_rank,
                         struct dwqi_team_part part)
{
    struct dwqi_team_member *member = &team->members[group_rank];

    if (member->has_part || team->n_missing == 0) {
        dwqi_log_warning(team->config.log,
                         "dropped a part of rank %d of the group that nobody "
                         "asked for",
                         group_rank);
        dwqi_pool_give(part.memory);
        return;
    }
    member->part = part;
    member->has_part = true;
    team->n_missing--;
}

/* Whether a part is one that was given up: of an earlier task. */
static bool is_late(const struct dwqi_team *team,
                    const struct dwqi_team_member *member,
                    const struct dwqi_message *message)
{
    struct dwqi_part_head head;

    return member->n_given_up > 0 && message->body &&
           team->sending == DWQI_ORDER_TASK &&
           dwqi_part_head_read(message->body, message->body_size, &head) ==
               DWQ_OK &&
           (head.id != team->head.id || head.attempt != team->head.attempt);
}

/* A part by message. What cannot be read is an empty part: the broker makes a
 * failure of it. */
static dwq_status_t done_came(struct dwqi_team *team, int group_rank,
                              struct dwqi_message *message)
{
    struct dwqi_team_part part = { .data = NULL };
    bool lost = message->status == DWQ_E_NOMEM;

    if (is_late(team, &team->members[group_rank], message)) {
        team->members[group_rank].n_given_up--;
        dwqi_log_warning(team->config.log,
                         "dropped a part of rank %d of the group that is of an "
                         "earlier task",
                         group_rank);
        return DWQ_OK;
    }
    if (lost) {
        part.lost = message->body_size;
    } else if (message->body) {
        part.size = message->body_size;
        if (!message->in_frame) {
            part.memory = message->memory;
            part.data = message->body;
            message->memory = NULL;
        } else {
            part.memory = dwqi_pool_get(team->config.pool, part.size);
            if (!part.memory) {
                return DWQ_E_NOMEM;
            }
            memcpy(part.memory, message->body, part.size);
            part.data = part.memory;
        }
    }
    dwqi_team_part_came(team, group_rank, part);
    return DWQ_OK;
}

struct dwqi_team_part *dwqi_team_part(struct dwqi_team *team, int group_rank)
{
    return &team->members[group_rank].part;
}

void dwqi_team_drop_parts(struct dwqi_team *team)
{
    for (int r = 0; r < team->n_ranks; r++) {
        struct dwqi_team_member *member = &team->members[r];

        dwqi_pool_give(member->part.memory);
        member->part = (struct dwqi_team_part){ .data = NULL };
        member->has_part = false;
    }
}

/* --- Messages -------------------------------------------------------------- */

static dwq_status_t broker_receives(struct dwqi_team *team, int group_rank,
                                    struct dwqi_message *message)
{
    struct dwqi_team_member *member = &team->members[group_rank];

    switch (message->tag) {
    case DWQI_READY:
        return ready_came(team, member, message);
    case DWQI_WITHDRAW:
        withdrew(&member->word,
                 message->body_size > 0 &&
                         memchr(message->body, '\0', message->body_size)
                     ? (const char *)message->body
                     : "it gave no reason");
        return DWQ_OK;
    case DWQI_DONE:
        return done_came(team, group_rank, message);
    case DWQI_SERVICE:
        return dwqi_team_service_came(team, message);
    default:
        return dwqi_team_agreement_came(team, message);
    }
}

/* The rows of several segments may come before the first is asked for. */
static dwq_status_t hold(struct dwqi_team *team, struct dwqi_message *message)
{
    struct dwqi_team_later *later;

    if (team->has_received) {
        later = malloc(sizeof *later);
        if (!later) {
            return DWQ_E_NOMEM;
        }
        later->message = *message;
        LL_APPEND(team->later, later);
    } else {
        team->received = *message;
        team->has_received = true;
    }
    message->memory = NULL;
    return DWQ_OK;
}

void dwqi_team_drop_received(struct dwqi_team *team)
{
    struct dwqi_team_later *next = team->later;

    if (team->has_received) {
        dwqi_release(team->config.transport, &team->received);
        team->has_received = false;
    }
    if (next) {
        LL_DELETE(team->later, next);
        team->received = next->message;
        team->has_received = true;
        free(next);
    }
}

static dwq_status_t member_receives(struct dwqi_team *team,
                                    struct dwqi_message *message)
{
    switch (message->tag) {
    case DWQI_TASK:
        return hold(team, message);
    case DWQI_EXIT:
    case DWQI_RENEW:
        team->order = (struct dwqi_order){ .kind = message->tag == DWQI_EXIT
                                                       ? DWQI_ORDER_EXIT
                                                       : DWQI_ORDER_RENEW };
        team->has_order = true;
        return DWQ_OK;
    case DWQI_SERVICE:
        return dwqi_team_service_came(team, message);
    default:
        return dwqi_team_agreement_came(team, message);
    }
}

static dwq_status_t unreadable(struct dwqi_team *team, int group_rank,
                               const struct dwqi_message *message)
{
    struct dwqi_team_member *member = &team->members[group_rank];

    dwqi_log_warning(team->config.log,
                     "a message in the group could not be read: %s",
                     message->why);
    if (team->config.rank != 0) {
        return DWQ_E_MESSAGE;
    }
    if (!member->word.ready) {
        withdrew(&member->word, "a message could not be read");
    } else if (team->ops->may_be_part &&
               !team->ops->may_be_part(team, group_rank)) {
        member->n_lost++;
    } else if (team->n_missing > 0 && !member->has_part) {
        member->n_given_up++;
        dwqi_team_part_came(team, group_rank,
                            (struct dwqi_team_part){ .data = NULL });
    }
    return DWQ_OK;
}

static dwq_status_t receive_one(struct dwqi_team *team,
                                struct dwqi_message *message)
{
    int group_rank = message->peer - team->config.first;
    bool from_group = group_rank >= 0 && group_rank < team->n_ranks;
    bool lost =
        message->status == DWQ_E_NOMEM &&
        message->tag == (team->config.rank == 0 ? DWQI_DONE : DWQI_TASK);

    if (message->status != DWQ_OK && !lost) {
        return unreadable(team, from_group ? group_rank : 0, message);
    }
    if (team->config.rank == 0) {
        return from_group ? broker_receives(team, group_rank, message)
                          : DWQ_E_MESSAGE;
    }
    return member_receives(team, message);
}

/* Whether a message was what this rank waits for, an order or the last part: then it
 * does not look for more, as a look in vain gives the core away where ranks share it.
 * With collectives, messages are something else. */
static bool is_awaited(const struct dwqi_team *team, enum dwqi_tag tag)
{
    return !team->config.coll &&
           (team->config.rank == 0 ? tag == DWQI_DONE && team->n_missing == 0
                                   : tag == DWQI_TASK || tag == DWQI_RENEW);
}

/* `enough_out`: stopped at what is_awaited(); there may be more. */
static dwq_status_t receive(struct dwqi_team *team, bool glance,
                            bool *enough_out)
{
    struct dwqi_transport *transport = team->config.transport;
    struct dwqi_message message;
    dwq_status_t status = DWQ_OK;
    bool enough = false;

    while (status == DWQ_OK && !enough) {
        status = glance ? dwqi_glance(transport, &message)
                        : dwqi_poll(transport, &message);
        if (status == DWQ_OK) {
            status = receive_one(team, &message);
            enough = message.status == DWQ_OK && is_awaited(team, message.tag);
            dwqi_release(transport, &message);
        }
    }
    *enough_out = enough;
    return status == DWQ_E_AGAIN ? DWQ_OK : status;
}

dwq_status_t dwqi_team_receive(struct dwqi_team *team)
{
    dwq_status_t status = DWQ_OK;
    bool more = true;

    while (status == DWQ_OK && more) {
        status = receive(team, false, &more);
    }
    return status;
}

dwq_status_t dwqi_team_listen_in_passing(struct dwqi_team *team)
{
    bool more;

    return receive(team, true, &more);
}

/* Messages, and what they or the collectives carry. DWQ_E_AGAIN: there may be more. */
static dwq_status_t move(struct dwqi_team *team)
{
    bool more;
    dwq_status_t status = receive(team, team->config.coll != NULL, &more);

    if (status == DWQ_OK && !team->has_order) {
        status = team->ops->progress(team);
    }
    return status == DWQ_OK && more ? DWQ_E_AGAIN : status;
}

/* --- The broker ------------------------------------------------------------ */

dwq_status_t dwqi_team_send_task(struct dwqi_team *team, const void *item,
                                 const struct dwqi_task_head *head)
{
    dwq_status_t status;

    dwqi_arena_reset(&team->arena);
    status = dwqi_share_cut(item, head, &team->arena, &team->segments,
                            &team->n_segments);
    if (status != DWQ_OK) {
        return status;
    }
    team->item = item;
    team->head = *head;
    team->own = (struct dwqi_share){ .segments = team->segments,
                                     .n_segments = team->n_segments,
                                     .rank = 0,
                                     .n_ranks = team->n_ranks };
    team->n_missing = team->config.size - 1;
    team->sending = DWQI_ORDER_TASK;
    team->down = false;
    return team->ops->send_order(team, DWQI_ORDER_TASK);
}

/* An order that no part answers. */
static dwq_status_t send_bare_order(struct dwqi_team *team,
                                    enum dwqi_order_kind kind)
{
    team->sending = kind;
    team->n_missing = 0;
    team->down = false;
    dwqi_arena_reset(&team->arena);
    return team->ops->send_order(team, kind);
}

dwq_status_t dwqi_team_send_exit(struct dwqi_team *team)
{
    return send_bare_order(team, DWQI_ORDER_EXIT);
}

dwq_status_t dwqi_team_send_renew(struct dwqi_team *team)
{
    return send_bare_order(team, DWQI_ORDER_RENEW);
}

dwq_status_t dwqi_team_renew(struct dwqi_team *team)
{
    return team->config.renew ? team->config.renew(team->config.renew_arg)
                              : DWQ_OK;
}

bool dwqi_team_is_down(const struct dwqi_team *team)
{
    return team->down && team->n_unsent == 0;
}

const struct dwqi_share *dwqi_team_own_share(const struct dwqi_team *team)
{
    return team->head.n_scattered > 0 ? &team->own : NULL;
}

/* READYs that were sent before a part are here, too, or lost. */
static bool ready_data_is_here(const struct dwqi_team *team)
{
    for (int r = 0; r < team->n_ranks; r++) {
        const struct dwqi_team_member *member = &team->members[r];

        if (member->word.n_ready + member->n_lost < member->n_ready_due) {
            return false;
        }
    }
    return true;
}

static bool is_complete(struct dwqi_team *team)
{
    return dwqi_team_is_down(team) && team->n_missing == 0 &&
           (!team->ops->is_busy || !team->ops->is_busy(team)) &&
           ready_data_is_here(team);
}

#define COME_BACK_MAX 5. /* seconds */

void dwqi_team_gave_up(struct dwqi_team *team)
{
    team->given_up_until = dwqi_now(team->config.transport) + COME_BACK_MAX;
}

/* Nothing has come: is it time to end? */
static dwq_status_t nothing(const struct dwqi_team *team)
{
    return team->given_up_until > 0 &&
                   dwqi_now(team->config.transport) >= team->given_up_until
               ? DWQ_E_TIME_LIMIT
               : DWQ_E_AGAIN;
}

dwq_status_t dwqi_team_poll(struct dwqi_team *team)
{
    dwq_status_t status;

    do {
        status = move(team);
    } while (status == DWQ_E_AGAIN && !is_complete(team));
    if (status != DWQ_OK && status != DWQ_E_AGAIN) {
        return status;
    }
    if (!is_complete(team)) {
        return nothing(team);
    }
    team->given_up_until = 0;
    return DWQ_OK;
}

/* --- Orders ----------------------------------------------------------------- */

dwq_status_t dwqi_team_poll_order(struct dwqi_team *team,
                                  struct dwqi_order *order_out)
{
    dwq_status_t status;

    do {
        status = move(team);
    } while (status == DWQ_E_AGAIN && !team->has_order);
    if (status != DWQ_OK && status != DWQ_E_AGAIN) {
        return status;
    }
    if (!team->has_order) {
        return nothing(team);
    }
    team->has_order = false;
    team->given_up_until = 0;
    *order_out = team->order;
    return DWQ_OK;
}

void dwqi_team_finish_order(struct dwqi_team *team)
{
    dwqi_team_drop_received(team);
    if (team->ops->finish_order) {
        team->ops->finish_order(team);
    }
}

dwq_status_t dwqi_team_send_part(struct dwqi_team *team,
                                 const struct dwqi_extent *parts,
                                 size_t n_parts, void (*release)(void *owner),
                                 void *owner)
{
    return team->ops->send_part(team, parts, n_parts, release, owner);
}

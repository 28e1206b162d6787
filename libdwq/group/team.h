/* A task to every rank of a group, and their parts back; both ends.
 *
 *     broker                             each other rank of the group
 *         |<-------- READY / WITHDRAW ------|  its worker function serves, or not
 *         |--------- order: TASK ---------->|  its share of the item
 *         |                                 |  runs it
 *         |<------------- part -------------|
 *         |-------- order: ACCEPT --------->|  a client of the service
 *         |<---------- empty part ----------|
 *         |--------- order: RENEW --------->|  after a call that failed: both make
 *         |                                 |  new communicators for the user
 *         |--------- order: EXIT ---------->|
 *
 * The merged communicator joins broker (rank 0) and group; a broker inside its group
 * is also the group's rank 0. Orders and parts go by collectives (team_gather.c) or by
 * messages (team_sendrecv.c); READY, WITHDRAW and agreements always by messages.
 * Nothing here blocks but dwqi_team_agree(). */
#ifndef DWQI_GROUP_TEAM_H
#define DWQI_GROUP_TEAM_H

#include "libdwq/base/log.h"
#include "libdwq/group/service.h"
#include "libdwq/item/codec.h"
#include "libdwq/item/coll.h"
#include "libdwq/item/transport.h"

struct dwqi_team;

struct dwqi_team_config {
    struct dwqi_transport *transport; /* borrowed; peers are merged ranks */
    struct dwqi_coll
        *coll; /* borrowed, of the same ranks; NULL: messages only */
    const struct dwqi_log *log; /* borrowed */
    struct dwqi_pool *pool;     /* borrowed: of items and parts; or NULL */
    int rank;                   /* in the merged communicator; 0: the broker */
    int size;
    int first; /* merged rank of the group's rank 0: 0 inside, 1 beside */
    /* New communicators for the user; blocks until every rank is in it. Or NULL. */
    dwq_status_t (*renew)(void *renew_arg);
    void *renew_arg;
};

/* DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_team_create(const struct dwqi_team_config *config,
                              struct dwqi_team **team_out);
void dwqi_team_destroy(struct dwqi_team *team);

/* Ranks of the group, and this one's; -1: the broker is beside. */
int dwqi_team_n_ranks(const struct dwqi_team *team);
int dwqi_team_rank(const struct dwqi_team *team);
/* One step of waiting; see dwqi_pause(). */
dwq_status_t dwqi_team_pause(struct dwqi_team *team, double until);

/* Who hears the words of the service (group/service.h) that come in the group. */
void dwqi_team_listen(struct dwqi_team *team,
                      dwq_status_t (*heard)(void *arg,
                                            const struct dwqi_service *service),
                      void *arg);
/* Hear what came by message. */
dwq_status_t dwqi_team_pump(struct dwqi_team *team);
/* The same, now and then (dwqi_glance): what a rank said in a call may come after its
 * part, which another way brings. */
dwq_status_t dwqi_team_listen_in_passing(struct dwqi_team *team);
/* To the broker; from the broker to the group's rank 0. */
dwq_status_t dwqi_team_say_service(struct dwqi_team *team,
                                   const struct dwqi_service *service);

/* --- The broker ---------------------------------------------------------- */

/* What a rank of the group said before it serves. */
struct dwqi_team_word {
    bool ready, withdrew;
    char *reason;     /* when it withdrew */
    void *data;       /* its ready data, an item of values; NULL: none */
    size_t data_size; /* bytes */
    uint32_t n_ready; /* how often it said READY */
};

/* DWQ_OK: every other rank of the group has said READY or WITHDRAW. */
dwq_status_t dwqi_team_poll_ready(struct dwqi_team *team);
const struct dwqi_team_word *dwqi_team_word(const struct dwqi_team *team,
                                            int group_rank);
/* How many READYs came since the start: more means new ready data. */
uint64_t dwqi_team_n_ready(const struct dwqi_team *team);

/* Begin to send a task to the group; the item is borrowed until poll says DWQ_OK.
 * DWQ_E_MESSAGE: its values are malformed, and nothing was sent. */
dwq_status_t dwqi_team_send_task(struct dwqi_team *team, const void *item,
                                 const struct dwqi_task_head *head);
dwq_status_t dwqi_team_send_exit(struct dwqi_team *team);
/* Every rank is to accept a client, and gives an empty part. */
dwq_status_t dwqi_team_send_accept(struct dwqi_team *team);
/* Every rank is to renew the user's communicators; gives no part. */
dwq_status_t dwqi_team_send_renew(struct dwqi_team *team);
/* DWQ_OK: what was sent has left, and after a task or ACCEPT all parts are here. */
dwq_status_t dwqi_team_poll(struct dwqi_team *team);
/* Whether the task has left, and a broker inside can run its own share. */
bool dwqi_team_is_down(const struct dwqi_team *team);
/* The broker's own share of the task that was sent; NULL: the whole item. */
const struct dwqi_share *dwqi_team_own_share(const struct dwqi_team *team);

/* The part of one rank, until dwqi_team_drop_parts(). */
struct dwqi_team_part {
    const unsigned char *data;
    size_t size;
    void *memory; /* a pool's; may be taken (set it NULL then) */
    bool stays;   /* data lies in a `memory` of these parts */
    size_t lost;  /* bytes for which the broker had no memory, or 0 */
};
struct dwqi_team_part *dwqi_team_part(struct dwqi_team *team, int group_rank);
void dwqi_team_drop_parts(struct dwqi_team *team);

/* --- The other ranks ----------------------------------------------------- */

enum dwqi_order_kind {
    DWQI_ORDER_NONE,
    DWQI_ORDER_TASK,
    DWQI_ORDER_EXIT,
    DWQI_ORDER_COLLECT, /* inside the gather mode: parts too large for a frame */
    DWQI_ORDER_ACCEPT,
    DWQI_ORDER_RENEW
};

struct dwqi_order {
    enum dwqi_order_kind kind;
    /* Of a task: bytes for which this rank had no memory, or 0. Only head.id and
     * head.attempt are set then: the rank enters and leaves the call, and gives a part. */
    uint64_t lost;
    /* Of a task, until dwqi_team_finish_order(). */
    const unsigned char *item;  /* this rank's share */
    struct dwqi_task_head head; /* of the whole */
    struct dwqi_share share;
};

/* Say that this rank serves: `data` is an item of values, or size 0. */
dwq_status_t dwqi_team_say_ready(struct dwqi_team *team,
                                 struct dwqi_extent data);
dwq_status_t dwqi_team_say_withdrawn(struct dwqi_team *team,
                                     const char *reason);
/* DWQ_OK: an order; DWQ_E_MESSAGE: one that cannot be read. */
dwq_status_t dwqi_team_poll_order(struct dwqi_team *team,
                                  struct dwqi_order *order_out);
void dwqi_team_finish_order(struct dwqi_team *team);
/* The part of this rank: extents as in dwqi_outgoing, which stay until release, which
 * is called once. */
dwq_status_t dwqi_team_send_part(struct dwqi_team *team,
                                 const struct dwqi_extent *parts,
                                 size_t n_parts, void (*release)(void *owner),
                                 void *owner);

/* --- Between calls --------------------------------------------------------- */

/* This rank's share in the order RENEW. */
dwq_status_t dwqi_team_renew(struct dwqi_team *team);

/* --- In a call ------------------------------------------------------------ */

/* Around the user's function, on every rank of the group. What comes before this
 * rank serves counts as a call of its own: it was entered from the start. */
dwq_status_t dwqi_team_enter(struct dwqi_team *team);
dwq_status_t dwqi_team_leave(struct dwqi_team *team);
/* This rank was made to leave the function, and others may wait for it in there: when
 * neither the next order nor (on the broker) all parts come within some seconds, polls
 * answer DWQ_E_TIME_LIMIT. Before the part is sent. */
void dwqi_team_gave_up(struct dwqi_team *team);
/* Whether all ranks said ok; a rank that left the function did not. Blocks until
 * all have said it or left. */
dwq_status_t dwqi_team_agree(struct dwqi_team *team, bool ok, bool *all_ok_out);

#endif

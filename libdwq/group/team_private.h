/* What the files of the team share. */
#ifndef DWQI_GROUP_TEAM_PRIVATE_H
#define DWQI_GROUP_TEAM_PRIVATE_H

#include "libdwq/group/team.h"

#define DWQI_ORDER_MAGIC 0x44524f31u /* "1ORD" */

/* In front of a task's segments and item, and alone for the other orders. */
struct dwqi_order_head {
    uint32_t magic;
    uint32_t kind; /* enum dwqi_order_kind */
    uint64_t size; /* bytes of the whole item; of COLLECT: of all parts */
    uint32_t n_segments;
    uint32_t flags;
    uint64_t id;      /* of a task */
    uint32_t attempt; /* the same */
    uint32_t reserved[7];
};
_Static_assert(sizeof(struct dwqi_order_head) == 64, "wire struct");

struct dwqi_agreement {
    uint64_t task;  /* which call of this group, counted from 1 */
    uint32_t round; /* which agreement of that call, from 1 */
    uint32_t ok;
};

struct dwqi_team_member {
    struct dwqi_team_word word;
    struct dwqi_team_part part;
    bool has_part;
    uint32_t n_ready_due; /* READYs that belong before its part */
    uint32_t n_lost;      /* messages that could not be read, no parts */
    uint32_t n_given_up;  /* parts that were, for such a message */
    struct dwqi_agreement agreement; /* the newest it spoke of */
};

/* A message that came while the one before it was not done with. */
struct dwqi_team_later {
    struct dwqi_message message;
    struct dwqi_team_later *next;
};

struct dwqi_team_ops {
    dwq_status_t (*send_order)(struct dwqi_team *team,
                               enum dwqi_order_kind kind);
    /* Both ends: move on what is under way. */
    dwq_status_t (*progress)(struct dwqi_team *team);
    dwq_status_t (*send_part)(struct dwqi_team *team,
                              const struct dwqi_extent *parts, size_t n_parts,
                              void (*release)(void *owner), void *owner);
    void (*finish_order)(struct dwqi_team *team); /* or NULL */
    /* The broker: whether the next message of a rank may be its part; NULL: yes. */
    bool (*may_be_part)(const struct dwqi_team *team, int group_rank);
    /* Something of the order is under way, even if nothing is missing; or NULL. */
    bool (*is_busy)(struct dwqi_team *team);
    void (*finish)(struct dwqi_team *team);
};

struct dwqi_team {
    struct dwqi_team_config config;
    const struct dwqi_team_ops *ops;
    int n_ranks;
    struct dwqi_team_member *members; /* [n_ranks]; on the broker, and on the
                                       * group's first rank for agreements */
    uint64_t n_ready;

    /* The broker: the order under way. */
    enum dwqi_order_kind sending;
    const unsigned char *item;
    struct dwqi_task_head head;
    struct dwqi_arena arena; /* of the segments */
    struct dwqi_segment *segments;
    size_t n_segments;
    struct dwqi_share own;
    bool down;     /* it has left */
    int n_unsent;  /* messages that have not */
    int n_missing; /* parts that are not here */

    /* The others: what was received of an order. */
    uint32_t n_ready_said;
    struct dwqi_message received; /* of a task by message */
    bool has_received;
    struct dwqi_team_later *later; /* those after it */
    struct dwqi_order order;
    bool has_order;

    double given_up_until; /* see dwqi_team_gave_up(); 0: it did not */

    /* Agreements. */
    uint64_t n_tasks; /* calls begun; 0: this rank does not serve yet */
    bool in_call;
    uint32_t round;                /* agreements of this call so far */
    struct dwqi_agreement asked;   /* ASK that was not answered */
    struct dwqi_agreement verdict; /* the newest */

    dwq_status_t (*heard)(void *arg, const struct dwqi_service *service);
    void *heard_arg;

    void *gather; /* of team_gather.c */
};

extern const struct dwqi_team_ops dwqi_team_gather_ops;
extern const struct dwqi_team_ops dwqi_team_sendrecv_ops;

dwq_status_t dwqi_team_gather_init(struct dwqi_team *team);

/* Merged rank of a rank of the group, and back. */
static inline int dwqi_team_peer(const struct dwqi_team *team, int group_rank)
{
    return group_rank + team->config.first;
}

/* Handle the messages that came. */
dwq_status_t dwqi_team_receive(struct dwqi_team *team);
/* Release the message of a task, if there is one; the next takes its place. */
void dwqi_team_drop_received(struct dwqi_team *team);
/* Read an order's head and segments at `data`; the item follows in memory of its
 * own, or at *used_out. Segments are copied into the arena. */
dwq_status_t dwqi_team_read_order(struct dwqi_team *team,
                                  const unsigned char *data, size_t size,
                                  struct dwqi_order_head *head_out,
                                  size_t *used_out);
/* An item came whole: check it, and it is this rank's order. */
dwq_status_t dwqi_team_take_item(struct dwqi_team *team,
                                 const unsigned char *item, size_t size);
/* There was no memory for the item, of so many bytes: that is this rank's order. */
void dwqi_team_take_lost(struct dwqi_team *team,
                         const struct dwqi_order_head *head, uint64_t size);
/* What goes in front of an item; in the arena, `size_out` a multiple of 64. */
unsigned char *dwqi_team_make_front(struct dwqi_team *team,
                                    enum dwqi_order_kind kind, uint64_t size,
                                    uint32_t flags, size_t *size_out);
void dwqi_team_part_came(struct dwqi_team *team, int group_rank,
                         struct dwqi_team_part part);
dwq_status_t dwqi_team_agreement_came(struct dwqi_team *team,
                                      struct dwqi_message *message);
dwq_status_t dwqi_team_service_came(struct dwqi_team *team,
                                    const struct dwqi_message *message);

#endif

/* What the files of the gather mode share: team_gather.c (steps of both ends),
 * team_gather_broker.c, team_gather_member.c. */
#ifndef DWQI_GROUP_TEAM_GATHER_PRIVATE_H
#define DWQI_GROUP_TEAM_GATHER_PRIVATE_H

#include "libdwq/group/team_private.h"

/* Bytes that one broadcast moves, at most: a rank that has no memory for its share
 * passes them on to others from a buffer of this size. */
#define BCAST_MAX ((size_t)4 << 20)

/* Bytes of a frame: small, since every order takes one; larger than what most calls
 * need. */
#define FRAME 1024

enum {
    FLAG_INLINE = 1 << 0,  /* the item follows in the frame */
    FLAG_TABLE = 1 << 1,   /* the table of segments does not fit into it */
    FLAG_MESSAGES = 1 << 2 /* COLLECT: by messages */
};

/* In front of a part in a frame. */
struct up_head {
    uint64_t size;    /* of the part; larger than a frame: it is collected */
    uint32_t n_ready; /* READYs sent so far */
    uint32_t reserved[13];
};
_Static_assert(sizeof(struct up_head) == 64, "wire struct");
#define UP_MAX (FRAME - sizeof(struct up_head))

enum state {
    IDLE,
    IN_FRAME,
    IN_TABLE,
    IN_SEGMENT,
    WAITS_FOR_ROWS, /* of a scattered segment, by message */
    HAS_ORDER,      /* the user's function runs */
    IN_PARTS,
    IN_COLLECT_FRAME,
    IN_COLLECT
};

struct gather {
    enum state state;
    unsigned char *frame; /* [FRAME], aligned */
    unsigned char *up;    /* [FRAME]; the broker's own is empty */
    unsigned char *ups;   /* the broker: [size * FRAME] */
    struct dwqi_order_head head;
    size_t *at, *sizes; /* [size]: of scatterv and gatherv */

    bool moving;         /* a large transfer is under way */
    size_t segment;      /* under way */
    uint64_t done;       /* bytes of it that have gone, as chunks */
    uint64_t chunk;      /* bytes under way */
    unsigned char *item; /* others: this rank's share, or NULL */
    size_t item_at;      /* others: where the segment goes in it */
    size_t lost; /* others: bytes of a share that there is no memory for */

    /* Others: a part that is too large for a frame, until it was collected. */
    const struct dwqi_extent *parts;
    size_t n_parts;
    void (*release)(void *owner);
    void *owner;
    unsigned char *collected; /* the broker: what a gatherv brings */
};

static inline struct gather *dwqi_gather_of(struct dwqi_team *team)
{
    return team->gather;
}

static inline bool dwqi_gather_is_root(const struct dwqi_team *team)
{
    return team->config.rank == 0;
}

/* The others: memory for the share; if there is none, g->lost says so. */
void dwqi_gather_make_item(struct dwqi_team *team);
dwq_status_t dwqi_gather_bcast(struct dwqi_team *team, void *data, size_t size);
/* Begin the next step, on either end. */
dwq_status_t dwqi_gather_begin_frame(struct dwqi_team *team, enum state state);
dwq_status_t dwqi_gather_begin_parts(struct dwqi_team *team);
dwq_status_t dwqi_gather_first_segment(struct dwqi_team *team);
dwq_status_t dwqi_gather_all_is_down(struct dwqi_team *team);

/* The broker: send an order, and what follows when a step is done. */
dwq_status_t dwqi_gather_order(struct dwqi_team *team,
                               enum dwqi_order_kind kind);
dwq_status_t dwqi_gather_frame_left(struct dwqi_team *team);
dwq_status_t dwqi_gather_parts_came(struct dwqi_team *team);
dwq_status_t dwqi_gather_collect(struct dwqi_team *team);
dwq_status_t dwqi_gather_collected(struct dwqi_team *team);
/* Parts that come by message come last. */
bool dwqi_gather_may_be_part(const struct dwqi_team *team, int group_rank);

/* The others: give a part, and what follows a frame. */
dwq_status_t dwqi_gather_frame_came(struct dwqi_team *team);
dwq_status_t dwqi_gather_part(struct dwqi_team *team,
                              const struct dwqi_extent *parts, size_t n_parts,
                              void (*release)(void *owner), void *owner);

#endif

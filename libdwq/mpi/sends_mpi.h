/* What an MPI endpoint sends: frames, bodies, and the memory of both until they
 * have left. Small messages that may wait are gathered into one frame. */
#ifndef DWQI_MPI_SENDS_MPI_H
#define DWQI_MPI_SENDS_MPI_H

#include <mpi.h>

#include "libdwq/base/log.h"
#include "libdwq/item/transport.h"
#include "libdwq/wait/doorbell.h"

enum {
    DWQI_MPI_FRAME = 1, /* tags */
    DWQI_MPI_BODY = 2
};

#define DWQI_MPI_CHUNK \
    ((size_t)1 << 30) /* bytes of one MPI message; 64 divides it */

/* Seconds that the first of gathered messages waits for the last, at most, by what was
 * said (dwqi_outgoing.next_in): the clock is not free, and calls are as short. */
#define DWQI_MPI_GATHER_MAX 1e-5
/* Seconds without a look beside what is gathered, at most: the same, and so much for
 * each look that is skipped. */
#define DWQI_MPI_LOOK_MAX 4e-5
#define DWQI_MPI_SKIP_TIME 3e-7

/* A buffer for a frame; in the pool it links to the next. */
union dwqi_frame {
    unsigned char bytes[DWQI_FRAME_MAX];
    union dwqi_frame *next;
};

struct dwqi_send;

/* Messages of one kind to one peer that wait for more. */
struct dwqi_together {
    union dwqi_frame *frame; /* NULL: none */
    int peer;
    enum dwqi_tag tag;
    uint32_t n_items;
    size_t size; /* bytes of the body so far */
    double wait; /* seconds */
};

/* A look at what is under way lets MPI work, and gives the core away where ranks
 * share it and nothing came: so there is one look at all of it, the receive included,
 * and none of its own at a send that has just begun. */
struct dwqi_sends {
    MPI_Comm comm;
    const struct dwqi_log *log;
    struct dwqi_ringers *ringers; /* borrowed, or NULL */
    union dwqi_frame *pool;
    struct dwqi_send *sends; /* [capacity]: under way, or not looked at yet */
    size_t n, capacity;
    size_t n_seen;   /* the first of them: under way at the last look. They ring
                            * once more when they have left; one that leaves between
                            * two looks does not, and may cost its receiver a sleep */
    size_t n_bodies; /* of them */
    MPI_Request *requests; /* [capacity + 1]: the receive, then the sends' */
    MPI_Status *statuses;  /* the same, for a look */
    int *indices;
    struct dwqi_together gathered;
    double unlooked; /* seconds since the last look */
};

/* Log what MPI says of a failure. DWQ_E_MPI. */
dwq_status_t dwqi_mpi_failed(const struct dwqi_log *log, int code,
                             const char *what);
/* DWQ_OK, or what dwqi_mpi_failed() says. */
static inline dwq_status_t dwqi_mpi_check(const struct dwqi_log *log, int code,
                                          const char *what)
{
    return code == MPI_SUCCESS ? DWQ_OK : dwqi_mpi_failed(log, code, what);
}

/* DWQ_OK, DWQ_E_NOMEM (finish it all the same). */
dwq_status_t dwqi_sends_init(struct dwqi_sends *s, MPI_Comm comm,
                             const struct dwqi_log *log);

/* NULL: out of memory. */
union dwqi_frame *dwqi_frame_take(struct dwqi_sends *s);
void dwqi_frame_give(struct dwqi_sends *s, union dwqi_frame *frame);

dwq_status_t dwqi_sends_send(struct dwqi_sends *s, int peer,
                             const struct dwqi_outgoing *message);
/* Send what was gathered. */
dwq_status_t dwqi_sends_push_gathered(struct dwqi_sends *s);
static inline dwq_status_t dwqi_sends_push(struct dwqi_sends *s)
{
    return s->gathered.frame ? dwqi_sends_push_gathered(s) : DWQ_OK;
}
/* Whether more is gathered, so that this poll can wait, too. */
static inline bool dwqi_sends_skip_look(struct dwqi_sends *s)
{
    s->unlooked += DWQI_MPI_SKIP_TIME;
    return s->gathered.frame && s->unlooked < DWQI_MPI_LOOK_MAX;
}
/* Look, and release what has left. With `received_out`, the receive is looked at, too:
 * *came_out says whether it is complete, also after a failure, and *received_out what
 * it is. DWQ_OK, DWQ_E_MPI: some of these messages are lost. */
dwq_status_t dwqi_sends_look(struct dwqi_sends *s, int *came_out,
                             MPI_Status *received_out);
/* Whether something is known to be under way. */
static inline bool dwqi_sends_are_moving(const struct dwqi_sends *s)
{
    return s->n_seen > 0 || s->n_bodies > 0;
}
/* Nothing reaches this peer any more: what is under way to it is given up, and its frames
 * stay MPI's. */
void dwqi_sends_forget(struct dwqi_sends *s, int peer);
/* Everything has left. */
void dwqi_sends_finish(struct dwqi_sends *s);

#endif

/* Messages between MPI ranks.
 *
 * A message is one frame (tag FRAME): its head, and its body if that is small.
 * A larger body follows as messages with tag BODY, one per part and GiB, sent
 * from where the parts are and received where they stay. Whoever looks for a
 * message has a receive for frames from anybody posted; the body of the oldest
 * unfinished message of a peer is received next to it, and later frames of that peer
 * wait behind it, so that messages of a pair keep their order. Nothing here blocks
 * but flush. */
#include "libdwq/mpi/transport_mpi.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "libdwq/base/clock.h"
#include "libdwq/base/memory.h"
#include "libdwq/mpi/sends_mpi.h"
#include "libdwq/mpi/sink_mpi.h"

#define MAX_BODIES 8 /* receives of bodies at a time */
#define GLANCES 16   /* one of so many looks */

/* A message that is not delivered yet. */
struct arrival {
    struct dwqi_message message;
    size_t received; /* bytes of the body, pads included */
    bool complete;
    MPI_Request request;
    struct arrival *next;
    struct arrival *prev;
};

struct mpi_transport {
    struct dwqi_transport base;
    MPI_Comm comm;
    const struct dwqi_log *log;
    struct dwqi_backoff *backoff; /* borrowed */
    struct dwqi_pool *pool;       /* borrowed */
    bool moving;                  /* counted there */
    struct dwqi_sends sends;
    union dwqi_frame *posted; /* what the posted receive fills, or NULL */
    struct arrival *arrivals; /* oldest first */
    struct dwqi_message
        stalled; /* the one after them, for which there was no memory
                                  * in the list; memory NULL: none */
    unsigned n_glances;
    struct dwqi_deaths deaths; /* that it tells; lines NULL: of none */
    struct dwqi_death death;   /* told last */
    int *dead;                 /* [n_dead] peers: nothing is sent to them */
    int n_dead, dead_room;
};

static struct mpi_transport *of(struct dwqi_transport *transport)
{
    return (struct mpi_transport *)transport;
}

static dwq_status_t check(const struct mpi_transport *t, int code,
                          const char *what)
{
    return dwqi_mpi_check(t->log, code, what);
}

/* Tell the waits of this rank whether a transfer is under way here. */
static void count_moving(struct mpi_transport *t)
{
    bool moving = dwqi_sends_are_moving(&t->sends) || t->arrivals != NULL;

    if (moving != t->moving) {
        t->moving = moving;
        t->backoff->n_moving += moving ? 1 : -1;
    }
}

/* --- Sending ------------------------------------------------------------ */

static bool is_dead(const struct mpi_transport *t, int peer)
{
    int i = 0;

    while (i < t->n_dead && t->dead[i] != peer) {
        i++;
    }
    return i < t->n_dead;
}

static dwq_status_t mpi_send(struct dwqi_transport *transport, int peer,
                             const struct dwqi_outgoing *message)
{
    if (is_dead(of(transport), peer)) {
        if (message->release) {
            message->release(message->owner);
        }
        return DWQ_OK;
    }
    return dwqi_sends_send(&of(transport)->sends, peer, message);
}

static dwq_status_t mpi_flush(struct dwqi_transport *transport)
{
    struct mpi_transport *t = of(transport);
    dwq_status_t status = dwqi_sends_push(&t->sends);

    while (status == DWQ_OK && t->sends.n > 0) {
        status = dwqi_sends_look(&t->sends, NULL, NULL);
        if (t->sends.n > 0) {
            dwqi_backoff_pause(t->backoff, INFINITY, false);
        }
    }
    count_moving(t);
    return status;
}

/* --- Receiving ---------------------------------------------------------- */

static dwq_status_t post_receive(struct mpi_transport *t)
{
    union dwqi_frame *frame = dwqi_frame_take(&t->sends);
    dwq_status_t status;

    if (!frame) {
        return DWQ_E_NOMEM;
    }
    status =
        check(t,
              MPI_Irecv(frame, (int)sizeof *frame, MPI_BYTE, MPI_ANY_SOURCE,
                        DWQI_MPI_FRAME, t->comm, &t->sends.requests[0]),
              "MPI_Irecv");
    if (status != DWQ_OK) {
        dwqi_frame_give(&t->sends, frame);
        return status;
    }
    t->posted = frame;
    return DWQ_OK;
}

/* What a frame says; its body, if there in the frame. */
static void read_frame(union dwqi_frame *frame, int peer, size_t size,
                       struct dwqi_message *message_out)
{
    struct dwqi_head head = { 0 };
    const char *why = "";
    dwq_status_t status =
        dwqi_head_read(frame, size, DWQI_INLINE_MAX, &head, &why);
    bool has_body = head.body_size > 0 && head.body_size <= DWQI_INLINE_MAX;

    *message_out = (struct dwqi_message){
        .peer = peer,
        .tag = head.tag,
        .n_items = head.n_items,
        .body = has_body ? frame->bytes + sizeof head : NULL,
        .body_size = head.body_size,
        .memory = frame,
        .in_frame = true,
        .status = status,
        .why = why,
    };
}

/* The same, where there is no memory for the body: to where its front is. */
static dwq_status_t post_sink(struct mpi_transport *t, struct arrival *arrival,
                              size_t size)
{
    struct dwqi_message *message = &arrival->message;
    size_t keep = arrival->received == 0 ? DWQI_BODY_KEPT : 0;
    unsigned char *at = message->body + (keep > 0 ? 0 : DWQI_BODY_KEPT);
    MPI_Datatype type;
    dwq_status_t status = check(
        t, dwqi_mpi_sink(size, keep, DWQI_FRAME_MAX - DWQI_BODY_KEPT, &type),
        "MPI_Type_create_struct");

    if (status == DWQ_OK) {
        status = check(t,
                       MPI_Irecv(at, 1, type, message->peer, DWQI_MPI_BODY,
                                 t->comm, &arrival->request),
                       "MPI_Irecv");
        MPI_Type_free(&type);
    }
    return status;
}

/* Post the next receive of a body, up to a chunk. */
static dwq_status_t post_body(struct mpi_transport *t, struct arrival *arrival)
{
    struct dwqi_message *message = &arrival->message;
    size_t left = message->body_size - arrival->received;
    size_t size = left < DWQI_MPI_CHUNK ? left : DWQI_MPI_CHUNK;

    if (message->status == DWQ_E_NOMEM) {
        return post_sink(t, arrival, size);
    }
    return check(t,
                 MPI_Irecv(message->body + arrival->received, (int)size,
                           MPI_BYTE, message->peer, DWQI_MPI_BODY, t->comm,
                           &arrival->request),
                 "MPI_Irecv");
}

static dwq_status_t begin_body(struct mpi_transport *t, struct arrival *arrival)
{
    struct dwqi_message *message = &arrival->message;
    void *memory = dwqi_pool_get(t->pool, message->body_size);

    message->in_frame = memory == NULL;
    if (!memory) {
        memory = dwqi_frame_take(&t->sends);
        if (!memory) {
            return DWQ_E_NOMEM;
        }
        message->status = DWQ_E_NOMEM;
        message->why = "there was no memory for it";
    }
    message->body = memory;
    message->memory = memory;
    return post_body(t, arrival);
}

static dwq_status_t progress_body(struct mpi_transport *t,
                                  struct arrival *arrival)
{
    MPI_Status mpi_status;
    int done, size;
    dwq_status_t status =
        check(t, MPI_Test(&arrival->request, &done, &mpi_status), "a receive");

    if (status != DWQ_OK || !done) {
        return status;
    }
    MPI_Get_count(&mpi_status, MPI_BYTE, &size);
    arrival->received += dwqi_align((size_t)size);
    arrival->complete = arrival->received >= arrival->message.body_size;
    return arrival->complete ? DWQ_OK : post_body(t, arrival);
}

static bool peer_waits(const struct mpi_transport *t,
                       const struct arrival *before, int peer)
{
    for (const struct arrival *a = t->arrivals; a && a != before; a = a->next) {
        if (a->message.peer == peer) {
            return true;
        }
    }
    return false;
}

/* Keep a message until its body is there and those before it are delivered. */
static dwq_status_t arrival_add(struct mpi_transport *t,
                                const struct dwqi_message *message)
{
    struct arrival *arrival = calloc(1, sizeof *arrival);

    if (!arrival) {
        return DWQ_E_NOMEM;
    }
    arrival->message = *message;
    arrival->request = MPI_REQUEST_NULL;
    arrival->complete = message->status != DWQ_OK || message->body_size == 0 ||
                        message->body != NULL;
    if (!arrival->complete) {
        dwqi_frame_give(&t->sends, message->memory);
        arrival->message.memory = NULL;
    }
    DL_APPEND(t->arrivals, arrival);
    return DWQ_OK;
}

/* The same, when it cannot be delivered at once. */
static dwq_status_t keep(struct mpi_transport *t,
                         const struct dwqi_message *message)
{
    dwq_status_t status = arrival_add(t, message);

    if (status != DWQ_OK) {
        t->stalled = *message;
        return status;
    }
    t->stalled.memory = NULL;
    return DWQ_E_AGAIN;
}

/* Move bodies on; take the first message that may be delivered. */
static dwq_status_t arrivals_take(struct mpi_transport *t,
                                  struct dwqi_message *message_out)
{
    int n_bodies = 0;

    for (struct arrival *a = t->arrivals; a && n_bodies < MAX_BODIES;
         a = a->next) {
        dwq_status_t status = DWQ_OK;

        if (peer_waits(t, a, a->message.peer)) {
            continue;
        }
        if (!a->complete) {
            n_bodies++;
            status = a->message.memory ? progress_body(t, a) : begin_body(t, a);
        }
        if (status != DWQ_OK) {
            return status;
        }
        if (a->complete) {
            *message_out = a->message;
            DL_DELETE(t->arrivals, a);
            free(a);
            return DWQ_OK;
        }
    }
    return DWQ_E_AGAIN;
}

/* The next frame, if one came. The receive is posted again by the next look: after
 * the answer to this frame, if there is one at once, so that nobody waits for it. */
static dwq_status_t receive_frame(struct mpi_transport *t,
                                  struct dwqi_message *message_out)
{
    MPI_Status mpi_status;
    int done = 0, size;
    dwq_status_t status = t->posted ? DWQ_OK : post_receive(t);

    if (status == DWQ_OK) {
        status = dwqi_sends_look(&t->sends, &done, &mpi_status);
    }
    if (status != DWQ_OK && done) {
        dwqi_frame_give(&t->sends, t->posted);
        t->posted = NULL;
    }
    if (status != DWQ_OK || !done) {
        return status == DWQ_OK ? DWQ_E_AGAIN : status;
    }
    MPI_Get_count(&mpi_status, MPI_BYTE, &size);
    read_frame(t->posted, mpi_status.MPI_SOURCE, (size_t)size, message_out);
    t->posted = NULL;
    return DWQ_OK;
}

static void mpi_release(struct dwqi_transport *transport,
                        struct dwqi_message *message)
{
    if (message->in_frame) {
        if (message->memory) {
            dwqi_frame_give(&of(transport)->sends, message->memory);
        }
    } else {
        dwqi_pool_give(message->memory);
    }
    message->memory = NULL;
}

/* What was received in part stays MPI's, with its memory. */
static void forget(struct mpi_transport *t, int peer)
{
    struct arrival *a, *next;

    dwqi_sends_forget(&t->sends, peer);
    DL_FOREACH_SAFE(t->arrivals, a, next)
    {
        if (a->message.peer == peer) {
            DL_DELETE(t->arrivals, a);
            if (a->message.memory && a->complete) {
                mpi_release(&t->base, &a->message);
            }
            free(a);
        }
    }
    count_moving(t);
}

/* When all that came before it was told. */
static dwq_status_t tell_death(struct mpi_transport *t,
                               struct dwqi_message *message_out)
{
    const struct dwqi_deaths *deaths = &t->deaths;
    int peer;

    if (!deaths->lines) {
        return DWQ_E_AGAIN;
    }
    if (dwqi_lines_take_end(deaths->lines)) {
        *message_out =
            (struct dwqi_message){ .peer = -1, .status = DWQ_E_TIME_LIMIT };
        return DWQ_OK;
    }
    if (!dwqi_lines_take_death(deaths->lines, &t->death)) {
        return DWQ_E_AGAIN;
    }
    peer = t->death.worker > 0
               ? deaths->peer_of(deaths->peer_arg, t->death.worker)
               : t->death.rank;
    forget(t, peer);
    if (dwqi_memory_grow(&t->dead, &t->dead_room, t->n_dead + 1,
                         sizeof *t->dead)) {
        t->dead[t->n_dead++] = peer;
    }
    *message_out = (struct dwqi_message){ .peer = peer,
                                          .status = DWQ_E_WORKER,
                                          .why = t->death.why };
    return DWQ_OK;
}

static dwq_status_t mpi_poll(struct dwqi_transport *transport,
                             struct dwqi_message *message_out)
{
    struct mpi_transport *t = of(transport);
    struct dwqi_message message;
    dwq_status_t status;

    if (dwqi_sends_skip_look(&t->sends)) {
        return DWQ_E_AGAIN;
    }
    if (t->stalled.memory) {
        message = t->stalled;
        status = keep(t, &message);
    } else {
        status = receive_frame(t, &message);
        if (status == DWQ_OK &&
            (t->arrivals || (message.status == DWQ_OK && !message.body &&
                             message.body_size > 0))) {
            status = keep(t, &message);
        }
    }
    if (status == DWQ_E_AGAIN && t->arrivals) {
        status = arrivals_take(t, &message);
    }
    count_moving(t);
    if (status == DWQ_E_AGAIN) {
        status = tell_death(t, &message);
    }
    if (status == DWQ_OK) {
        dwqi_backoff_reset(t->backoff);
        *message_out = message;
    }
    return status;
}

static dwq_status_t mpi_glance(struct dwqi_transport *transport,
                               struct dwqi_message *message_out)
{
    struct mpi_transport *t = of(transport);
    bool looks = dwqi_backoff_sleeps(t->backoff) || t->moving ||
                 dwqi_sends_are_moving(&t->sends) ||
                 ++t->n_glances % GLANCES == 0;

    return looks ? mpi_poll(transport, message_out) : DWQ_E_AGAIN;
}

static dwq_status_t mpi_pause(struct dwqi_transport *transport, double until)
{
    struct mpi_transport *t = of(transport);
    double remaining = isinf(until) ? until : until - dwqi_clock_now();
    dwq_status_t status = dwqi_sends_push(&t->sends);

    count_moving(t);
    dwqi_backoff_pause(t->backoff, remaining, t->backoff->n_moving == 0);
    return status;
}

static void mpi_stir(struct dwqi_transport *transport)
{
    dwqi_backoff_reset(of(transport)->backoff);
}

static void mpi_moving(struct dwqi_transport *transport, int change)
{
    of(transport)->backoff->n_moving += change;
}

static struct dwqi_desk *mpi_desk(struct dwqi_transport *transport, int peer)
{
    struct mpi_transport *t = of(transport);

    return peer == DWQI_SELF ? dwqi_bell_desk(t->backoff->bell)
                             : dwqi_ringers_desk(t->sends.ringers, peer);
}

static void mpi_ring(struct dwqi_transport *transport, int peer)
{
    dwqi_ringers_ring(of(transport)->sends.ringers, peer);
}

static bool mpi_rests(const struct dwqi_transport *transport)
{
    const struct mpi_transport *t = (const struct mpi_transport *)transport;

    return dwqi_backoff_rests(t->backoff);
}

static double mpi_now(struct dwqi_transport *transport)
{
    (void)transport;
    return dwqi_clock_now();
}

static void mpi_close(struct dwqi_transport *transport)
{
    struct mpi_transport *t = of(transport);
    struct arrival *arrival, *next_arrival;

    if (t->sends.requests && t->sends.requests[0] != MPI_REQUEST_NULL) {
        MPI_Cancel(&t->sends.requests[0]);
        MPI_Wait(&t->sends.requests[0], MPI_STATUS_IGNORE);
    }
    mpi_flush(transport);
    if (t->moving) {
        t->backoff->n_moving--;
    }
    DL_FOREACH_SAFE(t->arrivals, arrival, next_arrival)
    {
        mpi_release(transport, &arrival->message);
        free(arrival);
    }
    if (t->posted) {
        dwqi_frame_give(&t->sends, t->posted);
    }
    if (t->stalled.memory) {
        dwqi_frame_give(&t->sends, t->stalled.memory);
    }
    dwqi_sends_finish(&t->sends);
    free(t->dead);
    free(t);
}

static const struct dwqi_transport_ops mpi_ops = {
    .send = mpi_send,
    .poll = mpi_poll,
    .glance = mpi_glance,
    .pause = mpi_pause,
    .now = mpi_now,
    .release = mpi_release,
    .flush = mpi_flush,
    .stir = mpi_stir,
    .moving = mpi_moving,
    .desk = mpi_desk,
    .ring = mpi_ring,
    .rests = mpi_rests,
    .close = mpi_close,
};

dwq_status_t dwqi_transport_mpi_create(MPI_Comm comm,
                                       struct dwqi_backoff *backoff,
                                       struct dwqi_pool *pool,
                                       const struct dwqi_log *log,
                                       struct dwqi_transport **transport_out)
{
    struct mpi_transport *t = calloc(1, sizeof *t);
    dwq_status_t status;

    if (!t) {
        return DWQ_E_NOMEM;
    }
    t->base.ops = &mpi_ops;
    t->comm = comm;
    t->log = log;
    t->backoff = backoff;
    t->pool = pool;
    status = dwqi_sends_init(&t->sends, comm, log);
    if (status == DWQ_OK) {
        status = post_receive(t);
    }
    if (status != DWQ_OK) {
        mpi_close(&t->base);
        return status;
    }
    *transport_out = &t->base;
    return DWQ_OK;
}

void dwqi_transport_mpi_set_ringers(struct dwqi_transport *transport,
                                    struct dwqi_ringers *ringers)
{
    of(transport)->sends.ringers = ringers;
}

void dwqi_transport_mpi_tell_deaths(struct dwqi_transport *transport,
                                    const struct dwqi_deaths *deaths)
{
    of(transport)->deaths = *deaths;
}

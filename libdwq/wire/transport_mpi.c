/* Messages between MPI ranks.
 *
 * A message is one frame (tag FRAME): its head, and its body if that is small.
 * A larger body follows as messages with tag BODY, one per part and GiB, sent
 * from where the parts are and received where they stay. One receive for frames
 * from anybody is always posted; the body of the oldest unfinished message of a
 * peer is received next to it, and later frames of that peer wait behind it, so
 * that messages of a pair keep their order. Nothing here blocks but flush. */
#include "libdwq/wire/transport_mpi.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "libdwq/base/clock.h"

enum {
    TAG_FRAME = 1,
    TAG_BODY = 2
};

#define CHUNK_MAX \
    ((size_t)1 << 30) /* bytes of one MPI message; 64 divides it */
#define MAX_BODIES 8  /* receives of bodies at a time */

/* A buffer for a frame; in the pool it links to the next. */
union frame {
    unsigned char bytes[DWQI_FRAME_MAX];
    union frame *next;
};

/* Sends of one body: `release` runs when the last has left. */
struct body_out {
    size_t n_left;
    void (*release)(void *owner);
    void *owner;
};

struct send {
    MPI_Request request;
    union frame *frame;    /* or NULL */
    struct body_out *body; /* or NULL */
    int peer;              /* of a frame */
};

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
    struct dwqi_backoff backoff;
    struct dwqi_ringers *ringers; /* borrowed, or NULL */
    union frame *pool;
    union frame *posted; /* what the posted receive fills */
    MPI_Request receive;
    struct send *sends; /* in flight */
    size_t n_sends, sends_capacity;
    struct arrival *arrivals; /* oldest first */
};

static struct mpi_transport *of(struct dwqi_transport *transport)
{
    return (struct mpi_transport *)transport;
}

static dwq_status_t check(const struct mpi_transport *t, int code,
                          const char *what)
{
    char text[MPI_MAX_ERROR_STRING];
    int length;

    if (code == MPI_SUCCESS) {
        return DWQ_OK;
    }
    MPI_Error_string(code, text, &length);
    dwqi_log_error(t->log, "%s: %s", what, text);
    return DWQ_E_MPI;
}

static union frame *frame_take(struct mpi_transport *t)
{
    union frame *frame = t->pool;
    void *memory;

    if (frame) {
        t->pool = frame->next;
        return frame;
    }
    return posix_memalign(&memory, DWQI_ALIGN, sizeof *frame) == 0 ? memory
                                                                   : NULL;
}

static void frame_give(struct mpi_transport *t, union frame *frame)
{
    frame->next = t->pool;
    t->pool = frame;
}

/* --- Sending ------------------------------------------------------------ */

static struct send *send_add(struct mpi_transport *t)
{
    if (t->n_sends == t->sends_capacity) {
        size_t capacity = t->sends_capacity ? 2 * t->sends_capacity : 16;
        struct send *sends = realloc(t->sends, capacity * sizeof *sends);

        if (!sends) {
            return NULL;
        }
        t->sends = sends;
        t->sends_capacity = capacity;
    }
    t->sends[t->n_sends] = (struct send){ .request = MPI_REQUEST_NULL };
    return &t->sends[t->n_sends++];
}

static void send_done(struct mpi_transport *t, struct send *send)
{
    if (send->frame) {
        frame_give(t, send->frame);
        /* It left later than its first ring. */
        dwqi_ringers_ring(t->ringers, send->peer);
    }
    if (send->body && --send->body->n_left == 0) {
        if (send->body->release) {
            send->body->release(send->body->owner);
        }
        free(send->body);
    }
}

static dwq_status_t progress_sends(struct mpi_transport *t)
{
    for (size_t i = 0; i < t->n_sends;) {
        struct send send = t->sends[i];
        int done;
        dwq_status_t status =
            check(t, MPI_Test(&t->sends[i].request, &done, MPI_STATUS_IGNORE),
                  "a send");

        if (status != DWQ_OK) {
            return status;
        }
        if (!done) {
            i++;
            continue;
        }
        t->sends[i] = t->sends[--t->n_sends];
        send_done(t, &send);
    }
    return DWQ_OK;
}

/* The frame's memory passes to the transport. */
static dwq_status_t send_frame(struct mpi_transport *t, int peer,
                               union frame *frame, size_t size)
{
    struct send *send = send_add(t);
    dwq_status_t status;
    int done = 0;

    if (!send) {
        frame_give(t, frame);
        return DWQ_E_NOMEM;
    }
    send->frame = frame;
    send->peer = peer;
    status = check(t,
                   MPI_Isend(frame, (int)size, MPI_BYTE, peer, TAG_FRAME,
                             t->comm, &send->request),
                   "MPI_Isend");
    if (status == DWQ_OK) {
        status = check(t, MPI_Test(&send->request, &done, MPI_STATUS_IGNORE),
                       "MPI_Test");
    }
    if (done || status != DWQ_OK) {
        frame_give(t, frame);
        t->n_sends--; /* it was the last one */
    }
    dwqi_ringers_ring(t->ringers, peer);
    return status;
}

static dwq_status_t send_part(struct mpi_transport *t, int peer,
                              const struct dwqi_extent *part,
                              struct body_out *body)
{
    for (size_t at = 0; at < part->size; at += CHUNK_MAX) {
        size_t left = part->size - at;
        size_t size = left < CHUNK_MAX ? left : CHUNK_MAX;
        struct send *send = send_add(t);
        dwq_status_t status;

        if (!send) {
            return DWQ_E_NOMEM;
        }
        status =
            check(t,
                  MPI_Isend((const char *)part->data + at, (int)size, MPI_BYTE,
                            peer, TAG_BODY, t->comm, &send->request),
                  "MPI_Isend");
        if (status != DWQ_OK) {
            t->n_sends--;
            return status;
        }
        send->body = body;
        body->n_left++;
    }
    return DWQ_OK;
}

static dwq_status_t send_body(struct mpi_transport *t, int peer,
                              const struct dwqi_outgoing *message)
{
    struct body_out *body = calloc(1, sizeof *body);
    dwq_status_t status = DWQ_OK;

    if (!body) {
        return DWQ_E_NOMEM;
    }
    body->n_left = 1; /* ours, until all are under way */
    body->release = message->release;
    body->owner = message->owner;
    for (size_t i = 0; i < message->n_parts && status == DWQ_OK; i++) {
        status = send_part(t, peer, &message->parts[i], body);
    }
    send_done(t, &(struct send){ .body = body });
    return status;
}

static dwq_status_t mpi_send(struct dwqi_transport *transport, int peer,
                             const struct dwqi_outgoing *message)
{
    struct mpi_transport *t = of(transport);
    size_t size = dwqi_parts_size(message->parts, message->n_parts);
    bool in_frame = size <= DWQI_INLINE_MAX;
    struct dwqi_head head =
        dwqi_head_make(message->tag, message->n_items, size);
    union frame *frame = frame_take(t);
    dwq_status_t status = frame ? DWQ_OK : DWQ_E_NOMEM;

    if (status == DWQ_OK) {
        memcpy(frame->bytes, &head, sizeof head);
        if (in_frame) {
            dwqi_parts_copy(message->parts, message->n_parts,
                            frame->bytes + sizeof head);
        }
        status =
            send_frame(t, peer, frame, sizeof head + (in_frame ? size : 0));
    }
    if (status == DWQ_OK && !in_frame) {
        return send_body(t, peer, message);
    }
    if (message->release) {
        message->release(message->owner);
    }
    return status;
}

static dwq_status_t mpi_flush(struct dwqi_transport *transport)
{
    struct mpi_transport *t = of(transport);
    dwq_status_t status = progress_sends(t);

    while (status == DWQ_OK && t->n_sends > 0) {
        dwqi_backoff_pause(&t->backoff, INFINITY, false);
        status = progress_sends(t);
    }
    return status;
}

/* --- Receiving ---------------------------------------------------------- */

static dwq_status_t post_receive(struct mpi_transport *t)
{
    t->posted = frame_take(t);
    if (!t->posted) {
        return DWQ_E_NOMEM;
    }
    return check(t,
                 MPI_Irecv(t->posted, (int)sizeof *t->posted, MPI_BYTE,
                           MPI_ANY_SOURCE, TAG_FRAME, t->comm, &t->receive),
                 "MPI_Irecv");
}

/* What a frame says; its body, if there in the frame. */
static void read_frame(union frame *frame, int peer, size_t size,
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

/* Post the next receive of a body, up to a chunk. */
static dwq_status_t post_body(struct mpi_transport *t, struct arrival *arrival)
{
    struct dwqi_message *message = &arrival->message;
    size_t left = message->body_size - arrival->received;
    size_t size = left < CHUNK_MAX ? left : CHUNK_MAX;

    return check(t,
                 MPI_Irecv(message->body + arrival->received, (int)size,
                           MPI_BYTE, message->peer, TAG_BODY, t->comm,
                           &arrival->request),
                 "MPI_Irecv");
}

static dwq_status_t begin_body(struct mpi_transport *t, struct arrival *arrival)
{
    struct dwqi_message *message = &arrival->message;
    void *memory;

    if (posix_memalign(&memory, DWQI_ALIGN, message->body_size) != 0) {
        dwqi_log_error(t->log, "no memory for a message of %zu bytes",
                       message->body_size);
        return DWQ_E_NOMEM;
    }
    message->body = memory;
    message->memory = memory;
    message->in_frame = false;
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
        frame_give(t, message->memory);
        arrival->message.memory = NULL;
    }
    DL_APPEND(t->arrivals, arrival);
    return DWQ_OK;
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

/* The next frame, if one came. */
static dwq_status_t receive_frame(struct mpi_transport *t,
                                  struct dwqi_message *message_out)
{
    union frame *frame = t->posted;
    MPI_Status mpi_status;
    int done, size;
    dwq_status_t status =
        check(t, MPI_Test(&t->receive, &done, &mpi_status), "a receive");

    if (status != DWQ_OK) {
        return status;
    }
    if (!done) {
        return DWQ_E_AGAIN;
    }
    MPI_Get_count(&mpi_status, MPI_BYTE, &size);
    status = post_receive(t);
    if (status != DWQ_OK) {
        frame_give(t, frame);
        return status;
    }
    read_frame(frame, mpi_status.MPI_SOURCE, (size_t)size, message_out);
    return DWQ_OK;
}

static dwq_status_t mpi_poll(struct dwqi_transport *transport,
                             struct dwqi_message *message_out)
{
    struct mpi_transport *t = of(transport);
    struct dwqi_message message;
    dwq_status_t status = t->n_sends > 0 ? progress_sends(t) : DWQ_OK;

    if (status == DWQ_OK) {
        status = receive_frame(t, &message);
    }
    if (status == DWQ_OK &&
        (t->arrivals || (message.status == DWQ_OK && !message.body &&
                         message.body_size > 0))) {
        status = arrival_add(t, &message);
        if (status == DWQ_OK) {
            status = DWQ_E_AGAIN;
        }
    }
    if (status == DWQ_E_AGAIN && t->arrivals) {
        status = arrivals_take(t, &message);
    }
    if (status == DWQ_OK) {
        dwqi_backoff_reset(&t->backoff);
        *message_out = message;
    }
    return status;
}

static dwq_status_t mpi_pause(struct dwqi_transport *transport, double until)
{
    struct mpi_transport *t = of(transport);
    double remaining = isinf(until) ? until : until - dwqi_clock_now();

    dwqi_backoff_pause(&t->backoff, remaining,
                       t->n_sends == 0 && t->arrivals == NULL);
    return DWQ_OK;
}

static double mpi_now(struct dwqi_transport *transport)
{
    (void)transport;
    return dwqi_clock_now();
}

static void mpi_release(struct dwqi_transport *transport,
                        struct dwqi_message *message)
{
    if (message->in_frame) {
        if (message->memory) {
            frame_give(of(transport), message->memory);
        }
    } else {
        free(message->memory);
    }
    message->memory = NULL;
}

static void mpi_close(struct dwqi_transport *transport)
{
    struct mpi_transport *t = of(transport);
    struct arrival *arrival, *next_arrival;

    if (t->receive != MPI_REQUEST_NULL) {
        MPI_Cancel(&t->receive);
        MPI_Wait(&t->receive, MPI_STATUS_IGNORE);
    }
    mpi_flush(transport);
    DL_FOREACH_SAFE(t->arrivals, arrival, next_arrival)
    {
        mpi_release(transport, &arrival->message);
        free(arrival);
    }
    if (t->posted) {
        frame_give(t, t->posted);
    }
    while (t->pool) {
        free(frame_take(t));
    }
    free(t->sends);
    free(t);
}

static const struct dwqi_transport_ops mpi_ops = {
    .send = mpi_send,
    .poll = mpi_poll,
    .pause = mpi_pause,
    .now = mpi_now,
    .release = mpi_release,
    .flush = mpi_flush,
    .close = mpi_close,
};

dwq_status_t dwqi_transport_mpi_create(MPI_Comm comm,
                                       const struct dwqi_backoff *backoff,
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
    t->backoff = *backoff;
    t->receive = MPI_REQUEST_NULL;
    status = post_receive(t);
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
    of(transport)->ringers = ringers;
}

#include "libdwq/wire/sends_mpi.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/clock.h"
#include "libdwq/base/pool.h"

/* Sends of one body: `release` runs when the last has left. */
struct body_out {
    size_t n_left;
    void (*release)(void *owner);
    void *owner;
};

struct dwqi_send {
    MPI_Request request;
    union dwqi_frame *frame; /* or NULL */
    struct body_out *body;   /* or NULL */
    int peer;                /* of a frame */
};

dwq_status_t dwqi_mpi_failed(const struct dwqi_log *log, int code,
                             const char *what)
{
    char text[MPI_MAX_ERROR_STRING];
    int length;

    MPI_Error_string(code, text, &length);
    dwqi_log_error(log, "%s: %s", what, text);
    return DWQ_E_MPI;
}

static dwq_status_t check(const struct dwqi_sends *s, int code,
                          const char *what)
{
    return dwqi_mpi_check(s->log, code, what);
}

union dwqi_frame *dwqi_frame_take(struct dwqi_sends *s)
{
    union dwqi_frame *frame = s->pool;

    if (frame) {
        s->pool = frame->next;
        return frame;
    }
    return dwqi_pool_get(NULL, sizeof *frame);
}

void dwqi_frame_give(struct dwqi_sends *s, union dwqi_frame *frame)
{
    frame->next = s->pool;
    s->pool = frame;
}

static struct dwqi_send *send_add(struct dwqi_sends *s)
{
    if (s->n == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 16;
        struct dwqi_send *sends = realloc(s->sends, capacity * sizeof *sends);

        if (!sends) {
            return NULL;
        }
        s->sends = sends;
        s->capacity = capacity;
    }
    s->sends[s->n] = (struct dwqi_send){ .request = MPI_REQUEST_NULL };
    return &s->sends[s->n++];
}

static void send_done(struct dwqi_sends *s, struct dwqi_send *send)
{
    if (send->frame) {
        dwqi_frame_give(s, send->frame);
        /* It left later than its first ring. */
        dwqi_ringers_ring(s->ringers, send->peer);
    }
    if (send->body && --send->body->n_left == 0) {
        if (send->body->release) {
            send->body->release(send->body->owner);
        }
        free(send->body);
    }
}

dwq_status_t dwqi_sends_progress(struct dwqi_sends *s)
{
    for (size_t i = 0; i < s->n;) {
        struct dwqi_send send = s->sends[i];
        int done;
        dwq_status_t status =
            check(s, MPI_Test(&s->sends[i].request, &done, MPI_STATUS_IGNORE),
                  "a send");

        if (status != DWQ_OK) {
            return status;
        }
        if (!done) {
            i++;
            continue;
        }
        s->sends[i] = s->sends[--s->n];
        send_done(s, &send);
    }
    return DWQ_OK;
}

/* The frame's memory passes to the transport. */
static dwq_status_t send_frame(struct dwqi_sends *s, int peer,
                               union dwqi_frame *frame, size_t size)
{
    struct dwqi_send *send = send_add(s);
    dwq_status_t status;
    int done = 0;

    if (!send) {
        dwqi_frame_give(s, frame);
        return DWQ_E_NOMEM;
    }
    send->frame = frame;
    send->peer = peer;
    status = check(s,
                   MPI_Isend(frame, (int)size, MPI_BYTE, peer, DWQI_MPI_FRAME,
                             s->comm, &send->request),
                   "MPI_Isend");
    if (status == DWQ_OK) {
        status = check(s, MPI_Test(&send->request, &done, MPI_STATUS_IGNORE),
                       "MPI_Test");
    }
    if (done || status != DWQ_OK) {
        dwqi_frame_give(s, frame);
        s->n--; /* it was the last one */
    }
    dwqi_ringers_ring(s->ringers, peer);
    return status;
}

static dwq_status_t send_part(struct dwqi_sends *s, int peer,
                              const struct dwqi_extent *part,
                              struct body_out *body)
{
    for (size_t at = 0; at < part->size; at += DWQI_MPI_CHUNK) {
        size_t left = part->size - at;
        size_t size = left < DWQI_MPI_CHUNK ? left : DWQI_MPI_CHUNK;
        struct dwqi_send *send = send_add(s);
        dwq_status_t status;

        if (!send) {
            return DWQ_E_NOMEM;
        }
        status =
            check(s,
                  MPI_Isend((const char *)part->data + at, (int)size, MPI_BYTE,
                            peer, DWQI_MPI_BODY, s->comm, &send->request),
                  "MPI_Isend");
        if (status != DWQ_OK) {
            s->n--;
            return status;
        }
        send->body = body;
        body->n_left++;
    }
    return DWQ_OK;
}

static dwq_status_t send_body(struct dwqi_sends *s, int peer,
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
        status = send_part(s, peer, &message->parts[i], body);
    }
    send_done(s, &(struct dwqi_send){ .body = body });
    return status;
}

/* --- Gathering ------------------------------------------------------------ */

/* The place for `size` more bytes of this message's kind, or NULL. */
static unsigned char *gathered_room(const struct dwqi_gathered *g, int peer,
                                    const struct dwqi_outgoing *message,
                                    size_t size)
{
    bool fits = g->frame && g->peer == peer && g->tag == message->tag &&
                size <= DWQI_INLINE_MAX - g->size;

    return fits ? g->frame->bytes + sizeof(struct dwqi_head) + g->size : NULL;
}

dwq_status_t dwqi_sends_push_gathered(struct dwqi_sends *s)
{
    struct dwqi_gathered g = s->gathered;
    struct dwqi_head head;

    s->gathered.frame = NULL;
    head = dwqi_head_make(g.tag, g.n_items, g.size);
    memcpy(g.frame->bytes, &head, sizeof head);
    return send_frame(s, g.peer, g.frame, sizeof head + g.size);
}

/* Put a message that fits into a frame behind those of its kind, or send them
 * first; then send, unless it may wait. */
static dwq_status_t send_small(struct dwqi_sends *s, int peer,
                               const struct dwqi_outgoing *message, size_t size)
{
    struct dwqi_gathered *g = &s->gathered;
    unsigned char *room = gathered_room(g, peer, message, size);

    if (!room) {
        dwq_status_t status = dwqi_sends_push(s);

        if (status != DWQ_OK) {
            return status;
        }
        *g = (struct dwqi_gathered){ .frame = dwqi_frame_take(s),
                                     .peer = peer,
                                     .tag = message->tag };
        if (!g->frame) {
            return DWQ_E_NOMEM;
        }
        g->since = message->may_wait ? dwqi_clock_now() : 0;
        room = gathered_room(g, peer, message, size);
    }
    dwqi_parts_copy(message->parts, message->n_parts, room);
    g->n_items += message->n_items;
    g->size += size;
    return message->may_wait && dwqi_sends_can_wait(s) ? DWQ_OK
                                                       : dwqi_sends_push(s);
}

/* The head alone in a frame, then the body from where it is. */
static dwq_status_t send_large(struct dwqi_sends *s, int peer,
                               const struct dwqi_outgoing *message, size_t size)
{
    struct dwqi_head head =
        dwqi_head_make(message->tag, message->n_items, size);
    union dwqi_frame *frame = NULL;
    dwq_status_t status = dwqi_sends_push(s);

    if (status == DWQ_OK) {
        frame = dwqi_frame_take(s);
        status = frame ? DWQ_OK : DWQ_E_NOMEM;
    }
    if (status == DWQ_OK) {
        memcpy(frame->bytes, &head, sizeof head);
        status = send_frame(s, peer, frame, sizeof head);
    }
    if (status == DWQ_OK) {
        return send_body(s, peer, message);
    }
    if (message->release) {
        message->release(message->owner);
    }
    return status;
}

dwq_status_t dwqi_sends_send(struct dwqi_sends *s, int peer,
                             const struct dwqi_outgoing *message)
{
    size_t size = dwqi_parts_size(message->parts, message->n_parts);
    dwq_status_t status;

    if (size > DWQI_INLINE_MAX) {
        return send_large(s, peer, message, size);
    }
    status = send_small(s, peer, message, size);
    if (message->release) {
        message->release(message->owner);
    }
    return status;
}

void dwqi_sends_finish(struct dwqi_sends *s)
{
    if (s->gathered.frame) {
        dwqi_frame_give(s, s->gathered.frame);
    }
    while (s->pool) {
        dwqi_pool_give(dwqi_frame_take(s));
    }
    free(s->sends);
}

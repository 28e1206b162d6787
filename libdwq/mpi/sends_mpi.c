#include "libdwq/mpi/sends_mpi.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/pool.h"

/* Sends of one body: `release` runs when the last has left. */
struct body_out {
    size_t n_left;
    void (*release)(void *owner);
    void *owner;
};

struct dwqi_send {
    union dwqi_frame *frame; /* or NULL */
    struct body_out *body;   /* or NULL */
    int peer;
    bool left;
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

static bool reserve(struct dwqi_sends *s, size_t capacity)
{
    struct dwqi_send *sends = realloc(s->sends, capacity * sizeof *sends);
    MPI_Request *requests =
        realloc(s->requests, (capacity + 1) * sizeof(MPI_Request));
    MPI_Status *statuses =
        realloc(s->statuses, (capacity + 1) * sizeof *statuses);
    int *indices = realloc(s->indices, (capacity + 1) * sizeof *indices);

    s->sends = sends ? sends : s->sends;
    s->requests = requests ? requests : s->requests;
    s->statuses = statuses ? statuses : s->statuses;
    s->indices = indices ? indices : s->indices;
    if (!sends || !requests || !statuses || !indices) {
        return false;
    }
    s->capacity = capacity;
    return true;
}

dwq_status_t dwqi_sends_init(struct dwqi_sends *s, MPI_Comm comm,
                             const struct dwqi_log *log)
{
    bool reserved;

    *s = (struct dwqi_sends){ .comm = comm, .log = log };
    reserved = reserve(s, 16);
    if (s->requests) {
        s->requests[0] = MPI_REQUEST_NULL;
    }
    return reserved ? DWQ_OK : DWQ_E_NOMEM;
}

/* For so many more. What has begun must not fail for want of memory: the receiver would
 * wait for the rest. */
static bool make_room(struct dwqi_sends *s, size_t more)
{
    size_t needed = s->n + more;

    return needed <= s->capacity ||
           reserve(s, needed > 2 * s->capacity ? needed : 2 * s->capacity);
}

static struct dwqi_send *send_add(struct dwqi_sends *s,
                                  MPI_Request **request_out)
{
    s->sends[s->n] = (struct dwqi_send){ .frame = NULL };
    *request_out = &s->requests[s->n + 1];
    return &s->sends[s->n++];
}

/* late: it had not left at the look before. */
static void send_done(struct dwqi_sends *s, struct dwqi_send *send, bool late)
{
    if (send->frame) {
        dwqi_frame_give(s, send->frame);
    }
    if (send->frame && late) {
        dwqi_ringers_ring(s->ringers, send->peer); /* after its first ring */
    }
    if (send->body && --send->body->n_left == 0) {
        if (send->body->release) {
            send->body->release(send->body->owner);
        }
        free(send->body);
    }
}

/* Take out what has left. From the end, as the last takes the place of each. */
static void drop_left(struct dwqi_sends *s)
{
    size_t n_seen = s->n_seen;

    for (size_t i = s->n; i-- > 0;) {
        struct dwqi_send send = s->sends[i];

        if (send.left) {
            s->n--;
            s->sends[i] = s->sends[s->n];
            s->requests[i + 1] = s->requests[s->n + 1];
            s->n_bodies -= send.body != NULL;
            send_done(s, &send, i < n_seen);
        }
    }
}

static dwq_status_t look_at_receive(struct dwqi_sends *s, int *came_out,
                                    MPI_Status *received_out)
{
    return check(s, MPI_Test(&s->requests[0], came_out, received_out),
                 "a receive");
}

static int first_error(const MPI_Status *statuses, int n)
{
    for (int i = 0; i < n; i++) {
        if (statuses[i].MPI_ERROR != MPI_SUCCESS) {
            return statuses[i].MPI_ERROR;
        }
    }
    return MPI_ERR_IN_STATUS;
}

dwq_status_t dwqi_sends_look(struct dwqi_sends *s, int *came_out,
                             MPI_Status *received_out)
{
    int first = received_out ? 0 : 1, n = 0, code;
    int came = 0;
    dwq_status_t status = DWQ_OK;

    s->unlooked = 0;
    if (s->n == 0) {
        return received_out ? look_at_receive(s, came_out, received_out)
                            : DWQ_OK;
    }
    code = MPI_Testsome((int)s->n + 1 - first, s->requests + first, &n,
                        s->indices, s->statuses);
    n = n == MPI_UNDEFINED ? 0 : n;
    if (code == MPI_ERR_IN_STATUS) {
        code = first_error(s->statuses, n);
    }
    for (int i = 0; i < n; i++) {
        int at = s->indices[i] + first;

        if (at == 0) {
            came = 1;
            *received_out = s->statuses[i];
        } else {
            s->sends[at - 1].left = true;
        }
    }
    if (n > came) {
        drop_left(s);
    }
    s->n_seen = s->n;
    status = check(s, code, "a message");
    if (status == DWQ_OK && received_out && !came && n > 0) {
        /* With something to tell, MPI did not work. */
        status = look_at_receive(s, &came, received_out);
    }
    if (received_out) {
        *came_out = came;
    }
    return status;
}

/* The frame's memory passes to the transport. There is room for it. */
static dwq_status_t send_frame(struct dwqi_sends *s, int peer,
                               union dwqi_frame *frame, size_t size)
{
    MPI_Request *request;
    struct dwqi_send *send = send_add(s, &request);
    dwq_status_t status;

    send->frame = frame;
    send->peer = peer;
    status = check(s,
                   MPI_Isend(frame, (int)size, MPI_BYTE, peer, DWQI_MPI_FRAME,
                             s->comm, request),
                   "MPI_Isend");
    if (status != DWQ_OK) {
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
        MPI_Request *request;
        struct dwqi_send *send = send_add(s, &request);
        dwq_status_t status =
            check(s,
                  MPI_Isend((const char *)part->data + at, (int)size, MPI_BYTE,
                            peer, DWQI_MPI_BODY, s->comm, request),
                  "MPI_Isend");

        if (status != DWQ_OK) {
            s->n--;
            return status;
        }
        send->body = body;
        send->peer = peer;
        body->n_left++;
        s->n_bodies++;
    }
    return DWQ_OK;
}

static size_t n_chunks(const struct dwqi_outgoing *message)
{
    size_t n = 0;

    for (size_t i = 0; i < message->n_parts; i++) {
        n += message->parts[i].size / DWQI_MPI_CHUNK + 1;
    }
    return n;
}

/* There is room for its chunks. */
static dwq_status_t send_body(struct dwqi_sends *s, int peer,
                              const struct dwqi_outgoing *message,
                              struct body_out *body)
{
    dwq_status_t status = DWQ_OK;

    body->n_left = 1; /* ours, until all are under way */
    body->release = message->release;
    body->owner = message->owner;
    for (size_t i = 0; i < message->n_parts && status == DWQ_OK; i++) {
        status = send_part(s, peer, &message->parts[i], body);
    }
    send_done(s, &(struct dwqi_send){ .body = body }, false);
    return status;
}

/* --- Gathering ------------------------------------------------------------ */

/* The place for `size` more bytes of this message's kind, or NULL. */
static unsigned char *gathered_room(const struct dwqi_together *g, int peer,
                                    const struct dwqi_outgoing *message,
                                    size_t size)
{
    bool fits = g->frame && g->peer == peer && g->tag == message->tag &&
                size <= DWQI_INLINE_MAX - g->size;

    return fits ? g->frame->bytes + sizeof(struct dwqi_head) + g->size : NULL;
}

dwq_status_t dwqi_sends_push_gathered(struct dwqi_sends *s)
{
    struct dwqi_together g = s->gathered;
    struct dwqi_head head;

    if (!make_room(s, 1)) {
        return DWQ_E_NOMEM;
    }
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
    struct dwqi_together *g = &s->gathered;
    unsigned char *room = gathered_room(g, peer, message, size);

    if (!room) {
        dwq_status_t status = dwqi_sends_push(s);

        if (status == DWQ_OK && !make_room(s, 1)) {
            status = DWQ_E_NOMEM;
        }
        if (status != DWQ_OK) {
            return status;
        }
        *g = (struct dwqi_together){ .frame = dwqi_frame_take(s),
                                     .peer = peer,
                                     .tag = message->tag };
        if (!g->frame) {
            return DWQ_E_NOMEM;
        }
        room = gathered_room(g, peer, message, size);
    }
    dwqi_parts_copy(message->parts, message->n_parts, room);
    g->n_items += message->n_items;
    g->size += size;
    g->wait += message->next_in;
    s->unlooked += message->next_in;
    return message->next_in > 0 && g->wait < DWQI_MPI_GATHER_MAX
               ? DWQ_OK
               : dwqi_sends_push(s);
}

/* The head alone in a frame, then the body from where it is. */
static dwq_status_t send_large(struct dwqi_sends *s, int peer,
                               const struct dwqi_outgoing *message, size_t size)
{
    struct dwqi_head head =
        dwqi_head_make(message->tag, message->n_items, size);
    union dwqi_frame *frame = NULL;
    struct body_out *body = NULL;
    dwq_status_t status = dwqi_sends_push(s);

    if (status == DWQ_OK) {
        body = calloc(1, sizeof *body);
        frame = body && make_room(s, 1 + n_chunks(message)) ? dwqi_frame_take(s)
                                                            : NULL;
        status = frame ? DWQ_OK : DWQ_E_NOMEM;
    }
    if (status == DWQ_OK) {
        memcpy(frame->bytes, &head, sizeof head);
        status = send_frame(s, peer, frame, sizeof head);
    }
    if (status == DWQ_OK) {
        return send_body(s, peer, message, body);
    }
    free(body);
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

void dwqi_sends_forget(struct dwqi_sends *s, int peer)
{
    if (s->gathered.frame && s->gathered.peer == peer) {
        dwqi_frame_give(s, s->gathered.frame);
        s->gathered.frame = NULL;
    }
    for (size_t i = 0; i < s->n; i++) {
        struct dwqi_send *send = &s->sends[i];

        if (send->peer == peer) {
            send->left = true;
            send->frame = NULL;
        }
    }
    drop_left(s);
    s->n_seen = s->n_seen < s->n ? s->n_seen : s->n;
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
    free(s->requests);
    free(s->statuses);
    free(s->indices);
}

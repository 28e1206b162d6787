/* How messages move, whatever moves them: MPI between ranks, or a simulation
 * inside one process. A transport belongs to one endpoint. Messages between two
 * endpoints keep their order; nothing is lost; no call blocks but flush. */
#ifndef DWQI_WIRE_TRANSPORT_H
#define DWQI_WIRE_TRANSPORT_H

#include <stdatomic.h>

#include "libdwq/wire/layout.h"
#include "libdwq/wire/protocol.h"

/* A body of up to this many bytes travels with its head, in one frame that
 * stays below Open MPI's eager limit in shared memory (4096 with its own
 * header). */
#define DWQI_FRAME_MAX ((size_t)4032)
#define DWQI_INLINE_MAX (DWQI_FRAME_MAX - sizeof(struct dwqi_head))

struct dwqi_message {
    int peer; /* who sent it */
    enum dwqi_tag tag;
    uint32_t n_items;
    unsigned char *body; /* 64-byte aligned; NULL when body_size is 0 */
    size_t body_size;
    void *memory;  /* holds the body: the receiver's, until it calls release or
                   * keeps it and calls dwqi_pool_give() */
    bool in_frame; /* the body came in a frame */
    /* DWQ_E_MESSAGE: the frame could not be read, `why` says why, and only
     * peer, memory are set. DWQ_E_NOMEM: there was no memory for its body, of which
     * only the first DWQI_BODY_KEPT bytes are there; body_size is that of all. */
    dwq_status_t status;
    const char *why;
};

/* The head of the first item. */
#define DWQI_BODY_KEPT 64

struct dwqi_outgoing {
    enum dwqi_tag tag;
    uint32_t n_items;
    const struct dwqi_extent *parts; /* each starts at a multiple of 64 */
    size_t n_parts;
    /* Called once, when the parts' memory is no longer needed (maybe before
     * send returns, also when it fails); may be NULL. */
    void (*release)(void *owner);
    void *owner;
    /* The sender is about to send more of the same kind, in so many seconds by what
     * it knows: several small messages may travel as one, with the items of all. 0:
     * nothing follows. */
    double next_in;
};

struct dwqi_transport;

struct dwqi_transport_ops {
    dwq_status_t (*send)(struct dwqi_transport *transport, int peer,
                         const struct dwqi_outgoing *message);
    dwq_status_t (*poll)(struct dwqi_transport *transport,
                         struct dwqi_message *message_out);
    dwq_status_t (*glance)(struct dwqi_transport *transport,
                           struct dwqi_message *message_out); /* or NULL */
    dwq_status_t (*pause)(struct dwqi_transport *transport, double until);
    double (*now)(struct dwqi_transport *transport);
    void (*release)(struct dwqi_transport *transport,
                    struct dwqi_message *message);
    dwq_status_t (*flush)(struct dwqi_transport *transport);
    void (*stir)(struct dwqi_transport *transport);               /* or NULL */
    void (*moving)(struct dwqi_transport *transport, int change); /* or NULL */
    _Atomic uint32_t *(*claims)(struct dwqi_transport *transport,
                                int peer); /* or NULL */
    void (*close)(struct dwqi_transport *transport);
};

struct dwqi_transport {
    const struct dwqi_transport_ops *ops;
};

/* DWQ_OK, DWQ_E_MPI, DWQ_E_NOMEM; the message is released in every case. */
static inline dwq_status_t dwqi_send(struct dwqi_transport *transport, int peer,
                                     const struct dwqi_outgoing *message)
{
    return transport->ops->send(transport, peer, message);
}

/* A message without a body. */
dwq_status_t dwqi_send_bare(struct dwqi_transport *transport, int peer,
                            enum dwqi_tag tag);

/* DWQ_OK: a message, its memory the caller's; DWQ_E_AGAIN: none now. */
static inline dwq_status_t dwqi_poll(struct dwqi_transport *transport,
                                     struct dwqi_message *message_out)
{
    return transport->ops->poll(transport, message_out);
}

/* The same, where something else is waited for: it looks now and then, and always
 * before a sleep, as each look costs, and gives the core away where ranks share it. */
static inline dwq_status_t dwqi_glance(struct dwqi_transport *transport,
                                       struct dwqi_message *message_out)
{
    return transport->ops->glance
               ? transport->ops->glance(transport, message_out)
               : transport->ops->poll(transport, message_out);
}

/* Between two polls that gave nothing: one step of waiting, not beyond the
 * time `until` (INFINITY: no bound). */
static inline dwq_status_t dwqi_pause(struct dwqi_transport *transport,
                                      double until)
{
    return transport->ops->pause(transport, until);
}

static inline double dwqi_now(struct dwqi_transport *transport)
{
    return transport->ops->now(transport);
}

static inline void dwqi_release(struct dwqi_transport *transport,
                                struct dwqi_message *message)
{
    transport->ops->release(transport, message);
}

/* Wait until every message sent has left. */
static inline dwq_status_t dwqi_flush(struct dwqi_transport *transport)
{
    return transport->ops->flush(transport);
}

/* Something came by another way than this transport: a wait begins anew. */
static inline void dwqi_stir(struct dwqi_transport *transport)
{
    if (transport->ops->stir) {
        transport->ops->stir(transport);
    }
}

/* One more (1), or one less (-1), transfer beside this transport that moves only
 * while this rank polls: pauses do not sleep meanwhile. */
static inline void dwqi_moving(struct dwqi_transport *transport, int change)
{
    if (transport->ops->moving) {
        transport->ops->moving(transport, change);
    }
}

#define DWQI_SELF (-1) /* as a peer, of dwqi_claims() */

/* Who runs a task that a worker holds: the worker, or the controller, which takes it
 * back for another one. In shared memory lies how many of the tasks that went to the
 * worker, in the order of sending, were claimed by either: the first that counts one up
 * has it. So a task comes back while its worker is inside another one.
 *
 * The count of this peer's tasks, or of one's own (DWQI_SELF); NULL: they share no
 * memory, and what was sent cannot be claimed by the controller. */
static inline _Atomic uint32_t *dwqi_claims(struct dwqi_transport *transport,
                                            int peer)
{
    return transport->ops->claims ? transport->ops->claims(transport, peer)
                                  : NULL;
}

/* Claim task number n, before which all are claimed, for the one that asks. */
static inline bool dwqi_claim(_Atomic uint32_t *claims, uint32_t n)
{
    return atomic_compare_exchange_strong_explicit(
        claims, &n, n + 1, memory_order_acq_rel, memory_order_acquire);
}

static inline void dwqi_close(struct dwqi_transport *transport)
{
    if (transport) {
        transport->ops->close(transport);
    }
}

/* Bytes of parts on the wire. */
size_t dwqi_parts_size(const struct dwqi_extent *parts, size_t n_parts);
/* Write parts at `out`, each at the next multiple of 64, pads zero. */
void dwqi_parts_copy(const struct dwqi_extent *parts, size_t n_parts,
                     unsigned char *out);

#endif

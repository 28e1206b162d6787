/* How messages move, whatever moves them: MPI between ranks, or a simulation
 * inside one process. A transport belongs to one endpoint. Messages between two
 * endpoints keep their order; nothing is lost; no call blocks but flush. */
#ifndef DWQI_ITEM_TRANSPORT_H
#define DWQI_ITEM_TRANSPORT_H

#include <stdatomic.h>
#include <stddef.h>

#include "libdwq/item/layout.h"
#include "libdwq/item/protocol.h"

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
     * peer, memory are set. DWQ_E_WORKER: the peer is dead, as `why` says, and this is the
     * last that is heard of it; DWQ_E_TIME_LIMIT: nobody's, the run is to end now; memory
     * is NULL. DWQ_E_NOMEM: there was no memory for its body, of which
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
    struct dwqi_desk *(*desk)(struct dwqi_transport *transport,
                              int peer);                      /* or NULL */
    void (*ring)(struct dwqi_transport *transport, int peer); /* or NULL */
    bool (*rests)(const struct dwqi_transport *transport);    /* or NULL */
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

#define DWQI_LETTER_MAX ((size_t)16 * 1024)

/* In the place of the id of a task that is to stop: every one is, as the run ends. */
#define DWQI_STOP_ALL UINT64_MAX

#define DWQI_SELF (-1) /* as a peer, of dwqi_desk() */

/* Unheard results of one worker in MPI, at most: a broker needs room there, too. */
#define DWQI_UNHEARD_MAX 256

/* Memory that a rank shares with those of its host.
 *
 * Of a worker. Its tasks are numbered in the order in which they go to it. n_claimed: how
 * many of them were claimed, by the worker, which starts one, or by the controller, which
 * takes one back for another worker: the first that counts one up has it. So a task comes
 * back while its worker is inside another one.
 *
 * The letter: tasks for a worker that has nothing to do, put there while the user's thread
 * is not in the library, and so without MPI. All that was sent before has ended, and it is
 * read before all that is sent after it.
 *
 * Of the controller. A worker that has nothing to do, while tasks wait and the user's
 * thread does not come back, asks for a letter. */
struct dwqi_desk {
    /* Of a worker. */
    _Atomic uint32_t n_claimed;
    _Atomic uint32_t idle_at;    /* it had ended so many, and waits */
    _Atomic uint32_t n_returned; /* RECALLs that it has answered */
    _Atomic bool has_letter; /* the controller sets it, the worker clears it */
    bool can_ask; /* said before READY: it sees the controller's desk */
    uint32_t n_items;
    uint32_t size;
    /* The id of its task that is asked to stop, or 0; the controller's to write, and for
     * all ranks of the worker to read. */
    _Atomic uint64_t cancelled;
    unsigned char pad[32];
    unsigned char letter[DWQI_LETTER_MAX]; /* the body of a TASK */
    /* Its results that the controller has heard of, which counts them here; by itself, as
     * it writes often. */
    _Atomic uint32_t n_heard;
    _Atomic bool is_counted; /* the controller does so */
    _Atomic bool keeps;      /* the worker has results that it did not send */
    unsigned char pad_heard[58];
    /* Of the controller. */
    _Atomic uint32_t
        left; /* how often the user's thread left while tasks wait; 0: none
                            * waits */
    _Atomic uint32_t n_asked; /* for letters: a futex */
};
_Static_assert(offsetof(struct dwqi_desk, letter) == 64,
               "aligned as on the wire");

/* This peer's, or one's own (DWQI_SELF); NULL: they share no memory, and what was sent
 * cannot be claimed by the controller. */
static inline struct dwqi_desk *dwqi_desk(struct dwqi_transport *transport,
                                          int peer)
{
    return transport->ops->desk ? transport->ops->desk(transport, peer) : NULL;
}

/* Claim task number n, before which all are claimed, for the one that asks. */
static inline bool dwqi_claim(_Atomic uint32_t *claims, uint32_t n)
{
    return atomic_compare_exchange_strong_explicit(
        claims, &n, n + 1, memory_order_acq_rel, memory_order_acquire);
}

/* Whether all of its first n tasks have ended, and it can be left a letter. */
static inline bool dwqi_desk_waits(struct dwqi_desk *desk, uint32_t n)
{
    return atomic_load_explicit(&desk->idle_at, memory_order_acquire) == n &&
           !atomic_load_explicit(&desk->has_letter, memory_order_acquire);
}

/* Whether it has answered n RECALLs. */
static inline bool dwqi_desk_has_returned(struct dwqi_desk *desk, uint32_t n)
{
    return atomic_load_explicit(&desk->n_returned, memory_order_acquire) == n;
}

/* Whether the wait of this endpoint has come to where pauses yield or sleep. */
static inline bool dwqi_rests(const struct dwqi_transport *transport)
{
    return !transport->ops->rests || transport->ops->rests(transport);
}

/* In any thread: the peer looks at its desk soon, if it sleeps. */
static inline void dwqi_ring(struct dwqi_transport *transport, int peer)
{
    if (transport->ops->ring) {
        transport->ops->ring(transport, peer);
    }
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

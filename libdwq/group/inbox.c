#include "libdwq/group/inbox.h"

#include <stdlib.h>
#include <utlist.h>

struct kept {
    struct dwqi_message message;
    struct kept *next, *prev;
};

struct inbox {
    struct dwqi_transport base;
    struct dwqi_transport *inner;
    enum dwqi_tag tag;
    dwqi_inbox_take_t take;
    void *arg;
    struct kept *kept; /* oldest first */
};

static struct inbox *of(struct dwqi_transport *transport)
{
    return (struct inbox *)(void *)transport;
}

static dwq_status_t inbox_send(struct dwqi_transport *transport, int peer,
                               const struct dwqi_outgoing *message)
{
    return dwqi_send(of(transport)->inner, peer, message);
}

/* The next message that is not for the function. */
static dwq_status_t poll_inner(struct inbox *inbox, bool glance,
                               struct dwqi_message *message_out)
{
    for (;;) {
        struct dwqi_message message;
        dwq_status_t status = glance ? dwqi_glance(inbox->inner, &message)
                                     : dwqi_poll(inbox->inner, &message);

        if (status != DWQ_OK) {
            return status;
        }
        if (message.status != DWQ_OK || message.tag != inbox->tag) {
            *message_out = message;
            return DWQ_OK;
        }
        status = inbox->take(inbox->arg, &message);
        dwqi_release(inbox->inner, &message);
        if (status != DWQ_OK) {
            return status;
        }
    }
}

static dwq_status_t take_next(struct inbox *inbox, bool glance,
                              struct dwqi_message *message_out)
{
    struct kept *kept = inbox->kept;

    if (!kept) {
        return poll_inner(inbox, glance, message_out);
    }
    *message_out = kept->message;
    DL_DELETE(inbox->kept, kept);
    free(kept);
    return DWQ_OK;
}

static dwq_status_t inbox_poll(struct dwqi_transport *transport,
                               struct dwqi_message *message_out)
{
    return take_next(of(transport), false, message_out);
}

static dwq_status_t inbox_glance(struct dwqi_transport *transport,
                                 struct dwqi_message *message_out)
{
    return take_next(of(transport), true, message_out);
}

dwq_status_t dwqi_inbox_pump(struct dwqi_transport *transport)
{
    struct inbox *inbox = of(transport);
    struct dwqi_message message;
    dwq_status_t status;

    while ((status = poll_inner(inbox, false, &message)) == DWQ_OK) {
        struct kept *kept = calloc(1, sizeof *kept);

        if (!kept) {
            dwqi_release(inbox->inner, &message);
            return DWQ_E_NOMEM;
        }
        kept->message = message;
        DL_APPEND(inbox->kept, kept);
    }
    return status == DWQ_E_AGAIN ? DWQ_OK : status;
}

static dwq_status_t inbox_pause(struct dwqi_transport *transport, double until)
{
    return dwqi_pause(of(transport)->inner, until);
}

static double inbox_now(struct dwqi_transport *transport)
{
    return dwqi_now(of(transport)->inner);
}

static void inbox_release(struct dwqi_transport *transport,
                          struct dwqi_message *message)
{
    dwqi_release(of(transport)->inner, message);
}

static dwq_status_t inbox_flush(struct dwqi_transport *transport)
{
    return dwqi_flush(of(transport)->inner);
}

static void inbox_stir(struct dwqi_transport *transport)
{
    dwqi_stir(of(transport)->inner);
}

static void inbox_moving(struct dwqi_transport *transport, int change)
{
    dwqi_moving(of(transport)->inner, change);
}

static struct dwqi_desk *inbox_desk(struct dwqi_transport *transport, int peer)
{
    return dwqi_desk(of(transport)->inner, peer);
}

static void inbox_ring(struct dwqi_transport *transport, int peer)
{
    dwqi_ring(of(transport)->inner, peer);
}

static bool inbox_rests(const struct dwqi_transport *transport)
{
    return dwqi_rests(((const struct inbox *)transport)->inner);
}

static void inbox_close(struct dwqi_transport *transport)
{
    struct inbox *inbox = of(transport);
    struct kept *kept, *next;

    DL_FOREACH_SAFE(inbox->kept, kept, next)
    {
        dwqi_release(inbox->inner, &kept->message);
        free(kept);
    }
    free(inbox);
}

static const struct dwqi_transport_ops inbox_ops = {
    .send = inbox_send,
    .poll = inbox_poll,
    .glance = inbox_glance,
    .pause = inbox_pause,
    .now = inbox_now,
    .release = inbox_release,
    .flush = inbox_flush,
    .stir = inbox_stir,
    .moving = inbox_moving,
    .desk = inbox_desk,
    .ring = inbox_ring,
    .rests = inbox_rests,
    .close = inbox_close,
};

dwq_status_t dwqi_inbox_create(struct dwqi_transport *inner, enum dwqi_tag tag,
                               dwqi_inbox_take_t take, void *arg,
                               struct dwqi_transport **inbox_out)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);

    if (!inbox) {
        return DWQ_E_NOMEM;
    }
    inbox->base.ops = &inbox_ops;
    inbox->inner = inner;
    inbox->tag = tag;
    inbox->take = take;
    inbox->arg = arg;
    *inbox_out = &inbox->base;
    return DWQ_OK;
}

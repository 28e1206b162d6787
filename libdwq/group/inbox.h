/* A transport in front of another one. It hands the messages of one tag to a function
 * of its own as soon as they come, and gives the others in their order, also when they
 * were received while nobody could take them. */
#ifndef DWQI_GROUP_INBOX_H
#define DWQI_GROUP_INBOX_H

#include "libdwq/item/transport.h"

/* The message is the inbox's; a status other than DWQ_OK is what the poll gives. */
typedef dwq_status_t (*dwqi_inbox_take_t)(void *arg,
                                          const struct dwqi_message *message);

/* `inner` is borrowed, and stays open when the inbox is closed. DWQ_OK,
 * DWQ_E_NOMEM. */
dwq_status_t dwqi_inbox_create(struct dwqi_transport *inner, enum dwqi_tag tag,
                               dwqi_inbox_take_t take, void *arg,
                               struct dwqi_transport **inbox_out);
/* Receive all that came; keep what somebody else will poll for. DWQ_OK, also when
 * nothing came. */
dwq_status_t dwqi_inbox_pump(struct dwqi_transport *inbox);

#endif

/* The role of a rank that has no part in a run: told that it is over, it leaves. */
#ifndef DWQI_WORKERS_IDLE_H
#define DWQI_WORKERS_IDLE_H

#include "libdwq/item/transport.h"
#include "workers/role.h"

/* `transport` is borrowed. DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_idle_create(struct dwqi_transport *transport,
                              struct dwqi_role **role_out);

#endif

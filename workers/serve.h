/* The role that takes tasks from the controller, has them run in order, and reports: a
 * worker of one rank, or the broker of a group. */
#ifndef DWQI_WORKERS_SERVE_H
#define DWQI_WORKERS_SERVE_H

#include "libdwq/base/log.h"
#include "libdwq/item/transport.h"
#include "workers/role.h"
#include "workers/runner.h"

struct dwqi_server_config {
    struct dwqi_transport *transport; /* borrowed */
    struct dwqi_runner *runner;       /* borrowed */
    const struct dwqi_log *log;       /* borrowed */
    int controller;                   /* the peer */
    double time_limit; /* on the transport's clock: no call starts after it;
                        * INFINITY: none */
};

/* DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_server_create(const struct dwqi_server_config *config,
                                struct dwqi_role **role_out);

#endif

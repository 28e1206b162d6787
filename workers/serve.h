/* Takes tasks from the controller, has them run in order, reports: a worker of one
 * rank, or the broker of a group. It steps: the loop around it, or the simulation, decides when. */
#ifndef DWQI_WORKERS_SERVE_H
#define DWQI_WORKERS_SERVE_H

#include "libdwq/base/log.h"
#include "libdwq/wire/transport.h"
#include "workers/runner.h"

struct dwqi_server;

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
                                struct dwqi_server **server_out);
void dwqi_server_destroy(struct dwqi_server *server);

/* Copied; sent with the next READY. DWQ_E_ARG, DWQ_E_NOMEM. */
dwq_status_t dwqi_server_set_ready_data(struct dwqi_server *server,
                                        dwq_value_t data);

/* Report READY, once. DWQ_E_STATE: a second time, or withdrawn. */
dwq_status_t dwqi_server_begin(struct dwqi_server *server);
/* Take no tasks any more; step until closed all the same. */
dwq_status_t dwqi_server_withdraw(struct dwqi_server *server,
                                  const char *reason);

/**
 * Read what came; then run at most one call, or leave.
 *
 * @return DWQ_OK (step again), DWQ_E_AGAIN (nothing to do now), DWQ_E_MPI,
 *         DWQ_E_NOMEM (this rank cannot go on)
 */
dwq_status_t dwqi_server_step(struct dwqi_server *server);
bool dwqi_server_is_closed(const struct dwqi_server *server);
/* Whether it withdrew because a message was malformed. */
bool dwqi_server_has_failed(const struct dwqi_server *server);

#endif

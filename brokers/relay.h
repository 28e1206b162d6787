/* The role of the broker of one group: for the controller a worker like any other (it has the
 * same server), which runs a task by relaying it to the group and merging the parts.
 * A broker inside its group runs its own share in between; one beside it goes on
 * listening to the controller. */
#ifndef DWQI_BROKERS_RELAY_H
#define DWQI_BROKERS_RELAY_H

#include "brokers/service.h"
#include "libdwq/group/team.h"
#include "workers/executor.h"
#include "workers/role.h"

struct dwqi_relay_config {
    struct dwqi_transport *transport;    /* borrowed; to the controller */
    struct dwqi_team *team;              /* borrowed */
    struct dwqi_executor *executor;      /* borrowed; NULL: beside the group */
    struct dwqi_broker_service *service; /* borrowed; NULL: none */
    const struct dwqi_log *log;          /* borrowed */
    int controller;                      /* the peer */
    double time_limit; /* on the transport's clock; INFINITY: none */
};

/* DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_relay_create(const struct dwqi_relay_config *config,
                               struct dwqi_role **role_out);

#endif

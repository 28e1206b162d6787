/* The broker of one group: for the controller a worker like any other (it has the
 * same server), which runs a task by relaying it to the group and merging the parts.
 * A broker inside its group runs its own share in between; one beside it goes on
 * listening to the controller. */
#ifndef DWQI_BROKERS_RELAY_H
#define DWQI_BROKERS_RELAY_H

#include "brokers/service.h"
#include "libdwq/wire/team.h"
#include "workers/executor.h"

struct dwqi_relay;

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
                               struct dwqi_relay **relay_out);
void dwqi_relay_destroy(struct dwqi_relay *relay);

/* Copied; of this rank. DWQ_E_ARG, DWQ_E_NOMEM. */
dwq_status_t dwqi_relay_set_ready_data(struct dwqi_relay *relay,
                                       dwq_value_t data);
/* The broker's function serves, or will not. DWQ_E_STATE: a second time. */
dwq_status_t dwqi_relay_begin(struct dwqi_relay *relay);
dwq_status_t dwqi_relay_withdraw(struct dwqi_relay *relay, const char *reason);

/**
 * One step: hear the group and the controller, move tasks and parts on.
 *
 * @return DWQ_OK (step again), DWQ_E_AGAIN (nothing to do now), DWQ_E_MPI,
 *         DWQ_E_NOMEM, DWQ_E_MESSAGE (this rank cannot go on)
 */
dwq_status_t dwqi_relay_step(struct dwqi_relay *relay);
/* Controller and group have been left. */
bool dwqi_relay_is_closed(const struct dwqi_relay *relay);
/* Whether it withdrew because a message was malformed. */
bool dwqi_relay_has_failed(const struct dwqi_relay *relay);

#endif

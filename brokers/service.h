/* The broker's part in the service. Group 1 may offer it: its broker keeps the requests
 * of the other groups, offers when no call runs, and has its group accept (see
 * service_fsm.h). The broker of a client passes words on. */
#ifndef DWQI_BROKERS_SERVICE_H
#define DWQI_BROKERS_SERVICE_H

#include "libdwq/base/log.h"
#include "libdwq/group/team.h"

#define DWQI_SERVICE_GROUP 1 /* the one that offers it */

struct dwqi_broker_service;

struct dwqi_broker_service_config {
    struct dwqi_transport *transport; /* borrowed; of the run's ranks */
    struct dwqi_team *team;           /* borrowed */
    const struct dwqi_log *log;       /* borrowed */
    int group;                        /* this broker's, from 1 */
    int n_groups;
    int server; /* the peer that is the broker of group 1 */
    /* Inside the group, this rank's share of an accept, and where words for the
     * group's rank 0 go; both NULL: beside it. */
    dwq_status_t (*accept)(void *arg);
    dwq_status_t (*heard)(void *arg, const struct dwqi_service *service);
    void *arg;
};

/* DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_broker_service_create(
    const struct dwqi_broker_service_config *config,
    struct dwqi_broker_service **service_out);
void dwqi_broker_service_destroy(struct dwqi_broker_service *service);

/* The transport without the words of the service, for the broker's server. */
struct dwqi_transport *dwqi_broker_service_transport(
    struct dwqi_broker_service *service);
/* Hear the other brokers while nobody polls that transport. */
dwq_status_t dwqi_broker_service_pump(struct dwqi_broker_service *service);
/* A word of the group's rank 0. */
dwq_status_t dwqi_broker_service_ask(struct dwqi_broker_service *service,
                                     const struct dwqi_service *word);

/**
 * Offer, or accept.
 *
 * @param idle  The group serves, and no call runs or is about to.
 *
 * @return DWQ_OK (step again), DWQ_E_AGAIN (nothing to do now), or an error with
 *         which this rank cannot go on
 */
dwq_status_t dwqi_broker_service_step(struct dwqi_broker_service *service,
                                      bool idle);
/* Whether a client may commit itself, or has: no task may start, and the group may not
 * leave. This does not last. */
bool dwqi_broker_service_holds(const struct dwqi_broker_service *service);
/* The group withdrew or leaves: refuse from now on. Not while it holds. */
dwq_status_t dwqi_broker_service_leave(struct dwqi_broker_service *service);

#endif

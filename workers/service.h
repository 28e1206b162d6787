/* A rank's access to the service: publish as group 1, connect as another group. The
 * group agrees before and after its rank 0 speaks with the broker, so that all ranks
 * have the same outcome, and enter MPI's blocking calls together or not at all. */
#ifndef DWQI_WORKERS_SERVICE_H
#define DWQI_WORKERS_SERVICE_H

#include "libdwq/base/log.h"
#include "libdwq/group/team.h"
#include "libdwq/item/links.h"

struct dwqi_access;

struct dwqi_access_config {
    struct dwqi_transport *transport; /* borrowed; to wait with */
    struct dwqi_team *team;           /* borrowed */
    struct dwqi_links *links;         /* borrowed */
    const struct dwqi_log *log;       /* borrowed */
    const char *name;                 /* of the service; borrowed */
    int group;                        /* this one's number */
    /* On the group's rank 0: a word to its broker, and hear what came for it. */
    dwq_status_t (*say)(void *arg, const struct dwqi_service *word);
    dwq_status_t (*pump)(void *arg);
    void *arg;
};

/* DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_access_create(const struct dwqi_access_config *config,
                                struct dwqi_access **access_out);
void dwqi_access_destroy(struct dwqi_access *access);

/* Collective over the group. DWQ_OK, DWQ_E_SERVICE (logged), DWQ_E_MPI. */
dwq_status_t dwqi_access_publish(struct dwqi_access *access);
dwq_status_t dwqi_access_connect(struct dwqi_access *access, int attempts);
/* This rank's share in the order to accept a client. */
dwq_status_t dwqi_access_accept(struct dwqi_access *access);
/* A word for this rank came. */
dwq_status_t dwqi_access_hear(struct dwqi_access *access,
                              const struct dwqi_service *word);

#endif

/* The role of a rank of a group that is not its broker, a leaf: takes orders from the
 * broker, runs its share of each task, gives its part. */
#ifndef DWQI_WORKERS_SERVE_TEAM_H
#define DWQI_WORKERS_SERVE_TEAM_H

#include "libdwq/group/team.h"
#include "workers/executor.h"
#include "workers/role.h"

struct dwqi_leaf_config {
    struct dwqi_team *team;         /* borrowed */
    struct dwqi_executor *executor; /* borrowed */
    const struct dwqi_log *log;     /* borrowed */
    /* Accept a client of the service; NULL: there is none. */
    dwq_status_t (*accept)(void *accept_arg);
    void *accept_arg;
};

/* DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_leaf_create(const struct dwqi_leaf_config *config,
                              struct dwqi_role **role_out);

#endif

/* A rank of a group that is not its broker: takes orders from the broker, runs its
 * share of each task, gives its part. It steps, like the server of a worker of one
 * rank. */
#ifndef DWQI_WORKERS_SERVE_TEAM_H
#define DWQI_WORKERS_SERVE_TEAM_H

#include "libdwq/wire/team.h"
#include "workers/executor.h"

struct dwqi_member;

struct dwqi_member_config {
    struct dwqi_team *team;         /* borrowed */
    struct dwqi_executor *executor; /* borrowed */
    const struct dwqi_log *log;     /* borrowed */
    /* Accept a client of the service; NULL: there is none. */
    dwq_status_t (*accept)(void *accept_arg);
    void *accept_arg;
};

/* DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_member_create(const struct dwqi_member_config *config,
                                struct dwqi_member **member_out);
void dwqi_member_destroy(struct dwqi_member *member);

/* Copied; sent with the next READY. DWQ_E_ARG, DWQ_E_NOMEM. */
dwq_status_t dwqi_member_set_ready_data(struct dwqi_member *member,
                                        dwq_value_t data);
/* Say that this rank serves, or that it will not; once. */
dwq_status_t dwqi_member_begin(struct dwqi_member *member);
dwq_status_t dwqi_member_withdraw(struct dwqi_member *member,
                                  const char *reason);

/**
 * Do what an order says, if one came.
 *
 * @return DWQ_OK (step again), DWQ_E_AGAIN (nothing to do now), DWQ_E_MPI,
 *         DWQ_E_NOMEM, DWQ_E_MESSAGE (this rank cannot go on)
 */
dwq_status_t dwqi_member_step(struct dwqi_member *member);
bool dwqi_member_is_closed(const struct dwqi_member *member);

#endif

/* The ready data of a group: a list with one entry per rank, and one more for a
 * broker beside it. */
#ifndef DWQI_BROKERS_READY_DATA_H
#define DWQI_BROKERS_READY_DATA_H

#include "libdwq/group/team.h"
#include "workers/role.h"

/* Hand the list to the broker's server; nothing where nobody set any. `own` is an
 * item of this rank, or size 0. DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_ready_data_pass(const struct dwqi_team *team,
                                  struct dwqi_extent own,
                                  struct dwqi_role *server);

#endif

/* The communicators of one group, as one rank has them: the merged one (broker and
 * group; the broker is rank 0), the group's, and the brokers'. Each exists twice:
 * for the library's own messages, and for the user. Cut out of the world (split), or
 * of a broker and the processes that it started (spawn). Everything here is collective,
 * and happens at the start or the end of a run. */
#ifndef DWQI_MPI_GROUP_H
#define DWQI_MPI_GROUP_H

#include "libdwq/base/log.h"
#include "libdwq/item/coll.h"
#include "libdwq/item/transport.h"
#include "libdwq/mpi/world.h"

struct dwqi_group;

/**
 * Cut the world into groups.
 *
 * @param number  Of this rank's group, from 1; 0: it is in none.
 * @param place   Of this rank in it; 0 is the broker.
 * @param inside  The broker is a rank of the group.
 *
 * Collective over the world. *group_out is NULL where number is 0.
 * @return The same on all: DWQ_OK, DWQ_E_MPI; DWQ_E_NOMEM, which is logged
 */
dwq_status_t dwqi_group_split(struct dwqi_world *world, int number, int place,
                              bool inside, const struct dwqi_log *log,
                              struct dwqi_group **group_out);
/* The brokers' communicator: they are in the order of their numbers, from 1 (0: this rank is
 * none, and its group may be NULL). Part of dwqi_group_split(); for spawned groups a step of
 * its own. Collective over the world. */
dwq_status_t dwqi_group_set_brokers(struct dwqi_group *group,
                                    struct dwqi_world *world, int number);
void dwqi_group_close(struct dwqi_group *group);

/**
 * After a call that failed: the user gets other communicators, merged and the group's;
 * those of the call are retired (mpi/user_comm.h). Collective over the merged ranks,
 * in the same order with the library's collectives on every rank.
 *
 * @return DWQ_OK, DWQ_E_MPI
 */
dwq_status_t dwqi_group_renew(struct dwqi_group *group);

/* The merged ones: broker and group. */
struct dwqi_ranks *dwqi_group_ranks(struct dwqi_group *group);

/* For the user: MPI_Comm *; NULL where this rank has none. */
const void *dwqi_group_comm(const struct dwqi_group *group);
const void *dwqi_group_merged_comm(const struct dwqi_group *group);
const void *dwqi_group_brokers_comm(const struct dwqi_group *group);

/* For the library, over the merged ranks: collective, the transport first. DWQ_OK,
 * DWQ_E_MPI, DWQ_E_NOMEM. */
dwq_status_t dwqi_group_transport(struct dwqi_group *group,
                                  const struct dwqi_log *log,
                                  struct dwqi_transport **transport_out);
dwq_status_t dwqi_group_coll(struct dwqi_group *group,
                             const struct dwqi_log *log,
                             struct dwqi_coll **coll_out);

#endif

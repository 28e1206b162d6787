/* The group's inside, for group_mpi.c and spawn_mpi.c. */
#ifndef DWQI_MPI_GROUP_PRIVATE_H
#define DWQI_MPI_GROUP_PRIVATE_H

#include "libdwq/mpi/group.h"
#include "libdwq/mpi/user_comm.h"
#include "libdwq/mpi/world_private.h"

struct dwqi_group {
    struct dwqi_world *world; /* borrowed */
    MPI_Comm parent; /* between broker and spawned ranks, or MPI_COMM_NULL */
    struct dwqi_ranks ranks; /* merged */
    bool inside;             /* the broker is a rank of the group */
    struct dwqi_user_comm user_merged;
    struct dwqi_user_comm user_group;
    MPI_Comm user_brokers;
};

/* NULL: no memory. */
struct dwqi_group *dwqi_group_new(struct dwqi_world *world);
/* `merged` is there: make the rest. Collective over it. */
dwq_status_t dwqi_group_finish_merged(struct dwqi_group *group, bool inside);

#endif

/* The inside of a set of ranks, for this room. */
#ifndef DWQI_MPI_RANKS_PRIVATE_H
#define DWQI_MPI_RANKS_PRIVATE_H

#include <mpi.h>
#include <stdbool.h>

#include "libdwq/mpi/ranks.h"
#include "libdwq/wait/doorbell.h"

struct dwqi_ranks {
    struct dwqi_world *world;     /* borrowed: how this rank waits */
    MPI_Comm comm;                /* private; MPI_COMM_NULL: none yet */
    struct dwqi_ringers *ringers; /* of these ranks; or NULL */
    int rank;
    int size;
};

/* The communicator is taken; its errors are returned from now on. Not collective. */
void dwqi_ranks_take(struct dwqi_ranks *ranks, MPI_Comm comm);
/* What was taken is freed. */
void dwqi_ranks_finish(struct dwqi_ranks *ranks);

/* Those below are collective. */

/* Wait cheaply until all are here: before every blocking collective. */
dwq_status_t dwqi_ranks_meet(struct dwqi_ranks *ranks);
/* As MPI_Comm_split. */
dwq_status_t dwqi_ranks_split(struct dwqi_ranks *ranks, int color, int key,
                              MPI_Comm *part_out);
/* Whether all have the memory that they need; those that have none log it (`log`: unless
 * NULL). The same on all: DWQ_OK, DWQ_E_NOMEM, DWQ_E_MPI. */
dwq_status_t dwqi_ranks_all_have(struct dwqi_ranks *ranks, bool has,
                                 const struct dwqi_log *log);
/* `size` bytes of each rank, for free(): the pointer at *all_out. */
dwq_status_t dwqi_ranks_gather(struct dwqi_ranks *ranks, const void *mine,
                               size_t size, const struct dwqi_log *log,
                               void *all_out);

#endif

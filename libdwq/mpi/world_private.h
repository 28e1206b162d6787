/* The world's inside, for world_gather_mpi.c, group_mpi.c and spawn_mpi.c. */
#ifndef DWQI_MPI_WORLD_PRIVATE_H
#define DWQI_MPI_WORLD_PRIVATE_H

#include <mpi.h>

#include "libdwq/mpi/user_comm.h"
#include "libdwq/mpi/world.h"
#include "libdwq/process/process.h"
#include "libdwq/process/witness_mpi.h"
#include "libdwq/wait/backoff.h"
#include "libdwq/wait/doorbell.h"

struct dwqi_world {
    struct dwqi_process_run
        run;       /* first: what is known of a run is its world */
    MPI_Comm comm; /* private */
    MPI_Comm self; /* private */
    struct dwqi_user_comm alone[2]; /* for calls of this rank; see world.h */
    MPI_Comm beside; /* a group and its broker, which is in no call; or null */
    int rank;
    int size;
    bool is_job;      /* its parent is MPI_COMM_WORLD */
    bool spans_hosts; /* by their names; the same on every rank */
    bool
        crowded; /* ranks of this host share processors, for all that is known */
    double idle_wait;
    struct dwqi_backoff backoff;  /* of all that this rank waits for */
    struct dwqi_pool *pool;       /* or NULL */
    struct dwqi_bell *bell;       /* or NULL */
    struct dwqi_ringers *ringers; /* of the run's ranks, or NULL */
    MPI_Errhandler user_errors; /* of the user's: says what failed, ends all */
    struct dwqi_departure
        *awaited; /* while all ranks of the job are; or NULL */
};

/* Poll a request of a collective until it is done. */
dwq_status_t dwqi_world_finish(struct dwqi_world *world, MPI_Request *request);
/* Wait cheaply until all are here: before every blocking collective. */
dwq_status_t dwqi_world_meet(struct dwqi_world *world, MPI_Comm comm);
/* A duplicate whose errors are returned (of the library), or end all (of the user). */
dwq_status_t dwqi_world_duplicate(struct dwqi_world *world, MPI_Comm comm,
                                  bool of_library, MPI_Comm *copy_out);

/* Whether all ranks of `comm` have the memory that they need; those that have none log
 * it (`log`: unless NULL). Collective. The same on all: DWQ_OK, DWQ_E_NOMEM, DWQ_E_MPI. */
dwq_status_t dwqi_world_all_have(struct dwqi_world *world, MPI_Comm comm,
                                 bool has, const struct dwqi_log *log);

/* One board for all ranks of a host: that of the first of them that has one; each has
 * its own where there is no memory to tell. Collective over `comm`. */
dwq_status_t dwqi_world_share_board(struct dwqi_world *world, MPI_Comm comm);

/* Ringers for the ranks of one more communicator; its bell wakes this rank when
 * all that it hears of can ring. Collective over `comm`. */
dwq_status_t dwqi_world_hang_bells(struct dwqi_world *world, MPI_Comm comm,
                                   struct dwqi_ringers **ringers_out);

#endif

/* The world's inside, for world_host_mpi.c, group_mpi.c and spawn_mpi.c. */
#ifndef DWQI_MPI_WORLD_PRIVATE_H
#define DWQI_MPI_WORLD_PRIVATE_H

#include <mpi.h>

#include "libdwq/mpi/ranks_private.h"
#include "libdwq/mpi/user_comm.h"
#include "libdwq/mpi/world.h"
#include "libdwq/process/process.h"
#include "libdwq/process/witness_mpi.h"
#include "libdwq/wait/backoff.h"
#include "libdwq/wait/doorbell.h"

struct dwqi_world {
    struct dwqi_process_run
        run; /* first: what is known of a run is its world */
    struct dwqi_ranks ranks;
    MPI_Comm self;                  /* private */
    struct dwqi_user_comm alone[2]; /* for calls of this rank; see world.h */
    MPI_Comm beside;  /* a group and its broker, which is in no call; or null */
    bool is_job;      /* its parent is MPI_COMM_WORLD */
    bool spans_hosts; /* by their names; the same on every rank */
    bool
        crowded; /* ranks of this host share processors, for all that is known */
    double idle_wait;
    struct dwqi_backoff backoff; /* of all that this rank waits for */
    struct dwqi_pool *pool;      /* or NULL */
    struct dwqi_bell *bell;      /* or NULL */
    MPI_Errhandler user_errors;  /* of the user's: says what failed, ends all */
    struct dwqi_departure
        *awaited; /* while all ranks of the job are; or NULL */
};

/* Poll a request of a collective until it is done. DWQ_OK; DWQ_E_WORKER: it needs all ranks
 * of the job, and one is dead: nobody may touch the request or its communicator any more;
 * DWQ_E_MPI. */
dwq_status_t dwqi_world_finish(struct dwqi_world *world, MPI_Request *request);
/* Wait cheaply until all are here: before every blocking collective. */
dwq_status_t dwqi_world_meet(struct dwqi_world *world, MPI_Comm comm);
/* A duplicate whose errors are returned (of the library), or end all (of the user). */
dwq_status_t dwqi_world_duplicate(struct dwqi_world *world, MPI_Comm comm,
                                  bool of_library, MPI_Comm *copy_out);

/* The same, until then, or DWQ_E_TIME_LIMIT. `of_job`: all ranks of the job have to come. */
dwq_status_t dwqi_world_finish_until(struct dwqi_world *world, bool of_job,
                                     MPI_Request *request, double until);

/* One board for all ranks of a host: that of the first of them that has one; each has
 * its own where there is no memory to tell. Collective over these ranks. */
dwq_status_t dwqi_world_share_board(struct dwqi_world *world,
                                    struct dwqi_ranks *ranks);

/* Ringers for these ranks; this rank's bell wakes it when all that it hears of can ring.
 * Collective over them. */
dwq_status_t dwqi_world_hang_bells(struct dwqi_world *world,
                                   struct dwqi_ranks *ranks);
/* This rank's endpoint among them; peers are their numbers. Collective over them. */
dwq_status_t dwqi_world_transport_to(struct dwqi_world *world,
                                     struct dwqi_ranks *ranks,
                                     const struct dwqi_log *log,
                                     struct dwqi_transport **transport_out);

#endif

/* The world's inside, for group_mpi.c and spawn_mpi.c. */
#ifndef DWQI_WIRE_WORLD_PRIVATE_H
#define DWQI_WIRE_WORLD_PRIVATE_H

#include <mpi.h>

#include "libdwq/wire/backoff.h"
#include "libdwq/wire/doorbell.h"
#include "libdwq/wire/user_comm.h"
#include "libdwq/wire/world.h"

/* MPI is one per process, and so is what follows from that. MPI keeps it for us, as
 * the name of MPI_COMM_SELF. */
struct dwqi_process {
    int started; /* MPI was started here, and has to be finished here */
    int running; /* a run goes on */
    int runs;    /* so far */
    int joined;  /* a spawned process: it has joined its broker, maybe left */
    int words; /* key of the last words among MPI_COMM_SELF's attributes, or -1 */
};

struct dwqi_world {
    MPI_Comm comm;                  /* private */
    MPI_Comm self;                  /* private */
    struct dwqi_user_comm alone[2]; /* for calls of this rank; see world.h */
    int rank;
    int size;
    bool crowded; /* more ranks than cores on this host */
    double idle_wait;
    struct dwqi_backoff backoff;  /* of all that this rank waits for */
    struct dwqi_pool *pool;       /* or NULL */
    struct dwqi_bell *bell;       /* or NULL */
    struct dwqi_ringers *ringers; /* of the run's ranks, or NULL */
    bool all_reached; /* whoever this rank hears of can ring its bell */
    struct dwqi_last_words words; /* an attribute of MPI_COMM_SELF */
    struct dwqi_process outer; /* as it was before: of a run around this one */
};

struct dwqi_process dwqi_process_get(void);
void dwqi_process_set(struct dwqi_process process);

/* Poll a request of a collective until it is done. */
dwq_status_t dwqi_world_finish(struct dwqi_world *world, MPI_Request *request);
/* Wait cheaply until all are here: before every blocking collective. */
dwq_status_t dwqi_world_meet(struct dwqi_world *world, MPI_Comm comm);
/* A duplicate whose errors are returned (of the library), or are handled as the
 * default does (of the user). */
dwq_status_t dwqi_world_duplicate(struct dwqi_world *world, MPI_Comm comm,
                                  bool of_library, MPI_Comm *copy_out);

/* Ringers for the ranks of one more communicator; its bell wakes this rank when
 * all that it hears of can ring. Collective over `comm`. */
dwq_status_t dwqi_world_hang_bells(struct dwqi_world *world, MPI_Comm comm,
                                   struct dwqi_ringers **ringers_out);

#endif

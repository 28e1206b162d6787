/* The processes of one run: MPI ranks, or (built without MPI) this process
 * alone. The run's communicators are private duplicates. */
#ifndef DWQI_MPI_WORLD_H
#define DWQI_MPI_WORLD_H

#include <dwq/status.h>
#include <stdbool.h>
#include <stddef.h>

#include "libdwq/base/log.h"
#include "libdwq/base/pool.h"
#include "libdwq/item/transport.h"
#include "libdwq/mpi/ranks.h"
#include "libdwq/process/mpi_process.h"
#include "libdwq/process/witness.h"

struct dwqi_world;

/* Whether `comm` (an MPI_Comm *, or NULL) is MPI_COMM_NULL; MPI running or not. */
bool dwqi_mpi_is_null(const void *comm);
/* Why a run over `comm` (as in dwqi_world_open()) cannot begin in this thread now;
 * NULL: it can. MPI running. */
const char *dwqi_mpi_why_no_run(const void *comm);
/* Rank and size of `comm` (an MPI_Comm *, NULL: the world), MPI running. */
dwq_status_t dwqi_mpi_place(const void *comm, int *rank_out, int *size_out);

/* Collective over `comm` (an MPI_Comm *, NULL: the world). DWQ_E_ARG: it is
 * MPI_COMM_NULL, or no intracommunicator. DWQ_E_NOMEM: on this rank, and the others
 * wait. */
dwq_status_t dwqi_world_open(const void *comm, struct dwqi_world **world_out);
/* Not collective: waits for nobody. */
void dwqi_world_close(struct dwqi_world *world);

/* Its ranks. */
struct dwqi_ranks *dwqi_world_ranks(struct dwqi_world *world);
/* An MPI_Comm of this process alone for calls, `inner`: for those that another call
 * executes; NULL without MPI. What it points to is another one after a renewal. */
const void *dwqi_world_self(const struct dwqi_world *world, bool inner);
/* After a call that failed: the next one gets another (mpi/user_comm.h). DWQ_OK,
 * DWQ_E_MPI. */
dwq_status_t dwqi_world_renew_self(struct dwqi_world *world, bool inner);

/* Of how this process ends, should it be in the middle of the run. */
struct dwqi_witness *dwqi_world_witness(struct dwqi_world *world);

/* Memory for all that this rank sends and receives in the run; NULL: none. */
struct dwqi_pool *dwqi_world_pool(const struct dwqi_world *world);

/* Collective. How long each sleeps while it waits: seconds. */
void dwqi_world_set_idle_wait(struct dwqi_world *world, double idle_wait);

/* Doorbells between all ranks of the run, where they can be. Collective. */
dwq_status_t dwqi_world_connect_bells(struct dwqi_world *world);
/* Whether the ranks have more than one host's name, the same on all; not collective. */
bool dwqi_world_spans_hosts(const struct dwqi_world *world);
/* Whether its ranks are those of the job; the same on all. */
bool dwqi_world_is_job(const struct dwqi_world *world);
/* On the hub's rank: this transport tells of deaths (status DWQ_E_WORKER), behind all that
 * came before. The peer of a worker is what peer_of() says. */
void dwqi_world_tell_deaths(struct dwqi_world *world,
                            struct dwqi_transport *transport,
                            int (*peer_of)(void *arg, int worker), void *arg);
/* All have been bound, so they share other processors than they did. Not collective. */
void dwqi_world_recount(struct dwqi_world *world);
/* This rank's bell alone, in a spawned process. */
void dwqi_world_make_bell(struct dwqi_world *world);
/* This rank's endpoint; peers are ranks of the world. */
dwq_status_t dwqi_world_transport(struct dwqi_world *world,
                                  const struct dwqi_log *log,
                                  struct dwqi_transport **transport_out);

#endif

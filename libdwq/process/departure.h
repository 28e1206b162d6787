/* How a process leaves MPI outside of a run, and how those hear it that wait for it at
 * the start of their next run over the world. Each tells the next rank in a ring: where
 * some have left and the others wait, one that waits stands behind one that has left. */
#ifndef DWQI_PROCESS_DEPARTURE_H
#define DWQI_PROCESS_DEPARTURE_H

#include <mpi.h>

#include "libdwq/process/process.h"

/* Watch for MPI_Finalize(), whoever calls it. `started`: the library started MPI, here as
 * elsewhere. NULL: no memory. */
struct dwqi_departure *dwqi_departure_create(bool started);

/* A private communicator of the world's ranks for it, or MPI_COMM_NULL: none yet. It is
 * the first duplicate of the world that the library makes, in a run or here. */
MPI_Comm *dwqi_departure_ring(struct dwqi_departure *departure);

/* Has the rank before this one left? Then end the job: it can never come. */
void dwqi_departure_look(struct dwqi_departure *departure);

/* MPI_Finalize(), in a process that exits with `code`. If that is not 0, the job ends
 * when the others do not leave within a moment. */
void dwqi_departure_leave(struct dwqi_departure *departure, int code);

#endif

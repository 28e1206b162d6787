/* Doorbells over a communicator. */
#ifndef DWQI_WIRE_DOORBELL_MPI_H
#define DWQI_WIRE_DOORBELL_MPI_H

#include <mpi.h>

#include <dwq/status.h>

#include "libdwq/wire/backoff.h"
#include "libdwq/wire/doorbell.h"

/**
 * Ringers for all ranks of `comm`, an intracommunicator. Collective.
 *
 * @param bell     This rank's, or NULL: it has none, and takes part all the
 *                 same.
 * @param waiting  How to wait for the others; copied.
 *
 * @return DWQ_OK, DWQ_E_MPI, DWQ_E_NOMEM. *ringers_out may be NULL then, where
 *         there are no doorbells.
 */
dwq_status_t dwqi_ringers_connect(MPI_Comm comm, struct dwqi_bell *bell,
                                  const struct dwqi_backoff *waiting,
                                  struct dwqi_ringers **ringers_out);

#endif

#ifndef DWQI_MPI_COLL_MPI_H
#define DWQI_MPI_COLL_MPI_H

#include <mpi.h>

#include "libdwq/base/log.h"
#include "libdwq/item/coll.h"
#include "libdwq/wait/doorbell.h"

/* `comm` and `ringers` (may be NULL) are borrowed; nobody else uses collectives on
 * it. DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_coll_mpi_create(MPI_Comm comm, struct dwqi_ringers *ringers,
                                  const struct dwqi_log *log,
                                  struct dwqi_coll **coll_out);

#endif

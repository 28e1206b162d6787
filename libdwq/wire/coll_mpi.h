#ifndef DWQI_WIRE_COLL_MPI_H
#define DWQI_WIRE_COLL_MPI_H

#include <mpi.h>

#include "libdwq/base/log.h"
#include "libdwq/wire/coll.h"
#include "libdwq/wire/doorbell.h"

/* `comm` and `ringers` (may be NULL) are borrowed; nobody else uses collectives on
 * it. DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_coll_mpi_create(MPI_Comm comm, struct dwqi_ringers *ringers,
                                  const struct dwqi_log *log,
                                  struct dwqi_coll **coll_out);

#endif

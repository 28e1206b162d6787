#include "libdwq/wire/doorbell_mpi.h"

#include <stdlib.h>

static dwq_status_t gather(MPI_Comm comm, const struct dwqi_bell *bell,
                           const struct dwqi_backoff *waiting,
                           struct dwqi_bell_address *addresses)
{
    struct dwqi_bell_address own = dwqi_bell_address(bell);
    struct dwqi_backoff backoff = *waiting;
    MPI_Request request;
    int done = 0;

    dwqi_backoff_reset(&backoff);
    if (MPI_Iallgather(&own, (int)sizeof own, MPI_BYTE, addresses,
                       (int)sizeof own, MPI_BYTE, comm,
                       &request) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    for (;;) {
        if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            return DWQ_E_MPI;
        }
        if (done) {
            return DWQ_OK;
        }
        dwqi_backoff_pause(&backoff, INFINITY, true);
    }
}

dwq_status_t dwqi_ringers_connect(MPI_Comm comm, struct dwqi_bell *bell,
                                  const struct dwqi_backoff *waiting,
                                  struct dwqi_ringers **ringers_out)
{
    struct dwqi_bell_address *addresses;
    dwq_status_t status;
    int size;

    MPI_Comm_size(comm, &size);
    addresses = calloc((size_t)size, sizeof *addresses);
    if (!addresses) {
        return DWQ_E_NOMEM;
    }
    status = gather(comm, bell, waiting, addresses);
    if (status == DWQ_OK) {
        dwqi_bell_expect(bell, size);
        *ringers_out = dwqi_ringers_create(addresses, size);
    }
    free(addresses);
    return status;
}

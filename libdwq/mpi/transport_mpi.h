/* The transport between MPI ranks. */
#ifndef DWQI_MPI_TRANSPORT_MPI_H
#define DWQI_MPI_TRANSPORT_MPI_H

#include <mpi.h>

#include "libdwq/base/log.h"
#include "libdwq/base/pool.h"
#include "libdwq/item/transport.h"
#include "libdwq/process/lines.h"
#include "libdwq/wait/backoff.h"
#include "libdwq/wait/doorbell.h"

/* `comm` (no other messages on it), `backoff` (shared with what else this rank waits
 * for), `pool` (for large bodies; or NULL) and `log` are borrowed until close. */
dwq_status_t dwqi_transport_mpi_create(MPI_Comm comm,
                                       struct dwqi_backoff *backoff,
                                       struct dwqi_pool *pool,
                                       const struct dwqi_log *log,
                                       struct dwqi_transport **transport_out);
/* Ring these after each send (borrowed until close; NULL: nobody). */
void dwqi_transport_mpi_set_ringers(struct dwqi_transport *transport,
                                    struct dwqi_ringers *ringers);

/* Deaths that are heard by lines. */
struct dwqi_deaths {
    struct dwqi_lines *lines; /* borrowed until close */
    int (*peer_of)(void *arg, int worker);
    void *peer_arg;
};
/* Poll tells them from now on. */
void dwqi_transport_mpi_tell_deaths(struct dwqi_transport *transport,
                                    const struct dwqi_deaths *deaths);

#endif

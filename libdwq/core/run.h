/* dwq_run() over a given communicator. */
#ifndef DWQI_CORE_RUN_H
#define DWQI_CORE_RUN_H

#include <dwq/run.h>

/* `comm`: an MPI_Comm *, or NULL for the world. */
dwq_status_t dwqi_run(const void *comm, const dwq_options_t *options,
                      int *exit_code_out, bool *is_controller_out);

#endif

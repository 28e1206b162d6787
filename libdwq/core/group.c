/* The calls of <dwq/mpi.h>: communicators of runs, calls and workers. */
#include <dwq/mpi.h>

#include "libdwq/core/run.h"
#include "workers/call.h"
#include "workers/worker.h"

dwq_status_t dwq_run_comm(MPI_Comm comm, const dwq_options_t *options,
                          int *exit_code_out)
{
    bool is_controller;
    int code;
    dwq_status_t status = dwqi_run(&comm, options, &code, &is_controller);

    if (status == DWQ_OK && exit_code_out) {
        *exit_code_out = code;
    }
    return status;
}

MPI_Comm dwq_call_comm(const dwq_call_t *call)
{
    const MPI_Comm *comm = dwqi_call_comm(call);

    return comm ? *comm : MPI_COMM_NULL;
}

MPI_Comm dwq_worker_comm(const dwq_worker_t *worker)
{
    const MPI_Comm *comm = dwqi_worker_comm(worker);

    return comm ? *comm : MPI_COMM_NULL;
}

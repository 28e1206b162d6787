/* The calls of <dwq/mpi.h>: communicators of runs, calls and workers. */
#include <dwq/mpi.h>

#include "brokers/broker.h"
#include "libdwq/core/run.h"
#include "workers/call.h"
#include "workers/worker.h"

dwq_status_t dwq_run_comm(MPI_Comm comm, const dwq_options_t *options,
                          int *exit_code_out)
{
    return dwqi_run(&comm, options, exit_code_out);
}

dwq_status_t dwq_open_comm(MPI_Comm comm, const dwq_options_t *options,
                           dwq_controller_t **controller_out,
                           int *exit_code_out)
{
    return dwqi_open(&comm, options, controller_out, exit_code_out);
}

static MPI_Comm comm_at(const void *comm)
{
    return comm ? *(const MPI_Comm *)comm : MPI_COMM_NULL;
}

MPI_Comm dwq_call_comm(const dwq_call_t *call)
{
    return comm_at(dwqi_call_comm(call));
}

MPI_Comm dwq_worker_comm(const dwq_worker_t *worker)
{
    return comm_at(dwqi_worker_comm(worker));
}

MPI_Comm dwq_worker_merged_comm(const dwq_worker_t *worker)
{
    return comm_at(dwqi_worker_merged_comm(worker));
}

MPI_Comm dwq_worker_server_comm(const dwq_worker_t *worker)
{
    return comm_at(dwqi_worker_server_comm(worker));
}

const MPI_Comm *dwq_worker_client_comms(const dwq_worker_t *worker, int *n_out)
{
    return dwqi_worker_client_comms(worker, n_out);
}

MPI_Comm dwq_broker_merged_comm(const dwq_broker_t *broker)
{
    return comm_at(dwqi_broker_merged_comm(broker));
}

MPI_Comm dwq_broker_group_comm(const dwq_broker_t *broker)
{
    return comm_at(dwqi_broker_brokers_comm(broker));
}

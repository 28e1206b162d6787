/* The calls of <dwq/mpi.h>: communicators of runs, calls and workers. */
#include <dwq/mpi.h>

#include "brokers/broker.h"
#include "libdwq/run/run.h"
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

/* --- For Fortran ------------------------------------------------------------ */

/* Before MPI runs, and after, the conversions end the process. */
static bool mpi_runs(void)
{
    int is_begun = 0, is_over = 0;

    MPI_Initialized(&is_begun);
    MPI_Finalized(&is_over);
    return is_begun && !is_over;
}

static MPI_Fint integer_of(MPI_Comm comm)
{
    return mpi_runs() ? MPI_Comm_c2f(comm) : -1;
}

dwq_status_t dwq_run_comm_f(MPI_Fint comm, const dwq_options_t *options,
                            int *exit_code_out)
{
    return mpi_runs() ? dwq_run_comm(MPI_Comm_f2c(comm), options, exit_code_out)
                      : DWQ_E_STATE;
}

dwq_status_t dwq_open_comm_f(MPI_Fint comm, const dwq_options_t *options,
                             dwq_controller_t **controller_out,
                             int *exit_code_out)
{
    return mpi_runs() ? dwq_open_comm(MPI_Comm_f2c(comm), options,
                                      controller_out, exit_code_out)
                      : DWQ_E_STATE;
}

MPI_Fint dwq_call_comm_f(const dwq_call_t *call)
{
    return integer_of(dwq_call_comm(call));
}

MPI_Fint dwq_worker_comm_f(const dwq_worker_t *worker)
{
    return integer_of(dwq_worker_comm(worker));
}

MPI_Fint dwq_worker_merged_comm_f(const dwq_worker_t *worker)
{
    return integer_of(dwq_worker_merged_comm(worker));
}

MPI_Fint dwq_worker_server_comm_f(const dwq_worker_t *worker)
{
    return integer_of(dwq_worker_server_comm(worker));
}

MPI_Fint dwq_broker_merged_comm_f(const dwq_broker_t *broker)
{
    return integer_of(dwq_broker_merged_comm(broker));
}

MPI_Fint dwq_broker_group_comm_f(const dwq_broker_t *broker)
{
    return integer_of(dwq_broker_group_comm(broker));
}

int dwq_worker_client_comms_f(const dwq_worker_t *worker, int max,
                              MPI_Fint *comms_out)
{
    int n = 0;
    const MPI_Comm *comms = dwq_worker_client_comms(worker, &n);

    for (int i = 0; i < n && i < max && comms_out; i++) {
        comms_out[i] = integer_of(comms[i]);
    }
    return n;
}

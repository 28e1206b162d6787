/* The part of the API that speaks MPI; the only header that needs <mpi.h>. In C++
 * with Open MPI 4 define OMPI_SKIP_MPICXX to leave out its old C++ bindings. */
#ifndef DWQ_MPI_H
#define DWQ_MPI_H

#include <dwq/dwq.h>
#include <mpi.h>

#ifdef __cplusplus
extern "C" {
#endif

/** dwq_run() over the ranks of `comm` (borrowed; a duplicate is used). Not
 * collective over ranks outside of it; also in a call, over dwq_call_comm(), where it
 * is not counted among the runs of the process, and cannot spawn this program. MPI
 * must be running. DWQ_E_ARG: MPI_COMM_NULL (which starts nothing), or an
 * intercommunicator. */
DWQ_API dwq_status_t dwq_run_comm(MPI_Comm comm, const dwq_options_t *options,
                                  int *exit_code_out);

/** dwq_open() over the ranks of `comm`, by the same rules. A call (and a worker or broker
 * function) closes what it opened before it returns: else the library closes it, by
 * dwq_close(c, 1), with a message, and the call has failed with code DWQ_E_STATE, unless
 * it had failed anyway. */
DWQ_API dwq_status_t dwq_open_comm(MPI_Comm comm, const dwq_options_t *options,
                                   dwq_controller_t **controller_out,
                                   int *exit_code_out);

/**
 * The communicator of the group that runs this call, and of nobody else; in a call of
 * dwq_worker_execute(), of this rank alone. The user's, not to be freed.
 *
 * It is the same one in all calls of the group, with what they leave on it, until a
 * call fails on any rank. The next call gets a fresh one then, without the messages,
 * collectives, attributes, name and error handler of the failed one, and so do
 * dwq_worker_comm() and the merged communicators: ask for it in each call. That of the
 * failed call is retired: the handle stays valid, so that what was made on it can be
 * ended, until 16 more are retired, or the run ends; then the library frees it. A
 * receive or a collective that the call left pending is never completed by the library:
 * it costs some 8 kB for each such call, and MPI has some 65,000 communicators in all.
 *
 * An error on it, as on all communicators that the library gives, ends the job as with
 * MPI_ERRORS_ARE_FATAL, by a handler that says which task it was; set another to see
 * errors yourself.
 */
DWQ_API MPI_Comm dwq_call_comm(const dwq_call_t *call);

/** The communicator of this worker's group: that of its next, or present, call. */
DWQ_API MPI_Comm dwq_worker_comm(const dwq_worker_t *worker);

/** Broker (rank 0) and group together; a broker inside is the group's rank 0, and
 * this has the ranks of dwq_worker_comm(). MPI_COMM_NULL for a worker of one rank
 * without a broker. The user's, not to be freed; after a call that failed it is another
 * one, as with dwq_call_comm(). */
DWQ_API MPI_Comm dwq_worker_merged_comm(const dwq_worker_t *worker);
DWQ_API MPI_Comm dwq_broker_merged_comm(const dwq_broker_t *broker);

/** After dwq_worker_connect_service(): this group (local) and group 1 (remote); else
 * MPI_COMM_NULL. The user's until the run ends, which frees it on both sides; not to be
 * freed. */
DWQ_API MPI_Comm dwq_worker_server_comm(const dwq_worker_t *worker);

/** On group 1: the same to each client, in the order in which they connected (which may
 * differ from run to run, but not between the ranks of the group); NULL if there is
 * none. The array is valid until the worker serves on, or the call returns. */
DWQ_API const MPI_Comm *dwq_worker_client_comms(const dwq_worker_t *worker,
                                                int *n_out);

/** All brokers of the run, in the order of their numbers. */
DWQ_API MPI_Comm dwq_broker_group_comm(const dwq_broker_t *broker);

/* The same for Fortran, whose communicators are integers. Where MPI does not run there
 * are none: DWQ_E_STATE, and -1. */
DWQ_API dwq_status_t dwq_run_comm_f(MPI_Fint comm, const dwq_options_t *options,
                                    int *exit_code_out);
DWQ_API dwq_status_t dwq_open_comm_f(MPI_Fint comm,
                                     const dwq_options_t *options,
                                     dwq_controller_t **controller_out,
                                     int *exit_code_out);
DWQ_API MPI_Fint dwq_call_comm_f(const dwq_call_t *call);
DWQ_API MPI_Fint dwq_worker_comm_f(const dwq_worker_t *worker);
DWQ_API MPI_Fint dwq_worker_merged_comm_f(const dwq_worker_t *worker);
DWQ_API MPI_Fint dwq_worker_server_comm_f(const dwq_worker_t *worker);
DWQ_API MPI_Fint dwq_broker_merged_comm_f(const dwq_broker_t *broker);
DWQ_API MPI_Fint dwq_broker_group_comm_f(const dwq_broker_t *broker);

/** How many clients there are; `comms_out` gets the first `max` of their
 * intercommunicators. */
DWQ_API int dwq_worker_client_comms_f(const dwq_worker_t *worker, int max,
                                      MPI_Fint *comms_out);

#ifdef __cplusplus
}
#endif

#endif

/* A worker's own handle: what a worker function gets (options.worker). */
#ifndef DWQ_WORKER_H
#define DWQ_WORKER_H

#include <dwq/controller.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Report ready and run calls until the controller says exit. Called once; a
 * worker function that never calls it is an initializer, served after it.
 *
 * @return DWQ_OK       the run is over for this worker
 *         DWQ_E_STATE  a second call
 *         DWQ_E_MESSAGE, DWQ_E_MPI  the worker left the run: see the log
 */
DWQ_API dwq_status_t dwq_worker_serve(dwq_worker_t *worker);

/** End all ranks of the job at once, with a message. Does not return, not even for
 * NULL. */
DWQ_API void dwq_worker_abort(dwq_worker_t *worker);

/** The worker's number, 1..n_workers; 0 with one process. */
DWQ_API int dwq_worker_id(const dwq_worker_t *worker);

/**
 * Data to send with the next READY (the controller reads it by
 * dwq_controller_get_ready_worker()). Copied; stays until set again.
 *
 * @return DWQ_OK, DWQ_E_ARG (not a valid value), DWQ_E_NOMEM
 */
DWQ_API dwq_status_t dwq_worker_set_ready_data(dwq_worker_t *worker,
                                               dwq_value_t data);

/** The run_args of the options, on every role. */
DWQ_API dwq_kwargs_t dwq_worker_run_args(const dwq_worker_t *worker);
DWQ_API dwq_world_t dwq_worker_world(const dwq_worker_t *worker);

/**
 * Run a task here and now, on this rank alone (group of size 1); in a call, with
 * another communicator than that call's.
 *
 * @param task        Borrowed; worker, priority, host, ranks and retry_failed are not looked
 *                    at.
 * @param result_out  Given on DWQ_OK: release with dwq_result_clear().
 *
 * @return DWQ_OK (look at the result's status), DWQ_E_ARG, DWQ_E_NOMEM
 */
DWQ_API dwq_status_t dwq_worker_execute(dwq_worker_t *worker,
                                        const dwq_task_t *task,
                                        dwq_result_t *result_out);

/**
 * The service: group 1 offers it, and other groups connect to it, which gives both an
 * intercommunicator (dwq_worker_client_comms(), dwq_worker_server_comm()). For workers
 * that are groups, by split or by spawn.
 *
 * Publish the name (option worker_service_name, default "dwq.init") to all groups. From
 * then on clients are accepted while the group serves and runs no call. With option
 * enable_worker_service it was done before the worker function; a second time changes
 * nothing.
 *
 * Collective over the group: before serving, or in a call.
 * @return DWQ_OK
 *         DWQ_E_SERVICE  the same on all ranks: this is not group 1, not a group, not
 *                        the time (this rank has served), a rank left the function
 *                        instead, or MPI refused the name; the log says which
 */
DWQ_API dwq_status_t dwq_worker_publish_service(dwq_worker_t *worker);

/**
 * Connect this group to the service. Each attempt lasts a second at most; attempts of
 * 0 or less are 5. It fails as long as group 1 is in a function of the user, and
 * may be tried again; once connected, a further call changes nothing.
 *
 * Collective over the group: before serving, or in a call.
 * @return DWQ_OK         dwq_worker_server_comm() is there, on all ranks
 *         DWQ_E_SERVICE  the same on all ranks: no attempt was answered, the service
 *                        refused (group 1 withdrew, or leaves the run), or as above
 *         DWQ_E_MPI      the two groups could not be joined: end the run
 */
DWQ_API dwq_status_t dwq_worker_connect_service(dwq_worker_t *worker,
                                                int attempts);

#ifdef __cplusplus
}
#endif

#endif

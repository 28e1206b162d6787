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

/** End all ranks of the job at once, with a message. Does not return. */
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
 * Run a task here and now, on this rank alone (group of size 1).
 *
 * @param task        Borrowed; id, worker and priority are not looked at.
 * @param result_out  Given on DWQ_OK: release with dwq_result_clear().
 *
 * @return DWQ_OK (look at the result's status), DWQ_E_ARG, DWQ_E_NOMEM
 */
DWQ_API dwq_status_t dwq_worker_execute(dwq_worker_t *worker,
                                        const dwq_task_t *task,
                                        dwq_result_t *result_out);

#ifdef __cplusplus
}
#endif

#endif

/* The broker's handle: what options.broker gets. A broker stands between the
 * controller and one group of ranks: beside the group, or inside it (option
 * broker_is_worker), where it is the group's rank 0 and runs calls, too. */
#ifndef DWQ_BROKER_H
#define DWQ_BROKER_H

#include <dwq/worker.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Wait until the whole group serves, report ready, and relay tasks and results
 * until the controller says exit. Called once; a broker function that never calls
 * it is an initializer, served after it.
 *
 * @return DWQ_OK       the run is over for this group
 *         DWQ_E_STATE  a second call
 *         DWQ_E_MESSAGE, DWQ_E_MPI  the group left the run: see the log
 */
DWQ_API dwq_status_t dwq_broker_serve(dwq_broker_t *broker);

/** End all ranks of the job at once, with a message. Does not return, not even for
 * NULL. */
DWQ_API void dwq_broker_abort(dwq_broker_t *broker);

/** The number of the group, 1..n_workers. */
DWQ_API int dwq_broker_id(const dwq_broker_t *broker);

/**
 * Data of the broker, sent with the group's next READY: the last entry of the list
 * that dwq_controller_get_ready_worker() gives, or the first one if the broker is
 * inside its group. Copied; stays until set again.
 *
 * @return DWQ_OK, DWQ_E_ARG (not a valid value), DWQ_E_NOMEM
 */
DWQ_API dwq_status_t dwq_broker_set_ready_data(dwq_broker_t *broker,
                                               dwq_value_t data);

/** The run_args of the options, on every role. */
DWQ_API dwq_kwargs_t dwq_broker_run_args(const dwq_broker_t *broker);
DWQ_API dwq_world_t dwq_broker_world(const dwq_broker_t *broker);

#ifdef __cplusplus
}
#endif

#endif

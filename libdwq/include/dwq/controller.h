/* The controller: submits calls, collects results, on the controller's rank; none is
 * collective. From another thread than the one that called dwq_open() or dwq_run() a call
 * that gives a status is DWQ_E_STATE, and does nothing; so is a call with a handle that was
 * closed, as long as no later one has its address. dwq_controller_error() says why a call
 * failed. */
#ifndef DWQ_CONTROLLER_H
#define DWQ_CONTROLLER_H

#include <dwq/result.h>
#include <dwq/run.h>
#include <dwq/task.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Submit one call: it goes to a ready worker at once, else into the queue. Between calls of
 * this handle the queue goes on to workers of this host that have nothing to do, task by
 * task of up to 16 KiB (without option verbose, with doorbells, on Linux).
 * A task with `worker` > 0 waits for that worker.
 *
 * @param task    Borrowed for the call; strings and values are copied, except
 *                arrays in dwq_borrow().
 * @param id_out  The id, on DWQ_OK; may be NULL.
 *
 * @return DWQ_OK       one result with this id will come
 *         DWQ_E_ARG    no function, a bad worker, estimate or value, or no worker
 *                      has the host or the ranks it asks for: see the log
 *         DWQ_E_ID     the id belongs to a task whose result is uncollected
 *         DWQ_E_STATE  after dwq_controller_exit(), or as above
 *         DWQ_E_NOMEM  nothing was queued
 *         DWQ_E_MPI    communication failed; only dwq_controller_abort() helps
 *         Nothing is queued unless the answer is DWQ_OK or DWQ_E_MPI.
 */
DWQ_API dwq_status_t dwq_controller_submit_call(dwq_controller_t *controller,
                                                const dwq_task_t *task,
                                                uint64_t *id_out);

/** The same, but always queues, and `worker` is a wish: when that worker is not
 * ready at the task's turn, the least loaded ready one takes it. */
DWQ_API dwq_status_t dwq_controller_queue_call(dwq_controller_t *controller,
                                               const dwq_task_t *task,
                                               uint64_t *id_out);

/** Queue n tasks, all or none; `worker` binds. ids_out: NULL, or room for n, which is
 * written on DWQ_OK (and DWQ_E_MPI) alone. Returns as dwq_controller_submit_call();
 * DWQ_E_ARG is also an n that no memory could hold. */
DWQ_API dwq_status_t dwq_controller_submit_multiple(
    dwq_controller_t *controller, const dwq_task_t *tasks, size_t n,
    uint64_t *ids_out);

/**
 * Submit one call on every worker that is there (ready or not yet; neither lost nor
 * withdrawn), each bound to its worker, all or none. In one process: one call, here.
 *
 * @param task     Borrowed for the call, as in dwq_controller_submit_call().
 * @param ids_out  NULL, or room for max(1, n_workers) ids, in the order of the workers;
 *                 *n_out of them are written on DWQ_OK and DWQ_E_MPI.
 * @param n_out    NULL, or how many calls were submitted: 0 when no worker is left.
 *
 * @return as dwq_controller_submit_call(). DWQ_E_ARG is also a task that has an id or a
 *         worker, or asks for a host or ranks that a worker does not have.
 */
DWQ_API dwq_status_t dwq_controller_submit_each(dwq_controller_t *controller,
                                                const dwq_task_t *task,
                                                uint64_t *ids_out,
                                                size_t *n_out);

/**
 * Wait for one task, wherever it is.
 *
 * @param result_out  Filled on DWQ_OK, untouched otherwise. Gives the result:
 *                    release it with dwq_result_clear().
 *
 * @return DWQ_OK       look at the result's status
 *         DWQ_E_ID     no such task, or its result was collected
 *         DWQ_E_NOMEM  not even for a small message: free some, and ask again
 *         DWQ_E_MPI    communication failed; only dwq_controller_abort() helps
 */
DWQ_API dwq_status_t dwq_controller_get_result(dwq_controller_t *controller,
                                               uint64_t id,
                                               dwq_result_t *result_out);

/** Wait for the next result, in the order in which tasks finish. DWQ_E_EMPTY:
 * nothing is queued, running or uncollected. Otherwise as get_result. */
DWQ_API dwq_status_t dwq_controller_get_next_result(
    dwq_controller_t *controller, dwq_result_t *result_out);

/** The same without waiting. DWQ_E_AGAIN: tasks are out, but none is done. */
DWQ_API dwq_status_t dwq_controller_probe_next_result(
    dwq_controller_t *controller, dwq_result_t *result_out);

/**
 * All results that are ready now, without waiting.
 *
 * @param results_out  Room for max results; *n_out of them are given.
 *
 * @return DWQ_OK, also for none; DWQ_E_ARG; DWQ_E_MPI
 */
DWQ_API dwq_status_t dwq_controller_probe_all_next_results(
    dwq_controller_t *controller, dwq_result_t *results_out, size_t max,
    size_t *n_out);

/**
 * Wait for the next result, for a while: between get_next_result and probe.
 *
 * @param seconds  0: as dwq_controller_probe_next_result(). INFINITY: as
 *                 dwq_controller_get_next_result().
 *
 * @return DWQ_OK       a result was taken; look at its status
 *         DWQ_E_AGAIN  the time has passed, and tasks are out
 *         DWQ_E_EMPTY  nothing is queued, running or uncollected
 *         DWQ_E_ARG    seconds is negative or NaN
 *         DWQ_E_MPI    communication failed; only dwq_controller_abort() helps
 */
DWQ_API dwq_status_t dwq_controller_wait_next_result(
    dwq_controller_t *controller, double seconds, dwq_result_t *result_out);

/* Where the tasks of a run are: each is counted once. */
typedef struct dwq_counts {
    uint64_t queued;       /* wait at the controller */
    uint64_t held;         /* sent to a worker, which has not started them */
    uint64_t running;      /* started */
    uint64_t finished;     /* their results can be collected, or soon */
    uint64_t collected;    /* results, since the start of the run */
    uint64_t reserved[11]; /* 0 */
} dwq_counts_t;

/**
 * Count the tasks, after what has arrived was received, as dwq_controller_progress()
 * does. Never waits.
 *
 * @return DWQ_OK, DWQ_E_ARG; DWQ_E_MPI: communication failed
 */
DWQ_API dwq_status_t dwq_controller_counts(dwq_controller_t *controller,
                                           dwq_counts_t *counts_out);

/**
 * The ready worker (one that holds no task) with the least accumulated time.
 *
 * @param data_out  May be NULL. What it sent with dwq_worker_set_ready_data(),
 *                  nil if it never did. Of a group: a list, one entry per
 *                  rank (nil where unset), then the broker's if it is beside.
 *                  Valid until the next call here.
 *
 * @return DWQ_OK, DWQ_E_AGAIN (none is ready now), DWQ_E_MPI
 */
DWQ_API dwq_status_t dwq_controller_get_ready_worker(
    dwq_controller_t *controller, int *worker_out, dwq_value_t *data_out);

/** Cancel a task, or with id 0 all that have not started: the result has DWQ_E_CANCELLED.
 * One that a worker of this host holds unstarted comes back at once, and one that runs
 * there is asked to stop: see dwq_call_stop(). One of another host is asked back, and runs
 * to its end if it has started by then; in a run that survives (dwq_world_t) it is asked to
 * stop, too. DWQ_E_ID: no such task outstanding. DWQ_E_STATE: it is done, runs in this
 * process, or is known to run on another host (or where there are no doorbells), and goes
 * on as it is. DWQ_E_NOMEM: it could not be asked back: ask again. */
DWQ_API dwq_status_t dwq_controller_cancel(dwq_controller_t *controller,
                                           uint64_t id);

/** Receive and dispatch what there is, and return: for controllers that
 * compute between submits. */
DWQ_API dwq_status_t dwq_controller_progress(dwq_controller_t *controller);

/** Print the report: results and calls, times, balance of the workers. */
DWQ_API dwq_status_t dwq_controller_info(dwq_controller_t *controller,
                                         FILE *out);

/** Run what is queued, then tell every worker to leave. Results can still be
 * collected; a submit is DWQ_E_STATE. dwq_close() and dwq_run() do it anyway. */
DWQ_API dwq_status_t dwq_controller_exit(dwq_controller_t *controller);

/**
 * Why the last call on this handle did not return DWQ_OK: it names the task, id, index
 * or worker, and its value. What was refused is logged, too.
 *
 * @param controller  NULL: of this thread's last dwq_open(), dwq_run() or dwq_world()
 *                    that failed; it names the option, on every rank.
 *
 * @return "" if the call on the handle did return DWQ_OK. Valid until the next call on the handle
 *         (NULL: until the next of these in this thread).
 */
DWQ_API const char *dwq_controller_error(const dwq_controller_t *controller);

/** End all ranks of the job at once, with a message. Does not return, whatever it is
 * given: NULL and a handle that was closed end them, too. */
DWQ_API void dwq_controller_abort(dwq_controller_t *controller);

DWQ_API dwq_kwargs_t
dwq_controller_run_args(const dwq_controller_t *controller);
DWQ_API dwq_world_t dwq_controller_world(const dwq_controller_t *controller);

#ifdef __cplusplus
}
#endif

#endif

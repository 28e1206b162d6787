/* The run: every rank calls dwq_run() (or dwq_main(), or dwq_open()) with the same
 * options. */
#ifndef DWQ_RUN_H
#define DWQ_RUN_H

#include <dwq/options.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What this process is. With one process it is both controller and worker,
 * n_workers is 0, and calls run in place. */
typedef struct dwq_world {
    bool is_controller;
    bool is_worker;
    bool spawned;
    bool workers_available;
    int size;
    int rank;
    int n_workers; /* in grouped runs: groups */
    /* The death of a rank that is not the controller's costs its worker, and the run
     * goes on: under `dwq run`, or where the launcher lets the others live (Open MPI's
     * mpirun --enable-recovery). The environment's DWQ_SURVIVES (0, 1) is stronger. */
    bool survives;
    uint64_t reserved[5]; /* 0 */
} dwq_world_t;

/* How a process ends, where the run does not survive that (dwq_world_t.survives):
 *
 *   exit() or MPI_Finalize() in the middle of a run: one line says who, and in which
 *     task; all ranks end, with the code that exit() got, or 1.
 *   exit() with a code other than 0, outside of a run, where the library started MPI:
 *     all ranks end with that code, and one line says which rank left after which run,
 *     unless the others leave within two seconds.
 *   A rank that left (exit(0), dwq_finalize(), MPI_Finalize()) while others begin another
 *     run (dwq_run(), dwq_open()): these end the job with code 1, and name that rank.
 *   A program that started MPI itself is left to its launcher between runs.
 *   The child of fork(): nothing of the library is done there; dwq_run(), dwq_open() and
 *     dwq_world() are DWQ_E_STATE, MPI_Finalize() does nothing, and MPI_Abort() ends the child alone.
 *     One that comes back from a function of a run ends with code 1.
 *
 * An exit code is the lowest 8 bits of what was returned or given; where these are 0 and
 * that is not, it is 1. So a code that is not 0 never becomes 0. */

/**
 * Run a work queue over all ranks of the job. Once or several times in a
 * process. Starts MPI if nobody has. The environment's DWQ_CONTROLLER_RANK
 * picks the controller (default 0; negative: the last rank).
 *
 * @param options        Borrowed for the call.
 * @param exit_code_out  What the controller function returned, as it is
 *                       (controller), or the worker or broker function elsewhere
 *                       (0 if none). May be NULL.
 *
 * Roles: all; collective over the ranks of the job. No rank leaves before all
 * have finished.
 * @return DWQ_OK, or the same on every rank:
 *         DWQ_E_OPTION  an option is bad, or differs between ranks; one rank
 *                       logs which, and nothing was started
 *         DWQ_E_STATE   MPI has been finalized; or on this rank alone: it is the child of
 *                       fork(); it is in a run already (one that is open, too), whose
 *                       ranks cannot come, also where the job is one process (a call may
 *                       run a queue over its group, see dwq_run_comm()); or MPI was
 *                       not started for threads (option thread_level) and this one is
 *                       not its first, or another is in a run. On every rank that lives:
 *                       a rank of the job has died in a run that survived it
 *         DWQ_E_MPI     communication failed
 *         DWQ_E_NOMEM   out of memory at the start; one rank logs it. One that cannot
 *                       tell the others does not return: it logs it, and ends the job
 */
DWQ_API dwq_status_t dwq_run(const dwq_options_t *options, int *exit_code_out);

/**
 * Open a run, for a controller that is no function: a program with a loop of its own, or
 * one in another language. Counts as a run, as dwq_run() does, also in a spawned process.
 *
 * @param options         Borrowed for the call; the names in `functions`, and what `arg`
 *                        and `log_arg` point to, until dwq_close(). `controller` is NULL.
 * @param controller_out  Gives the controller on its rank, as soon as the run has begun:
 *                        dwq_close() releases it. NULL on the other ranks, which serve
 *                        until the end of the run.
 * @param exit_code_out   0 on the controller, and what the worker or broker function
 *                        returned elsewhere (0 if none). May be NULL.
 *
 * Roles: all; collective over the ranks of the job. Returns at once on the controller's
 * rank, and with the run's end on the others.
 * @return As dwq_run(), outputs untouched unless DWQ_OK; dwq_controller_error(NULL) says
 *         why. DWQ_E_ARG: controller_out is NULL on the controller's rank.
 */
DWQ_API dwq_status_t dwq_open(const dwq_options_t *options,
                              dwq_controller_t **controller_out,
                              int *exit_code_out);

/**
 * End a run that dwq_open() began, as dwq_run() does when the controller function returns
 * `exit_code`: what is queued is run (cancelled, unless that is 0), every worker leaves,
 * and all ranks leave together. A process that exits without it ends the job, with a
 * message.
 *
 * @param controller  Taken: whatever the close of the run answers, the handle is released,
 *                    and every later call with it refused. NULL (the other ranks have it)
 *                    is harmless. Results that were collected stay valid.
 *
 * Roles: controller; waits for the other ranks. Does not return where these have not come
 * when options time_limit and time_limit_grace have passed: the job ends then, with a
 * message and the exit code that `exit_code` makes.
 * @return DWQ_OK
 *         DWQ_E_STATE  there was no close, and the run goes on: this is not the thread that
 *                      opened it, the controller is dwq_run()'s, or a call runs in it. Or
 *                      the handle was closed before
 *         DWQ_E_MPI    communication failed
 */
DWQ_API dwq_status_t dwq_close(dwq_controller_t *controller, int exit_code);

/**
 * dwq_run() and dwq_finalize(), as the last line of main(). In a spawned process it
 * takes the library's own argument out of argv, which then ends with NULL one earlier
 * than main()'s argc says.
 *
 * @return On the controller what its function returned, as an exit code; 0 on the
 *         other ranks, so that no launcher kills the job; 1 everywhere when the
 *         run failed.
 */
DWQ_API int dwq_main(int argc, char **argv, const dwq_options_t *options);

/**
 * dwq_main() of a program that only serves, beside another one that submits calls
 * (mpirun -n 1 ./program : -n 4 dwq-worker), or spawned by it: every field of
 * `options` that holds data is that of the other program's ranks, whatever is set
 * here. Two are needed before anything is told: MPI is started with thread_level (the
 * run is refused if the other program's is higher), and module_path serves where the
 * other program sets none. It serves the first run of the other program.
 *
 * @return 0; 1 everywhere when the run failed.
 */
DWQ_API int dwq_worker_main(int argc, char **argv,
                            const dwq_options_t *options);

/** Finalize MPI if the library started it; otherwise, and a second time,
 * nothing. Runs at process exit too. */
DWQ_API void dwq_finalize(void);

/**
 * What this process is, for a run over the world without groups. Starts MPI
 * like dwq_run() and dwq_open(). Not collective once MPI runs.
 *
 * @return DWQ_OK, DWQ_E_ARG, DWQ_E_STATE, DWQ_E_MPI; DWQ_E_OPTION when
 *         DWQ_CONTROLLER_RANK is not a rank
 */
DWQ_API dwq_status_t dwq_world(dwq_world_t *world_out);

#ifdef __cplusplus
}
#endif

#endif

/* The run: every rank calls dwq_run() (or dwq_main()) with the same options. */
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
} dwq_world_t;

/**
 * Run a work queue over all ranks of the job. Once or several times in a
 * process. Starts MPI if nobody has. The environment's DWQ_CONTROLLER_RANK
 * picks the controller (default 0; negative: the last rank).
 *
 * @param options        Borrowed for the call.
 * @param exit_code_out  What the controller function returned (controller), or
 *                       the worker or broker function elsewhere (0 if none). May
 *                       be NULL.
 *
 * Roles: all; collective over the ranks of the job. No rank leaves before all
 * have finished.
 * @return DWQ_OK, or the same on every rank:
 *         DWQ_E_OPTION  an option is bad, or differs between ranks; one rank
 *                       logs which, and nothing was started
 *         DWQ_E_STATE   MPI has been finalized
 *         DWQ_E_MPI     communication failed
 *         DWQ_E_NOMEM   out of memory at the start
 */
DWQ_API dwq_status_t dwq_run(const dwq_options_t *options, int *exit_code_out);

/**
 * dwq_run() and dwq_finalize(), as the last line of main(). In a spawned process it
 * takes the library's own argument out of argv, which then ends with NULL one earlier
 * than main()'s argc says.
 *
 * @return What the controller function returned, on the controller; 0 on the
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
 * other program sets none. It serves the first dwq_run() of the other program.
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
 * like dwq_run(). Not collective once MPI runs.
 *
 * @return DWQ_OK, DWQ_E_ARG, DWQ_E_STATE, DWQ_E_MPI; DWQ_E_OPTION when
 *         DWQ_CONTROLLER_RANK is not a rank
 */
DWQ_API dwq_status_t dwq_world(dwq_world_t *world_out);

#ifdef __cplusplus
}
#endif

#endif

/* MPI in this process: its start and its end. */
#ifndef DWQI_PROCESS_MPI_PROCESS_H
#define DWQI_PROCESS_MPI_PROCESS_H

#include <dwq/status.h>
#include <stdbool.h>

/* Start MPI if nobody has (`thread_level`: MPI_THREAD_*; 0 takes FUNNELED); then
 * `before_finish` is called at process exit, before MPI is finalized there.
 * DWQ_OK; DWQ_E_STATE: MPI has been finalized, or this is a child of fork(); DWQ_E_MPI,
 * DWQ_E_NOMEM. */
dwq_status_t dwqi_mpi_start(int thread_level, void (*before_finish)(void));
/* MPI_THREAD_* that MPI provides. */
int dwqi_mpi_thread_level(void);
bool dwqi_mpi_is_up(void);
/* Finalize MPI if dwqi_mpi_start() started it, and no run is under way. `code`: with
 * which this process exits, or 0. */
void dwqi_mpi_finish(int code);
/* End this process without MPI_Finalize(), which may wait for the dead. */
_Noreturn void dwqi_mpi_leave_without(int code);
/* End all ranks of the job (or, where the others outlive it and it is not the controller's,
 * this one) with this exit code, made one by dwqi_exit_code(). Does not
 * return. In a child of fork(): that alone ends. */
_Noreturn void dwqi_mpi_abort(int code);

#endif

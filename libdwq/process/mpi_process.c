#include "libdwq/process/mpi_process.h"

#include <mpi.h>
#include <unistd.h>

#include "libdwq/base/ending.h"
#include "libdwq/process/components_mpi.h"
#include "libdwq/process/departure.h"
#include "libdwq/process/launcher.h"
#include "libdwq/process/lines.h"

bool dwqi_mpi_is_up(void)
{
    int initialized, finalized;

    MPI_Initialized(&initialized);
    MPI_Finalized(&finalized);
    return initialized && !finalized;
}

static dwq_status_t start(int thread_level, bool *started_out,
                          struct dwqi_departure **departure_out)
{
    int wanted = thread_level == 0 ? MPI_THREAD_FUNNELED : thread_level;
    int initialized, provided;

    MPI_Initialized(&initialized);
    dwqi_launcher_greet();
    if (!initialized) {
        if (MPI_Init_thread(NULL, NULL, wanted, &provided) != MPI_SUCCESS) {
            return DWQ_E_MPI;
        }
    }
    *started_out = !initialized;
#ifndef DWQI_SMPI /* where attributes are deleted when MPI is over */
    *departure_out = dwqi_departure_create(*started_out);
    if (!*departure_out) {
        return DWQ_E_NOMEM;
    }
#else
    *departure_out = NULL;
#endif
    dwqi_mpi_keep_components();
    return DWQ_OK;
}

dwq_status_t dwqi_mpi_start(int thread_level, void (*before_finish)(void))
{
    int finalized;

    MPI_Finalized(&finalized);
    return finalized ? DWQ_E_STATE
                     : dwqi_process_start(start, thread_level, before_finish);
}

int dwqi_mpi_thread_level(void)
{
    int level = 0;

    MPI_Query_thread(&level);
    return level;
}

void dwqi_mpi_leave_without(int code)
{
    dwqi_lines_leave(dwqi_process_lines());
    dwqi_flush_all();
    dwqi_launcher_leave(dwqi_exit_code(code));
    dwqi_witness_exit_now(dwqi_exit_code(code));
}

void dwqi_mpi_finish(int code)
{
    if (dwqi_lines_know_deaths(dwqi_process_lines())) {
        return; /* MPI_Finalize() may wait for the dead */
    }
    if (dwqi_mpi_is_up() && dwqi_process_may_finish()) {
        dwqi_flush_standard(); /* the job may end before exit() does it */
        dwqi_departure_leave(dwqi_process_departure(), code);
    }
}

void dwqi_mpi_abort(int code)
{
    struct dwqi_lines *lines = dwqi_process_lines();

    dwqi_witness_hush();
    if (lines && !dwqi_lines_is_hub(lines) && dwqi_process_is_ours()) {
        dwqi_flush_all();
        dwqi_witness_exit_now(dwqi_exit_code(code)); /* the others live on */
    }
    if (dwqi_process_is_ours()) {
        dwqi_launcher_leave(dwqi_exit_code(code));
    }
    if (dwqi_process_is_ours() && dwqi_flush_all() && dwqi_mpi_is_up()) {
        PMPI_Abort(MPI_COMM_WORLD, dwqi_exit_code(code));
    }
    _exit(dwqi_exit_code(code)); /* a launcher ends the others, too */
}

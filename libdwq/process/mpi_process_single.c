/* A process of a build without MPI. */
#include <limits.h>
#include <unistd.h>

#include "libdwq/base/ending.h"
#include "libdwq/process/mpi_process.h"
#include "libdwq/process/process.h"

static dwq_status_t start(int thread_level, bool *started_out,
                          struct dwqi_departure **departure_out)
{
    (void)thread_level;
    *started_out = false;
    *departure_out = NULL;
    return DWQ_OK;
}

dwq_status_t dwqi_mpi_start(int thread_level, void (*before_finish)(void))
{
    return dwqi_process_start(start, thread_level, before_finish);
}

int dwqi_mpi_thread_level(void)
{
    return INT_MAX; /* nothing here minds threads */
}

bool dwqi_mpi_is_up(void)
{
    return false;
}

void dwqi_mpi_finish(int code)
{
    (void)code;
}

void dwqi_mpi_abort(int code)
{
    dwqi_witness_hush();
    if (dwqi_process_is_ours()) {
        dwqi_flush_all();
    }
    _exit(dwqi_exit_code(code));
}

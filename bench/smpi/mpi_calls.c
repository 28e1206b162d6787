/* What the library calls in a simulated job instead of these functions of MPI, by
 * MPI's profiling interface: the same, but for
 *
 * - time: a message that the controller sends or receives takes it as many seconds
 *   as the environment says (DWQ_SCALE_EVENT: no rank keeps state of its own);
 * - collectives of all ranks: the non-blocking ones of SMPI send from each to each,
 *   and the blocking ones wait for simulated time as they should. MPI_Comm_idup is
 *   not there at all. */
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

static void charge_event(void)
{
    const char *text = getenv("DWQ_SCALE_EVENT");
    struct timespec charge = { .tv_sec = 0 };
    int rank;

    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0 && text) {
        charge.tv_nsec = (long)(strtod(text, NULL) * 1e9);
        nanosleep(&charge, NULL);
    }
}

int MPI_Isend(const void *data, int n, MPI_Datatype type, int to, int tag,
              MPI_Comm comm, MPI_Request *request)
{
    charge_event();
    return PMPI_Isend(data, n, type, to, tag, comm, request);
}

/* After each message that came, a receive for the next one is posted. */
int MPI_Irecv(void *data, int n, MPI_Datatype type, int from, int tag,
              MPI_Comm comm, MPI_Request *request)
{
    charge_event();
    return PMPI_Irecv(data, n, type, from, tag, comm, request);
}

/* SMPI leaves `done` as it was when there is no request. */
int MPI_Test(MPI_Request *request, int *done, MPI_Status *status)
{
    *done = *request == MPI_REQUEST_NULL;
    return *done ? MPI_SUCCESS : PMPI_Test(request, done, status);
}

int MPI_Ibarrier(MPI_Comm comm, MPI_Request *request)
{
    *request = MPI_REQUEST_NULL;
    return PMPI_Barrier(comm);
}

int MPI_Comm_idup(MPI_Comm comm, MPI_Comm *copy, MPI_Request *request)
{
    *request = MPI_REQUEST_NULL;
    return PMPI_Comm_dup(comm, copy);
}

int MPI_Iallreduce(const void *mine, void *all, int n, MPI_Datatype type,
                   MPI_Op op, MPI_Comm comm, MPI_Request *request)
{
    *request = MPI_REQUEST_NULL;
    return PMPI_Allreduce(mine, all, n, type, op, comm);
}

/* All ranks are one thread: a system call for nothing, and there are millions. */
int sched_yield(void)
{
    return 0;
}

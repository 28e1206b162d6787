/* What the collective mode costs on simulated ranks: the arguments of `measure modes`.
 * ../modes.sh runs it. */
#include <mpi.h>

#include "bench/calls.h"

/* SMPI's own sends from the root to each; its blocking one goes by a tree. */
int MPI_Ibcast(void *data, int n, MPI_Datatype type, int root, MPI_Comm comm,
               MPI_Request *request)
{
    *request = MPI_REQUEST_NULL;
    return PMPI_Bcast(data, n, type, root, comm);
}

int main(int argc, char **argv)
{
    return measure_modes(argc - 1, argv + 1);
}

#ifndef DWQI_PROCESS_WITNESS_MPI_H
#define DWQI_PROCESS_WITNESS_MPI_H

#include <mpi.h>

#include "libdwq/process/witness.h"

/* Of the user's communicators: says what failed, and ends all ranks. */
void dwqi_witness_make_errhandler(MPI_Errhandler *handler_out);
void dwqi_witness_free_errhandler(MPI_Errhandler *handler);

#endif

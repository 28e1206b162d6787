/* Receiving what there is no memory for, so that the sender gets rid of it. */
#ifndef DWQI_MPI_SINK_MPI_H
#define DWQI_MPI_SINK_MPI_H

#include <mpi.h>
#include <stddef.h>

/**
 * `size` bytes into `keep + room` bytes of memory: the first `keep` stay, all others
 * go to the same place behind them, one over the other.
 *
 * @param type_out  Gives a committed type: MPI_Type_free().
 *
 * @return MPI_SUCCESS, or MPI's code
 */
int dwqi_mpi_sink(size_t size, size_t keep, size_t room,
                  MPI_Datatype *type_out);

#endif

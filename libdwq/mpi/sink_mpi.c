#include "libdwq/mpi/sink_mpi.h"

int dwqi_mpi_sink(size_t size, size_t keep, size_t room, MPI_Datatype *type_out)
{
    size_t front = size < keep ? size : keep;
    size_t turns = (size - front) / room, rest = (size - front) % room;
    int lengths[3] = { (int)front, 1, (int)rest };
    MPI_Aint places[3] = { 0, (MPI_Aint)keep, (MPI_Aint)keep };
    MPI_Datatype types[3] = { MPI_BYTE, MPI_DATATYPE_NULL, MPI_BYTE };
    int code =
        MPI_Type_create_hvector((int)turns, (int)room, 0, MPI_BYTE, &types[1]);

    if (code == MPI_SUCCESS) {
        code = MPI_Type_create_struct(3, lengths, places, types, type_out);
        MPI_Type_free(&types[1]);
    }
    return code == MPI_SUCCESS ? MPI_Type_commit(type_out) : code;
}

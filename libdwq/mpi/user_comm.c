#include "libdwq/mpi/user_comm.h"

#define SMALL 1024 /* bytes: sent with their head by every transport of MPI */

void dwqi_user_comm_init(struct dwqi_user_comm *comm)
{
    comm->now = MPI_COMM_NULL;
    comm->n_retired = 0;
    for (int i = 0; i < DWQI_RETIRED_MAX; i++) {
        comm->retired[i] = MPI_COMM_NULL;
    }
}

/* Open MPI forgets the memory of messages that nobody received. Small ones have come
 * with their data; one whose sender may be asked for more is left. */
static void drop_messages(MPI_Comm comm)
{
    unsigned char message[SMALL];
    MPI_Status status;
    int is_there = 1, size = 0;

    while (is_there && size <= SMALL) {
        if (MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm, &is_there, &status) !=
            MPI_SUCCESS) {
            return;
        }
        if (is_there) {
            MPI_Get_count(&status, MPI_BYTE, &size);
        }
        if (is_there && size <= SMALL) {
            MPI_Recv(message, size, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG,
                     comm, MPI_STATUS_IGNORE);
        }
    }
}

/* Attributes of the user may refuse to be deleted: that is no reason to end. */
static void free_comm(MPI_Comm *comm)
{
    if (*comm != MPI_COMM_NULL) {
        MPI_Comm_set_errhandler(*comm, MPI_ERRORS_RETURN);
        drop_messages(*comm);
        MPI_Comm_free(comm);
        *comm = MPI_COMM_NULL;
    }
}

void dwqi_user_comm_replace(struct dwqi_user_comm *comm, MPI_Comm fresh)
{
    MPI_Comm *place = &comm->retired[comm->n_retired % DWQI_RETIRED_MAX];

    if (comm->now != MPI_COMM_NULL) {
        free_comm(place);
        *place = comm->now;
        comm->n_retired++;
    }
    comm->now = fresh;
}

void dwqi_user_comm_finish(struct dwqi_user_comm *comm)
{
    free_comm(&comm->now);
    for (int i = 0; i < DWQI_RETIRED_MAX; i++) {
        free_comm(&comm->retired[i]);
    }
}

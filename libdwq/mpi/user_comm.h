/* A communicator that the user works with, and those that it took the place of. A call
 * that failed leaves it in a state that nobody knows: messages that nobody received,
 * collectives that some ranks did not come to, error handlers, attributes. So the next
 * call gets another one. User code may still hold the old one, or objects made from
 * it: the last few are kept, in the order in which all ranks retired them. */
#ifndef DWQI_MPI_USER_COMM_H
#define DWQI_MPI_USER_COMM_H

#include <mpi.h>

/* <dwq/mpi.h> promises this number. Freeing late has a second use: Open MPI keeps a
 * message to a freed communicator for the next one of the same number. */
#define DWQI_RETIRED_MAX 16

struct dwqi_user_comm {
    MPI_Comm now; /* or MPI_COMM_NULL */
    MPI_Comm retired[DWQI_RETIRED_MAX];
    unsigned n_retired; /* so far */
};

void dwqi_user_comm_init(struct dwqi_user_comm *comm);
/* `fresh` is taken, MPI_COMM_NULL where this rank has none. */
void dwqi_user_comm_replace(struct dwqi_user_comm *comm, MPI_Comm fresh);
void dwqi_user_comm_finish(struct dwqi_user_comm *comm);

#endif

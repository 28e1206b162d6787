/* A module as solvers are: it caches data on the communicator of its group, and on
 * MPI_COMM_SELF, with a function that frees them when the communicator goes. */
#include <dwq/mpi.h>
#include <stdlib.h>

static int key = MPI_KEYVAL_INVALID;

static int forget(MPI_Comm comm, int its_key, void *value, void *extra)
{
    (void)comm;
    (void)its_key;
    (void)extra;
    free(value);
    return MPI_SUCCESS;
}

/* How often this communicator was seen; -1: no memory. */
static int count_on(MPI_Comm comm)
{
    int *count = NULL;
    int found = 0;

    MPI_Comm_get_attr(comm, key, &count, &found);
    if (!found) {
        count = calloc(1, sizeof *count);
        if (!count) {
            return -1;
        }
        MPI_Comm_set_attr(comm, key, count);
    }
    return ++*count;
}

static int cache(dwq_call_t *call, void *arg)
{
    (void)arg;
    if (key == MPI_KEYVAL_INVALID) {
        MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, forget, &key, NULL);
    }
    return dwq_call_return(call, DWQ_VALUES(count_on(MPI_COMM_SELF),
                                            count_on(dwq_call_comm(call))));
}

static const dwq_function_t functions[] = { { "cache", cache, NULL },
                                            { NULL, NULL, NULL } };

DWQ_MODULE(.functions = functions);

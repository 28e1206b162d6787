/* What a rank of dwq-worker sees of the options that it was told. */
#include <dwq/mpi.h>

struct seen {
    int n;         /* of run_args, as the worker or broker function read it */
    int connected; /* group 1 published, and this one connected to it */
};

static struct seen seen;

/* Ranks of the group, the thread level, n, connected. */
static int facts(dwq_call_t *call, void *arg)
{
    int level = -1;

    (void)arg;
    MPI_Query_thread(&level);
    return dwq_call_return(
        call, DWQ_VALUES(dwq_call_size(call), level, seen.n, seen.connected));
}

static const dwq_function_t functions[] = { { "facts", facts, NULL },
                                            { NULL, NULL, NULL } };

static int reads(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    dwq_read_int(dwq_map_find(dwq_worker_run_args(worker), "n"), &seen.n);
    return 0;
}

static int connects(dwq_worker_t *worker, void *arg)
{
    seen.connected = dwq_worker_id(worker) == 1 ||
                     dwq_worker_connect_service(worker, 30) == DWQ_OK;
    return reads(worker, arg);
}

/* The controller reads n with READY. */
static int speaks(dwq_broker_t *broker, void *arg)
{
    (void)arg;
    dwq_read_int(dwq_map_find(dwq_broker_run_args(broker), "n"), &seen.n);
    return dwq_broker_set_ready_data(broker, dwq_value(seen.n));
}

static const dwq_worker_function_t workers[] = { { "reads", reads },
                                                 { "connects", connects },
                                                 { NULL, NULL } };
static const dwq_broker_function_t brokers[] = { { "speaks", speaks },
                                                 { NULL, NULL } };

DWQ_MODULE(.functions = functions, .workers = workers, .brokers = brokers);

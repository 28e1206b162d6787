/* The handle that a worker function gets. */
#ifndef DWQI_WORKERS_WORKER_H
#define DWQI_WORKERS_WORKER_H

#include <dwq/worker.h>

#include "workers/serve.h"

struct dwq_worker {
    struct dwqi_server *server;     /* NULL: calls run in place */
    struct dwqi_executor *executor; /* for dwq_worker_execute() */
    const struct dwqi_log *log;
    int id; /* 1..n_workers, or 0 */
    bool served;
    const void *comm; /* MPI_Comm *, or NULL */
    dwq_kwargs_t run_args;
    dwq_world_t world;
    dwq_status_t (*serve)(void *arg);
    void *serve_arg;
    void (*abort)(void *arg); /* ends the job; does not return */
    void *abort_arg;
};

const void *dwqi_worker_comm(const dwq_worker_t *worker);

#endif

/* The handle that a worker function gets. */
#ifndef DWQI_WORKERS_WORKER_H
#define DWQI_WORKERS_WORKER_H

#include <dwq/worker.h>

#include "workers/executor.h"
#include "workers/role.h"
#include "workers/service.h"

struct dwq_worker {
    struct dwqi_executor *executor; /* for dwq_worker_execute(), of size 1 */
    const struct dwqi_log *log;
    struct dwqi_role *role; /* borrowed */
    int id;                 /* 1..n_workers, or 0 */
    bool served;
    const void *comm;        /* MPI_Comm *, or NULL */
    const void *merged_comm; /* the same */
    dwq_kwargs_t run_args;
    dwq_world_t world;
    dwq_status_t (*serve)(void *arg);
    void *serve_arg;
    struct dwqi_access *access; /* to the service; NULL: no group */
    void (*abort)(void *arg);   /* ends the job; does not return */
    void *abort_arg;
};

const void *dwqi_worker_comm(const dwq_worker_t *worker);
const void *dwqi_worker_merged_comm(const dwq_worker_t *worker);
/* As dwqi_links_server() and dwqi_links_clients() give them. */
const void *dwqi_worker_server_comm(const dwq_worker_t *worker);
const void *dwqi_worker_client_comms(const dwq_worker_t *worker, int *n_out);

#endif

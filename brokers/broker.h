/* The handle that a broker function gets. */
#ifndef DWQI_BROKERS_BROKER_H
#define DWQI_BROKERS_BROKER_H

#include <dwq/broker.h>

#include "libdwq/base/log.h"
#include "workers/role.h"

struct dwq_broker {
    struct dwqi_role *role; /* borrowed */
    const struct dwqi_log *log;
    int id; /* 1..n_workers */
    bool served;
    const void *merged_comm;  /* MPI_Comm * */
    const void *brokers_comm; /* MPI_Comm * */
    dwq_kwargs_t run_args;
    dwq_world_t world;
    dwq_status_t (*serve)(void *arg);
    void *serve_arg;
    void (*abort)(void *arg); /* ends the job; does not return */
    void *abort_arg;
};

const void *dwqi_broker_merged_comm(const dwq_broker_t *broker);
const void *dwqi_broker_brokers_comm(const dwq_broker_t *broker);

#endif

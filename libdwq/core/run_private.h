/* A run on this rank; shared by run.c (roles, start to end) and start.c (what can
 * be refused before anything starts). */
#ifndef DWQI_CORE_RUN_PRIVATE_H
#define DWQI_CORE_RUN_PRIVATE_H

#include "libdwq/core/controller.h"
#include "libdwq/core/options.h"
#include "libdwq/core/plan.h"
#include "libdwq/wire/world.h"
#include "workers/worker.h"

struct run {
    dwq_options_t options; /* resolved */
    struct dwqi_log log;
    struct dwqi_world *world;
    struct dwqi_plan plan;
    int rank;
    double start; /* seconds */
    struct dwqi_registry *registry;
    struct dwqi_executor *executor;
    struct dwqi_transport *transport;
    struct dwqi_server *server;
    dwq_controller_t *controller;
    dwq_worker_t worker;
    int exit_code;
    int controller_code; /* what the controller function returned */
    bool overdue;        /* a worker never came back after the time limit */
};

/**
 * Resolve, check and compare the options, plan the roles, load the functions.
 * Collective over the run's world.
 *
 * @param worker_arg_out  What the worker function gets.
 *
 * @return The same on every rank: DWQ_OK; DWQ_E_OPTION, and one rank has logged
 *         what was wrong; DWQ_E_MPI
 */
dwq_status_t dwqi_run_start(struct run *run, const dwq_options_t *given,
                            void **worker_arg_out);

#endif

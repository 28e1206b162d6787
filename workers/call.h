/* A call while it runs; shared by the executor and the functions that user code
 * calls in it. */
#ifndef DWQI_WORKERS_CALL_H
#define DWQI_WORKERS_CALL_H

#include "libdwq/item/codec.h"
#include "workers/executor.h"

#define DWQI_CALL_MESSAGE_SIZE 512

struct dwq_call {
    const struct dwq_call *outer; /* that executes this one; or NULL */
    unsigned mark;                /* of its arrays' flags */
    const struct dwqi_executor_config *config;
    const struct dwqi_task_view *task;
    const void *comm; /* MPI_Comm *, or NULL */
    struct dwqi_scratch *scratch;
    struct dwqi_done done; /* what was returned so far; no block: nothing */
    bool failed;
    bool gave_up;    /* it failed because it did not return */
    bool bad_return; /* it failed because what it returned was not valid */
    int code;        /* when failed */
    double limit;    /* of the task, on the clock; INFINITY: none */
    char message[DWQI_CALL_MESSAGE_SIZE];
};

/* The communicator of the group: an MPI_Comm *, or NULL. */
const void *dwqi_call_comm(const dwq_call_t *call);
void dwqi_owned_free(struct dwqi_owned *owned);

#endif

/* Runs one call on this rank: find the function, decode the arguments, run and
 * time it, pack what it returned. Whatever goes wrong becomes the part of a
 * failed task; only lack of memory does not. */
#ifndef DWQI_WORKERS_EXECUTOR_H
#define DWQI_WORKERS_EXECUTOR_H

#include "libdwq/item/codec.h"
#include "libdwq/process/witness.h"
#include "workers/registry.h"

struct dwqi_executor;

struct dwq_call;

struct dwqi_executor_config {
    struct dwqi_registry *registry; /* borrowed */
    const struct dwqi_log *log;     /* borrowed */
    struct dwqi_pool *pool;         /* borrowed; or NULL */
    double (*now)(void *clock);     /* seconds */
    void *clock;
    int rank; /* of the group */
    int size;
    /* MPI_Comm *, borrowed, for dwq_call_comm(); the second is for calls that are
     * executed in another. */
    const void *comm, *inner_comm;
    /* Another one is due, as a call failed; or NULL: that is another's work. */
    dwq_status_t (*renew)(void *renew_arg, bool inner);
    void *renew_arg;
    /* Agreement of the group; NULL: a group of one. */
    dwq_status_t (*agree)(void *agree_arg, uint64_t id, bool ok,
                          bool *all_ok_out);
    void *agree_arg;
    struct dwqi_witness *witness; /* is told what runs; borrowed; or NULL */
    /* Calls are asked to stop then, on the clock; 0 or INFINITY: never. */
    double end;
    /* Where the id of a task that is to stop would stand; borrowed; or NULL. */
    const _Atomic uint64_t *cancelled;
    bool survives; /* the run: a call that gives up is lost, as one that dies */
    const struct dwqi_executor *around; /* see dwqi_executor_set_around() */
};

struct dwqi_owned; /* arrays of dwq_call_alloc() */

/* A part that is ready to be sent. */
struct dwqi_done {
    struct dwqi_pack pack;
    struct dwqi_owned *owned; /* what its extents point into */
    bool gave_up; /* the function did not return: it was left by force */
};

/* DWQ_OK, DWQ_E_NOMEM. */
dwq_status_t dwqi_executor_create(const struct dwqi_executor_config *config,
                                  struct dwqi_executor **executor_out);
void dwqi_executor_destroy(struct dwqi_executor *executor);
/* Its calls are made in those of `around` (borrowed): they stop with them. */
void dwqi_executor_set_around(struct dwqi_executor *executor,
                              const struct dwqi_executor *around);
/* The innermost call that runs, or NULL. */
const struct dwq_call *dwqi_executor_running(
    const struct dwqi_executor *executor);
/* For what its items lie in; may be NULL. */
struct dwqi_pool *dwqi_executor_pool(const struct dwqi_executor *executor);

/**
 * Run the task item at `item`, whose head was read.
 *
 * @param share     NULL: the item is whole; see dwqi_task_unpack().
 * @param done_out  Gives the part: release with dwqi_done_finish().
 *
 * @return DWQ_OK, DWQ_E_NOMEM
 */
dwq_status_t dwqi_executor_run(struct dwqi_executor *executor, const void *item,
                               const struct dwqi_task_head *head,
                               const struct dwqi_share *share,
                               struct dwqi_done *done_out);

/* The part of a task that did not run here, as there was no memory for the `size`
 * bytes that this rank gets of it. */
dwq_status_t dwqi_executor_fail(struct dwqi_executor *executor,
                                const struct dwqi_task_head *head,
                                uint64_t size, struct dwqi_done *done_out);
/* All calls that ran here: their number, and seconds. */
void dwqi_executor_totals(const struct dwqi_executor *executor,
                          uint64_t *n_processed_out, double *total_time_out);
void dwqi_done_finish(struct dwqi_done *done);

#endif

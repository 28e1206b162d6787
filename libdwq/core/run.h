/* dwq_run() over a given communicator. */
#ifndef DWQI_CORE_RUN_H
#define DWQI_CORE_RUN_H

#include <dwq/run.h>

/* `comm`: an MPI_Comm *, or NULL for the world. `follows`: the data options are those
 * of other ranks. */
dwq_status_t dwqi_run(const void *comm, const dwq_options_t *options,
                      bool follows, int *exit_code_out,
                      bool *is_controller_out);

struct dwqi_cluster;
struct dwqi_placement;

/* Does something with the plan of a run; an exit code. */
typedef int dwqi_show_plan(const struct dwqi_cluster *cluster,
                           const struct dwqi_placement *placement, void *arg);

/**
 * What a run with these options would place on this job, which is then no run: the
 * same start up to there, and `show` on the controller alone. Needs no controller
 * function. Collective over the world.
 *
 * @param code_out  On every rank what `show` returned.
 *
 * @return The same on every rank: DWQ_OK; DWQ_E_EMPTY: a job of one process, which
 *         would run all in place; DWQ_E_OPTION: one rank has logged why; DWQ_E_MPI
 */
dwq_status_t dwqi_run_only_plan(const dwq_options_t *options,
                                dwqi_show_plan *show, void *arg, int *code_out);

#endif

/* A run from open to close. */
#ifndef DWQI_RUN_RUN_H
#define DWQI_RUN_RUN_H

#include <dwq/run.h>

struct run;

struct dwqi_run_request {
    const void *comm; /* an MPI_Comm *, or NULL for the world */
    const dwq_options_t *options;
    const char *caller; /* as it is named in the log */
    bool follows;       /* the data options are those of other ranks */
    bool opens;         /* by dwq_open(): without a controller function */
    bool has_taker;     /* the caller takes the controller, if it is here */
};

/**
 * Start a run, and make this rank's role in it. Collective over the run's ranks.
 *
 * @param run_out  Gives the run: dwqi_run_close() ends it. NULL: this process has no
 *                 part in it.
 *
 * @return As dwq_run(); what failed can be asked for, and is logged.
 */
dwq_status_t dwqi_run_open(const struct dwqi_run_request *request,
                           struct run **run_out);
/* Whether its controller is here, who moves the run from open to close. */
bool dwqi_run_is_controller(const struct run *run);
/* Play this rank's role to its end (the controller: with `code`), leave together with
 * all others, and release the run. */
dwq_status_t dwqi_run_close(struct run *run, int code, int *exit_code_out);

/* dwq_run(), and dwq_open(), over `comm`. */
dwq_status_t dwqi_run(const void *comm, const dwq_options_t *options,
                      int *exit_code_out);
dwq_status_t dwqi_open(const void *comm, const dwq_options_t *options,
                       dwq_controller_t **controller_out, int *exit_code_out);

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

/* The controller as run.c and the simulation see it; what users call is in
 * <dwq/controller.h>. */
#ifndef DWQI_QUEUE_CONTROLLER_H
#define DWQI_QUEUE_CONTROLLER_H

#include <dwq/plan.h>

#include "libdwq/base/line.h"
#include "libdwq/base/log.h"
#include "libdwq/item/gathered.h"
#include "libdwq/queue/dispatcher.h"

/* What gives waiting tasks to idle workers while the user's thread is outside of the
 * library. */
enum dwqi_feeding {
    DWQI_FED_NOT,
    DWQI_FED_BY_A_THREAD,
    DWQI_FED_BY_CALLS /* of dwqi_controller_feed() */
};

struct dwqi_controller_config {
    struct dwqi_dispatcher_config queue; /* its transport: with workers */
    struct dwqi_executor *executor; /* borrowed; runs calls in place then */
    int n_workers;
    const int *peers; /* borrowed for create: peers[w - 1] is worker w */
    enum dwqi_feeding feeding;
    dwq_kwargs_t run_args;
    dwq_world_t world;
    const dwq_plan_t *plan; /* borrowed; or NULL */
    /* Of each rank of the run its name and host ("rank 2 on host n2", with its NUL) if
     * it is alone on its host; borrowed; or NULL */
    const struct dwqi_gathered *lone_ranks;
    void (*abort)(void *arg); /* ends the job; does not return */
    void *abort_arg;
};

dwq_status_t dwqi_controller_create(const struct dwqi_controller_config *config,
                                    dwq_controller_t **controller_out);

/* The end of a run: see dwqi_dispatcher_close(). Results stay collectible. */
dwq_status_t dwqi_controller_close(dwq_controller_t *controller, bool cancel);
/* No call of the user's comes to it any more: each is refused, as later when it is
 * destroyed. */
void dwqi_controller_forget(dwq_controller_t *controller);
/* Whether it was neither forgotten nor destroyed. */
bool dwqi_controller_is_known(const dwq_controller_t *controller);
/* What was given as abort_arg. */
void *dwqi_controller_owner(const dwq_controller_t *controller);

/* At the begin of a call of the user's: forget why the last one failed. DWQ_E_ARG: NULL.
 * DWQ_E_STATE, and nothing may be done: it is not known; or this is not the thread that
 * made it, or a child of fork(). */
dwq_status_t dwqi_controller_enter(dwq_controller_t *controller);
/* At its end, with its answer. */
dwq_status_t dwqi_controller_leave_call(dwq_controller_t *controller,
                                        dwq_status_t status);
/* It fails: why (NULL: what is in its error) is kept and logged, the status handed
 * back. */
dwq_status_t dwqi_controller_refuse(dwq_controller_t *controller,
                                    dwq_status_t status, const char *why);

/* While the user's thread is outside: waiting tasks go to workers that share memory with
 * this process and have nothing to do. */
void dwqi_controller_feed(dwq_controller_t *controller);

/* Also counts in one warning what was never collected. */
/* See dwqi_dispatcher_next_overdue(). */
int dwqi_controller_next_overdue(const dwq_controller_t *controller,
                                 int worker);
void dwqi_controller_destroy(dwq_controller_t *controller);

/* In a handler of a signal, in the thread of the run: what ranks run that are alone on
 * their hosts, as the end of a line. */
void dwqi_controller_add_running(const dwq_controller_t *controller,
                                 struct dwqi_line *line);

/* With no workers: calls do not run here after all, and yield DWQ_E_WORKER. */
void dwqi_controller_withdraw(dwq_controller_t *controller);

#endif

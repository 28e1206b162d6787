/* What a rank does in a run until it has left: a server (a worker of one rank), a
 * relay (a broker), a leaf (another rank of a group), the controller, or nothing.
 * Whoever has one steps it: the loop of the run, or the simulation. */
#ifndef DWQI_WORKERS_ROLE_H
#define DWQI_WORKERS_ROLE_H

#include <dwq/value.h>
#include <stdbool.h>

struct dwqi_role;

struct dwqi_role_ops {
    /* Say that this rank serves, or that it never will; one of them, once.
     * DWQ_E_STATE: a second time. NULL: nobody waits for a word of it. */
    dwq_status_t (*begin)(struct dwqi_role *role);
    dwq_status_t (*withdraw)(struct dwqi_role *role, const char *reason);
    /* Copied; sent with the next READY. DWQ_E_ARG, DWQ_E_NOMEM. NULL: nobody asks
     * for it. */
    dwq_status_t (*set_ready_data)(struct dwqi_role *role, dwq_value_t data);
    /* Hear what came, and do what is to be done next: at most one call.
     * DWQ_OK (step again), DWQ_E_AGAIN (nothing to do now); DWQ_E_MPI, DWQ_E_NOMEM,
     * DWQ_E_MESSAGE, DWQ_E_TIME_LIMIT: this rank cannot go on. */
    dwq_status_t (*step)(struct dwqi_role *role);
    /* It has left: no more steps. */
    bool (*is_closed)(const struct dwqi_role *role);
    /* Release it. */
    void (*finish)(struct dwqi_role *role);
};

struct dwqi_role {
    const struct dwqi_role_ops *ops;
    bool has_failed; /* it withdrew, since a message could not be read */
    /* On the transport's clock: the next step, even if nothing comes; 0: whenever
     * something does. */
    double look_again;
};

/* NULL is harmless. */
static inline void dwqi_role_finish(struct dwqi_role *role)
{
    if (role) {
        role->ops->finish(role);
    }
}

#endif

/* The controller's rank: its role, and the end of its part; with one process also the
 * worker function, which stands still while calls run in place. */
#include <stdlib.h>

#include "libdwq/run/run_private.h"

/* Further tasks that a worker may hold when prefetch is automatic. */
#define PREFETCH_AUTO_MAX 63
#define RETRIES 2 /* by default */

struct controller_role {
    struct dwqi_role role;
    dwq_controller_t *controller;
    const struct dwqi_log *log;
    struct dwqi_interrupt interrupt;
};

static struct controller_role *of(struct dwqi_role *role)
{
    return (struct controller_role *)(void *)role;
}

/* With one process. */
static dwq_status_t withdraw(struct dwqi_role *role, const char *reason)
{
    dwqi_log_warning(of(role)->log, "calls cannot run in place: %s", reason);
    dwqi_controller_withdraw(of(role)->controller);
    return DWQ_OK;
}

static void finish(struct dwqi_role *role)
{
    dwqi_interrupt_restore(&of(role)->interrupt);
    dwqi_controller_destroy(of(role)->controller);
    free(role);
}

static const struct dwqi_role_ops ops = {
    .withdraw = withdraw,
    .finish = finish,
};

static int held_max(const dwq_options_t *resolved)
{
    int further = resolved->prefetch == DWQ_PREFETCH_AUTO ? PREFETCH_AUTO_MAX
                                                          : resolved->prefetch;

    return 1 + (further > 0 ? further : 0);
}

static dwq_status_t create_controller(struct run *run,
                                      dwq_controller_t **controller_out)
{
    int n = dwqi_plan_n_workers(&run->plan);
    int *peers = calloc((size_t)n + 1, sizeof *peers);
    struct dwqi_controller_config config = {
        .queue = {
            .transport = run->transport,
            .log = &run->log,
            .pool = dwqi_world_pool(run->world),
            .queue_order = run->options.queue_order,
            .held_max = held_max(&run->options),
            .holds_near_only = run->options.prefetch == DWQ_PREFETCH_AUTO,
            .time_est_seconds = run->options.time_est_seconds,
            .retry_failed = run->options.retry_failed,
            .retries = run->options.retries == 0 ? RETRIES : run->options.retries,
            .time_limit = dwqi_run_limit(run),
            .grace_end = dwqi_run_grace_end(run),
            .stop_far = run->facts.survives ? dwqi_run_stop_far : NULL,
            .has_to_fit = run->ends_with_allocation,
        },
        .executor = run->executor,
        .n_workers = n,
        .peers = peers,
        /* What is logged comes in the user's thread. */
        .feeding =
            n > 0 && !run->log.verbose ? DWQI_FED_BY_A_THREAD : DWQI_FED_NOT,
        .run_args = run->options.run_args,
        .world = run->facts,
        .plan = &run->plan.shown,
        .lone_ranks = &run->lone_ranks,
        .abort = dwqi_run_abort,
        .abort_arg = run,
    };
    dwq_status_t status;

    if (!peers) {
        return DWQ_E_NOMEM;
    }
    for (int w = 1; w <= n; w++) {
        peers[w - 1] = dwqi_plan_rank_of(&run->plan, w);
    }
    status = dwqi_controller_create(&config, controller_out);
    free(peers);
    return status;
}

dwq_status_t dwqi_run_make_controller(struct run *run)
{
    struct controller_role *c = calloc(1, sizeof *c);
    dwq_status_t status =
        c ? create_controller(run, &c->controller) : DWQ_E_NOMEM;

    if (status != DWQ_OK) {
        free(c);
        return status;
    }
    c->role.ops = &ops;
    c->log = &run->log;
    dwqi_interrupt_watch(&c->interrupt);
    run->role = &c->role;
    run->controller = c->controller;
    dwqi_world_witness(run->world)->controller = run->controller;
    dwqi_run_hear_deaths(run);
    if (run->kind == DWQI_ROLE_IN_PLACE) {
        dwqi_log_info(&run->log, "one process: every call runs in place");
    } else {
        dwqi_log_info(&run->log, "controller of %d workers",
                      run->facts.n_workers);
    }
    return DWQ_OK;
}

dwq_status_t dwqi_run_end_controller(struct run *run)
{
    dwq_status_t status =
        dwqi_controller_close(run->controller, run->controller_code != 0);

    dwqi_controller_forget(run->controller);
    dwqi_world_witness(run->world)->controller = NULL;
    run->exit_code = run->controller_code;
    run->overdue = status == DWQ_E_TIME_LIMIT;
    return run->overdue ? DWQ_OK : status;
}

/* --- One process ----------------------------------------------------------------- */

static void play_worker(void *run)
{
    (void)dwqi_run_play_worker(run);
}

/* What the worker function prepares before it serves is there for the calls, and its
 * rest comes when the run has ended. */
dwq_status_t dwqi_run_make_in_place(struct run *run)
{
    dwq_status_t status = dwqi_run_make_controller(run);

    if (status != DWQ_OK || !run->options.worker) {
        return status;
    }
    run->worker_function = dwqi_aside_create(play_worker, run);
    if (!run->worker_function) {
        return DWQ_E_NOMEM;
    }
    dwqi_aside_resume(run->worker_function);
    return DWQ_OK;
}

dwq_status_t dwqi_run_end_in_place(struct run *run)
{
    dwq_status_t status = dwqi_run_end_controller(run);

    if (run->worker_function) {
        dwqi_aside_resume(run->worker_function);
    }
    run->exit_code = run->controller_code;
    return status;
}

/* Which workers a task fits: it may ask for a host, and for a number of ranks. */
#include <stdio.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "libdwq/core/controller_private.h"

dwq_status_t dwq_worker_info(const dwq_controller_t *controller, int worker,
                             dwq_worker_info_t *info_out)
{
    const dwq_plan_t *plan;
    dwq_worker_info_t info = { .n_ranks = 1 };

    if (!controller || !info_out || worker < 1 ||
        worker > controller->config.n_workers) {
        return DWQ_E_ARG;
    }
    plan = controller->config.plan;
    if (plan && worker <= plan->n_groups) {
        const dwq_plan_group_t *group = &plan->groups[worker - 1];

        info = (dwq_worker_info_t){ .host = group->host,
                                    .n_ranks = group->n_ranks,
                                    .n_cores = group->n_cores };
    }
    *info_out = info;
    return DWQ_OK;
}

static bool fits(const dwq_controller_t *c, int worker, const char *host,
                 int min_ranks)
{
    dwq_worker_info_t info;

    return dwq_worker_info(c, worker, &info) == DWQ_OK &&
           info.n_ranks >= min_ranks &&
           (!host || (info.host && strcmp(info.host, host) == 0));
}

/* The least loaded of those that fit and serve, the wished one among equals; 0:
 * none. */
static int least_loaded(const dwq_controller_t *c, const char *host,
                        int min_ranks, int wish, bool *all_fit_out)
{
    int best = 0;
    double least = 0;

    *all_fit_out = true;
    for (int w = 1; w <= c->config.n_workers; w++) {
        double load = dwqi_scheduler_total_est(c->scheduler, w) +
                      dwqi_scheduler_bound_est(c->scheduler, w);

        if (!fits(c, w, host, min_ranks)) {
            *all_fit_out = false;
        } else if (!dwqi_scheduler_is_gone(c->scheduler, w) &&
                   (best == 0 || load < least ||
                    (load <= least && w == wish))) {
            best = w;
            least = load;
        }
    }
    return best;
}

/* Any worker at all that fits, whether it still serves or not. */
static int first_fit(const dwq_controller_t *c, const char *host, int min_ranks)
{
    int w = 1;

    while (w <= c->config.n_workers && !fits(c, w, host, min_ranks)) {
        w++;
    }
    return w <= c->config.n_workers ? w : 0;
}

/* Whether the run is placed: all of its groups have hosts then. */
static bool knows_hosts(const dwq_controller_t *c)
{
    dwq_worker_info_t info;

    return dwq_worker_info(c, 1, &info) == DWQ_OK && info.host;
}

/* "on host 'n1' with 3 ranks", or one half of it. */
static const char *wish(const dwq_task_t *given, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    if (given->host) {
        dwqi_plain_format(text, size, "on host '%.*s'",
                          dwqi_plain_fit(given->host, 80), given->host);
        used = strlen(text);
    }
    if (given->min_ranks > 1) {
        snprintf(text + used, size - used, "%swith %d ranks",
                 used > 0 ? " " : "", given->min_ranks);
    }
    return text;
}

dwq_status_t dwqi_controller_fit(const dwq_controller_t *c,
                                 const dwq_task_t *given, bool *binding,
                                 int *worker_out, struct dwqi_fault *why_out)
{
    char text[400]; /* each byte of a name may take four */
    bool all = true;
    int best;

    *worker_out = given->worker;
    if (!given->host && given->min_ranks <= 1) {
        return given->min_ranks >= 0
                   ? DWQ_OK
                   : dwqi_option_fault(why_out, "min_ranks is %d",
                                       given->min_ranks);
    }
    if (c->config.n_workers == 0) {
        return dwqi_option_fault(why_out,
                                 "it asks to run %s, and one process runs all",
                                 wish(given, text, sizeof text));
    }
    if (*binding && given->worker > 0) {
        return fits(c, given->worker, given->host, given->min_ranks)
                   ? DWQ_OK
                   : dwqi_option_fault(why_out, "its worker %d is not %s",
                                       given->worker,
                                       wish(given, text, sizeof text));
    }
    best = first_fit(c, given->host, given->min_ranks);
    if (best == 0 && given->host && !knows_hosts(c)) {
        return dwqi_option_fault(
            why_out,
            "it asks for host '%.*s', and this run is not placed "
            "(option domain, straddle, fill or bind)",
            dwqi_plain_fit(given->host, 80), given->host);
    }
    if (best == 0) {
        return dwqi_option_fault(why_out, "no worker is %s",
                                 wish(given, text, sizeof text));
    }
    *worker_out =
        least_loaded(c, given->host, given->min_ranks, given->worker, &all);
    if (all) {
        *worker_out = given->worker;
        return DWQ_OK;
    }
    *worker_out = *worker_out ? *worker_out : best;
    *binding = true;
    return DWQ_OK;
}

bool dwqi_controller_refit(dwq_controller_t *c, struct dwqi_task *task)
{
    bool all;
    int worker;

    if (!task->fitted) {
        return false;
    }
    worker = least_loaded(c, task->host, task->min_ranks, 0, &all);
    if (worker == 0) {
        return false;
    }
    task->job.worker = worker;
    return dwqi_scheduler_add(c->scheduler, &task->job) == DWQ_OK;
}

void dwqi_controller_set_fit(const dwq_controller_t *c, const dwq_task_t *given,
                             struct dwqi_task *task)
{
    /* The plan's copy of the name lives as long as the task. */
    task->fitted = true;
    task->min_ranks = given->min_ranks;
    if (given->host) {
        task->host = c->config.plan->groups[task->job.worker - 1].host;
    }
}

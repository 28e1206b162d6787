/* Which workers a task fits: it may ask for a host, and for a number of ranks. */
#include <stdio.h>
#include <string.h>

#include "libdwq/base/host_name.h"
#include "libdwq/base/plain.h"
#include "libdwq/queue/dispatcher.h"

static bool fits(const struct dwqi_dispatcher *d, int worker, const char *host,
                 int min_ranks)
{
    const struct dwqi_cell *cell = dwqi_dispatcher_cell(d, worker);

    return cell->n_ranks >= min_ranks &&
           (!host || (cell->host && strcmp(cell->host, host) == 0));
}

/* The least loaded of those that fit and serve, the wished one among equals; 0:
 * none. */
static int least_loaded(const struct dwqi_dispatcher *d, const char *host,
                        int min_ranks, int wish, bool *all_fit_out)
{
    int best = 0;
    double least = 0;

    *all_fit_out = true;
    for (int w = 1; w <= d->cells.n; w++) {
        double load = dwqi_scheduler_total_est(d->scheduler, w) +
                      dwqi_scheduler_bound_est(d->scheduler, w);

        if (!fits(d, w, host, min_ranks)) {
            *all_fit_out = false;
        } else if (!dwqi_scheduler_is_gone(d->scheduler, w) &&
                   (best == 0 || load < least ||
                    (load <= least && w == wish))) {
            best = w;
            least = load;
        }
    }
    return best;
}

/* Any worker at all that fits, whether it still serves or not. */
static int first_fit(const struct dwqi_dispatcher *d, const char *host,
                     int min_ranks)
{
    int w = 1;

    while (w <= d->cells.n && !fits(d, w, host, min_ranks)) {
        w++;
    }
    return w <= d->cells.n ? w : 0;
}

/* --- Names of hosts -------------------------------------------------------- */

/* That of a worker, all of whose ranks are on it; NULL: there is no such one, or the
 * run is not placed. */
static const char *host_of(const struct dwqi_dispatcher *d, int worker)
{
    const char *host = dwqi_dispatcher_cell(d, worker)->host;

    return host && !strchr(host, ',') ? host : NULL;
}

/* Whether a worker before this one is on the same host. */
static bool is_known(const struct dwqi_dispatcher *d, int worker)
{
    const char *host = host_of(d, worker), *other = NULL;
    int w = 1;

    while (w < worker &&
           !((other = host_of(d, w)) && strcmp(other, host) == 0)) {
        w++;
    }
    return w < worker;
}

/* As the plan writes the host that is asked for; NULL: none or several of the plan's
 * fit (*n_out). The whole name wins over one with another domain. */
static const char *find_host(const struct dwqi_dispatcher *d, const char *asked,
                             int *n_out)
{
    const char *found = NULL;

    *n_out = 0;
    for (int w = 1; w <= d->cells.n; w++) {
        const char *host = host_of(d, w);

        if (!host || !dwqi_host_name_fits(host, asked)) {
            continue;
        }
        if (strcmp(host, asked) == 0) {
            *n_out = 1;
            return host;
        }
        if (!found || strcmp(host, found) != 0) {
            found = *n_out == 0 ? host : found;
            *n_out += *n_out == 0 || !is_known(d, w);
        }
    }
    return *n_out == 1 ? found : NULL;
}

#define MOST_SHOWN 5

/* The plan's hosts that fit `asked` (NULL: all): "n1, n2 and 37 more". */
static void list_hosts(const struct dwqi_dispatcher *d, const char *asked,
                       struct dwqi_error *text)
{
    size_t used = 0;
    int n = 0;

    text->text[0] = '\0';
    for (int w = 1; w <= d->cells.n; w++) {
        const char *host = host_of(d, w);

        if (!host || (asked && !dwqi_host_name_fits(host, asked)) ||
            is_known(d, w) || n++ >= MOST_SHOWN) {
            continue;
        }
        snprintf(text->text + used, sizeof text->text - used, "%s%.64s",
                 used > 0 ? ", " : "", host);
        used = strlen(text->text);
    }
    if (n > MOST_SHOWN) {
        snprintf(text->text + used, sizeof text->text - used, " and %d more",
                 n - MOST_SHOWN);
    }
}

/* --- What a task asks for ----------------------------------------------------- */

/* Whether the run is placed: all of its groups have hosts then. */
static bool knows_hosts(const struct dwqi_dispatcher *d)
{
    return d->cells.n > 0 && dwqi_dispatcher_cell(d, 1)->host;
}

/* "of 3 ranks or more on host 'n1'", or one half of it. */
static const char *wish(const dwq_task_t *given, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    if (given->ranks > 1) {
        snprintf(text, size, "of %d ranks or more%s", given->ranks,
                 given->host ? " " : "");
        used = strlen(text);
    }
    if (given->host) {
        dwqi_plain_format(text + used, size - used, "on host '%.*s'",
                          dwqi_plain_fit(given->host, 80), given->host);
    }
    return text;
}

/* No worker fits. */
static dwq_status_t refuse(const struct dwqi_dispatcher *d,
                           const dwq_task_t *given, int n_hosts,
                           struct dwqi_error *why)
{
    char text[400]; /* each byte of a name may take four */
    struct dwqi_error hosts;

    list_hosts(d, n_hosts > 1 ? given->host : NULL, &hosts);
    if (n_hosts > 1) {
        return dwqi_error_set(why, DWQ_E_OPTION, "host '%.*s' may be any of %s",
                              dwqi_plain_fit(given->host, 80), given->host,
                              hosts.text);
    }
    if (given->host && !knows_hosts(d)) {
        return dwqi_error_set(
            why, DWQ_E_OPTION,
            "it asks for host '%.*s', and the run knows no hosts: set option "
            "domain, straddle, fill or bind",
            dwqi_plain_fit(given->host, 80), given->host);
    }
    wish(given, text, sizeof text);
    return given->host && n_hosts == 0
               ? dwqi_error_set(
                     why, DWQ_E_OPTION,
                     "the run has no worker %s: its hosts are %s", text,
                     hosts.text[0] ? hosts.text : "several for each worker")
               : dwqi_error_set(why, DWQ_E_OPTION, "the run has no worker %s",
                                text);
}

dwq_status_t dwqi_dispatcher_fit(const struct dwqi_dispatcher *d,
                                 const dwq_task_t *given, bool *binding,
                                 int *worker_out, struct dwqi_error *why_out)
{
    char text[400]; /* each byte of a name may take four */
    bool all = true;
    int best, n_hosts = 0;
    const char *host;

    *worker_out = given->worker;
    if (!given->host && given->ranks <= 1) {
        return given->ranks >= 0 ? DWQ_OK
                                 : dwqi_error_set(why_out, DWQ_E_OPTION,
                                                  "ranks is %d: it takes a "
                                                  "number from 0 on",
                                                  given->ranks);
    }
    if (d->in_place) {
        return dwqi_error_set(why_out, DWQ_E_OPTION,
                              "it asks for a worker %s, and this run is one "
                              "process",
                              wish(given, text, sizeof text));
    }
    host = given->host ? find_host(d, given->host, &n_hosts) : NULL;
    best = given->host && !host ? 0 : first_fit(d, host, given->ranks);
    if (best == 0) {
        return refuse(d, given, n_hosts, why_out);
    }
    if (*binding && given->worker > 0) {
        return fits(d, given->worker, host, given->ranks)
                   ? DWQ_OK
                   : dwqi_error_set(why_out, DWQ_E_OPTION,
                                    "it asks for worker %d, and for one %s",
                                    given->worker,
                                    wish(given, text, sizeof text));
    }
    *worker_out = least_loaded(d, host, given->ranks, given->worker, &all);
    if (all) {
        *worker_out = given->worker;
        return DWQ_OK;
    }
    *worker_out = *worker_out ? *worker_out : best;
    *binding = true;
    return DWQ_OK;
}

bool dwqi_dispatcher_refit(struct dwqi_dispatcher *d, struct dwqi_task *task)
{
    bool all;
    int worker;

    if (!task->fitted) {
        return false;
    }
    worker = least_loaded(d, task->host, task->min_ranks, 0, &all);
    if (worker == 0) {
        return false;
    }
    task->job.worker = worker;
    return dwqi_scheduler_add(d->scheduler, &task->job) == DWQ_OK;
}

void dwqi_dispatcher_set_fit(const struct dwqi_dispatcher *d,
                             const dwq_task_t *given, struct dwqi_task *task)
{
    /* The plan's name, with the plan's domain, lives as long as the task. */
    task->fitted = true;
    task->min_ranks = given->ranks;
    if (given->host) {
        task->host = dwqi_dispatcher_cell(d, task->job.worker)->host;
    }
}

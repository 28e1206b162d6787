/* Option `bind`: each rank of a group, each broker and the controller binds itself
 * to what the plan gives it, the library reads it back, and the first that could not
 * is named in one warning. At the end of the run each may use what it could before. */
#define _DEFAULT_SOURCE /* gethostname */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libdwq/base/host_name.h"
#include "libdwq/mpi/spawn.h"
#include "libdwq/run/run_private.h"
#include "topology/bind.h"
#include "topology/discover.h"
#include "topology/openmp.h"

/* --- What a seat is bound to --------------------------------------------------- */

static bool add_seat(const struct run *run, const struct dwqi_seat *seat,
                     struct dwqi_cpuset *set)
{
    bool ok = true;

    for (int i = 0; i < seat->n_pus && ok; i++) {
        ok = dwqi_cpuset_add(set, run->placement.pus[seat->first_pu + i]);
    }
    return ok;
}

/* Of the i-th rank of a group: its own threads, or all of its group there. */
static bool set_of_member(const struct run *run,
                          const struct dwqi_placed_group *group, int i,
                          struct dwqi_cpuset *set)
{
    const struct dwqi_seat *seats = run->placement.seats + group->first_seat;
    bool ok = true;

    if (run->options.bind == DWQ_BIND_CORE) {
        return add_seat(run, &seats[i], set);
    }
    for (int k = 0; k < group->width && ok; k++) {
        if (seats[k].host == seats[i].host) {
            ok = add_seat(run, &seats[k], set);
        }
    }
    return ok;
}

/* A broker beside has a seat of its own. */
static bool set_in_group(const struct run *run, struct dwqi_cpuset *set)
{
    const struct dwqi_placed_group *group =
        &run->placement.groups[run->worker_id - 1];
    int place = run->plan.place_of[run->rank];
    bool beside = run->placement.broker != DWQI_BROKER_INSIDE;

    return place == 0 && beside
               ? add_seat(run, &group->broker, set)
               : set_of_member(run, group, place - beside, set);
}

/* Empty: it is bound to nothing. */
static bool set_of_rank(const struct run *run, struct dwqi_cpuset *set)
{
    if (run->worker_id > 0) {
        return set_in_group(run, set);
    }
    return !run->facts.is_controller ||
           add_seat(run, &run->placement.controller, set);
}

void dwqi_run_list_seats(const struct run *run, struct dwqi_buffer *text)
{
    const struct dwqi_placed_group *group =
        &run->placement.groups[run->worker_id - 1];

    for (int i = 0; i < group->width; i++) {
        const struct dwqi_seat *seat =
            &run->placement.seats[group->first_seat + i];
        const char *host = run->cluster.hosts[seat->host].name;
        struct dwqi_cpuset set = { .words = NULL };

        if (seat->rank >= 0) {
            continue; /* not spawned: a broker inside */
        }
        dwqi_buffer_append(text, host, strlen(host));
        dwqi_buffer_append(text, " ", 1);
        text->failed |= !set_of_member(run, group, i, &set);
        dwqi_cpuset_print(&set, text);
        dwqi_buffer_append(text, "\n", 1);
        dwqi_cpuset_finish(&set);
    }
}

/* --- Binding --------------------------------------------------------------------- */

static dwq_status_t bind_to(const struct dwqi_cpuset *set,
                            struct dwqi_error *fault)
{
    int n = dwqi_cpuset_count(set), at = 0;
    int *pus = malloc(((size_t)n + 1) * sizeof *pus);
    dwq_status_t status = DWQ_E_NOMEM;

    for (int pu = 0; pus && at < n; pu++) {
        if (dwqi_cpuset_has(set, pu)) {
            pus[at++] = pu;
        }
    }
    if (pus) {
        status = dwqi_bind(pus, n, fault);
    }
    free(pus);
    return status;
}

static void log_bound(struct run *run, const struct dwqi_cpuset *set)
{
    struct dwqi_buffer text = { .data = NULL };

    dwqi_cpuset_print(set, &text);
    dwqi_buffer_append(&text, "", 1);
    if (!text.failed) {
        dwqi_log_info(&run->log, "bound to hardware threads %s",
                      (const char *)text.data);
    }
    dwqi_buffer_finish(&text);
}

/* OpenMP looked at the machine before this rank was bound, and would start threads
 * for all of it. */
static int threads_of(const struct run *run)
{
    int n = run->options.threads_per_rank;

    return run->worker_id > 0 && n > 0 ? n : 1;
}

static dwq_status_t bind_run(struct run *run, const struct dwqi_cpuset *set,
                             struct dwqi_error *fault)
{
    struct dwqi_error why = { .text = "not bound: out of memory" };
    dwq_status_t status;

    if (dwqi_cpuset_count(set) == 0) {
        return DWQ_OK;
    }
    if (dwqi_discover_allowed(&run->unbound) != DWQ_OK) {
        dwqi_error_set(fault, DWQ_E_OPTION,
                       "not bound: the system does not say what this "
                       "process may use");
        return DWQ_E_STATE;
    }
    status = bind_to(set, &why);
    run->bound = status == DWQ_OK;
    if (run->bound) {
        log_bound(run, set);
        run->openmp_threads = dwqi_openmp_set_threads(threads_of(run));
    } else {
        dwqi_error_set(fault, DWQ_E_OPTION, "%s: %s", run->log.who, why.text);
    }
    return status;
}

/* The ranks of a spawned group and their broker: it hears of the first that could
 * not. */
static dwq_status_t ask_group(struct run *run, dwq_status_t *bound,
                              struct dwqi_error *fault)
{
    int first = INT_MAX;
    dwq_status_t status = dwqi_ranks_min(
        dwqi_group_ranks(run->group),
        *bound == DWQ_OK ? INT_MAX
                         : dwqi_ranks_rank(dwqi_group_ranks(run->group)),
        &first);

    if (status != DWQ_OK || first == INT_MAX) {
        return status;
    }
    *bound = DWQ_E_STATE;
    return dwqi_ranks_bcast(dwqi_group_ranks(run->group), first, fault->text,
                            sizeof fault->text);
}

/* Each thread of OpenMP goes to the place that was made for it before the run, on
 * cores of other ranks; there is no way to tell the runtime of others. */
static void warn_of_places(const struct run *run)
{
    struct dwqi_cpuset now = { .words = NULL }, places = { .words = NULL };

    if (run->facts.is_controller && run->options.threads_per_rank > 1 &&
        dwqi_discover_affinity(&now) == DWQ_OK &&
        dwqi_openmp_places(&now, &places) && dwqi_cpuset_count(&places) > 0) {
        dwqi_log_warning(
            &run->log, "option bind: OMP_PROC_BIND (or OMP_PLACES) had OpenMP "
                       "choose a place for each thread before the run, which "
                       "threads of several ranks share: unset it, and they "
                       "stay on the cores of their rank");
    }
    dwqi_cpuset_finish(&places);
    dwqi_cpuset_finish(&now);
}

dwq_status_t dwqi_run_bind(struct run *run)
{
    struct dwqi_cpuset set = { .words = NULL };
    struct dwqi_error fault = { .text = "not bound: out of memory" };
    dwq_status_t status = DWQ_OK, bound;
    int first = INT_MAX;

    warn_of_places(run);
    bound = set_of_rank(run, &set) ? bind_run(run, &set, &fault) : DWQ_E_NOMEM;
    dwqi_cpuset_finish(&set);
    if (run->group && run->plan.request.grouping == DWQ_GROUPING_SPAWN) {
        status = ask_group(run, &bound, &fault);
    }
    if (status == DWQ_OK) {
        status = dwqi_ranks_min(dwqi_world_ranks(run->world),
                                bound == DWQ_OK ? INT_MAX : run->rank, &first);
    }
    if (status == DWQ_OK && first == run->rank) {
        dwqi_log_warning(&run->log, "option bind: %s", fault.text);
    }
    if (status == DWQ_OK) {
        dwqi_world_recount(run->world);
    }
    return status;
}

/* --- A spawned rank ----------------------------------------------------------------- */

/* Line `number` of the list; NULL: it is not there. */
static const char *line_at(const char *list, int number)
{
    while (list && number-- > 0) {
        list = strchr(list, '\n');
        list = list ? list + 1 : NULL;
    }
    return list && strchr(list, '\n') ? list : NULL;
}

static dwq_status_t bind_by_line(struct run *run, const char *line,
                                 struct dwqi_error *fault)
{
    char host[256] = "", planned[256];
    size_t name = strcspn(line, " ");
    struct dwqi_cpuset set = { .words = NULL };
    const char *text = line + name + 1;
    dwq_status_t status;

    gethostname(host, sizeof host - 1);
    snprintf(planned, sizeof planned, "%.*s", (int)name, line);
    if (!dwqi_host_name_fits(host, planned)) {
        dwqi_error_set(fault, DWQ_E_OPTION,
                       "%s: not bound: it runs on %s, and the plan says %s",
                       run->log.who, host, planned);
        return DWQ_E_STATE;
    }
    if (*text == '\n') {
        return DWQ_OK;
    }
    if (!dwqi_cpuset_parse(&set, text, strcspn(text, "\n"))) {
        return DWQ_E_NOMEM;
    }
    status = bind_run(run, &set, fault);
    dwqi_cpuset_finish(&set);
    return status;
}

dwq_status_t dwqi_run_bind_spawned(struct run *run, const char *seats)
{
    struct dwqi_error fault = { .text = "not bound: its seat was not told" };
    const char *line =
        line_at(seats, dwqi_ranks_rank(dwqi_group_ranks(run->group)) - 1);
    dwq_status_t bound = line ? bind_by_line(run, line, &fault) : DWQ_E_STATE;

    return ask_group(run, &bound, &fault);
}

void dwqi_run_unbind(struct run *run)
{
    struct dwqi_error why;

    if (run->bound) {
        bind_to(&run->unbound, &why);
    }
    if (run->openmp_threads > 0) {
        dwqi_openmp_set_threads(run->openmp_threads);
    }
    dwqi_cpuset_finish(&run->unbound);
}

/* Whether the run outlives the death of its ranks. It does where the launcher lets the
 * others live, and a line leads from each of them to the controller's process. */
#include <stdlib.h>
#include <string.h>

#include "libdwq/process/launcher.h"
#include "libdwq/process/lines.h"
#include "libdwq/process/process.h"
#include "libdwq/run/run_private.h"

bool dwqi_run_may_survive(const struct run *run)
{
    const char *said = getenv("DWQ_SURVIVES");
    const char *launcher = getenv("OMPI_MCA_orte_enable_recovery");

    if (run->facts.size == 1 || !dwqi_world_is_job(run->world)) {
        return false;
    }
    return said && *said ? strcmp(said, "0") != 0
                         : launcher && strcmp(launcher, "0") != 0;
}

/* "rank 3 (worker 3) on host n1" */
static void say_who(const struct run *run, char *who, size_t size)
{
    snprintf(who, size, "%s on host %s", run->log.who,
             dwqi_world_witness(run->world)->words->host);
}

dwq_status_t dwqi_run_connect(struct run *run,
                              const struct dwqi_hub_address *hub,
                              struct dwqi_error *fault)
{
    struct dwqi_lines *lines = dwqi_process_lines();
    char who[128];

    if (!lines) {
        say_who(run, who, sizeof who);
        lines = dwqi_lines_connect(hub, run->rank, run->worker_id, who, fault);
        dwqi_process_set_lines(lines);
    }
    return lines ? DWQ_OK : DWQ_E_MPI;
}

/* All have lines to the same hub, or nobody has. */
static dwq_status_t make_lines(struct run *run, struct dwqi_error *why,
                               bool *made_out)
{
    struct dwqi_ranks *ranks = dwqi_world_ranks(run->world);
    struct dwqi_hub_address hub = { .port = 0 };
    struct dwqi_lines *lines = dwqi_process_lines();
    int all = 0;
    dwq_status_t status;

    if (run->facts.is_controller && !lines) {
        dwqi_process_set_lines(dwqi_lines_listen(&hub, why));
    }
    status =
        dwqi_ranks_bcast(ranks, run->plan.shown.controller, &hub, sizeof hub);
    if (status == DWQ_OK && !run->facts.is_controller && hub.port != 0) {
        (void)dwqi_run_connect(run, &hub, why);
    }
    lines = dwqi_process_lines();
    if (status == DWQ_OK) {
        status = dwqi_ranks_min(ranks,
                                lines && dwqi_lines_is_hub(lines) ==
                                             run->facts.is_controller,
                                &all);
    }
    *made_out = all != 0;
    return status;
}

dwq_status_t dwqi_run_make_survive(struct run *run)
{
    struct dwqi_error why = { .text = "" };
    bool made = false;
    dwq_status_t status = make_lines(run, &why, &made);

    if (status != DWQ_OK) {
        return status;
    }
    if (!made && why.text[0]) {
        dwqi_log_warning(&run->log, "this run does not outlive its ranks: %s",
                         why.text);
    }
    run->facts.survives = made;
    if (made) {
        dwqi_lines_set_worker(dwqi_process_lines(), run->worker_id);
    }
    return DWQ_OK;
}

/* --- Deaths, as the controller hears of them --------------------------------------- */

static int peer_of(void *arg, int worker)
{
    const struct run *run = arg;

    return dwqi_plan_rank_of(&run->plan, worker);
}

void dwqi_run_stop_far(void *arg, int worker, uint64_t id)
{
    (void)arg;
    dwqi_lines_stop(dwqi_process_lines(), worker, id);
}

void dwqi_run_hear_deaths(struct run *run)
{
    if (run->facts.survives) {
        dwqi_world_tell_deaths(run->world, run->transport, peer_of, run);
    }
    if (dwqi_world_is_job(run->world)) {
        dwqi_launcher_begin(); /* all groups are there */
    }
}

static void take_none(void *arg)
{
    (void)arg;
}

void dwqi_run_ignore_deaths(struct run *run)
{
    if (run->facts.survives) {
        dwqi_lines_set_wake(dwqi_process_lines(), take_none, NULL);
        dwqi_lines_set_stop(dwqi_process_lines(), NULL);
        dwqi_lines_set_worker(dwqi_process_lines(), 0);
    }
}

void dwqi_run_end_workers(struct run *run)
{
    int worker = 0;

    while ((worker = dwqi_controller_next_overdue(run->controller, worker)) !=
           0) {
        dwqi_lines_kill_worker(dwqi_process_lines(), worker);
    }
}

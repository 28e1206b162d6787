/* The ranks of a group: how they are wired to each other, and their roles, a relay on the
 * broker's rank and leaves on the others. */
#include "brokers/relay.h"
#include "libdwq/run/run_private.h"
#include "workers/serve_team.h"

static dwq_status_t agree(void *arg, uint64_t id, bool ok, bool *all_ok_out)
{
    struct run *run = arg;

    (void)id;
    return dwqi_team_agree(run->team, ok, all_ok_out);
}

static dwq_status_t renew_comms(void *arg)
{
    struct run *run = arg;

    return dwqi_run_renewed(run, dwqi_group_renew(run->group));
}

/* A part of this size comes as fast by a message as by a gatherv between hosts, and up to
 * 1.6 times as fast on one: from where it lies, by one copy. bench/modes.sh measures the
 * first, on simulated hosts, `dwq-bench modes` the second. */
#define PART_BY_MESSAGE ((size_t)1 << 20)

static void choose_by_size(struct dwqi_coll *coll)
{
    size_t most = (size_t)coll->size * PART_BY_MESSAGE;

    coll->gatherv_max = most < coll->max ? most : coll->max;
}

/* Wire this rank to its group. */
static dwq_status_t make_team(struct run *run)
{
    bool gather = run->options.collective_mode != DWQ_COLLECTIVE_SENDRECV;
    struct dwqi_team_config config = {
        .log = &run->log,
        .pool = dwqi_world_pool(run->world),
        .rank = dwqi_ranks_rank(dwqi_group_ranks(run->group)),
        .size = dwqi_ranks_size(dwqi_group_ranks(run->group)),
        .first = run->options.broker_is_worker ? 0 : 1,
        .renew = renew_comms,
        .renew_arg = run,
    };
    bool is_broker = dwqi_ranks_rank(dwqi_group_ranks(run->group)) == 0;
    dwq_status_t status =
        dwqi_group_transport(run->group, &run->log, &run->group_transport);

    if (status == DWQ_OK && gather) {
        status = dwqi_group_coll(run->group, &run->log, &run->coll);
    }
    if (run->coll && run->options.collective_mode == DWQ_COLLECTIVE_DEFAULT) {
        choose_by_size(run->coll);
    }
    if (status != DWQ_OK) {
        return status;
    }
    config.transport = run->group_transport;
    config.coll = run->coll;
    status = dwqi_team_create(&config, &run->team);
    if (status == DWQ_OK) {
        status = dwqi_run_make_service(run);
    }
    if (status != DWQ_OK || dwqi_team_rank(run->team) < 0) {
        return status;
    }
    status = dwqi_executor_create(
        &(struct dwqi_executor_config){
            .registry = run->registry,
            .log = &run->log,
            .pool = dwqi_world_pool(run->world),
            .now = dwqi_run_clock,
            .rank = dwqi_team_rank(run->team),
            .size = dwqi_team_n_ranks(run->team),
            .comm = dwqi_group_comm(run->group),
            .agree = agree,
            .agree_arg = run,
            .witness = dwqi_world_witness(run->world),
            .survives = run->facts.survives,
            .end = dwqi_run_limit(run),
            .cancelled =
                is_broker ? dwqi_run_cancelled(run, run->transport, DWQI_SELF)
                          : dwqi_run_cancelled(run, run->group_transport, 0) },
        &run->group_executor);
    if (status == DWQ_OK) {
        dwqi_executor_set_around(run->executor, run->group_executor);
    }
    return status;
}

dwq_status_t dwqi_run_make_leaf(struct run *run)
{
    dwq_status_t status = make_team(run);

    if (status != DWQ_OK) {
        return status;
    }
    run->waits_with = run->group_transport;
    dwqi_log_info(&run->log, "worker %d of %d: rank %d of %d of its group",
                  run->worker_id, run->facts.n_workers,
                  dwqi_team_rank(run->team), dwqi_team_n_ranks(run->team));
    return dwqi_leaf_create(
        &(struct dwqi_leaf_config){ .team = run->team,
                                    .executor = run->group_executor,
                                    .log = &run->log,
                                    .accept = dwqi_run_accept_client,
                                    .accept_arg = run },
        &run->role);
}

dwq_status_t dwqi_run_make_relay(struct run *run)
{
    dwq_status_t status = make_team(run);

    if (status != DWQ_OK) {
        return status;
    }
    dwqi_log_info(&run->log, "broker of worker %d of %d: %s its group of %d",
                  run->worker_id, run->facts.n_workers,
                  run->options.broker_is_worker ? "inside" : "beside",
                  dwqi_team_n_ranks(run->team));
    return dwqi_relay_create(
        &(struct dwqi_relay_config){ .transport = run->transport,
                                     .team = run->team,
                                     .service = run->service,
                                     .executor = run->group_executor,
                                     .log = &run->log,
                                     .controller = run->plan.shown.controller,
                                     .time_limit = dwqi_run_limit(run) },
        &run->role);
}

#include "tests/sim/groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FUNCTIONS 4

int64_t sim_rank_data(const struct sim_rank *rank, int n_updates)
{
    return (int64_t)rank->group->config.number * 1000000 +
           (rank->rank + 1) * 100000 + n_updates;
}

static dwq_status_t set_data(struct sim_rank *rank)
{
    dwq_value_t data = dwq_value_int(sim_rank_data(rank, rank->n_updates));

    return rank->role->ops->set_ready_data(rank->role, data);
}

dwq_status_t sim_rank_update_data(struct sim_rank *rank)
{
    rank->n_updates++;
    return set_data(rank);
}

double sim_rank_now(void *rank)
{
    const struct sim_rank *r = rank;

    return dwqi_sim_now(r->group->config.sim, r->endpoint);
}

/* --- Steps --------------------------------------------------------------- */

static dwq_status_t begin(struct sim_rank *rank)
{
    const struct dwqi_role_ops *ops = rank->role->ops;

    rank->begun = true;
    if (rank->withdraws) {
        return ops->withdraw(rank->role, "its initializer failed");
    }
    if (rank->has_data) {
        set_data(rank);
    }
    return ops->begin(rank->role);
}

static dwq_status_t step(void *arg)
{
    struct sim_rank *rank = arg;
    const struct dwqi_role_ops *ops = rank->role->ops;

    if (!rank->begun) {
        return begin(rank);
    }
    return ops->is_closed(rank->role) ? DWQ_E_AGAIN : ops->step(rank->role);
}

/* --- Ranks ---------------------------------------------------------------- */

static void make_executor(struct sim_rank *rank)
{
    const struct sim_group_config *config = &rank->group->config;
    dwq_function_t functions[MAX_FUNCTIONS + 1] = { { NULL, NULL, NULL } };
    struct dwqi_error reason;

    for (int i = 0; i < MAX_FUNCTIONS && config->functions[i].name; i++) {
        functions[i] = config->functions[i];
        functions[i].arg = rank;
    }
    dwqi_registry_create(functions, NULL, ".", config->log, &rank->registry,
                         &reason);
    dwqi_executor_create(
        &(struct dwqi_executor_config){ .registry = rank->registry,
                                        .log = config->log,
                                        .now = sim_rank_now,
                                        .clock = rank,
                                        .rank = rank->rank,
                                        .size = config->n_ranks },
        &rank->executor);
}

static dwq_status_t count_renewal(void *arg)
{
    struct sim_rank *rank = arg;

    rank->n_renewed++;
    return DWQ_OK;
}

static void make_team(struct sim_rank *rank)
{
    struct sim_group *group = rank->group;
    const struct sim_group_config *config = &group->config;
    struct dwqi_team_config team = {
        .transport = dwqi_sim_endpoint(config->sim, rank->endpoint),
        .log = config->log,
        .rank = rank->merged,
        .size = group->n_merged,
        .first = config->inside ? 0 : 1,
        .renew = count_renewal,
        .renew_arg = rank,
    };

    dwqi_sim_set_base(config->sim, rank->endpoint, config->first);
    if (group->colls) {
        team.coll = dwqi_coll_sim_rank(group->colls, rank->merged);
    }
    dwqi_team_create(&team, &rank->team);
}

static void make_relay(struct sim_rank *rank)
{
    const struct sim_group_config *config = &rank->group->config;

    dwqi_sim_join(config->sim, rank->endpoint, config->number);
    dwqi_relay_create(
        &(struct dwqi_relay_config){
            .transport = dwqi_sim_endpoint(config->sim, config->number),
            .team = rank->team,
            .executor = rank->executor,
            .log = config->log,
            .controller = 0,
            .time_limit = config->time_limit },
        &rank->role);
}

static void start_rank(struct sim_rank *rank)
{
    const struct sim_group_config *config = &rank->group->config;

    make_team(rank);
    if (rank->rank >= 0) {
        make_executor(rank);
    }
    if (rank->merged == 0) {
        make_relay(rank);
    } else {
        dwqi_leaf_create(&(struct dwqi_leaf_config){ .team = rank->team,
                                                     .executor = rank->executor,
                                                     .log = config->log },
                         &rank->role);
    }
    dwqi_sim_set_step(config->sim,
                      rank->merged == 0 ? config->number : rank->endpoint, step,
                      rank, rank->start);
}

/* --- The group ------------------------------------------------------------- */

void sim_group_init(struct sim_group *group,
                    const struct sim_group_config *config)
{
    *group = (struct sim_group){ .config = *config };
    group->n_merged = config->n_ranks + (config->inside ? 0 : 1);
    for (int m = 0; m < group->n_merged; m++) {
        group->ranks[m] =
            (struct sim_rank){ .group = group,
                               .merged = m,
                               .rank = m - (config->inside ? 0 : 1),
                               .endpoint = config->first + m,
                               .slowness = 1 };
    }
}

void sim_group_start(struct sim_group *group)
{
    const struct sim_group_config *config = &group->config;

    if (config->gather) {
        group->colls = dwqi_coll_sim_create(&(struct dwqi_coll_sim_config){
            .sim = config->sim,
            .first = config->first,
            .n_ranks = group->n_merged,
            .seed = config->seed,
            .mean_delay = config->mean_delay,
            .eager = 0.5,
            .max = config->coll_max,
            .gatherv_max = config->gatherv_max });
    }
    for (int m = 0; m < group->n_merged; m++) {
        start_rank(&group->ranks[m]);
    }
}

void sim_group_finish(struct sim_group *group)
{
    for (int m = 0; m < group->n_merged; m++) {
        struct sim_rank *rank = &group->ranks[m];

        dwqi_role_finish(rank->role);
        dwqi_team_destroy(rank->team);
        dwqi_executor_destroy(rank->executor);
        dwqi_registry_destroy(rank->registry);
    }
    dwqi_coll_sim_destroy(group->colls);
}

struct sim_rank *sim_group_rank(struct sim_group *group, int group_rank)
{
    int m = group_rank + (group->config.inside ? 0 : 1);

    return m >= 0 && m < group->n_merged ? &group->ranks[m] : NULL;
}

bool sim_group_withdraws(const struct sim_group *group)
{
    for (int m = 0; m < group->n_merged; m++) {
        if (group->ranks[m].withdraws) {
            return true;
        }
    }
    return false;
}

const char *sim_group_fault(const struct sim_group *group)
{
    for (int m = 0; m < group->n_merged; m++) {
        const struct sim_rank *rank = &group->ranks[m];

        if (!rank->role->ops->is_closed(rank->role)) {
            return "a rank was never told to leave";
        }
        if (dwqi_sim_n_moving(group->config.sim, rank->endpoint) != 0) {
            return "a rank polls for a transfer that is over";
        }
        if (rank->n_renewed != group->ranks[0].n_renewed) {
            return "ranks renewed their communicators differently often";
        }
    }
    if (group->colls && dwqi_coll_sim_fault(group->colls)) {
        return dwqi_coll_sim_fault(group->colls);
    }
    return group->colls && dwqi_coll_sim_n_open(group->colls) > 0
               ? "a collective that somebody did not finish"
               : NULL;
}

/* One simulated group: its broker with two endpoints, the other ranks with one
 * each, the real relay and members on them. */
#ifndef TESTS_SIM_GROUPS_H
#define TESTS_SIM_GROUPS_H

#include "brokers/relay.h"
#include "tests/sim/coll_sim.h"
#include "tests/sim/transport_sim.h"
#include "workers/serve_team.h"

#define GROUP_MAX 6 /* merged ranks */

struct sim_group;

/* A merged rank; the `arg` of the functions that run on it. */
struct sim_rank {
    struct sim_group *group;
    int merged;
    int rank; /* of the group; -1: the broker is beside */
    int endpoint;
    double slowness; /* times the duration of each call */
    double start;    /* when it begins to serve */
    bool withdraws;  /* its initializer fails */
    bool has_data;   /* ready data: data_number(), before it serves */
    bool begun;
    int n_updates; /* of its ready data, in calls */
    int n_renewed; /* the user's communicators: times */
    struct dwqi_registry *registry;
    struct dwqi_executor *executor;
    struct dwqi_team *team;
    struct dwqi_role *role; /* relay, or leaf */
};

struct sim_group_config {
    struct dwqi_sim *sim;            /* borrowed */
    const struct dwqi_log *log;      /* borrowed */
    const dwq_function_t *functions; /* args are replaced */
    int number;                      /* of the worker; its endpoint, too */
    int first; /* endpoint of merged rank 0; the others follow */
    int n_ranks;
    bool inside;
    bool gather;
    uint64_t seed;      /* of the collectives */
    double mean_delay;  /* of the collectives */
    size_t coll_max;    /* bytes of one collective */
    size_t gatherv_max; /* of one gatherv; 0: the same */
    double time_limit;
    /* A rank begins a call; or NULL. */
    void (*entered)(void *arg, const struct sim_rank *rank, int64_t index);
    void *arg;
};

struct sim_group {
    struct sim_group_config config;
    int n_merged;
    struct dwqi_coll_sim *colls;
    struct sim_rank ranks[GROUP_MAX];
};

/* Ranks can be changed until start. */
void sim_group_init(struct sim_group *group,
                    const struct sim_group_config *config);
void sim_group_start(struct sim_group *group);
void sim_group_finish(struct sim_group *group);

/* Merged rank 0 is the broker; NULL: no such rank of the group. */
struct sim_rank *sim_group_rank(struct sim_group *group, int group_rank);
bool sim_group_withdraws(const struct sim_group *group);
/* What is wrong when all should be over, or NULL. */
const char *sim_group_fault(const struct sim_group *group);

/* Ready data of a rank after that many updates. */
int64_t sim_rank_data(const struct sim_rank *rank, int n_updates);
dwq_status_t sim_rank_update_data(struct sim_rank *rank);
double sim_rank_now(void *rank);

#endif

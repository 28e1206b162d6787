/* Runs with groups cut out of the job, for the scenarios. */
#ifndef TESTS_MPI_GROUP_SETUP_H
#define TESTS_MPI_GROUP_SETUP_H

#include "tests/mpi/scenario.h"

struct group_config {
    bool sendrecv, inside;
    int nprocs;
};

/* Play with both modes, broker beside and inside, and groups of 1 to 3 ranks, where
 * one group fits; with DWQ_TEST_CONFIG (a number from 0 on) in the environment that
 * one only. Says which configuration did not hold. */
void group_configs(void (*play)(const struct group_config *config));
/* Options of that configuration; the rest is zero. */
dwq_options_t group_options(const struct group_config *config);
/* Run them; checks that dwq_run() answers DWQ_OK. The exit code. */
int group_run(const struct group_config *config, dwq_options_t options);

/* What this rank of the job is by the rule: ranks in order, the controller left
 * out, are cut into groups; the first of each is its broker. */
struct group_place {
    int n_groups;
    int n_left; /* ranks left over at the end */
    int group;  /* number, or 0: controller, or left over */
    int place;  /* in the merged communicator */
    int rank;   /* in the group; -1: none, or beside */
    bool is_broker;
    bool is_idle;
};
struct group_place group_place_of(const struct group_config *config, int rank,
                                  int controller);
/* Of this rank, where rank 0 is the controller. */
struct group_place group_place(const struct group_config *config);
/* The rank of the job at that place of a group, where rank 0 is the controller. */
int group_world_rank(const struct group_config *config, int group, int rank);

#endif

#include "tests/mpi/group_setup.h"

#include <stdlib.h>

static int ranks_each(const struct group_config *config)
{
    return config->nprocs + !config->inside;
}

static void play_one(void (*play)(const struct group_config *config),
                     const struct group_config *config)
{
    int n_failed = scenario_n_failed();

    play(config);
    if (scenario_n_failed() != n_failed) {
        fprintf(stderr, "    with %s, broker %s, groups of %d, on %d ranks\n",
                config->sendrecv ? "sendrecv" : "gather",
                config->inside ? "inside" : "beside", config->nprocs,
                world_size());
    }
}

void group_configs(void (*play)(const struct group_config *config))
{
    const char *only = getenv("DWQ_TEST_CONFIG");

    for (int i = 0; i < 12; i++) {
        struct group_config config = { .sendrecv = i & 1,
                                       .inside = i & 2,
                                       .nprocs = 1 + i / 4 };

        if (world_size() > ranks_each(&config) && (!only || atoi(only) == i)) {
            play_one(play, &config);
        }
    }
}

dwq_options_t group_options(const struct group_config *config)
{
    return (dwq_options_t){
        .functions = scenario_functions,
        .grouping = DWQ_GROUPING_SPLIT,
        .nprocs_per_worker = config->nprocs,
        .collective_mode =
            config->sendrecv ? DWQ_COLLECTIVE_SENDRECV : DWQ_COLLECTIVE_GATHER,
        .broker_is_worker = config->inside,
    };
}

int group_run(const struct group_config *config, dwq_options_t options)
{
    dwq_options_t own = group_options(config);

    own.controller = options.controller;
    own.worker = options.worker;
    own.broker = options.broker;
    own.functions = options.functions ? options.functions : own.functions;
    own.arg = options.arg;
    own.max_workers = options.max_workers;
    own.time_limit = options.time_limit;
    own.retry_failed = options.retry_failed;
    own.prefetch = options.prefetch;
    own.time_est_seconds = options.time_est_seconds;
    own.time_limit_grace = options.time_limit_grace;
    own.run_args = options.run_args;
    own.verbose = options.verbose;
    own.log = options.log;
    own.log_arg = options.log_arg;
    return scenario_run_options(&own);
}

struct group_place group_place_of(const struct group_config *config, int rank,
                                  int controller)
{
    int each = ranks_each(config), n = world_size() - 1;
    int index = rank < controller ? rank : rank - 1;
    struct group_place place = { .n_groups = n / each,
                                 .n_left = n % each,
                                 .rank = -1 };

    if (rank == controller) {
        return place;
    }
    place.is_idle = index / each >= place.n_groups;
    if (!place.is_idle) {
        place.group = 1 + index / each;
        place.place = index % each;
        place.is_broker = place.place == 0;
        place.rank = config->inside ? place.place : place.place - 1;
    }
    return place;
}

struct group_place group_place(const struct group_config *config)
{
    return group_place_of(config, world_rank(), 0);
}

int group_world_rank(const struct group_config *config, int group, int rank)
{
    return 1 + (group - 1) * ranks_each(config) + !config->inside + rank;
}

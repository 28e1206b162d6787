#include "tests/mpi/told_rows.h"

/* As seen from where the program is started (the folder of the test's programs), and
 * from nowhere else. */
#define MODULES "../mpi"
#define WORKER "../../dwq-worker"

static const char *const args[] = { "--module-path=/nowhere", "--unknown",
                                    NULL };

#define COMMON(function)                                    \
    .module_path = MODULES, .worker_module = "told_module", \
    .worker_name = function, .thread_level = 3, .verbose = true

const struct told_row told_rows[] = {
    { .name = "one_rank_each",
      .ranks = 5,
      .n_workers = 3,
      .n_ranks = 1,
      .n_told = 4,
      .options = { COMMON("reads"), .max_workers = 3, .time_limit = 1000,
                   .time_limit_grace = 5,
                   .queue_order = DWQ_ORDER_LONGEST_FIRST, .prefetch = 2,
                   .idle_wait = 0.0625 },
      .says = "worker_name=\"reads\", worker_module=\"told_module\", "
              "module_path=\".../" MODULES "\", max_workers=3, "
              "time_limit=1000, time_limit_grace=5, "
              "queue_order=longest-first, prefetch=2, idle_wait=0.0625, "
              "verbose=1, thread_level=3, run_args={\"n\": 7}" },
    { .name = "groups_by_sendrecv",
      .ranks = 7,
      .n_workers = 2,
      .n_ranks = 2,
      .n_told = 6,
      .broker = true,
      .options = { COMMON("reads"), .grouping = DWQ_GROUPING_SPLIT,
                   .nprocs_per_worker = 2,
                   .collective_mode = DWQ_COLLECTIVE_SENDRECV,
                   .broker_module = "told_module", .broker_name = "speaks" },
      .says = "broker_name=\"speaks\", broker_module=\"told_module\", "
              "module_path=\".../" MODULES "\", grouping=split, "
              "nprocs_per_worker=2, collective_mode=sendrecv, " },
    { .name = "groups_by_gather",
      .ranks = 7,
      .n_workers = 2,
      .n_ranks = 3,
      .n_told = 6,
      .options = { COMMON("reads"), .nprocs_per_worker = 3,
                   .broker_is_worker = true,
                   .collective_mode = DWQ_COLLECTIVE_GATHER },
      .says = "nprocs_per_worker=3, collective_mode=gather, "
              "broker_is_worker=1, " },
    { .name = "groups_of_parts",
      .ranks = 8,
      .topology = "pack:2 numa:1 core:5 pu:1",
      .n_workers = 2,
      .n_ranks = 2,
      .n_told = 7,
      .options = { COMMON("reads"), .nprocs_per_worker = DWQ_NPROCS_AUTO,
                   .broker_is_worker = true, .domain = DWQ_DOMAIN_PACKAGE,
                   .straddle = DWQ_STRADDLE_NEVER, .threads_per_rank = 2,
                   .max_workers = 2, .bind = DWQ_BIND_GROUP },
      .says = "nprocs_per_worker=-1, broker_is_worker=1, max_workers=2, ..."
              "domain=package, straddle=never, threads_per_rank=2, "
              "bind=group, " },
    { .name = "groups_of_hosts",
      .ranks = 7,
      .topology = "pack:1 numa:1 core:5 pu:2",
      .n_workers = 2,
      .n_ranks = 2,
      .n_told = 6,
      .broker = true,
      .options = { COMMON("reads"), .nprocs_per_worker = DWQ_NPROCS_AUTO,
                   .groups_per_host = 2, .fill = DWQ_FILL_SPREAD,
                   .broker_on_thread = true, .broker_module = "told_module",
                   .broker_name = "speaks" },
      .says = "groups_per_host=2, fill=spread, broker_on_thread=1, " },
    { .name = "spawned_by_dwq_worker",
      .ranks = 3,
      .n_workers = 2,
      .n_ranks = 2,
      .n_told = 6,
      .broker = true,
      .connected = 1,
      .options = { COMMON("connects"), .broker_module = "told_module",
                   .broker_name = "speaks", .grouping = DWQ_GROUPING_SPAWN,
                   .nprocs_per_worker = 2, .sequential_spawn = true,
                   .spawn_startup_wait = 0.0625, .spawn_executable = WORKER,
                   .spawn_args = args, .enable_worker_service = true,
                   .worker_service_name = "told" },
      .says = "grouping=spawn, nprocs_per_worker=2, sequential_spawn=1, "
              "spawn_startup_wait=0.0625, spawn_executable=\".../" WORKER
              "\", spawn_args=\"--module-path=/nowhere\"\"--unknown\", "
              "enable_worker_service=1, worker_service_name=\"told\", " },
    { .name = "spawned_without_arguments",
      .ranks = 3,
      .own_ranks = true,
      .n_workers = 2,
      .n_ranks = 2,
      .n_told = 2,
      .options = { COMMON("reads"), .grouping = DWQ_GROUPING_SPAWN,
                   .nprocs_per_worker = 2, .broker_is_worker = true,
                   .collective_mode = DWQ_COLLECTIVE_SENDRECV,
                   .spawn_executable = WORKER },
      .says = "module_path=\".../" MODULES "\", grouping=spawn, "
              "nprocs_per_worker=2, collective_mode=sendrecv, "
              "broker_is_worker=1, spawn_executable=\".../" WORKER "\", " },
};

const int n_told_rows = sizeof told_rows / sizeof told_rows[0];

/* Where a job runs: on processors that its ranks share or have for themselves, bound by
 * its launcher or by OpenMP, under srun, or with no launcher at all. What the job is
 * given is driver_where.c's. */
#define _GNU_SOURCE /* RTLD_DEFAULT, gethostname, sched_getaffinity */
#include <dlfcn.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "tests/mpi/places.h"

/* Before the run, by the library. */
static void start_mpi(void)
{
    dwq_world_t world;

    CHECK(dwq_world(&world) == DWQ_OK);
}

/* --- Who yields ----------------------------------------------------------------- */

/* Has MPI's waits yield or not, by the function behind Open MPI's setting; what they
 * did before. -1: it is another MPI. */
static int set_yields(bool yield)
{
    bool (*set)(bool);
    void *found = dlsym(RTLD_DEFAULT, "opal_progress_set_yield_when_idle");

    if (!found) {
        return -1;
    }
    memcpy(&set, &found, sizeof set);
    return set(yield);
}

static int yields(void)
{
    int now = set_yields(false);

    if (now > 0) {
        set_yields(true);
    }
    return now;
}

/* What the launcher made of its slots counts for nothing; nor does what it says. */
static void start_undecided(void)
{
    start_mpi();
    set_yields(false);
    unsetenv("OMPI_COMM_WORLD_LOCAL_SIZE");
}

static int tell_yields(dwq_call_t *call, void *arg)
{
    (void)arg;
    return dwq_call_return(call, DWQ_VALUES(yields()));
}

static const dwq_function_t yield_functions[] = {
    { "yields", tell_yields, NULL }, { NULL, NULL, NULL }
};

struct expected {
    int yields;
};

static int check_yields(dwq_controller_t *c, void *arg)
{
    int expected = ((const struct expected *)arg)->yields, n = -2;
    dwq_result_t result;

    CHECK(yields() == expected);
    for (int w = 1; w <= dwq_controller_world(c).n_workers; w++) {
        ask(c, &(dwq_task_t){ .function = "yields", .worker = w }, &result);
        for (int i = 0; i < result.n_ranks; i++) {
            CHECK(dwq_result_get(&result, i, 0, &n) && n == expected);
        }
        dwq_result_clear(&result);
    }
    return 0;
}

static void run_yields(int expected)
{
    struct expected arg = { expected };

    scenario_run_options(&(dwq_options_t){ .controller = check_yields,
                                           .functions = yield_functions,
                                           .arg = &arg });
    if (world_size() % 2 == 1) {
        scenario_run_options(&(dwq_options_t){ .controller = check_yields,
                                               .functions = yield_functions,
                                               .grouping = DWQ_GROUPING_SPLIT,
                                               .nprocs_per_worker = 2,
                                               .broker_is_worker = true,
                                               .arg = &arg });
    }
}

static void ranks_that_share_processors_yield(void)
{
    start_undecided();
    run_yields(yields() < 0 ? -1 : 1);
}

static void ranks_with_a_processor_each_do_not_yield(void)
{
    start_undecided();
    run_yields(yields());
}

/* To the n-th that it may use. */
static void bind_to_processor(int n)
{
    cpu_set_t all, own;
    int cpu = -1;

    sched_getaffinity(0, sizeof all, &all);
    while (n-- >= 0) {
        do {
            cpu++;
        } while (!CPU_ISSET((size_t)cpu, &all));
    }
    CPU_ZERO(&own);
    CPU_SET((size_t)cpu, &own);
    CHECK(sched_setaffinity(0, sizeof own, &own) == 0);
}

/* Whatever else the machine has. */
static void ranks_bound_to_one_core_yield(void)
{
    start_undecided();
    bind_to_processor(0);
    run_yields(yields() < 0 ? -1 : 1);
}

static int check_one_yields(dwq_controller_t *c, void *arg)
{
    int n = -2;
    dwq_result_t result;

    (void)arg;
    for (int w = 1; w <= 2; w++) {
        ask(c, &(dwq_task_t){ .function = "yields", .worker = w }, &result);
        CHECK(dwq_result_get(&result, 0, 0, &n) && (n < 0 || n == (w == 1)));
        dwq_result_clear(&result);
    }
    return 0;
}

/* Controller and worker 1 share one, and worker 2 need not mind. */
static void a_rank_with_its_own_core_does_not_yield(void)
{
    start_undecided();
    bind_to_processor(world_rank() == 2);
    scenario_run_options(&(dwq_options_t){ .controller = check_one_yields,
                                           .functions = yield_functions });
}

/* --- OpenMP ------------------------------------------------------------------------ */

static int openmp_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

static int tell_openmp(dwq_call_t *call, void *arg)
{
    (void)arg;
    return dwq_call_return(
        call, DWQ_VALUES(openmp_threads(), n_allowed(), first_allowed()));
}

static const dwq_function_t openmp_functions[] = {
    { "openmp", tell_openmp, NULL }, { NULL, NULL, NULL }
};

static int check_openmp(dwq_controller_t *c, void *arg)
{
    const dwq_plan_group_t *group = dwq_controller_plan(c)->groups;
    int threads = 0, n = 0, first = -1;
    dwq_result_t result;

    (void)arg;
    CHECK(group->n_ranks == 1 && !group->oversubscribed && group->n_cores == 1);
    ask(c, &(dwq_task_t){ .function = "openmp" }, &result);
    CHECK(dwq_result_get(&result, 0, 0, &threads) && threads == 1);
    CHECK(dwq_result_get(&result, 0, 1, &n) && n >= 1);
    CHECK(dwq_result_get(&result, 0, 2, &first) && first != first_allowed());
    dwq_result_clear(&result);
    return 0;
}

/* On a core of its own each, as when OpenMP had not pinned both to the first. */
static void ranks_that_openmp_pinned_are_placed(void)
{
    int before = openmp_threads();

    scenario_run_options(&(dwq_options_t){ .controller = check_openmp,
                                           .functions = openmp_functions,
                                           .grouping = DWQ_GROUPING_SPLIT,
                                           .nprocs_per_worker = 1,
                                           .broker_is_worker = true,
                                           .bind = DWQ_BIND_CORE });
    CHECK(openmp_threads() == before);
    CHECK(n_allowed() >= 2);
}

static int check_nothing(dwq_controller_t *c, void *arg)
{
    (void)c;
    (void)arg;
    return 0;
}

static void threads_that_openmp_places_are_warned_of(void)
{
    struct heard heard = { "OMP_PROC_BIND", 0 };

    setenv("DWQ_TOPOLOGY", "core:4 pu:1", 1);
    scenario_run_options(&(dwq_options_t){ .controller = check_nothing,
                                           .functions = openmp_functions,
                                           .grouping = DWQ_GROUPING_SPLIT,
                                           .nprocs_per_worker = 1,
                                           .threads_per_rank = 2,
                                           .broker_is_worker = true,
                                           .bind = DWQ_BIND_CORE,
                                           .log = listen_for,
                                           .log_arg = &heard });
    CHECK(total(heard.n) == 1);
}

/* --- The launcher -------------------------------------------------------------------- */

static void expect_refusal(dwq_options_t options, const char *text)
{
    struct heard heard = { text, 0 };

    options.controller = check_nothing;
    options.functions = openmp_functions;
    options.log = listen_for;
    options.log_arg = &heard;
    CHECK(dwq_run(&options, NULL) == DWQ_E_OPTION);
    CHECK(total(heard.n) == 1);
}

static void a_binding_in_the_way_is_named(void)
{
    expect_refusal((dwq_options_t){ .grouping = DWQ_GROUPING_SPLIT,
                                    .nprocs_per_worker = 1,
                                    .broker_is_worker = true,
                                    .threads_per_rank = 2 },
                   "each rank may use 1 core only: bound by the launcher");
}

static void a_spawn_under_srun_is_refused_in_its_words(void)
{
    start_mpi();
    setenv("PMIX_NAMESPACE", "slurm.pmix.7.0", 1);
    expect_refusal((dwq_options_t){ .grouping = DWQ_GROUPING_SPAWN,
                                    .nprocs_per_worker = 2,
                                    .broker_is_worker = true },
                   "srun has no way");
}

static bool spawn_fails;

/* As under srun: an error, and something that is no communicator. */
int MPI_Comm_spawn(const char *command, char *argv[], int maxprocs,
                   MPI_Info info, int root, MPI_Comm comm, MPI_Comm *intercomm,
                   int codes[])
{
    if (spawn_fails) {
        MPI_Comm_dup(MPI_COMM_SELF, intercomm);
        MPI_Comm_free(&(MPI_Comm){ *intercomm });
        return MPI_ERR_SPAWN;
    }
    return PMPI_Comm_spawn(command, argv, maxprocs, info, root, comm, intercomm,
                           codes);
}

static void a_spawn_that_fails_is_said_and_survived(void)
{
    start_mpi();
    setenv("DWQ_SPAWN_ANYWAY", "1", 1);
    spawn_fails = true;
    expect_refusal((dwq_options_t){ .grouping = DWQ_GROUPING_SPAWN,
                                    .nprocs_per_worker = 2,
                                    .max_workers = 1,
                                    .broker_is_worker = true },
                   "the spawn of 1 ranks of");
    CHECK(scenario_run(check_nothing) == 0);
}

static int tell_host(dwq_call_t *call, void *arg)
{
    char host[256] = "";

    (void)arg;
    gethostname(host, sizeof host - 1);
    return dwq_call_return(call, DWQ_VALUES((const char *)host));
}

static const dwq_function_t host_functions[] = { { "host", tell_host, NULL },
                                                 { NULL, NULL, NULL } };

static int check_hosts(dwq_controller_t *c, void *arg)
{
    const char *of_broker = "", *host = "";
    dwq_result_t result;

    (void)arg;
    for (int w = 1; w <= dwq_controller_world(c).n_workers; w++) {
        ask(c, &(dwq_task_t){ .function = "host", .worker = w }, &result);
        CHECK(dwq_result_get(&result, 0, 0, &of_broker));
        for (int i = 1; i < result.n_ranks; i++) {
            CHECK(dwq_result_get(&result, i, 0, &host) &&
                  strcmp(host, of_broker) == 0);
        }
        dwq_result_clear(&result);
    }
    return 0;
}

static void a_group_is_spawned_beside_its_broker(void)
{
    scenario_run_options(&(dwq_options_t){ .controller = check_hosts,
                                           .functions = host_functions,
                                           .grouping = DWQ_GROUPING_SPAWN,
                                           .nprocs_per_worker = 4,
                                           .broker_is_worker = true });
}

static void one_process_in_an_allocation(void)
{
    scenario_run(check_nothing);
    scenario_run(check_nothing); /* which says nothing */
}

int main(int argc, char **argv)
{
#define ROW(scenario)       \
    {                       \
#scenario, scenario \
    }
    static const struct scenario scenarios[] = {
        ROW(ranks_that_share_processors_yield),
        ROW(ranks_with_a_processor_each_do_not_yield),
        ROW(ranks_bound_to_one_core_yield),
        ROW(a_rank_with_its_own_core_does_not_yield),
        ROW(ranks_that_openmp_pinned_are_placed),
        ROW(threads_that_openmp_places_are_warned_of),
        ROW(a_binding_in_the_way_is_named),
        ROW(a_spawn_under_srun_is_refused_in_its_words),
        ROW(a_spawn_that_fails_is_said_and_survived),
        ROW(a_group_is_spawned_beside_its_broker),
        ROW(one_process_in_an_allocation),
        { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}

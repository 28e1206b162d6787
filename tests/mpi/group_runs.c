/* Groups from start to end: several runs, limits, early ends, aborts, memory. */
#include <stdlib.h>

#include "tests/mpi/group_setup.h"

/* So that the functions of this file need no state. */
static int n_groups_of(const dwq_controller_t *c)
{
    return dwq_controller_world(c).n_workers;
}

static int three_squares(dwq_controller_t *c, void *arg)
{
    int n_ok;

    (void)arg;
    for (int i = 0; i < 3; i++) {
        submit_square(c, i, 0);
    }
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 3 && n_ok == 3);
    return 0;
}

/* --- Several runs ------------------------------------------------------------------- */

static int checks_size(dwq_controller_t *c, void *arg)
{
    const struct group_config *config = arg;
    dwq_result_t result;
    double y = 0;

    submit_square(c, 3, 0);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK && result.n_ranks == config->nprocs);
    for (int r = 0; r < result.n_ranks; r++) {
        CHECK(dwq_result_get(&result, r, 0, &y) && y == 9);
    }
    dwq_result_clear(&result);
    return 0;
}

static void play_size(const struct group_config *config)
{
    struct group_config copy = *config;

    group_run(config,
              (dwq_options_t){ .controller = checks_size, .arg = &copy });
    scenario_run(three_squares); /* without groups, in between */
}

static void runs_with_different_group_sizes_in_one_process(void)
{
    group_configs(play_size);
    group_configs(play_size);
}

/* Grouping none with more than one process per worker means split. */
static void groups_without_a_grouping_are_split(void)
{
    struct group_config config = { .nprocs = 2, .inside = true };

    dwq_world(&(dwq_world_t){ .size = 0 });
    if (world_size() >= 3) {
        scenario_run_options(&(dwq_options_t){ .controller = checks_size,
                                               .nprocs_per_worker = 2,
                                               .broker_is_worker = true,
                                               .arg = &config });
    }
}

/* In one process groups are no use: every call runs in place, after one warning. */
static void count_warnings(const char *line, void *arg)
{
    *(int *)arg += strstr(line, "grouping") != NULL;
}

static void one_process_has_no_groups(void)
{
    struct group_config alone = { .nprocs = 1 };
    int n_warnings = 0;

    dwq_world(&(dwq_world_t){ .size = 0 });
    if (world_size() == 1) {
        dwq_options_t options = { .controller = checks_size,
                                  .grouping = DWQ_GROUPING_SPLIT,
                                  .nprocs_per_worker = 3,
                                  .arg = &alone,
                                  .log = count_warnings,
                                  .log_arg = &n_warnings };

        scenario_run_options(&options);
        CHECK(n_warnings == 1);
    }
}

/* --- Who takes part ------------------------------------------------------------------- */

static int count_call(dwq_worker_t *worker, void *arg)
{
    CHECK(dwq_worker_id(worker) == 1);
    *(int *)arg += 1;
    return 0;
}

static int checks_max(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);
    int n_beyond = 0;

    CHECK(n_groups_of(c) == 1 && plan->n_groups == 1);
    for (int i = 0; i < plan->n_idle; i++) {
        n_beyond += strstr(plan->idle[i].reason, "max_workers") != NULL;
        CHECK(plan->idle[i].reason[0] != '\0');
    }
    CHECK(plan->n_idle == plan->size - 1 - plan->groups[0].n_ranks -
                              !plan->groups[0].broker_is_worker);
    /* Ranks for a second group were there. */
    CHECK(n_beyond == 0 || n_beyond == plan->n_idle);
    CHECK((plan->n_idle >=
           plan->groups[0].n_ranks + !plan->groups[0].broker_is_worker) ==
          (n_beyond > 0));
    return three_squares(c, arg);
}

static void play_max(const struct group_config *config)
{
    int n_calls = 0;
    struct group_place place = group_place(config);

    CHECK(group_run(config, (dwq_options_t){ .controller = checks_max,
                                             .worker = count_call,
                                             .max_workers = 1,
                                             .arg = &n_calls }) == 0);
    CHECK(n_calls == (place.group == 1 && place.rank >= 0));
}

static void groups_beyond_max_workers_leave_cleanly(void)
{
    group_configs(play_max);
}

/* --- Ends ------------------------------------------------------------------------------ */

static int leaves_early(dwq_controller_t *c, void *arg)
{
    for (int i = 0; i < 20; i++) {
        submit_sleep(c, 0.005, 0);
    }
    return *(int *)arg;
}

static void play_early(const struct group_config *config)
{
    int code = 0;

    CHECK(group_run(config, (dwq_options_t){ .controller = leaves_early,
                                             .arg = &code }) == 0);
    code = 6;
    CHECK(group_run(config, (dwq_options_t){ .controller = leaves_early,
                                             .arg = &code }) ==
          (world_rank() == 0 ? 6 : 0));
}

static void a_controller_that_returns_early_ends_every_group(void)
{
    group_configs(play_early);
}

static int does_nothing(dwq_controller_t *c, void *arg)
{
    (void)c;
    (void)arg;
    return 0;
}

/* The last rank of each group comes late. */
static int late(dwq_worker_t *worker, void *arg)
{
    int rank, size;

    (void)arg;
    MPI_Comm_rank(dwq_worker_comm(worker), &rank);
    MPI_Comm_size(dwq_worker_comm(worker), &size);
    if (rank == size - 1) {
        sleep_seconds(0.1 * dwq_worker_id(worker));
    }
    return 0;
}

static void play_late(const struct group_config *config)
{
    group_run(config,
              (dwq_options_t){ .controller = does_nothing, .worker = late });
}

static void a_group_that_was_never_ready_is_told_to_leave(void)
{
    group_configs(play_late);
}

/* --- Limits ----------------------------------------------------------------------------- */

static int cancels(dwq_controller_t *c, void *arg)
{
    int n_cancelled;
    uint64_t last = 0;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        last = submit_sleep(c, 0.02, 0);
    }
    CHECK(dwq_controller_cancel(c, 999999) == DWQ_E_ID);
    CHECK(dwq_controller_cancel(c, last) == DWQ_OK);
    CHECK(dwq_controller_cancel(c, last) == DWQ_E_STATE);
    CHECK(dwq_controller_cancel(c, 0) == DWQ_OK);
    CHECK(collect_all(c, DWQ_E_CANCELLED, &n_cancelled) == 20);
    CHECK(n_cancelled >= 20 - n_groups_of(c)); /* all, if none was ready yet */
    return 0;
}

static void play_cancel(const struct group_config *config)
{
    group_run(config, (dwq_options_t){ .controller = cancels });
}

static void cancelled_tasks_of_groups_yield_one_result(void)
{
    group_configs(play_cancel);
}

/* More work than fits into the limit, however fast. */
static int runs_out(dwq_controller_t *c, void *arg)
{
    int n_late, n;

    (void)arg;
    for (int i = 0; i < 40 * n_groups_of(c); i++) {
        submit_sleep(c, 0.02, 0);
    }
    n = collect_all(c, DWQ_E_TIME_LIMIT, &n_late);
    CHECK(n == 40 * n_groups_of(c) && n_late > 0);
    submit_square(c, 1, 0); /* later ones at once */
    n = collect_all(c, DWQ_E_TIME_LIMIT, &n_late);
    CHECK(n == 1 && n_late == 1);
    return 0;
}

static void play_limit(const struct group_config *config)
{
    group_run(config,
              (dwq_options_t){ .controller = runs_out, .time_limit = 0.4 });
}

static void after_the_time_limit_no_task_of_a_group_starts(void)
{
    group_configs(play_limit);
}

/* --- Ended jobs: one configuration each (DWQ_TEST_CONFIG) ----------------------------------- */

static int gives_up(dwq_controller_t *c, void *arg)
{
    int n_late;

    (void)arg;
    submit_sleep(c, 1000, 1);
    CHECK(collect_all(c, DWQ_E_TIME_LIMIT, &n_late) == 1 && n_late == 1);
    printf("the controller went on\n");
    fflush(stdout);
    return 0;
}

static void play_grace(const struct group_config *config)
{
    group_run(config, (dwq_options_t){ .controller = gives_up,
                                       .time_limit = 0.2,
                                       .time_limit_grace = 0.2 });
}

static void after_the_grace_calls_of_groups_are_given_up(void)
{
    group_configs(play_grace);
}

static int broker_aborts(dwq_broker_t *broker, void *arg)
{
    (void)arg;
    dwq_broker_abort(broker);
    return 0;
}

static void play_broker_aborts(const struct group_config *config)
{
    group_run(config, (dwq_options_t){ .controller = three_squares,
                                       .broker = broker_aborts });
}

static void a_broker_aborts(void)
{
    group_configs(play_broker_aborts);
}

/* The last rank of the group. */
static int last_aborts(dwq_worker_t *worker, void *arg)
{
    int rank, size;

    (void)arg;
    MPI_Comm_rank(dwq_worker_comm(worker), &rank);
    MPI_Comm_size(dwq_worker_comm(worker), &size);
    if (rank == size - 1) {
        dwq_worker_abort(worker);
    }
    return 0;
}

static void play_member_aborts(const struct group_config *config)
{
    group_run(config, (dwq_options_t){ .controller = three_squares,
                                       .worker = last_aborts });
}

static void a_rank_of_a_group_aborts(void)
{
    group_configs(play_member_aborts);
}

static int waits_long(dwq_controller_t *c, void *arg)
{
    int n_ok;

    (void)arg;
    printf("running\n");
    fflush(stdout);
    submit_sleep(c, 1000, 0);
    collect_all(c, DWQ_OK, &n_ok);
    return 0;
}

static void play_long(const struct group_config *config)
{
    group_run(config, (dwq_options_t){ .controller = waits_long });
}

static void an_interrupt_ends_groups(void)
{
    group_configs(play_long);
}

/* What dwq_main() makes of the codes: that of the controller counts, only there. */
static int returns_17(dwq_controller_t *c, void *arg)
{
    (void)arg;
    three_squares(c, NULL);
    return 17;
}

static int worker_returns_3(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    return dwq_worker_serve(worker) == DWQ_OK ? 3 : 4;
}

static int broker_returns_5(dwq_broker_t *broker, void *arg)
{
    (void)arg;
    return dwq_broker_serve(broker) == DWQ_OK ? 5 : 4;
}

static void play_main(const struct group_config *config)
{
    dwq_options_t options = group_options(config);
    char *argv[] = { "program", NULL };
    int rank = world_rank(), code;

    options.controller = getenv("DWQ_TEST_CODE") ? returns_17 : does_nothing;
    options.worker = worker_returns_3;
    options.broker = broker_returns_5;
    code = dwq_main(1, argv, &options);
    CHECK(code == (rank == 0 && getenv("DWQ_TEST_CODE") ? 17 : 0));
    if (code == 17) {
        printf("the controller's code\n");
        fflush(stdout);
        exit(scenario_n_failed() ? 1 : code);
    }
}

static void exit_codes_of_groups(void)
{
    group_configs(play_main);
}

/* --- Memory --------------------------------------------------------------------------------- */

static int resident(dwq_call_t *call, void *arg)
{
    (void)arg;
    return dwq_call_return(call, DWQ_VALUES(resident_kib()));
}

/* A broker beside its group tells what it holds when it leaves, too. */
static int broker_is_flat(dwq_broker_t *broker, void *arg)
{
    long before = resident_kib();

    (void)arg;
    CHECK(dwq_broker_serve(broker) == DWQ_OK);
    CHECK(SANITIZED || resident_kib() - before < 15 * 1024);
    return 0;
}

static int mirror(dwq_call_t *call, void *arg)
{
    dwq_array_t array = { .ndim = 0 };

    (void)arg;
    CHECK(dwq_arg(call, 0, &array));
    return dwq_call_return(call, DWQ_VALUES(array));
}

static void stream(dwq_controller_t *c, int n)
{
    static const double data[8000]; /* more than a frame; not borrowed */
    size_t many = 8000, few = 10;
    dwq_result_t result;
    int out = 0;

    for (int i = 0; i < n; i++) {
        dwq_array_t array =
            dwq_array(DWQ_DOUBLE, data, 1, i % 8 ? &few : &many);

        CHECK(dwq_controller_queue_call(
                  c,
                  &(dwq_task_t){ .function = "mirror",
                                 DWQ_ARGS(i % 3 ? array : dwq_scatter(array)) },
                  NULL) == DWQ_OK);
        for (out++; out > 20; out--) {
            CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
            CHECK(result.status == DWQ_OK);
            dwq_result_clear(&result);
        }
    }
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        dwq_result_clear(&result);
    }
}

static long most_resident(dwq_controller_t *c)
{
    dwq_result_t result;
    long most = resident_kib();

    for (int w = 1; w <= n_groups_of(c); w++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "resident", .worker = w },
                  NULL) == DWQ_OK);
    }
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        for (int r = 0; r < result.n_ranks; r++) {
            int64_t kib = 0;

            CHECK(dwq_result_get(&result, r, 0, &kib));
            most = kib > most ? kib : most;
        }
        dwq_result_clear(&result);
    }
    return most;
}

static int flat(dwq_controller_t *c, void *arg)
{
    long before;

    (void)arg;
    stream(c, 300);
    before = most_resident(c);
    stream(c, 3000); /* 24 MB through every rank, and as much back */
    CHECK(SANITIZED || most_resident(c) - before < 10 * 1024);
    return 0;
}

static void play_flat(const struct group_config *config)
{
    const dwq_function_t functions[] = { { "resident", resident, NULL },
                                         { "mirror", mirror, NULL },
                                         { NULL, NULL, NULL } };

    if (config->nprocs == 2) {
        group_run(config, (dwq_options_t){ .controller = flat,
                                           .broker = broker_is_flat,
                                           .functions = functions });
    }
}

static void memory_of_every_role_is_flat(void)
{
    group_configs(play_flat);
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(runs_with_different_group_sizes_in_one_process),
    S(groups_without_a_grouping_are_split),
    S(one_process_has_no_groups),
    S(groups_beyond_max_workers_leave_cleanly),
    S(a_controller_that_returns_early_ends_every_group),
    S(a_group_that_was_never_ready_is_told_to_leave),
    S(cancelled_tasks_of_groups_yield_one_result),
    S(after_the_time_limit_no_task_of_a_group_starts),
    S(after_the_grace_calls_of_groups_are_given_up),
    S(a_broker_aborts),
    S(a_rank_of_a_group_aborts),
    S(an_interrupt_ends_groups),
    S(exit_codes_of_groups),
    S(memory_of_every_role_is_flat),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}

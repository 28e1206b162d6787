/* The service between groups: publish, connect, exchange, part; and every way in which
 * a connect fails without leaving anybody behind. Each scenario runs with the broker
 * inside and beside, and in both collective modes. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/mpi/scenario.h"

#define NPROCS 2 /* ranks of a group */
#define N_BETWEEN 40

/* What the functions of this process need of its worker. */
struct here {
    dwq_worker_t *worker;
    int failing_worker; /* its rank 1 withdraws before the others connect */
    const char *name;   /* published by the option */
    const char *gone;   /* by the run before this one */
};

static dwq_grouping_t grouping;
static const char *arguments[2]; /* of spawned processes: the scenario */

static int group_rank(const dwq_worker_t *worker)
{
    int rank;

    MPI_Comm_rank(dwq_worker_comm(worker), &rank);
    return rank;
}

/* --- Functions ---------------------------------------------------------------- */

static int publish(dwq_call_t *call, void *arg)
{
    struct here *here = arg;

    return dwq_call_return(
        call, DWQ_VALUES((int)dwq_worker_publish_service(here->worker)));
}

/* connect(attempts) gives the status, and whether there is a communicator. */
static int connect_service(dwq_call_t *call, void *arg)
{
    struct here *here = arg;
    int attempts = 0, status;

    dwq_arg(call, 0, &attempts);
    status = dwq_worker_connect_service(here->worker, attempts);
    return dwq_call_return(
        call, DWQ_VALUES(status, dwq_worker_server_comm(here->worker) !=
                                     MPI_COMM_NULL));
}

/* One rank does not come. */
static int connect_without(dwq_call_t *call, void *arg)
{
    int missing = -1;

    dwq_arg(call, 0, &missing);
    return missing == dwq_call_rank(call) ? dwq_call_return(call, DWQ_VALUES(0))
                                          : connect_service(call, arg);
}

static int wait_ms(dwq_call_t *call, void *arg)
{
    int milliseconds = 0;

    (void)arg;
    dwq_arg(call, 0, &milliseconds);
    sleep_seconds(1e-3 * milliseconds);
    return dwq_call_return(call, DWQ_VALUES(0));
}

static int wait_for(dwq_call_t *call, void *arg)
{
    const char *path = "/";

    (void)arg;
    dwq_arg(call, 0, &path);
    while (access(path, F_OK) != 0) {
        sleep_seconds(0.01);
    }
    return dwq_call_return(call, DWQ_VALUES(0));
}

static int swap(MPI_Comm comm, int rank, int mine)
{
    int theirs = -1;

    MPI_Sendrecv(&mine, 1, MPI_INT, rank, 5, &theirs, 1, MPI_INT, rank, 5, comm,
                 MPI_STATUS_IGNORE);
    return theirs;
}

/* Each rank gives its number to the same rank of the other group: 100 * group + rank.
 * Group 1 gives back the sum of all that it got, a client what it got. */
static int exchange(dwq_call_t *call, void *arg)
{
    struct here *here = arg;
    int rank = dwq_call_rank(call), id = dwq_worker_id(here->worker), n = 0;
    const MPI_Comm *clients = dwq_worker_client_comms(here->worker, &n);
    int mine = 100 * id + rank, sum = 0;

    for (int i = 0; i < n; i++) {
        sum += swap(clients[i], rank, mine);
    }
    if (id != 1) {
        sum = swap(dwq_worker_server_comm(here->worker), rank, mine);
    }
    return dwq_call_return(call, DWQ_VALUES(sum, n));
}

/* Its rank 0 goes into a barrier of both groups, and does not end it. */
static int begin_barrier(dwq_call_t *call, void *arg)
{
    struct here *here = arg;
    MPI_Request barrier;

    if (dwq_call_rank(call) == 0) {
        MPI_Ibarrier(dwq_worker_server_comm(here->worker), &barrier);
    }
    return dwq_call_return(call, DWQ_VALUES(0));
}

static struct here here;
static const dwq_function_t functions[] = {
    { "begin_barrier", begin_barrier, &here },
    { "publish", publish, &here },
    { "connect", connect_service, &here },
    { "connect_without", connect_without, &here },
    { "wait", wait_ms, &here },
    { "wait_for", wait_for, NULL },
    { "exchange", exchange, &here },
    { NULL, NULL, NULL },
};

/* --- Controllers ----------------------------------------------------------------- */

static uint64_t submit_to(dwq_controller_t *controller, int worker,
                          const char *function, int argument)
{
    uint64_t id = 0;

    CHECK(dwq_controller_submit_call(controller,
                                     &(dwq_task_t){ .function = function,
                                                    .worker = worker,
                                                    DWQ_ARGS(argument) },
                                     &id) == DWQ_OK);
    return id;
}

/* Every rank gave `first` as its value, and the call took `seconds` at most. */
static void expect(dwq_controller_t *controller, uint64_t id, int first,
                   double seconds)
{
    dwq_result_t result;

    if (dwq_controller_get_result(controller, id, &result) != DWQ_OK) {
        CHECK(!"a result");
        return;
    }
    CHECK(result.status == DWQ_OK);
    CHECK(result.n_ranks == NPROCS);
    CHECK(result.this_time <= seconds);
    for (int r = 0; r < result.n_ranks; r++) {
        int value = 12345;

        CHECK(dwq_result_get(&result, r, 0, &value));
        CHECK(value == first);
    }
    dwq_result_clear(&result);
}

static void expect_exchange(dwq_controller_t *controller, uint64_t id,
                            int group, int n_groups)
{
    dwq_result_t result;

    CHECK(dwq_controller_get_result(controller, id, &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK && result.n_ranks == NPROCS);
    for (int r = 0; r < result.n_ranks; r++) {
        int sum = -1, n = -1, expected = 100 + r;

        if (group == 1) {
            expected = 0;
            for (int g = 2; g <= n_groups; g++) {
                expected += 100 * g + r;
            }
        }
        dwq_result_get(&result, r, 0, &sum);
        dwq_result_get(&result, r, 1, &n);
        CHECK(sum == expected);
        CHECK(n == (group == 1 ? n_groups - 1 : 0));
    }
    dwq_result_clear(&result);
}

/* All groups at a time, in calls. */
static void exchange_all(dwq_controller_t *controller, int n_groups)
{
    uint64_t ids[8];

    CHECK(n_groups >= 2 && n_groups <= 8);
    for (int g = 1; g <= n_groups; g++) {
        ids[g - 1] = submit_to(controller, g, "exchange", 0);
    }
    for (int g = 1; g <= n_groups; g++) {
        expect_exchange(controller, ids[g - 1], g, n_groups);
    }
}

static int n_groups_of(const dwq_controller_t *controller)
{
    return dwq_controller_world(controller).n_workers;
}

/* Clients that run a call are connected. */
static int exchange_twice(dwq_controller_t *controller, void *arg)
{
    (void)arg;
    for (int g = 2; g <= n_groups_of(controller); g++) {
        expect(controller, submit_to(controller, g, "wait", 0), DWQ_OK, 30);
    }
    exchange_all(controller, n_groups_of(controller));
    exchange_all(controller, n_groups_of(controller));
    return 0;
}

static int connect_in_calls(dwq_controller_t *controller, void *arg)
{
    int n = n_groups_of(controller);
    uint64_t ids[8], between[N_BETWEEN];

    (void)arg;
    expect(controller, submit_to(controller, 2, "publish", 0), DWQ_E_SERVICE,
           1);
    expect(controller, submit_to(controller, 1, "publish", 0), DWQ_OK, 60);
    expect(controller, submit_to(controller, 1, "publish", 0), DWQ_OK, 60);
    expect(controller, submit_to(controller, 1, "connect", 0), DWQ_E_SERVICE,
           1);
    for (int g = 2; g <= n; g++) {
        ids[g - 1] = submit_to(controller, g, "connect", 30);
    }
    /* Clients are accepted between two calls, and no call starts meanwhile. */
    for (int i = 0; i < N_BETWEEN; i++) {
        between[i] = submit_to(controller, 1, "wait", i % 3);
    }
    for (int i = 0; i < N_BETWEEN; i++) {
        expect(controller, between[i], DWQ_OK, 60);
    }
    for (int g = 2; g <= n; g++) {
        expect(controller, ids[g - 1], DWQ_OK, 60);
        expect(controller, submit_to(controller, g, "connect", 1), DWQ_OK, 60);
    }
    exchange_all(controller, n);
    return 0;
}

/* Nobody published: all ranks hear so, and every group goes on. */
static int connect_to_nobody(dwq_controller_t *controller, void *arg)
{
    (void)arg;
    expect(controller, submit_to(controller, 2, "connect", 2), DWQ_E_SERVICE,
           30);
    for (int g = 1; g <= n_groups_of(controller); g++) {
        expect(controller, submit_to(controller, g, "wait", 0), DWQ_OK, 30);
    }
    expect(controller, submit_to(controller, 1, "publish", 0), DWQ_OK, 30);
    expect(controller, submit_to(controller, 2, "connect", 30), DWQ_OK, 60);
    exchange_all(controller, 2);
    return 0;
}

/* Group 1 is in a call until the attempts are over: what was requested and given up
 * meanwhile leads nowhere, and the next request is granted. */
static int connect_to_a_busy_group(dwq_controller_t *controller, void *arg)
{
    char path[FLAG_SIZE];
    uint64_t waiting = 0;

    (void)arg;
    flag_make(path, false);
    expect(controller, submit_to(controller, 1, "publish", 0), DWQ_OK, 30);
    CHECK(dwq_controller_submit_call(controller,
                                     &(dwq_task_t){ .function = "wait_for",
                                                    .worker = 1,
                                                    DWQ_ARGS(path) },
                                     &waiting) == DWQ_OK);
    expect(controller, submit_to(controller, 2, "connect", 2), DWQ_E_SERVICE,
           60);
    expect(controller, submit_to(controller, 2, "connect", 1), DWQ_E_SERVICE,
           60);
    flag_raise(path);
    expect(controller, submit_to(controller, 2, "connect", 30), DWQ_OK, 60);
    expect(controller, waiting, DWQ_OK, 60);
    exchange_all(controller, 2);
    flag_remove(path);
    return 0;
}

/* One rank leaves its call instead: no rank stays behind in it. */
static int connect_without_a_rank(dwq_controller_t *controller, void *arg)
{
    uint64_t id;

    (void)arg;
    expect(controller, submit_to(controller, 1, "publish", 0), DWQ_OK, 30);
    for (int missing = 0; missing < NPROCS; missing++) {
        dwq_result_t result;

        id = submit_to(controller, 2, "connect_without", missing);
        CHECK(dwq_controller_get_result(controller, id, &result) == DWQ_OK);
        for (int r = 0; r < result.n_ranks; r++) {
            int value = 12345;

            dwq_result_get(&result, r, 0, &value);
            CHECK(value == (r == missing ? 0 : DWQ_E_SERVICE));
        }
        dwq_result_clear(&result);
    }
    expect(controller, submit_to(controller, 2, "connect", 30), DWQ_OK, 60);
    exchange_all(controller, 2);
    return 0;
}

/* Groups part beside what calls have not ended. */
static int a_barrier_is_under_way(dwq_controller_t *controller, void *arg)
{
    (void)arg;
    expect(controller, submit_to(controller, 1, "publish", 0), DWQ_OK, 30);
    expect(controller, submit_to(controller, 2, "connect", 30), DWQ_OK, 60);
    exchange_all(controller, 2);
    expect(controller, submit_to(controller, 2, "begin_barrier", 0), DWQ_OK,
           30);
    return 0;
}

/* Tasks of the group that withdrew yield DWQ_E_WORKER. */
static int one_group_is_gone(dwq_controller_t *controller, void *arg)
{
    const struct here *h = arg;
    dwq_result_t result;

    for (int g = 1; g <= n_groups_of(controller); g++) {
        uint64_t id = submit_to(controller, g, "wait", 0);

        CHECK(dwq_controller_get_result(controller, id, &result) == DWQ_OK);
        CHECK(result.status ==
              (g == h->failing_worker ? DWQ_E_WORKER : DWQ_OK));
        dwq_result_clear(&result);
    }
    return 0;
}

/* --- Worker functions ------------------------------------------------------------ */

static int keep_worker(dwq_worker_t *worker, void *arg)
{
    int n = -1;

    ((struct here *)arg)->worker = worker;
    CHECK(dwq_worker_server_comm(worker) == MPI_COMM_NULL);
    CHECK(dwq_worker_client_comms(worker, &n) == NULL && n == 0);
    return 0;
}

/* After it served a worker is too late. */
static int connect_before_serving(dwq_worker_t *worker, void *arg)
{
    int n = -1;

    keep_worker(worker, arg);
    if (dwq_worker_id(worker) == 1) {
        CHECK(dwq_worker_publish_service(worker) == DWQ_OK);
        CHECK(dwq_worker_connect_service(worker, 1) == DWQ_E_SERVICE);
    } else {
        int size = 0;

        CHECK(dwq_worker_publish_service(worker) == DWQ_E_SERVICE);
        CHECK(dwq_worker_connect_service(worker, 30) == DWQ_OK);
        MPI_Comm_remote_size(dwq_worker_server_comm(worker), &size);
        CHECK(size == NPROCS);
    }
    CHECK(dwq_worker_serve(worker) == DWQ_OK);
    dwq_worker_client_comms(worker, &n);
    CHECK(n == (dwq_worker_id(worker) == 1
                    ? dwq_worker_world(worker).n_workers - 1
                    : 0));
    CHECK(dwq_worker_id(worker) == 1 ||
          dwq_worker_connect_service(worker, 0) == DWQ_OK); /* it is */
    return 0;
}

static bool is_published(const char *name)
{
    char port[MPI_MAX_PORT_NAME];
    bool found;

    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    found = MPI_Lookup_name(name, MPI_INFO_NULL, port) == MPI_SUCCESS;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL);
    return found;
}

/* The option published the name, and no other. */
static int find_published(dwq_worker_t *worker, void *arg)
{
    const struct here *h = arg;

    keep_worker(worker, arg);
    if (dwq_worker_id(worker) == 1) {
        CHECK(is_published(h->name));
        CHECK(!is_published(h->gone));
        CHECK(dwq_worker_publish_service(worker) == DWQ_OK); /* it is */
        return 0;
    }
    CHECK(dwq_worker_connect_service(worker, 30) == DWQ_OK);
    return 0;
}

/* The service is given up, since its group, or rank 1 of the client's, withdraws. */
static int withdraw_one(dwq_worker_t *worker, void *arg)
{
    const struct here *h = arg;
    int id = dwq_worker_id(worker);
    double start = MPI_Wtime();

    keep_worker(worker, arg);
    if (id == 1) {
        CHECK(dwq_worker_publish_service(worker) == DWQ_OK);
    }
    if (id == h->failing_worker && group_rank(worker) == 1) {
        return 1;
    }
    if (id == 2) {
        CHECK(dwq_worker_connect_service(worker, 30) == DWQ_E_SERVICE);
        CHECK(MPI_Wtime() - start < 25);
        CHECK(dwq_worker_server_comm(worker) == MPI_COMM_NULL);
    }
    CHECK(dwq_worker_serve(worker) == DWQ_OK);
    CHECK(id == 1 || dwq_worker_connect_service(worker, 1) == DWQ_E_SERVICE);
    return 0;
}

static int connect_alone(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    CHECK(dwq_worker_publish_service(worker) == DWQ_E_SERVICE);
    CHECK(dwq_worker_connect_service(worker, 0) == DWQ_E_SERVICE);
    return 0;
}

/* --- Scenarios -------------------------------------------------------------------- */

/* Both places of the broker and both modes; a spawned process takes part in one. */
static void play_all(int (*controller)(dwq_controller_t *, void *),
                     int (*worker)(dwq_worker_t *, void *), int max_workers)
{
    for (int i = 0; i < 4; i++) {
        scenario_run_options(&(dwq_options_t){
            .controller = controller,
            .worker = worker,
            .functions = functions,
            .grouping = grouping,
            .spawn_args = grouping == DWQ_GROUPING_SPAWN ? arguments : NULL,
            .nprocs_per_worker = NPROCS,
            .broker_is_worker = i % 2 == 1,
            .collective_mode =
                i < 2 ? DWQ_COLLECTIVE_GATHER : DWQ_COLLECTIVE_SENDRECV,
            .max_workers = max_workers,
            .arg = &here });
    }
}

static void groups_exchange_data(void)
{
    play_all(exchange_twice, connect_before_serving, 0);
}

static void connect_and_publish_in_calls(void)
{
    play_all(connect_in_calls, keep_worker, 0);
}

static void without_a_publish_all_ranks_fail(void)
{
    play_all(connect_to_nobody, keep_worker, 0);
}

static void requests_to_a_busy_group_are_given_up(void)
{
    play_all(connect_to_a_busy_group, keep_worker, 2);
}

static void a_rank_that_does_not_come_holds_up_nobody(void)
{
    play_all(connect_without_a_rank, keep_worker, 2);
}

static void a_collective_between_groups_holds_up_no_end(void)
{
    play_all(a_barrier_is_under_way, keep_worker, 2);
}

static void a_client_that_withdraws_holds_up_nobody(void)
{
    here.failing_worker = 2;
    play_all(one_group_is_gone, withdraw_one, 0);
}

static void a_server_that_withdraws_refuses(void)
{
    here.failing_worker = 1;
    play_all(one_group_is_gone, withdraw_one, 0);
}

/* Under the default name, then under another one, which is gone with its run. */
static void the_option_publishes_before_the_worker_function(void)
{
    const char *names[] = { NULL, "a name of ours" };

    here.name = "of nobody";

    for (int i = 0; i < 2; i++) {
        here.gone = here.name;
        here.name = names[i] ? names[i] : "dwq.init";
        scenario_run_options(&(dwq_options_t){
            .controller = exchange_twice,
            .worker = find_published,
            .functions = functions,
            .grouping = grouping,
            .spawn_args = grouping == DWQ_GROUPING_SPAWN ? arguments : NULL,
            .nprocs_per_worker = NPROCS,
            .broker_is_worker = i == 1,
            .enable_worker_service = true,
            .worker_service_name = names[i],
            .arg = &here });
    }
}

static int square_of_3(dwq_controller_t *controller, void *arg)
{
    int n;

    (void)arg;
    submit_square(controller, 3, 0);
    CHECK(collect_all(controller, DWQ_OK, &n) == 1 && n == 1);
    return 0;
}

static void without_groups_there_is_no_service(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = square_of_3, .worker = connect_alone });
}

static void without_spawn_the_option_is_refused(void)
{
    int code = 77;

    CHECK(dwq_run(&(dwq_options_t){ .controller = square_of_3,
                                    .functions = scenario_functions,
                                    .grouping = grouping,
                                    .nprocs_per_worker = NPROCS,
                                    .enable_worker_service = true },
                  &code) == DWQ_E_OPTION);
    CHECK(code == 77);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        { "groups_exchange_data", groups_exchange_data },
        { "connect_and_publish_in_calls", connect_and_publish_in_calls },
        { "without_a_publish_all_ranks_fail",
          without_a_publish_all_ranks_fail },
        { "requests_to_a_busy_group_are_given_up",
          requests_to_a_busy_group_are_given_up },
        { "a_rank_that_does_not_come_holds_up_nobody",
          a_rank_that_does_not_come_holds_up_nobody },
        { "a_collective_between_groups_holds_up_no_end",
          a_collective_between_groups_holds_up_no_end },
        { "a_client_that_withdraws_holds_up_nobody",
          a_client_that_withdraws_holds_up_nobody },
        { "a_server_that_withdraws_refuses", a_server_that_withdraws_refuses },
        { "the_option_publishes_before_the_worker_function",
          the_option_publishes_before_the_worker_function },
        { "without_groups_there_is_no_service",
          without_groups_there_is_no_service },
        { "without_spawn_the_option_is_refused",
          without_spawn_the_option_is_refused },
        { NULL, NULL },
    };
    const char *how = getenv("DWQ_TEST_GROUPING");

    arguments[0] = argc > 1 ? argv[1] : NULL;
    grouping = how && strcmp(how, "spawn") == 0 ? DWQ_GROUPING_SPAWN
                                                : DWQ_GROUPING_SPLIT;
    return scenario_main(argc, argv, scenarios);
}

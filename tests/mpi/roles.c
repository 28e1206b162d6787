/* Workers, isolation, options: what a run is told, and what it leaves alone. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/mpi/scenario.h"

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

/* --- Workers ------------------------------------------------------------ */

static int serves_twice(dwq_worker_t *worker, void *arg)
{
    int64_t *state = arg;
    dwq_status_t status;

    CHECK(dwq_worker_set_ready_data(
              worker, dwq_value((int64_t)(100 + dwq_worker_id(worker)))) ==
          DWQ_OK);
    *state = 1; /* what the calls need */
    status = dwq_worker_serve(worker);
    CHECK(status == DWQ_OK);
    CHECK(dwq_worker_serve(worker) == DWQ_E_STATE);
    *state = 2;
    return 3;
}

static int read_state(dwq_call_t *call, void *arg)
{
    return dwq_call_return(call, DWQ_VALUES(*(int64_t *)arg));
}

static int asks_state(dwq_controller_t *c, void *arg)
{
    int n_workers = dwq_controller_world(c).n_workers, worker = 0;
    int64_t state = 0, number = 0;
    dwq_value_t data;
    dwq_result_t result;

    (void)arg;
    if (n_workers > 0) {
        while (dwq_controller_get_ready_worker(c, &worker, &data) != DWQ_OK) {
        }
        CHECK(dwq_read_int64(&data, &number) && number == 100 + worker);
    } else {
        CHECK(dwq_controller_get_ready_worker(c, &worker, &data) ==
              DWQ_E_AGAIN);
    }
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "state", .worker = worker },
              NULL) == DWQ_OK);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(dwq_result_get(&result, 0, 0, &state) && state == 1);
    dwq_result_clear(&result);
    return 0;
}

static void a_worker_function_surrounds_its_calls(void)
{
    int64_t state = 0;
    const dwq_function_t functions[] = { { "state", read_state, NULL },
                                         { NULL, NULL, NULL } };
    int code = scenario_run_options(&(dwq_options_t){ .controller = asks_state,
                                                      .worker = serves_twice,
                                                      .functions = functions,
                                                      .arg = &state });

    CHECK(code == (world_rank() == 0 ? 0 : 3));
    CHECK(state == (world_rank() == 0 && world_size() > 1 ? 0 : 2));
}

static int first_withdraws(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    return dwq_worker_id(worker) <= 1 ? 9 : 0; /* 0: in place */
}

static int uses_the_rest(dwq_controller_t *c, void *arg)
{
    int n_workers = dwq_controller_world(c).n_workers, n_lost, n;
    uint64_t bound;
    dwq_result_t result;

    (void)arg;
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "nothing", .worker = 1 }, &bound) ==
          DWQ_OK);
    CHECK(dwq_controller_get_result(c, bound, &result) == DWQ_OK);
    CHECK(result.status == DWQ_E_WORKER && result.n_ranks == 0);
    dwq_result_clear(&result);
    for (int i = 0; i < 5; i++) {
        submit_square(c, i, 0);
    }
    n = collect_all(c, DWQ_E_WORKER, &n_lost);
    CHECK(n == 5 && n_lost == (n_workers <= 1 ? 5 : 0));
    return 0;
}

static void a_failing_initializer_withdraws_its_worker(void)
{
    int code = scenario_run_options(&(dwq_options_t){
        .controller = uses_the_rest, .worker = first_withdraws });

    CHECK(code == (world_rank() == 1 ? 9 : 0));
}

static int executes(dwq_worker_t *worker, void *arg)
{
    dwq_result_t result;
    double y = 0;

    (void)arg;
    CHECK(dwq_worker_execute(
              worker, &(dwq_task_t){ .function = "square", DWQ_ARGS(3.) },
              &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK && dwq_result_get(&result, 0, 0, &y) &&
          y == 9);
    dwq_result_clear(&result);
    CHECK(dwq_worker_execute(worker, &(dwq_task_t){ .function = "no" },
                             &result) == DWQ_OK);
    CHECK(result.status == DWQ_E_TASK);
    dwq_result_clear(&result);
    CHECK(dwq_worker_execute(worker, NULL, &result) == DWQ_E_ARG);
    return 0;
}

static void a_worker_can_execute_a_task_itself(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = three_squares, .worker = executes });
}

static int keep_handle(dwq_worker_t *worker, void *arg)
{
    *(dwq_worker_t **)arg = worker;
    return 0;
}

/* outer(x, y): executes square(41) and still has its own arguments. */
static int outer(dwq_call_t *call, void *arg)
{
    dwq_result_t result;
    double x = 0, y = 0, z = 0;

    CHECK(dwq_worker_execute(
              *(dwq_worker_t **)arg,
              &(dwq_task_t){ .function = "inner", DWQ_ARGS(41., 1.) },
              &result) == DWQ_OK);
    CHECK(dwq_result_get(&result, 0, 0, &z) && z == 42);
    dwq_result_clear(&result);
    CHECK(dwq_arg(call, 0, &x) && dwq_arg(call, 1, &y));
    return dwq_call_return(call, DWQ_VALUES(x + y));
}

static int inner(dwq_call_t *call, void *arg)
{
    double x = 0, y = 0;

    (void)arg;
    CHECK(dwq_arg(call, 0, &x) && dwq_arg(call, 1, &y));
    return dwq_call_return(call, DWQ_VALUES(x + y));
}

static int calls_outer(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    double sum = 0;

    (void)arg;
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "outer", DWQ_ARGS(2.5, 77.) },
              NULL) == DWQ_OK);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(dwq_result_get(&result, 0, 0, &sum) && sum == 79.5);
    dwq_result_clear(&result);
    return 0;
}

static void a_call_can_execute_another_and_keeps_its_arguments(void)
{
    dwq_worker_t *handle = NULL;
    const dwq_function_t functions[] = { { "outer", outer, NULL },
                                         { "inner", inner, NULL },
                                         { NULL, NULL, NULL } };

    scenario_run_options(&(dwq_options_t){ .controller = calls_outer,
                                           .worker = keep_handle,
                                           .functions = functions,
                                           .arg = &handle });
}

/* --- Isolation ---------------------------------------------------------- */

static int noisy(dwq_call_t *call, void *arg)
{
    int data[4] = { 0, 1, 2, 3 };
    MPI_Comm comm = dwq_call_comm(call);
    int size = 0, sum = 0, one = 1;

    (void)arg;
    for (int tag = 0; tag < 4; tag++) {
        MPI_Request request;

        MPI_Isend(data, 4, MPI_INT, 0, tag, MPI_COMM_WORLD, &request);
        MPI_Request_free(&request);
    }
    MPI_Comm_size(comm, &size);
    MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, comm);
    return dwq_call_return(call, DWQ_VALUES(size == 1 && sum == 1));
}

static int hears_noise(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    bool ok = false;
    int data[4];

    (void)arg;
    for (int i = 0; i < 20; i++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "noisy" }, NULL) == DWQ_OK);
    }
    for (int i = 0; i < 20; i++) {
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        CHECK(result.status == DWQ_OK && dwq_result_get(&result, 0, 0, &ok) &&
              ok);
        dwq_result_clear(&result);
        for (int tag = 0; tag < 4; tag++) {
            MPI_Recv(data, 4, MPI_INT, MPI_ANY_SOURCE, tag, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
        }
    }
    return 0;
}

static void user_messages_on_comm_world_disturb_nothing(void)
{
    const dwq_function_t functions[] = { { "noisy", noisy, NULL },
                                         { NULL, NULL, NULL } };

    scenario_run_options(
        &(dwq_options_t){ .controller = hears_noise, .functions = functions });
}

static void on_interrupt(int signal)
{
    (void)signal;
}

static void handlers_are_as_before_after_a_run(void)
{
    struct sigaction before, after;
    MPI_Errhandler handler_before, handler_after;
    MPI_Comm copy;
    void (*int_before)(int);

    MPI_Init(NULL, NULL);
    MPI_Comm_dup(MPI_COMM_WORLD, &copy);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_get_errhandler(MPI_COMM_WORLD, &handler_before);
    int_before = signal(SIGINT, on_interrupt);
    sigaction(SIGTERM, NULL, &before);
    scenario_run(three_squares);
    sigaction(SIGTERM, NULL, &after);
    MPI_Comm_get_errhandler(MPI_COMM_WORLD, &handler_after);
    CHECK(before.sa_handler == after.sa_handler);
    CHECK(signal(SIGINT, int_before) == on_interrupt);
    CHECK(handler_before == handler_after);
    MPI_Comm_free(&copy);
    dwq_finalize(); /* not ours to finalize */
    CHECK(world_rank() >= 0);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    CHECK(dwq_run(&(dwq_options_t){ .controller = three_squares }, NULL) ==
          DWQ_E_STATE);
}

static void a_run_over_some_of_the_ranks(void)
{
    MPI_Comm half;
    int code = -1;

    MPI_Init(NULL, NULL);
    MPI_Comm_split(MPI_COMM_WORLD, world_rank() % 2, -world_rank(), &half);
    CHECK(dwq_run_comm(half,
                       &(dwq_options_t){ .controller = three_squares,
                                         .functions = scenario_functions },
                       &code) == DWQ_OK);
    CHECK(code == 0);
    MPI_Comm_free(&half);
    MPI_Finalize();
}

/* --- Options ------------------------------------------------------------ */

static void set_by_rank(dwq_options_t *options)
{
    options->max_workers = 1 + (world_rank() > 0);
}

static void check_option_error(const dwq_options_t *options)
{
    int code = 99;

    CHECK(dwq_run(options, &code) == DWQ_E_OPTION);
    CHECK(code == 99);
    scenario_run(three_squares); /* a good run after a refused one */
}

static void options_that_differ_are_refused_on_every_rank(void)
{
    dwq_options_t options = { .controller = three_squares };

    dwq_world(&(dwq_world_t){ .size = 0 });
    if (world_size() > 1) {
        set_by_rank(&options);
        check_option_error(&options);
    }
}

static void bad_options_are_refused_on_every_rank(void)
{
    check_option_error(
        &(dwq_options_t){ .controller = three_squares, .time_limit = -1 });
    check_option_error(
        &(dwq_options_t){ .controller = three_squares, .idle_wait = NAN });
    check_option_error(&(dwq_options_t){ .controller = NULL });
    check_option_error(&(dwq_options_t){ .controller = three_squares,
                                         .worker_module = "no_such_module" });
    check_option_error(&(dwq_options_t){ .controller = three_squares,
                                         .enable_worker_service = true });
    check_option_error(
        &(dwq_options_t){ .controller = three_squares, .thread_level = 7 });
    if (world_rank() == 0 && world_size() > 1) {
        check_option_error(&(dwq_options_t){ .controller = three_squares,
                                             .functions = scenario_functions });
    } else {
        check_option_error(NULL);
    }
}

static void a_communicator_that_is_none_is_refused(void)
{
    dwq_options_t options = { .controller = three_squares };

    CHECK(dwq_world(&(dwq_world_t){ .size = 0 }) == DWQ_OK);
    CHECK(dwq_run_comm(MPI_COMM_NULL, &options, NULL) == DWQ_E_ARG);
    scenario_run(three_squares);
}

static int reads_run_args(dwq_kwargs_t args)
{
    const char *name = NULL;
    int steps = 0;

    return dwq_read_string(dwq_map_find(args, "name"), &name) &&
           strcmp(name, "quoted \"text\"\nin two lines") == 0 &&
           dwq_read_int(dwq_map_find(args, "steps"), &steps) && steps == 4;
}

static int controller_reads(dwq_controller_t *c, void *arg)
{
    (void)arg;
    CHECK(reads_run_args(dwq_controller_run_args(c)));
    return 0;
}

static int worker_reads(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    CHECK(reads_run_args(dwq_worker_run_args(worker)));
    CHECK(dwq_worker_world(worker).is_worker);
    return 0;
}

static void every_role_reads_run_args(void)
{
    scenario_run_options(&(dwq_options_t){
        .controller = controller_reads,
        .worker = worker_reads,
        .run_args =
            DWQ_ENTRIES({ "name", dwq_value("quoted \"text\"\nin two lines") },
                        { "steps", dwq_value(4) }) });
}

struct lines {
    int n, n_tasks;
};

static void count_line(const char *line, void *arg)
{
    struct lines *lines = arg;

    lines->n++;
    lines->n_tasks += strstr(line, "to worker") != NULL;
}

static void verbose_logs_decisions_to_the_callback(void)
{
    struct lines lines = { 0, 0 }, quiet = { 0, 0 };

    scenario_run_options(&(dwq_options_t){ .controller = three_squares,
                                           .verbose = true,
                                           .log = count_line,
                                           .log_arg = &lines });
    scenario_run_options(&(dwq_options_t){
        .controller = three_squares, .log = count_line, .log_arg = &quiet });
    CHECK(lines.n > 0 && quiet.n == 0);
    CHECK(lines.n_tasks == (world_rank() == 0 && world_size() > 1 ? 3 : 0));
}

static int is_last_rank(dwq_controller_t *c, void *arg)
{
    dwq_world_t world = dwq_controller_world(c);

    CHECK(world.is_controller && world.rank == world.size - 1);
    return three_squares(c, arg);
}

static void the_environment_picks_the_controllers_rank(void)
{
    dwq_world_t world;

    setenv("DWQ_CONTROLLER_RANK", "-1", 1);
    CHECK(dwq_world(&world) == DWQ_OK);
    CHECK(world.is_controller == (world.rank == world.size - 1));
    scenario_run_options(&(dwq_options_t){ .controller = is_last_rank });
    setenv("DWQ_CONTROLLER_RANK", "1000", 1);
    CHECK(dwq_world(&world) == DWQ_E_OPTION);
    CHECK(dwq_run(&(dwq_options_t){ .controller = is_last_rank }, NULL) ==
          DWQ_E_OPTION);
    setenv("DWQ_CONTROLLER_RANK", "first", 1);
    CHECK(dwq_run(&(dwq_options_t){ .controller = is_last_rank }, NULL) ==
          DWQ_E_OPTION);
    unsetenv("DWQ_CONTROLLER_RANK");
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(a_worker_function_surrounds_its_calls),
    S(a_failing_initializer_withdraws_its_worker),
    S(a_worker_can_execute_a_task_itself),
    S(a_call_can_execute_another_and_keeps_its_arguments),
    S(a_communicator_that_is_none_is_refused),
    S(user_messages_on_comm_world_disturb_nothing),
    S(handlers_are_as_before_after_a_run),
    S(a_run_over_some_of_the_ranks),
    S(options_that_differ_are_refused_on_every_rank),
    S(bad_options_are_refused_on_every_rank),
    S(every_role_reads_run_args),
    S(verbose_logs_decisions_to_the_callback),
    S(the_environment_picks_the_controllers_rank),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}

/* Runs that are opened and closed, without a controller function, and why calls fail. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/mpi/scenario.h"

static dwq_status_t open_with(dwq_options_t options,
                              dwq_controller_t **controller_out, int *code_out)
{
    options.functions = scenario_functions;
    return dwq_open(&options, controller_out, code_out);
}

/* Of n squares, each of its number. */
static void check_squares(dwq_controller_t *c, int n)
{
    dwq_result_t result;
    double y, sum = 0, wanted = 0;

    for (int i = 1; i <= n; i++) {
        submit_square(c, i, 0);
        wanted += (double)i * i;
    }
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        sum += dwq_result_get(&result, 0, 0, &y) ? y : 0;
        dwq_result_clear(&result);
    }
    CHECK(sum == wanted);
}

/* --- Open and close ----------------------------------------------------------- */

static void a_run_is_opened_and_closed(void)
{
    dwq_controller_t *c = NULL;
    int code = 7;

    CHECK(open_with((dwq_options_t){ .arg = NULL }, &c, &code) == DWQ_OK);
    CHECK((c != NULL) == (world_rank() == 0));
    CHECK(code == 0);
    if (c) {
        CHECK(dwq_controller_world(c).size == world_size());
        check_squares(c, 20);
    }
    CHECK(dwq_close(c, 0) == DWQ_OK);
    CHECK(dwq_close(NULL, 3) == DWQ_OK);
}

static int squares(dwq_controller_t *c, void *arg)
{
    (void)arg;
    check_squares(c, 5);
    return 0;
}

/* Either way of a run after the other. */
static void runs_are_opened_again_and_again(void)
{
    for (int i = 0; i < 20; i++) {
        dwq_controller_t *c = NULL;

        CHECK(open_with((dwq_options_t){ .max_workers = i % 3 }, &c, NULL) ==
              DWQ_OK);
        if (c) {
            check_squares(c, i);
        }
        CHECK(dwq_close(c, 0) == DWQ_OK);
        if (i % 7 == 0) {
            scenario_run(squares);
        }
    }
}

static void results_stay_valid_after_the_close(void)
{
    dwq_result_t result = { .id = 0 };
    dwq_controller_t *c = NULL;
    double y = 0;

    CHECK(open_with((dwq_options_t){ .arg = NULL }, &c, NULL) == DWQ_OK);
    if (c) {
        submit_square(c, 6, 0);
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    }
    CHECK(dwq_close(c, 0) == DWQ_OK);
    if (c) {
        CHECK(dwq_result_get(&result, 0, 0, &y) && y == 36);
        dwq_result_clear(&result);
    }
}

static int count(dwq_call_t *call, void *arg)
{
    int *n_calls = arg;

    (void)call;
    ++*n_calls;
    return 0;
}

/* The options are the caller's again when open returns. */
static dwq_controller_t *open_by_options_that_go(void)
{
    char value[] = "a mesh";
    dwq_kwarg_t args[] = { { "mesh", dwq_value_string(value) } };
    dwq_function_t functions[] = { scenario_functions[0],
                                   { NULL, NULL, NULL } };
    dwq_options_t options = { .functions = functions, .run_args = { 1, args } };
    dwq_controller_t *c = NULL;

    CHECK(dwq_open(&options, &c, NULL) == DWQ_OK);
    memset(value, '#', sizeof value - 1);
    memset(args, 0, sizeof args);
    memset(functions, 0, sizeof functions);
    memset(&options, 0, sizeof options);
    return c;
}

static void options_are_borrowed_for_the_open_alone(void)
{
    dwq_controller_t *c = open_by_options_that_go();
    const char *mesh = "";

    if (c) {
        check_squares(c, 3);
        CHECK(dwq_read_string(dwq_map_find(dwq_controller_run_args(c), "mesh"),
                              &mesh) &&
              strcmp(mesh, "a mesh") == 0);
    }
    CHECK(dwq_close(c, 0) == DWQ_OK);
}

/* What is queued at the close runs; with a value of failure what has not started is
 * cancelled. */
static void what_is_queued_runs_at_the_close(void)
{
    int n_calls = 0;
    const dwq_function_t functions[] = { { "count", count, &n_calls },
                                         { NULL, NULL, NULL } };
    dwq_options_t options = { .functions = functions, .prefetch = -1 };
    int all = 0, fewer = 0;

    for (int code = 0; code < 2; code++) {
        dwq_controller_t *c = NULL;

        CHECK(dwq_open(&options, &c, NULL) == DWQ_OK);
        for (int i = 0; c && i < 200; i++) {
            CHECK(dwq_controller_queue_call(
                      c, &(dwq_task_t){ .function = "count" }, NULL) == DWQ_OK);
        }
        CHECK(dwq_close(c, code) == DWQ_OK);
        MPI_Reduce(&n_calls, code == 0 ? &all : &fewer, 1, MPI_INT, MPI_SUM, 0,
                   MPI_COMM_WORLD);
        n_calls = 0;
    }
    if (world_rank() == 0) {
        CHECK(all == 200);
        /* In place a call runs when it is queued. */
        CHECK(world_size() == 1 ? fewer == 200 : fewer < 200);
    }
}

static int serves_in_its_middle(dwq_worker_t *worker, void *arg)
{
    int *mesh = arg;

    *mesh = 5;
    CHECK(dwq_worker_serve(worker) == DWQ_OK);
    CHECK(*mesh == 6); /* calls came in between */
    *mesh = 0;
    return 40 + dwq_worker_id(worker);
}

static int use_mesh(dwq_call_t *call, void *arg)
{
    int *mesh = arg, was = *mesh;

    *mesh = 6;
    return dwq_call_return(call, DWQ_VALUES(was));
}

static void check_mesh(dwq_controller_t *c)
{
    int n = dwq_controller_world(c).n_workers;

    for (int w = 1; w <= (n > 0 ? n : 1); w++) {
        dwq_result_t result;
        int mesh = 0;

        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "use_mesh", .worker = w },
                  NULL) == DWQ_OK);
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        CHECK(dwq_result_get(&result, 0, 0, &mesh) && mesh == 5);
        dwq_result_clear(&result);
    }
}

/* In one process, too: it stands still between open and close. */
static void a_worker_function_surrounds_an_opened_run(void)
{
    int mesh = 1, code = 7, rank;
    const dwq_function_t functions[] = { { "use_mesh", use_mesh, &mesh },
                                         { NULL, NULL, NULL } };
    dwq_controller_t *c = NULL;

    CHECK(dwq_open(&(dwq_options_t){ .functions = functions,
                                     .worker = serves_in_its_middle,
                                     .arg = &mesh },
                   &c, &code) == DWQ_OK);
    if (c) {
        check_mesh(c);
    }
    rank = world_rank();
    CHECK(code == (rank == 0 ? 0 : 40 + rank));
    CHECK(dwq_close(c, 0) == DWQ_OK);
    CHECK(mesh == (rank == 0 && world_size() > 1 ? 1 : 0));
}

static int gives_up(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    return dwq_worker_id(worker) <= 1 ? 9 : 0; /* 0: in place */
}

static void a_worker_that_gives_up_withdraws_from_an_opened_run(void)
{
    dwq_controller_t *c = NULL;
    dwq_result_t result;

    CHECK(open_with((dwq_options_t){ .worker = gives_up }, &c, NULL) == DWQ_OK);
    if (c) {
        submit_square(c, 2, 1);
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        CHECK(result.status == DWQ_E_WORKER);
        dwq_result_clear(&result);
    }
    CHECK(dwq_close(c, 0) == DWQ_OK);
}

/* --- Over some ranks, and in each other ------------------------------------------ */

static void each_half_of_the_ranks_opens_its_own_run(void)
{
    int n = world_size(), rank = world_rank(), half_rank; /* MPI runs then */
    dwq_controller_t *c = NULL;
    MPI_Comm half;

    CHECK(n > 1);
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    MPI_Comm_rank(half, &half_rank);
    CHECK(dwq_open_comm(half,
                        &(dwq_options_t){ .functions = scenario_functions }, &c,
                        NULL) == DWQ_OK);
    CHECK((c != NULL) == (half_rank == 0));
    if (c) {
        check_squares(c, 10);
    }
    CHECK(dwq_close(c, 0) == DWQ_OK);
    MPI_Comm_free(&half);
}

/* The outer one is closed first. */
static void two_runs_are_open_at_once(void)
{
    const dwq_options_t options = { .functions = scenario_functions };
    dwq_controller_t *outer = NULL, *inner = NULL;

    CHECK(dwq_open(&options, &outer, NULL) == DWQ_OK);
    if (outer) {
        CHECK(dwq_open_comm(MPI_COMM_SELF, &options, &inner, NULL) == DWQ_OK);
        CHECK(inner && inner != outer);
        check_squares(outer, 3);
        check_squares(inner, 4);
    }
    CHECK(dwq_close(outer, 0) == DWQ_OK);
    if (inner) {
        outer = NULL;
        CHECK(dwq_open_comm(MPI_COMM_SELF, &options, &outer, NULL) == DWQ_OK);
        check_squares(outer, 2);
        CHECK(dwq_close(outer, 0) == DWQ_OK);
        check_squares(inner, 5);
    }
    CHECK(dwq_close(inner, 0) == DWQ_OK);
    scenario_run(squares);
}

static void a_second_run_over_the_same_ranks_is_refused(void)
{
    const dwq_options_t options = { .functions = scenario_functions };
    dwq_controller_t *c = NULL, *second = NULL;

    CHECK(dwq_open(&options, &c, NULL) == DWQ_OK);
    if (c) {
        CHECK(dwq_open(&options, &second, NULL) == DWQ_E_STATE);
        CHECK(!second);
        CHECK(strstr(dwq_controller_error(NULL), "are in the run"));
        check_squares(c, 3);
    }
    CHECK(dwq_close(c, 0) == DWQ_OK);
}

/* --- What is refused ------------------------------------------------------------- */

/* On every rank alike, with the same words. */
static void bad_options_of_an_open_are_refused_on_every_rank(void)
{
    dwq_controller_t *c = NULL;
    int code = 7;

    CHECK(open_with((dwq_options_t){ .controller = squares }, &c, &code) ==
          DWQ_E_OPTION);
    CHECK(strstr(dwq_controller_error(NULL), "option controller is set"));
    CHECK(open_with((dwq_options_t){ .time_limit = -1 }, &c, &code) ==
          DWQ_E_OPTION);
    CHECK(strstr(dwq_controller_error(NULL), "option time_limit is -1"));
    CHECK(open_with((dwq_options_t){ .arg = NULL },
                    world_rank() == 0 ? NULL : &c, &code) == DWQ_E_ARG);
    CHECK(strstr(dwq_controller_error(NULL), "controller_out is NULL"));
    if (world_size() > 1) {
        CHECK(open_with((dwq_options_t){ .prefetch = world_rank() == 1 }, &c,
                        &code) == DWQ_E_OPTION);
        CHECK(strstr(dwq_controller_error(NULL), "prefetch"));
    }
    CHECK(!c && code == 7);
    /* Elsewhere than on the controller's rank nobody needs the handle. */
    CHECK(open_with((dwq_options_t){ .arg = NULL },
                    world_rank() == 0 ? &c : NULL, &code) == DWQ_OK);
    CHECK(dwq_close(c, 0) == DWQ_OK);
}

/* Those of dwq_run() and dwq_world() are there, too, for this thread alone. */
static void *asks_nothing(void *arg)
{
    (void)arg;
    CHECK(dwq_controller_error(NULL)[0] == '\0');
    return NULL;
}

static void why_a_run_did_not_begin_can_be_asked(void)
{
    dwq_world_t world;
    pthread_t thread;
    int code = 7;

    CHECK(dwq_controller_error(NULL)[0] == '\0');
    CHECK(dwq_run(&(dwq_options_t){ .arg = NULL }, &code) == DWQ_E_OPTION);
    CHECK(strstr(dwq_controller_error(NULL),
                 "option controller is not set on rank 0"));
    setenv("DWQ_CONTROLLER_RANK", "1000", 1);
    CHECK(dwq_world(&world) == DWQ_E_OPTION);
    CHECK(strstr(dwq_controller_error(NULL), "DWQ_CONTROLLER_RANK is 1000"));
    unsetenv("DWQ_CONTROLLER_RANK");
    CHECK(pthread_create(&thread, NULL, asks_nothing, NULL) == 0);
    pthread_join(thread, NULL);
}

/* --- Why a call failed ------------------------------------------------------------ */

#define SAYS(c, text) CHECK(strstr(dwq_controller_error(c), (text)))

static void check_words(dwq_controller_t *c)
{
    int n_workers = dwq_controller_world(c).n_workers;
    dwq_task_t tasks[3] = { { .function = "square", DWQ_ARGS(1) },
                            { .function = "square", DWQ_ARGS(2) },
                            { .function = "square", .worker = 1000 } };
    char range[40];
    dwq_result_t result;
    uint64_t id;

    snprintf(range, sizeof range, "worker 1000 is not in 0..%d",
             n_workers > 0 ? n_workers : 1);
    CHECK(dwq_controller_error(c)[0] == '\0');
    CHECK(dwq_controller_submit_call(c, &tasks[2], NULL) == DWQ_E_ARG);
    SAYS(c, "'square'");
    SAYS(c, range);
    CHECK(dwq_controller_submit_multiple(c, tasks, 3, NULL) == DWQ_E_ARG);
    SAYS(c, "tasks[2]");
    SAYS(c, range);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_EMPTY);
    SAYS(c, "no task is queued");
    CHECK(dwq_controller_get_result(c, 123, &result) == DWQ_E_ID);
    SAYS(c, "123");
    CHECK(dwq_controller_cancel(c, 124) == DWQ_E_ID);
    SAYS(c, "124");
    CHECK(dwq_controller_get_next_result(c, NULL) == DWQ_E_ARG);
    SAYS(c, "NULL");
    CHECK(dwq_controller_submit_call(c, &tasks[0], &id) == DWQ_OK);
    CHECK(dwq_controller_error(c)[0] == '\0');
    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    CHECK(dwq_controller_error(c)[0] == '\0');
    dwq_result_clear(&result);
    CHECK(dwq_controller_exit(c) == DWQ_OK);
    CHECK(dwq_controller_submit_call(c, &tasks[0], NULL) == DWQ_E_STATE);
    SAYS(c, "the run is over");
}

static void the_error_of_a_call_names_what_was_wrong(void)
{
    dwq_controller_t *c = NULL;

    CHECK(open_with((dwq_options_t){ .arg = NULL }, &c, NULL) == DWQ_OK);
    if (c) {
        check_words(c);
    }
    CHECK(dwq_close(c, 0) == DWQ_OK);
}

/* --- From elsewhere ----------------------------------------------------------------- */

static void *tries_all(void *arg)
{
    dwq_controller_t *c = arg;
    const dwq_task_t task = { .function = "nothing" };
    dwq_result_t result;
    uint64_t id = 7;
    int worker;

    CHECK(dwq_controller_submit_call(c, &task, &id) == DWQ_E_STATE);
    CHECK(dwq_controller_queue_call(c, &task, &id) == DWQ_E_STATE);
    CHECK(dwq_controller_submit_multiple(c, &task, 1, &id) == DWQ_E_STATE);
    CHECK(dwq_controller_get_result(c, 5, &result) == DWQ_E_STATE);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_STATE);
    CHECK(dwq_controller_probe_next_result(c, &result) == DWQ_E_STATE);
    CHECK(dwq_controller_get_ready_worker(c, &worker, NULL) == DWQ_E_STATE);
    CHECK(dwq_controller_cancel(c, 0) == DWQ_E_STATE);
    CHECK(dwq_controller_progress(c) == DWQ_E_STATE);
    CHECK(dwq_controller_info(c, stdout) == DWQ_E_STATE);
    CHECK(dwq_controller_exit(c) == DWQ_E_STATE);
    CHECK(dwq_close(c, 0) == DWQ_E_STATE);
    CHECK(strstr(dwq_controller_error(c), "another thread"));
    CHECK(id == 7);
    return NULL;
}

/* Nothing happens, neither by a thread nor in a child of fork(). */
static void only_who_opened_a_run_may_use_it(void)
{
    dwq_controller_t *c = NULL;
    pthread_t thread;
    int status = 0;
    pid_t child;

    CHECK(open_with((dwq_options_t){ .arg = NULL }, &c, NULL) == DWQ_OK);
    if (c) {
        CHECK(pthread_create(&thread, NULL, tries_all, c) == 0);
        pthread_join(thread, NULL);
        CHECK(dwq_controller_error(c)[0] == '\0');
        child = fork();
        if (child == 0) {
            int before = scenario_n_failed();

            alarm(20);
            tries_all(c);
            exit(scenario_n_failed() - before);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        check_squares(c, 3);
    }
    CHECK(dwq_close(c, 0) == DWQ_OK);
}

static dwq_controller_t *in_place;

static int closes(dwq_call_t *call, void *arg)
{
    (void)arg;
    CHECK(!in_place || dwq_close(in_place, 0) == DWQ_E_STATE);
    return dwq_call_return(call, DWQ_VALUES(1));
}

static int cannot_close(dwq_controller_t *c, void *arg)
{
    (void)arg;
    CHECK(dwq_close(c, 0) == DWQ_E_STATE);
    SAYS(c, "dwq_run()");
    return 0;
}

static void a_close_in_the_middle_is_refused(void)
{
    const dwq_function_t functions[] = { { "closes", closes, NULL },
                                         { NULL, NULL, NULL } };
    dwq_controller_t *c = NULL;
    int n_ok = 0;

    CHECK(dwq_open(&(dwq_options_t){ .functions = functions }, &c, NULL) ==
          DWQ_OK);
    in_place = c;
    if (c) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "closes" }, NULL) == DWQ_OK);
        CHECK(collect_all(c, DWQ_OK, &n_ok) == 1 && n_ok == 1);
    }
    in_place = NULL;
    CHECK(dwq_close(c, 0) == DWQ_OK);
    scenario_run(cannot_close);
}

/* --- The end --------------------------------------------------------------------------- */

/* DWQ_TEST_CODE: with it the controller's process exits, without a close. */
static void an_exit_without_a_close_ends_the_job(void)
{
    const char *code = getenv("DWQ_TEST_CODE");
    dwq_controller_t *c = NULL;

    CHECK(open_with((dwq_options_t){ .arg = NULL }, &c, NULL) == DWQ_OK);
    if (c) {
        check_squares(c, 3);
        exit(atoi(code));
    }
}

/* --- Groups ------------------------------------------------------------------------------ */

static int sum_ranks(dwq_call_t *call, void *arg)
{
    int sum = dwq_call_rank(call) + 1, all = sum;

    (void)arg;
    if (dwq_call_size(call) > 1) {
        MPI_Allreduce(&sum, &all, 1, MPI_INT, MPI_SUM, dwq_call_comm(call));
    }
    return dwq_call_return(call, DWQ_VALUES(all));
}

/* DWQ_TEST_SPAWN: they are spawned. A second run, of the other kind, follows, and a third;
 * what is spawned for one has no part in the others. */
static void groups_of_an_opened_run(void)
{
    const dwq_function_t functions[] = { { "sum_ranks", sum_ranks, NULL },
                                         { NULL, NULL, NULL } };
    bool spawns = getenv("DWQ_TEST_SPAWN") != NULL;

    for (int run = 0; run < 3; run++) {
        dwq_controller_t *c = NULL;
        dwq_result_t result;
        int sum, code = 7, n = 0;
        dwq_options_t options = {
            .functions = functions,
            .nprocs_per_worker = 2,
            .grouping =
                spawns && run != 1 ? DWQ_GROUPING_SPAWN : DWQ_GROUPING_SPLIT,
            .broker_is_worker = true,
        };

        CHECK(dwq_open(&options, &c, &code) == DWQ_OK);
        CHECK(code == 0);
        for (int i = 0; c && i < 8; i++) {
            CHECK(dwq_controller_submit_call(
                      c, &(dwq_task_t){ .function = "sum_ranks" }, NULL) ==
                  DWQ_OK);
        }
        while (c && dwq_controller_get_next_result(c, &result) == DWQ_OK) {
            CHECK(dwq_result_get(&result, 0, 0, &sum));
            CHECK(sum == (result.n_ranks == 2 ? 3 : 1));
            n++;
            dwq_result_clear(&result);
        }
        CHECK(n == (c ? 8 : 0));
        CHECK(dwq_close(c, 0) == DWQ_OK);
    }
}

int main(int argc, char **argv)
{
#define SCENARIO(name) \
    {                  \
#name, name    \
    }
    static const struct scenario scenarios[] = {
        SCENARIO(a_run_is_opened_and_closed),
        SCENARIO(runs_are_opened_again_and_again),
        SCENARIO(results_stay_valid_after_the_close),
        SCENARIO(options_are_borrowed_for_the_open_alone),
        SCENARIO(what_is_queued_runs_at_the_close),
        SCENARIO(a_worker_function_surrounds_an_opened_run),
        SCENARIO(a_worker_that_gives_up_withdraws_from_an_opened_run),
        SCENARIO(each_half_of_the_ranks_opens_its_own_run),
        SCENARIO(two_runs_are_open_at_once),
        SCENARIO(a_second_run_over_the_same_ranks_is_refused),
        SCENARIO(bad_options_of_an_open_are_refused_on_every_rank),
        SCENARIO(why_a_run_did_not_begin_can_be_asked),
        SCENARIO(the_error_of_a_call_names_what_was_wrong),
        SCENARIO(only_who_opened_a_run_may_use_it),
        SCENARIO(a_close_in_the_middle_is_refused),
        SCENARIO(an_exit_without_a_close_ends_the_job),
        SCENARIO(groups_of_an_opened_run),
        { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}

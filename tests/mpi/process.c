/* What there is one of in a process: its state, its threads, its children, its end.
 * Scenarios that end the job say in the environment how (DWQ_TEST_HOW, _RANK, _CODE);
 * driver_process.c looks at what comes of it. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/mpi/scenario.h"

static const char *setting(const char *name)
{
    const char *text = getenv(name);

    return text ? text : "";
}

static int number(const char *name)
{
    return atoi(setting(name));
}

static bool how_is(const char *how)
{
    return strcmp(setting("DWQ_TEST_HOW"), how) == 0;
}

static bool others_do(const char *what)
{
    return strcmp(setting("DWQ_TEST_OTHERS"), what) == 0;
}

/* --- Children of fork() --------------------------------------------------- */

#define CAME_BACK (-1)

enum child {
    EXITS_127,
    EXITS_0,
    RUNS,
    ASKS_WORLD,
    FINALIZES,
    FINALIZES_MPI,
    ABORTS_MPI,
    IS_TERMINATED,
    COMES_BACK,
    N_CHILDREN
};

static const int ends[N_CHILDREN] = { 127,           0, 10, 10, 11, 12, 13,
                                      128 + SIGTERM, 1 };

static int ends_at_once(dwq_controller_t *c, void *arg)
{
    (void)c;
    (void)arg;
    return 0;
}

static void play_child(enum child what)
{
    dwq_options_t options = { .controller = ends_at_once };
    dwq_world_t world;

    alarm(20);
    switch (what) {
    case EXITS_127:
        exit(127);
    case EXITS_0:
        exit(0);
    case RUNS:
        exit(dwq_run(&options, NULL) == DWQ_E_STATE ? 10 : 1);
    case ASKS_WORLD:
        exit(dwq_world(&world) == DWQ_E_STATE ? 10 : 1);
    case FINALIZES:
        dwq_finalize();
        exit(11);
    case FINALIZES_MPI:
        MPI_Finalize();
        exit(12);
    case ABORTS_MPI:
        MPI_Abort(MPI_COMM_WORLD, 13);
        break;
    case IS_TERMINATED:
        raise(SIGTERM);
        break;
    default:
        break;
    }
}

/* The exit code of a child, or 128 + signal; CAME_BACK in the child itself. */
static int end_of_child(enum child what)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        play_child(what);
        return CAME_BACK;
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int forks(dwq_call_t *call, void *arg)
{
    (void)arg;
    for (int what = 0; what < N_CHILDREN; what++) {
        int end = end_of_child((enum child)what);

        if (end == CAME_BACK) {
            return 0;
        }
        if (end != ends[what]) {
            return dwq_call_fail(call, 1, "child %d ended with %d", what, end);
        }
    }
    return 0;
}

static int forks_and_calls(dwq_controller_t *c, void *arg)
{
    int n_ok;

    (void)arg;
    for (int what = 0; what < N_CHILDREN; what++) {
        int end = end_of_child((enum child)what);

        if (end == CAME_BACK) {
            return 0;
        }
        CHECK(end == ends[what]);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "forks" }, NULL) == DWQ_OK);
    }
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 3 && n_ok == 3);
    return 0;
}

/* In a call, in the controller function, and outside of a run. */
static void children_do_nothing_of_ours(void)
{
    const dwq_function_t functions[] = { { "forks", forks, NULL },
                                         { NULL, NULL, NULL } };

    scenario_run_options(
        &(dwq_options_t){ .controller = forks_and_calls,
                          .functions = functions,
                          .nprocs_per_worker = world_size() == 4 ? 2 : 0 });
    for (int what = 0; what < COMES_BACK; what++) {
        CHECK(end_of_child((enum child)what) == ends[what]);
    }
    scenario_run(ends_at_once);
}

/* --- Leaving outside of a run ---------------------------------------------- */

/* DWQ_TEST_RANK (-1: all) leaves; the others go on as DWQ_TEST_OTHERS says. */
static void leave(void)
{
    int only = number("DWQ_TEST_RANK");
    MPI_Comm comm = MPI_COMM_WORLD;

    if (others_do("duplicate")) {
        MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    }
    if (only >= 0 && only != world_rank()) {
        if (others_do("barrier")) {
            MPI_Barrier(MPI_COMM_WORLD);
        }
        dwq_run_comm(comm, &(dwq_options_t){ .controller = ends_at_once },
                     NULL);
        return;
    }
    if (how_is("finalize")) {
        MPI_Finalize();
        CHECK(dwq_run(&(dwq_options_t){ .controller = ends_at_once }, NULL) ==
              DWQ_E_STATE);
    }
    exit(number("DWQ_TEST_CODE"));
}

static void leaves_after_a_run(void)
{
    scenario_run(ends_at_once);
    leave();
}

static void leaves_before_a_run(void)
{
    CHECK(world_size() > 0); /* starts MPI */
    leave();
}

/* --- Leaving in the middle of a run ----------------------------------------- */

static int controller_leaves(dwq_controller_t *c, void *arg)
{
    (void)arg;
    submit_square(c, 3, 0);
    if (how_is("finalize")) {
        MPI_Finalize();
    }
    exit(number("DWQ_TEST_CODE"));
}

static void the_controller_leaves(void)
{
    scenario_run(controller_leaves);
}

static void *sits_in_a_read(void *arg)
{
    (void)arg;
    while (getchar() != EOF) {
    }
    return NULL;
}

static int aborts_beside_a_reader(dwq_controller_t *c, void *arg)
{
    FILE *results = fopen(setting("DWQ_TEST_FILE"), "w");
    pthread_t thread;

    (void)arg;
    CHECK(results && fputs("results", results) >= 0);
    CHECK(pthread_create(&thread, NULL, sits_in_a_read, NULL) == 0);
    while (ftrylockfile(stdin) == 0) { /* until it does */
        funlockfile(stdin);
        sleep_seconds(0.01);
    }
    dwq_controller_abort(c);
    return 0;
}

static void a_thread_sits_in_a_read(void)
{
    int pipe_ends[2];

    CHECK(pipe(pipe_ends) == 0 && dup2(pipe_ends[0], STDIN_FILENO) == 0);
    scenario_run(aborts_beside_a_reader);
}

static int returns_code(dwq_controller_t *c, void *arg)
{
    (void)c;
    (void)arg;
    return number("DWQ_TEST_CODE");
}

/* As the last line of main(), where dwq_run() gives the code as it is. */
static void a_code_beyond_a_byte(void)
{
    dwq_options_t options = { .controller = returns_code };
    int code = -1, expected;

    CHECK(dwq_run(&options, &code) == DWQ_OK);
    expected = world_rank() == 0 ? number("DWQ_TEST_CODE") : 0;
    CHECK(code == expected);
    exit(scenario_n_failed() ? 99 : dwq_main(0, NULL, &options));
}

/* --- Runs in runs, and beside each other ------------------------------------ */

static int keeps_itself(dwq_worker_t *worker, void *arg)
{
    *(dwq_worker_t **)arg = worker;
    return 0;
}

static int calls_run(dwq_call_t *call, void *arg)
{
    dwq_options_t options = { .controller = ends_at_once };
    dwq_status_t whole = dwq_run(&options, NULL);
    dwq_status_t same = dwq_run_comm(MPI_COMM_WORLD, &options, NULL);
    dwq_status_t own = dwq_run_comm(dwq_call_comm(call), &options, NULL);
    dwq_status_t beside = dwq_run_comm(
        dwq_worker_merged_comm(*(dwq_worker_t **)arg), &options, NULL);

    return dwq_call_return(call, DWQ_VALUES(whole, same, own, beside));
}

static int run_inside(dwq_controller_t *c, void *arg)
{
    dwq_options_t options = { .controller = ends_at_once };
    int whole, same, own, beside;
    bool has_broker = world_size() > 3;
    dwq_result_t result;

    (void)arg;
    CHECK(dwq_run(&options, NULL) == DWQ_E_STATE);
    CHECK(dwq_run_comm(MPI_COMM_SELF, &options, NULL) == DWQ_OK);
    CHECK(dwq_controller_submit_call(c, &(dwq_task_t){ .function = "runs" },
                                     NULL) == DWQ_OK);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(dwq_result_get(&result, 0, 0, &whole) && whole == DWQ_E_STATE);
    CHECK(dwq_result_get(&result, 0, 1, &same) && same == DWQ_E_STATE);
    CHECK(dwq_result_get(&result, 0, 2, &own) && own == DWQ_OK);
    CHECK(dwq_result_get(&result, 0, 3, &beside) &&
          beside == (has_broker ? DWQ_E_STATE : DWQ_E_ARG));
    dwq_result_clear(&result);
    return 0;
}

static void a_run_in_a_run_is_refused(void)
{
    dwq_worker_t *worker;
    const dwq_function_t functions[] = { { "runs", calls_run, NULL },
                                         { NULL, NULL, NULL } };

    scenario_run_options(
        &(dwq_options_t){ .controller = run_inside,
                          .worker = keeps_itself,
                          .arg = &worker,
                          .functions = functions,
                          .nprocs_per_worker = world_size() > 3 ? 2 : 0 });
    scenario_run(ends_at_once);
}

static int squares(dwq_controller_t *c, void *arg)
{
    int n_ok;

    (void)arg;
    for (int i = 0; i < 5; i++) {
        submit_square(c, i, 0);
    }
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 5 && n_ok == 5);
    return 0;
}

struct side {
    MPI_Comm comm;
    dwq_status_t expected;
};

static void *runs_often(void *arg)
{
    const struct side *side = arg;

    for (int i = 0; i < 30; i++) {
        dwq_options_t options = { .controller = squares,
                                  .functions = scenario_functions };

        CHECK(dwq_run_comm(side->comm, &options, NULL) == side->expected);
    }
    return NULL;
}

static void run_two_threads(dwq_status_t expected)
{
    struct side sides[2];
    pthread_t threads[2];

    for (int i = 0; i < 2; i++) {
        sides[i].expected = expected;
        MPI_Comm_dup(MPI_COMM_WORLD, &sides[i].comm);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, runs_often, &sides[i]) == 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        MPI_Comm_free(&sides[i].comm);
    }
}

static void two_threads_run_two_runs(void)
{
    scenario_run_options(&(dwq_options_t){
        .controller = ends_at_once, .thread_level = MPI_THREAD_MULTIPLE });
    run_two_threads(DWQ_OK);
    scenario_run(squares);
}

static void threads_without_a_level_are_refused(void)
{
    scenario_run(ends_at_once);
    run_two_threads(DWQ_E_STATE);
    scenario_run(squares);
}

static void *asks_world(void *arg)
{
    CHECK(dwq_world(arg) == DWQ_OK);
    return NULL;
}

static void another_thread_asks_for_the_world(void)
{
    dwq_world_t world = { .size = 0 };
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, asks_world, &world) == 0);
    pthread_join(thread, NULL);
    CHECK(world.size == world_size() && world.rank == world_rank());
    scenario_run(squares);
}

/* --- MPI_COMM_SELF is the user's --------------------------------------------- */

static void name_self(const char *name)
{
    char old[MPI_MAX_OBJECT_NAME];
    int length;

    MPI_Comm_get_name(MPI_COMM_SELF, old, &length);
    CHECK(strcmp(old, "MPI_COMM_SELF") == 0 || strcmp(old, "a") == 0 ||
          strcmp(old, "b") == 0);
    MPI_Comm_set_name(MPI_COMM_SELF, name);
}

static int says_deleted(MPI_Comm comm, int key, void *value, void *extra)
{
    (void)comm;
    (void)key;
    (void)extra;
    ++*(int *)value;
    return MPI_SUCCESS;
}

static int names_in_a_run(dwq_controller_t *c, void *arg)
{
    name_self("b");
    return squares(c, arg);
}

static void check_name(const char *name)
{
    char now[MPI_MAX_OBJECT_NAME];
    int length;

    MPI_Comm_get_name(MPI_COMM_SELF, now, &length);
    CHECK(strcmp(now, name) == 0);
}

static void self_keeps_its_name_and_attributes(void)
{
    int key, found = 0, n_deleted = 0, *value = NULL;

    CHECK(world_size() > 0);
    name_self("a");
    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, says_deleted, &key, NULL);
    MPI_Comm_set_attr(MPI_COMM_SELF, key, &n_deleted);
    scenario_run(names_in_a_run);
    check_name(world_rank() == 0 ? "b" : "a");
    name_self("a");
    scenario_run(squares);
    check_name("a");
    MPI_Comm_get_attr(MPI_COMM_SELF, key, &value, &found);
    CHECK(found && value == &n_deleted && n_deleted == 0);
    dwq_finalize();
    CHECK(n_deleted == 1);
    CHECK(dwq_run(&(dwq_options_t){ .controller = squares }, NULL) ==
          DWQ_E_STATE);
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(children_do_nothing_of_ours),
    S(leaves_after_a_run),
    S(leaves_before_a_run),
    S(the_controller_leaves),
    S(a_thread_sits_in_a_read),
    S(a_code_beyond_a_byte),
    S(a_run_in_a_run_is_refused),
    S(two_threads_run_two_runs),
    S(threads_without_a_level_are_refused),
    S(another_thread_asks_for_the_world),
    S(self_keeps_its_name_and_attributes),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}

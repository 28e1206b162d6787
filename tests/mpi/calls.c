/* One call, and the next: what a call that failed left behind, where calls run. Groups
 * in all configurations, workers of one rank, one process. */
#include <stdlib.h>

#include "tests/mpi/calls.h"

#define TAG 7
#define N_FAILED 60 /* more than communicators are kept for */

static struct scene *scene_of(void *arg)
{
    return arg;
}

/* --- A call that leaves all that it can ------------------------------------------- */

static void leave_messages(MPI_Comm comm, int *buffer)
{
    int rank, size;
    MPI_Request request;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    MPI_Isend(buffer, 1, MPI_INT, (rank + 1) % size, TAG, comm, &request);
    MPI_Request_free(&request);
    MPI_Isend(buffer, BUFFER, MPI_INT, (rank + 1) % size, TAG + 1, comm,
              &request); /* too large to go before it is received */
    MPI_Request_free(&request);
    if (rank == size - 1) {
        MPI_Irecv(buffer + BUFFER, 1, MPI_INT, MPI_ANY_SOURCE, TAG + 2, comm,
                  &request); /* the next message of that tag is not for it */
        MPI_Request_free(&request);
    }
    if (rank == 0 && size > 1) {
        MPI_Ibcast(buffer + BUFFER, 1, MPI_INT, 1, comm, &request);
    }
}

static void leave(MPI_Comm comm, struct scene *scene)
{
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    MPI_Comm_set_name(comm, "left");
    MPI_Comm_set_attr(comm, scene->key, scene);
    leave_messages(comm, scene->buffer);
}

/* The broker beside does not come: rank 0 of the merged communicator is it. */
static int leaves_all(dwq_call_t *call, void *arg)
{
    struct scene *scene = scene_of(arg);
    MPI_Comm merged =
        scene->worker ? dwq_worker_merged_comm(scene->worker) : MPI_COMM_NULL;

    leave(dwq_call_comm(call), scene);
    if (merged != MPI_COMM_NULL) {
        leave(merged, scene);
    }
    scene->kept = dwq_call_comm(call);
    if (dwq_call_rank(call) == dwq_call_size(call) - 1) {
        return dwq_call_fail(call, 9, "as asked");
    }
    return dwq_call_return(call, DWQ_VALUES(1));
}

/* --- And one that finds nothing ------------------------------------------------------ */

/* The library's own handler ends the job, and says more than MPI's. */
static bool is_fatal(MPI_Comm comm)
{
    MPI_Errhandler handler;
    bool is;

    MPI_Comm_get_errhandler(comm, &handler);
    is = handler != MPI_ERRORS_RETURN;
    MPI_Errhandler_free(&handler);
    return is;
}

static bool has_nothing(MPI_Comm comm, int key)
{
    char name[MPI_MAX_OBJECT_NAME];
    void *value;
    int length, found, is_there;

    MPI_Comm_get_name(comm, name, &length);
    MPI_Comm_get_attr(comm, key, &value, &found);
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm, &is_there, MPI_STATUS_IGNORE);
    return is_fatal(comm) && strcmp(name, "left") != 0 && !found && !is_there;
}

/* Messages of all tags go around, and a collective. */
static bool works(MPI_Comm comm, int n)
{
    int rank, size, sum;
    bool works = true;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    for (int tag = TAG; tag < TAG + 3; tag++) {
        int got = -1, mine = 1000 * n + tag;

        MPI_Sendrecv(&mine, 1, MPI_INT, (rank + 1) % size, tag, &got, 1,
                     MPI_INT, (rank + size - 1) % size, tag, comm,
                     MPI_STATUS_IGNORE);
        works = works && got == mine;
    }
    MPI_Allreduce(&n, &sum, 1, MPI_INT, MPI_SUM, comm);
    return works && sum == n * size;
}

static int finds_nothing(dwq_call_t *call, void *arg)
{
    struct scene *scene = scene_of(arg);
    MPI_Comm comm = dwq_call_comm(call), merged = MPI_COMM_NULL;
    bool right = has_nothing(comm, scene->key);
    int n = -1;

    if (scene->worker) {
        merged = dwq_worker_merged_comm(scene->worker);
        right = right && dwq_worker_comm(scene->worker) == comm;
    }
    if (merged != MPI_COMM_NULL) {
        right = right && has_nothing(merged, scene->key);
    }
    dwq_arg(call, 0, &n);
    MPI_Barrier(comm); /* nobody sends before all have looked */
    right = works(comm, n) && right;
    return dwq_call_return(call, DWQ_VALUES(right));
}

/* What the failed call kept is still there: to end what was made of it. */
static int uses_kept(dwq_call_t *call, void *arg)
{
    struct scene *scene = scene_of(arg);
    int rank = dwq_call_rank(call), size = dwq_call_size(call);
    int got = -1, found;
    void *value;

    MPI_Comm_get_attr(scene->kept, scene->key, &value, &found);
    MPI_Sendrecv(&rank, 1, MPI_INT, (rank + 1) % size, TAG + 3, &got, 1,
                 MPI_INT, (rank + size - 1) % size, TAG + 3, scene->kept,
                 MPI_STATUS_IGNORE);
    return dwq_call_return(
        call, DWQ_VALUES(found && got == (rank + size - 1) % size &&
                         scene->kept != dwq_call_comm(call)));
}

static const dwq_function_t functions[] = {
    { "leaves_all", leaves_all, NULL },
    { "finds_nothing", finds_nothing, NULL },
    { "uses_kept", uses_kept, NULL },
    { NULL, NULL, NULL },
};

/* --- Runs ------------------------------------------------------------------------------ */

bool call_on(dwq_controller_t *c, const dwq_task_t *task, dwq_status_t expected)
{
    dwq_result_t result;
    uint64_t id = 0;
    bool right, yes;

    CHECK(dwq_controller_submit_call(c, task, &id) == DWQ_OK);
    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    right = result.status == expected;
    if (!right) {
        fprintf(stderr, "'%s': %s, %s\n", task->function,
                dwq_status_name(result.status), result.message);
    }
    for (int r = 0; right && expected == DWQ_OK && r < result.n_ranks; r++) {
        right = dwq_result_get(&result, r, 0, &yes) && yes;
    }
    dwq_result_clear(&result);
    return right;
}

static bool call(dwq_controller_t *c, const char *function, int n,
                 dwq_status_t expected)
{
    return call_on(
        c, &(dwq_task_t){ .function = function, .worker = 1, DWQ_ARGS(n) },
        expected);
}

static int fails_and_goes_on(dwq_controller_t *c, void *arg)
{
    (void)arg;
    CHECK(call(c, "finds_nothing", 0, DWQ_OK));
    for (int i = 1; i <= N_FAILED; i++) {
        CHECK(call(c, "leaves_all", i, DWQ_E_TASK));
        CHECK(call(c, "finds_nothing", i, DWQ_OK));
        if (i % 10 == 0) {
            CHECK(call(c, "uses_kept", i, DWQ_OK));
        }
    }
    return 0;
}

static int keeps_handle(dwq_worker_t *worker, void *arg)
{
    scene_of(arg)->worker = worker;
    return 0;
}

static int count_deleted(MPI_Comm comm, int key, void *value, void *extra)
{
    struct scene *scene = value;

    (void)comm;
    (void)key;
    (void)extra;
    scene->n_deleted++;
    return MPI_SUCCESS;
}

void scene_play(dwq_options_t options)
{
    struct scene *scene = calloc(1, sizeof *scene);

    CHECK(scene != NULL);
    dwq_world(&(dwq_world_t){ .size = 0 }); /* starts MPI */
    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, count_deleted, &scene->key,
                           NULL);
    options.arg = scene;
    if (!options.worker) {
        options.worker = keeps_handle;
    }
    CHECK(scenario_run_options(&options) == 0);
    MPI_Comm_free_keyval(&scene->key);
    if (scene->kept) {
        /* Each communicator that was left is freed with the run at the latest. */
        CHECK(scene->n_deleted >= N_FAILED);
    }
    /* Requests that were left may still name the scene's buffer: it stays. */
}

static void play_group(const struct group_config *config)
{
    dwq_options_t options = group_options(config);

    options.controller = fails_and_goes_on;
    options.functions = functions;
    scene_play(options);
}

void a_failed_call_leaves_nothing_for_the_next(void)
{
    scene_play((dwq_options_t){ .controller = fails_and_goes_on,
                                .functions = functions });
    group_configs(play_group);
}

void a_failed_call_of_a_spawned_group_leaves_nothing(void)
{
    for (int i = 0; i < 2; i++) {
        scene_play((dwq_options_t){ .controller = fails_and_goes_on,
                                    .functions = functions,
                                    .grouping = DWQ_GROUPING_SPAWN,
                                    .nprocs_per_worker = 2,
                                    .max_workers = 1,
                                    .collective_mode =
                                        i == 0 ? DWQ_COLLECTIVE_GATHER
                                               : DWQ_COLLECTIVE_SENDRECV,
                                    .broker_is_worker = i == 1 });
    }
}

/* --- Calls in calls ---------------------------------------------------------------------- */

static bool execute(struct scene *scene, const char *function,
                    dwq_status_t expected)
{
    dwq_result_t result;
    bool right, yes = true;

    CHECK(dwq_worker_execute(scene->worker,
                             &(dwq_task_t){ .function = function, DWQ_ARGS(5) },
                             &result) == DWQ_OK);
    right =
        result.status == expected &&
        (expected != DWQ_OK || (dwq_result_get(&result, 0, 0, &yes) && yes));
    dwq_result_clear(&result);
    return right;
}

/* Its own communicator is as before, whatever calls in it do. */
static int executes(dwq_call_t *call, void *arg)
{
    MPI_Comm comm = dwq_call_comm(call);
    MPI_Request request;
    int sent = 5, got = -1;
    bool right = true;

    MPI_Isend(&sent, 1, MPI_INT, dwq_call_rank(call), TAG, comm, &request);
    for (int i = 0; i < N_FAILED; i++) {
        right = right && execute(arg, "leaves_all_alone", DWQ_E_TASK) &&
                execute(arg, "finds_nothing_alone", DWQ_OK);
    }
    MPI_Recv(&got, 1, MPI_INT, dwq_call_rank(call), TAG, comm,
             MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    return dwq_call_return(
        call, DWQ_VALUES(right && got == sent && comm == dwq_call_comm(call)));
}

static int leaves_all_alone(dwq_call_t *call, void *arg)
{
    leave(dwq_call_comm(call), scene_of(arg));
    return dwq_call_fail(call, 9, "as asked");
}

static int finds_nothing_alone(dwq_call_t *call, void *arg)
{
    MPI_Comm comm = dwq_call_comm(call);

    return dwq_call_return(
        call,
        DWQ_VALUES(has_nothing(comm, scene_of(arg)->key) && works(comm, 3)));
}

static int executes_before_serving(dwq_worker_t *worker, void *arg)
{
    scene_of(arg)->worker = worker;
    CHECK(execute(arg, "leaves_all_alone", DWQ_E_TASK));
    CHECK(execute(arg, "finds_nothing_alone", DWQ_OK));
    return 0;
}

static int submits_executes(dwq_controller_t *c, void *arg)
{
    (void)arg;
    CHECK(call(c, "executes", 1, DWQ_OK));
    return 0;
}

static const dwq_function_t executing[] = {
    { "executes", executes, NULL },
    { "leaves_all_alone", leaves_all_alone, NULL },
    { "finds_nothing_alone", finds_nothing_alone, NULL },
    { NULL, NULL, NULL },
};

static void play_executes(const struct group_config *config)
{
    dwq_options_t options = group_options(config);

    options.controller = submits_executes;
    options.functions = executing;
    options.worker = executes_before_serving;
    scene_play(options);
}

void a_failed_call_in_a_call_leaves_nothing(void)
{
    scene_play((dwq_options_t){ .controller = submits_executes,
                                .functions = executing,
                                .worker = executes_before_serving });
    group_configs(play_executes);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
#define SCENARIO(name) { #name, name }
        SCENARIO(a_failed_call_leaves_nothing_for_the_next),
        SCENARIO(a_failed_call_of_a_spawned_group_leaves_nothing),
        SCENARIO(a_failed_call_in_a_call_leaves_nothing),
        SCENARIO(an_array_kept_by_a_call_is_not_sent_by_the_next),
        SCENARIO(a_task_without_memory_on_a_rank_is_a_failed_call),
        SCENARIO(a_result_without_memory_is_a_failed_call),
        SCENARIO(in_one_process_a_task_without_memory_is_a_failed_call),
        SCENARIO(the_total_time_of_a_group_is_that_of_its_calls),
#undef SCENARIO
        { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}

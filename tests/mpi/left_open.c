/* Functions that open a run and come back without a close: it is closed for them, and the
 * call has failed. */
#include "tests/mpi/group_setup.h"

static const dwq_options_t inner_options = { .functions = scenario_functions };
static dwq_controller_t *left; /* what the last call here left open */

/* Waits in the inner run, where it has workers. */
static void leave_open(MPI_Comm comm)
{
    dwq_controller_t *c = NULL;

    CHECK(dwq_open_comm(comm, &inner_options, &c, NULL) == DWQ_OK);
    for (int i = 0; c && i < 4; i++) {
        submit_sleep(c, 0.001, 0);
    }
    left = c ? c : left;
}

static int leaves(dwq_call_t *call, void *arg)
{
    (void)arg;
    leave_open(dwq_call_comm(call));
    return dwq_call_return(call, DWQ_VALUES(1));
}

/* Each rank its own, and one in the other. */
static int leaves_two(dwq_call_t *call, void *arg)
{
    (void)arg;
    leave_open(MPI_COMM_SELF);
    leave_open(MPI_COMM_SELF);
    return dwq_call_return(call, DWQ_VALUES(1));
}

static int fails_and_leaves(dwq_call_t *call, void *arg)
{
    (void)arg;
    leave_open(dwq_call_comm(call));
    return dwq_call_fail(call, 12, "for a reason of its own");
}

/* What was left is over, and another one can be. */
static int closes(dwq_call_t *call, void *arg)
{
    dwq_controller_t *c = NULL;
    dwq_result_t result;

    (void)arg;
    CHECK(!left || dwq_close(left, 0) == DWQ_E_STATE);
    left = NULL;
    CHECK(dwq_open_comm(dwq_call_comm(call), &inner_options, &c, NULL) ==
          DWQ_OK);
    if (c) {
        submit_square(c, 3, 0);
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        dwq_result_clear(&result);
    }
    CHECK(dwq_close(c, 0) == DWQ_OK);
    return dwq_call_return(call, DWQ_VALUES(1));
}

static const dwq_function_t functions[] = {
    { "leaves", leaves, NULL },
    { "leaves_two", leaves_two, NULL },
    { "fails_and_leaves", fails_and_leaves, NULL },
    { "closes", closes, NULL },
    { NULL, NULL, NULL },
};

static void call(dwq_controller_t *c, const char *function, uint64_t id,
                 int code, const char *message)
{
    int n = dwq_controller_world(c).n_workers;

    for (int w = 1; w <= (n > 0 ? n : 1); w++) {
        dwq_result_t result;

        CHECK(dwq_controller_submit_call(
                  c,
                  &(dwq_task_t){ .function = function, .id = id, .worker = w },
                  NULL) == DWQ_OK);
        CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
        CHECK(result.status == (code == 0 ? DWQ_OK : DWQ_E_TASK));
        CHECK(result.code == code);
        CHECK(code == 0 || strstr(result.message, message));
        dwq_result_clear(&result);
    }
}

static int calls_them(dwq_controller_t *c, void *arg)
{
    (void)arg;
    call(c, "leaves", 7, DWQ_E_STATE, "dwq_close()");
    call(c, "closes", 8, 0, "");
    call(c, "leaves_two", 9, DWQ_E_STATE, "dwq_close()");
    call(c, "closes", 10, 0, "");
    call(c, "fails_and_leaves", 11, 12, "for a reason of its own");
    call(c, "closes", 12, 0, "");
    return 0;
}

static void play(dwq_options_t options)
{
    int code = 1;

    options.controller = calls_them;
    options.functions = functions;
    CHECK(dwq_run(&options, &code) == DWQ_OK);
    CHECK(world_rank() != 0 || code == 0);
}

static void a_call_leaves_a_run_open(void)
{
    play((dwq_options_t){ .nprocs_per_worker = 0 });
}

static void play_in(const struct group_config *config)
{
    play(group_options(config));
}

static void a_call_of_a_group_leaves_a_run_open(void)
{
    group_configs(play_in);
}

static void a_call_of_a_spawned_group_leaves_a_run_open(void)
{
    play((dwq_options_t){ .grouping = DWQ_GROUPING_SPAWN,
                          .nprocs_per_worker = 2 });
}

static int worker_leaves(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    leave_open(dwq_worker_comm(worker));
    return 0;
}

static void play_worker_in(const struct group_config *config)
{
    dwq_options_t options = group_options(config);

    options.worker = worker_leaves;
    play(options);
}

static void a_worker_function_leaves_a_run_open(void)
{
    play((dwq_options_t){ .worker = worker_leaves });
    if (world_size() > 2) {
        group_configs(play_worker_in);
    }
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        { "a_call_leaves_a_run_open", a_call_leaves_a_run_open },
        { "a_call_of_a_group_leaves_a_run_open",
          a_call_of_a_group_leaves_a_run_open },
        { "a_call_of_a_spawned_group_leaves_a_run_open",
          a_call_of_a_spawned_group_leaves_a_run_open },
        { "a_worker_function_leaves_a_run_open",
          a_worker_function_leaves_a_run_open },
        { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}

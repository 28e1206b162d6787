/* Ranks that hang (a node that does not answer: here, a process that is stopped), in a
 * run with a time limit and a grace. The controller function comes to its end with all
 * results, and then the run ends, and with it the job where it has to: the driver looks
 * at what was printed, and at the job's end. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/mpi/scenario.h"

#define LIMIT 0.3
#define N_LARGE ((size_t)4 << 20)

static void tell(const char *what)
{
    printf("%s\n", what);
    fflush(stdout);
}

static int tells_its_process(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    CHECK(dwq_worker_set_ready_data(worker, dwq_value((int64_t)getpid())) ==
          DWQ_OK);
    return 0;
}

/* A process of the data: of a worker, or the last of its group. */
static int64_t process_in(const dwq_value_t *data)
{
    int64_t process = 0;

    if (data->kind == DWQ_KIND_LIST && data->u.list.n > 0) {
        dwq_read_int64(&data->u.list.items[data->u.list.n - 1], &process);
    } else {
        dwq_read_int64(data, &process);
    }
    return process;
}

/* Stops a process of a worker that is ready; its number. */
static int stop_one(dwq_controller_t *c)
{
    int worker = 0;
    dwq_value_t data = dwq_value_nil();
    int64_t process;

    while (dwq_controller_get_ready_worker(c, &worker, &data) == DWQ_E_AGAIN) {
        sleep_seconds(0.001);
    }
    process = process_in(&data);
    CHECK(process > 0);
    if (process > 0) {
        kill((pid_t)process, SIGSTOP);
    }
    return worker;
}

static void run_limited(const dwq_options_t *options)
{
    dwq_options_t own = *options;

    own.time_limit = LIMIT;
    own.time_limit_grace = LIMIT;
    scenario_run_options(&own);
    tell("the run came back");
}

/* --- Idle ---------------------------------------------------------------------- */

static int stops_an_idle_one(dwq_controller_t *c, void *arg)
{
    int other = stop_one(c) == 1 ? 2 : 1;
    int n_ok;

    (void)arg;
    submit_square(c, 3, other);
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 1 && n_ok == 1);
    tell("the controller went on");
    return 0;
}

static void an_idle_worker_hangs(void)
{
    run_limited(&(dwq_options_t){ .controller = stops_an_idle_one,
                                  .worker = tells_its_process });
}

static int exits_by_itself(dwq_controller_t *c, void *arg)
{
    stops_an_idle_one(c, arg);
    CHECK(dwq_controller_exit(c) == DWQ_OK);
    tell("the controller came back from its exit");
    return 0;
}

static void an_idle_worker_hangs_at_an_exit_of_the_controller(void)
{
    run_limited(&(dwq_options_t){ .controller = exits_by_itself,
                                  .worker = tells_its_process });
}

static void a_rank_of_an_idle_group_hangs(void)
{
    run_limited(&(dwq_options_t){ .controller = stops_an_idle_one,
                                  .worker = tells_its_process,
                                  .nprocs_per_worker = 2,
                                  .broker_is_worker = true });
}

/* --- A large transfer -------------------------------------------------------------- */

static void expect_late(dwq_controller_t *c, uint64_t id)
{
    dwq_result_t result;

    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    CHECK(result.status == DWQ_E_TIME_LIMIT);
    dwq_result_clear(&result);
}

static int sends_to_a_stopped_one(dwq_controller_t *c, void *arg)
{
    double *data = calloc(N_LARGE, sizeof *data);
    dwq_array_t array = dwq_array(DWQ_DOUBLE, data, 1, (size_t[]){ N_LARGE });
    int worker = stop_one(c);
    uint64_t ids[2] = { 0, 0 };

    (void)arg;
    for (int i = 0; i < 2; i++) {
        CHECK(dwq_controller_submit_call(
                  c,
                  &(dwq_task_t){ .function = "sum",
                                 .worker = worker,
                                 DWQ_ARGS(i == 0 ? dwq_borrow(array) : array) },
                  &ids[i]) == DWQ_OK);
    }
    expect_late(c, ids[1]);
    expect_late(c, ids[0]);
    tell("the controller went on");
    return 0; /* the borrowed data is kept to the end of the job */
}

static void a_large_transfer_hangs(void)
{
    run_limited(&(dwq_options_t){ .controller = sends_to_a_stopped_one,
                                  .worker = tells_its_process });
}

/* --- The end ------------------------------------------------------------------------ */

static int squares(dwq_controller_t *c, void *arg)
{
    int n_ok;

    (void)arg;
    submit_square(c, 3, 0);
    CHECK(collect_all(c, DWQ_OK, &n_ok) == 1 && n_ok == 1);
    tell("the controller went on");
    return 0;
}

static int stops_behind_its_serving(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    CHECK(dwq_worker_serve(worker) == DWQ_OK);
    raise(SIGSTOP);
    return 0;
}

static void a_worker_hangs_after_its_serving(void)
{
    run_limited(&(dwq_options_t){ .controller = squares,
                                  .worker = stops_behind_its_serving });
}

static void a_spawned_rank_hangs_after_its_serving(void)
{
    run_limited(&(dwq_options_t){ .controller = squares,
                                  .worker = stops_behind_its_serving,
                                  .grouping = DWQ_GROUPING_SPAWN,
                                  .nprocs_per_worker = 1 });
}

/* --- In a call ------------------------------------------------------------------------- */

static int stops(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    raise(SIGSTOP);
    return 0;
}

static int runs_on(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    for (;;) {
        sleep_seconds(1);
    }
    return 0;
}

static int calls_one_that_hangs(dwq_controller_t *c, void *arg)
{
    uint64_t id = 7;

    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = arg, .id = id }, NULL) == DWQ_OK);
    expect_late(c, id);
    tell("the controller went on");
    return 0;
}

static void hang_in(const char *function, dwq_options_t options)
{
    static const dwq_function_t functions[] = { { "stops", stops, NULL },
                                                { "runs_on", runs_on, NULL },
                                                { NULL, NULL, NULL } };
    int code;

    options.controller = calls_one_that_hangs;
    options.functions = functions;
    options.arg = (void *)(uintptr_t)function;
    options.time_limit = LIMIT;
    options.time_limit_grace = LIMIT;
    CHECK(dwq_run(&options, &code) == DWQ_OK);
}

static void a_rank_is_stopped_in_a_call(void)
{
    hang_in("stops", (dwq_options_t){ .nprocs_per_worker = 0 });
}

static void a_spawned_rank_is_stopped_in_a_call(void)
{
    hang_in("stops", (dwq_options_t){ .grouping = DWQ_GROUPING_SPAWN,
                                      .nprocs_per_worker = 1 });
}

static void a_spawned_rank_does_not_come_back_from_a_call(void)
{
    hang_in("runs_on", (dwq_options_t){ .grouping = DWQ_GROUPING_SPAWN,
                                        .nprocs_per_worker = 1 });
}

/* --- Nobody hangs --------------------------------------------------------------------- */

/* Longer than limit and grace: those that wait all the time leave as they should. */
static int works_on_alone(dwq_controller_t *c, void *arg)
{
    squares(c, arg);
    sleep_seconds(3 * LIMIT);
    return 0;
}

static void a_controller_that_works_on_hurts_nobody(void)
{
    run_limited(&(dwq_options_t){ .controller = works_on_alone });
    run_limited(&(dwq_options_t){ .controller = works_on_alone,
                                  .nprocs_per_worker = 2,
                                  .broker_is_worker = true });
}

int main(int argc, char **argv)
{
#define S(name)     \
    {               \
#name, name \
    }
    static const struct scenario scenarios[] = {
        S(an_idle_worker_hangs),
        S(an_idle_worker_hangs_at_an_exit_of_the_controller),
        S(a_rank_of_an_idle_group_hangs),
        S(a_large_transfer_hangs),
        S(a_worker_hangs_after_its_serving),
        S(a_spawned_rank_hangs_after_its_serving),
        S(a_rank_is_stopped_in_a_call),
        S(a_spawned_rank_is_stopped_in_a_call),
        S(a_spawned_rank_does_not_come_back_from_a_call),
        S(a_controller_that_works_on_hurts_nobody),
        { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}

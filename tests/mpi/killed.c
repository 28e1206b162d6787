/* A rank that is killed in a call. The driver puts it alone on its host, or beside
 * others, and reads who says so. Every worker runs a call of the same number by then. */
#include <signal.h>
#include <unistd.h>

#include "tests/mpi/scenario.h"

#define WORKERS_MAX 8
#define VICTIM 2

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void wait_for(const char *path)
{
    while (!is_there(path)) {
        sleep_seconds(0.001);
    }
}

/* Until the job ends. */
static void run_on(void)
{
    for (;;) {
        sleep_seconds(1);
    }
}

/* With one path: says there that it runs. With more: all the others run; it is the
 * last rank of its group that is killed. */
static int heats(dwq_call_t *call, void *arg)
{
    const char *path;
    size_t n = dwq_call_n_args(call);

    (void)arg;
    if (n == 1 && dwq_arg(call, 0, &path)) {
        if (dwq_call_rank(call) == 0) {
            flag_raise(path);
        }
        run_on();
    }
    if (dwq_call_rank(call) < dwq_call_size(call) - 1) {
        run_on();
    }
    for (size_t i = 0; i < n; i++) {
        if (dwq_arg(call, i, &path) && path[0] != '\0') {
            wait_for(path);
            flag_remove(path);
        }
    }
    raise(SIGKILL);
    return 0;
}

static int controller(dwq_controller_t *c, void *arg)
{
    int n = dwq_controller_world(c).n_workers, victim = n < VICTIM ? n : VICTIM;
    char paths[WORKERS_MAX + 1][FLAG_SIZE] = { "" };
    dwq_value_t all[WORKERS_MAX + 1] = { dwq_value_string("") };
    dwq_result_t result;

    (void)arg;
    for (int w = 1; w <= n; w++) {
        if (w != victim) {
            flag_make(paths[w], false);
        }
        all[w] = dwq_value_string(paths[w]);
    }
    for (int w = 1; w <= n; w++) {
        dwq_task_t task = { .function = "heats",
                            .worker = w,
                            .id = 70 + (uint64_t)w };

        task.args = w == victim ? (dwq_values_t){ (size_t)n + 1, all }
                                : (dwq_values_t){ 1, &all[w] };
        CHECK(dwq_controller_submit_call(c, &task, NULL) == DWQ_OK);
    }
    CHECK(dwq_controller_get_next_result(c, &result) != DWQ_OK); /* never */
    return 1;
}

static void play_run(dwq_options_t options)
{
    static const dwq_function_t functions[] = { { "heats", heats, NULL },
                                                { NULL, NULL, NULL } };
    int code;

    options.controller = controller;
    options.functions = functions;
    CHECK(dwq_run(&options, &code) == DWQ_OK);
}

static void a_worker(void)
{
    play_run((dwq_options_t){ .nprocs_per_worker = 0 });
}

static void a_rank_of_a_group(void)
{
    play_run((dwq_options_t){ .nprocs_per_worker = 2 });
}

static void a_rank_of_a_group_with_its_broker(void)
{
    play_run(
        (dwq_options_t){ .nprocs_per_worker = 2, .broker_is_worker = true });
}

static void a_spawned_rank(void)
{
    play_run((dwq_options_t){ .nprocs_per_worker = 2,
                              .grouping = DWQ_GROUPING_SPAWN });
}

int main(int argc, char **argv)
{
#define S(name)     \
    {               \
#name, name \
    }
    static const struct scenario scenarios[] = {
        S(a_worker),
        S(a_rank_of_a_group),
        S(a_rank_of_a_group_with_its_broker),
        S(a_spawned_rank),
        { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}

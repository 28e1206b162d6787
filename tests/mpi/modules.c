/* Modules: shared objects that workers load, and the program dwq-worker. */
#include <stdlib.h>

#include "tests/mpi/scenario.h"

static double scaled(dwq_controller_t *c, double x)
{
    dwq_result_t result;
    double y = 0;

    CHECK(dwq_controller_submit_call(c,
                                     &(dwq_task_t){ .function = "scale",
                                                    .module = "test_module",
                                                    DWQ_ARGS(x) },
                                     NULL) == DWQ_OK);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    if (result.status != DWQ_OK) {
        fprintf(stderr, "%s\n", result.message);
    }
    CHECK(result.status == DWQ_OK);
    CHECK(dwq_result_get(&result, 0, 0, &y));
    dwq_result_clear(&result);
    return y;
}

static int uses_init(dwq_controller_t *c, void *arg)
{
    (void)arg;
    for (int i = 0; i < 10; i++) {
        CHECK(scaled(c, i) == 3. * i);
    }
    return 0;
}

static void functions_of_a_module_get_what_its_init_gave(void)
{
    scenario_run(uses_init);
}

/* The same with other programs as workers: no functions, default options. */
static void another_program_serves_modules(void)
{
    scenario_run(uses_init);
}

static int uses_worker(dwq_controller_t *c, void *arg)
{
    (void)arg;
    CHECK(scaled(c, 2) == 10);
    return 0;
}

static void a_worker_function_by_name_runs_from_its_module(void)
{
    scenario_run_options(&(dwq_options_t){ .controller = uses_worker,
                                           .worker_module = "test_module",
                                           .worker_name = "five" });
}

static int has_no_worker(dwq_controller_t *c, void *arg)
{
    int n_lost;

    (void)arg;
    submit_square(c, 2, 0);
    CHECK(collect_all(c, DWQ_E_WORKER, &n_lost) == 1 && n_lost == 1);
    return 0;
}

static void a_worker_function_of_a_module_can_withdraw(void)
{
    scenario_run_options(&(dwq_options_t){ .controller = has_no_worker,
                                           .worker_module = "test_module",
                                           .worker_name = "refuses" });
}

static void an_unknown_worker_name_is_refused(void)
{
    int code = 5;

    if (world_size() > 1) {
        CHECK(dwq_run(&(dwq_options_t){ .controller = uses_worker,
                                        .worker_module = "test_module",
                                        .worker_name = "six" },
                      &code) == DWQ_E_OPTION);
        CHECK(code == 5);
    }
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(functions_of_a_module_get_what_its_init_gave),
    S(another_program_serves_modules),
    S(a_worker_function_by_name_runs_from_its_module),
    S(a_worker_function_of_a_module_can_withdraw),
    S(an_unknown_worker_name_is_refused),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}

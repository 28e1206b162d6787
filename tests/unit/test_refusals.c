/* What a call of the controller's refuses, it names with the value that was given: in a
 * job of one process. */
#include <criterion/criterion.h>
#include <dwq/dwq.h>
#include <math.h>
#include <string.h>

static void forget(const char *line, void *log_arg)
{
    (void)line;
    (void)log_arg;
}

static int nothing(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    return 0;
}

static dwq_controller_t *opened(void)
{
    static const dwq_function_t functions[] = { { "f", nothing, NULL },
                                                { NULL, NULL, NULL } };
    dwq_controller_t *c = NULL;

    cr_assert_eq(
        dwq_open(&(dwq_options_t){ .functions = functions, .log = forget }, &c,
                 NULL),
        DWQ_OK);
    return c;
}

#define SAYS(c, wanted)                                     \
    cr_expect_str_eq(dwq_controller_error(c), wanted, "%s", \
                     dwq_controller_error(c))

#define REFUSED(c, status, text, ...)                                       \
    do {                                                                    \
        const dwq_task_t task = { __VA_ARGS__ };                            \
        cr_expect_eq(dwq_controller_submit_call((c), &task, NULL), status); \
        SAYS((c), text);                                                    \
    } while (0)

Test(refusals, of_a_task_name_the_field_and_its_value, .timeout = 60)
{
    dwq_controller_t *c = opened();

    REFUSED(c, DWQ_E_ARG,
            "task 'f' refused: time_est is -1.5: it takes a number from 0 on",
            .function = "f", .time_est = -1.5);
    REFUSED(c, DWQ_E_ARG,
            "task 'f' refused: time_est is nan: it takes a number from 0 on",
            .function = "f", .time_est = (double)NAN);
    REFUSED(c, DWQ_E_ARG,
            "task 'f' refused: time_est is inf: it takes a number from 0 on",
            .function = "f", .time_est = (double)INFINITY);
    REFUSED(c, DWQ_E_ARG,
            "task 'f' refused: ranks is -2: it takes a number from 0 on",
            .function = "f", .ranks = -2);
    REFUSED(c, DWQ_E_ARG, "task '' refused: function is \"\"", .function = "");
    REFUSED(c, DWQ_E_ARG, "task '' refused: function is NULL", .worker = 1);
    cr_expect_eq(dwq_controller_submit_call(c, NULL, NULL), DWQ_E_ARG);
    SAYS(c, "task is NULL");
    dwq_close(c, 0);
}

Test(refusals, of_an_id_in_use_name_it, .timeout = 60)
{
    dwq_controller_t *c = opened();
    dwq_task_t task = { .function = "f", .id = 77 };

    cr_assert_eq(dwq_controller_submit_call(c, &task, NULL), DWQ_OK);
    REFUSED(c, DWQ_E_ID,
            "task 'f' refused: id 77 is in use, until the result of its task "
            "is collected",
            .function = "f", .id = 77);
    dwq_close(c, 0);
}

Test(refusals, of_arguments_name_their_places, .timeout = 60)
{
    const dwq_array_t bad = dwq_array(DWQ_DOUBLE, NULL, 1, (size_t[]){ 5 });
    dwq_controller_t *c = opened();

    REFUSED(c, DWQ_E_ARG,
            "task 'f' refused: args[1]: an array whose type, shape or data is "
            "not valid",
            .function = "f", DWQ_ARGS(1, bad));
    REFUSED(c, DWQ_E_ARG,
            "task 'f' refused: keyword 'mesh': an array whose type, shape or "
            "data is not valid",
            .function = "f",
            DWQ_KWARGS({ "n", dwq_value(1) }, { "mesh", dwq_value(bad) }));
    REFUSED(c, DWQ_E_ARG,
            "task 'f' refused: keyword 'n': this name is given twice",
            .function = "f",
            DWQ_KWARGS({ "n", dwq_value(1) }, { "n", dwq_value(2) }));
    REFUSED(c, DWQ_E_ARG,
            "task 'f' refused: args[0]: keyword 'n': this name is given twice",
            .function = "f",
            DWQ_ARGS(DWQ_MAP({ "n", dwq_value(1) }, { "n", dwq_value(2) })));
    dwq_close(c, 0);
}

Test(refusals, of_one_task_for_every_worker_are_about_that_task, .timeout = 60)
{
    dwq_controller_t *c = opened();
    dwq_task_t task = { .function = "f", .id = 5, .worker = 3 };
    size_t n = 9;

    cr_expect_eq(dwq_controller_submit_each(c, &task, NULL, &n), DWQ_E_ARG);
    SAYS(c, "id is 5 and worker is 3: a task for every worker takes 0 for "
            "both");
    task = (dwq_task_t){ .function = "f", .time_est = -4 };
    cr_expect_eq(dwq_controller_submit_each(c, &task, NULL, &n), DWQ_E_ARG);
    SAYS(c, "task 'f' refused: time_est is -4: it takes a number from 0 on");
    cr_expect_eq(dwq_controller_submit_each(c, NULL, NULL, &n), DWQ_E_ARG);
    SAYS(c, "task is NULL");
    cr_expect_eq(dwq_controller_submit_multiple(c, &task, 1, NULL), DWQ_E_ARG);
    SAYS(c, "tasks[0]: task 'f' refused: time_est is -4: it takes a number "
            "from 0 on");
    cr_expect_eq(dwq_controller_submit_multiple(c, &task, SIZE_MAX, NULL),
                 DWQ_E_ARG);
    SAYS(c, "n is 18446744073709551615: more tasks than memory can hold");
    cr_expect_eq(n, 9);
    dwq_close(c, 0);
}

Test(refusals, of_where_results_go_name_the_parameter, .timeout = 60)
{
    dwq_controller_t *c = opened();
    size_t n;

    cr_expect_eq(dwq_controller_get_next_result(c, NULL), DWQ_E_ARG);
    SAYS(c, "result_out is NULL");
    cr_expect_eq(dwq_controller_probe_all_next_results(c, NULL, 3, &n),
                 DWQ_E_ARG);
    SAYS(c, "results_out is NULL, and max is 3");
    dwq_close(c, 0);
}

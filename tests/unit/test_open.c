/* A run that is opened and closed in a job of one process, with MPI and without. */
#include <criterion/criterion.h>
#include <dwq/dwq.h>
#include <stdlib.h>
#include <string.h>

static int square(dwq_call_t *call, void *arg)
{
    double x;

    (void)arg;
    if (!dwq_arg(call, 0, &x)) {
        return dwq_call_fail(call, 1, "square(x): x must be a number");
    }
    return dwq_call_return(call, DWQ_VALUES(x * x));
}

static const dwq_function_t functions[] = { { "square", square, NULL },
                                            { NULL, NULL, NULL } };

static double square_of(dwq_controller_t *c, double x)
{
    dwq_task_t task = { .function = "square", DWQ_ARGS(x) };
    dwq_result_t result;
    double y = -1;

    cr_assert_eq(dwq_controller_submit_call(c, &task, NULL), DWQ_OK);
    cr_assert_eq(dwq_controller_get_next_result(c, &result), DWQ_OK);
    cr_expect(dwq_result_get(&result, 0, 0, &y));
    dwq_result_clear(&result);
    return y;
}

Test(open, calls_run_in_place_between_open_and_close, .timeout = 60)
{
    for (int i = 0; i < 50; i++) {
        dwq_controller_t *c = NULL;
        int code = 7;

        cr_assert_eq(
            dwq_open(&(dwq_options_t){ .functions = functions }, &c, &code),
            DWQ_OK);
        cr_assert_not_null(c);
        cr_expect_eq(code, 0);
        cr_expect_eq(square_of(c, i), (double)i * i);
        cr_expect_eq(dwq_close(c, i), DWQ_OK);
    }
}

static int uses_its_stack(dwq_worker_t *worker, void *arg)
{
    char much[1 << 20];
    int *state = arg;

    memset(much, *state, sizeof much);
    *state = 1;
    if (dwq_worker_serve(worker) != DWQ_OK) {
        return 1;
    }
    *state = *state == 2 && much[sizeof much - 1] == 0 ? 3 : -1;
    return 0;
}

Test(open, a_worker_function_stands_still_in_its_middle, .timeout = 60)
{
    dwq_controller_t *c = NULL;
    int state = 0;

    cr_assert_eq(dwq_open(&(dwq_options_t){ .functions = functions,
                                            .worker = uses_its_stack,
                                            .arg = &state },
                          &c, NULL),
                 DWQ_OK);
    cr_expect_eq(state, 1);
    cr_expect_eq(square_of(c, 3), 9);
    state = 2;
    cr_expect_eq(dwq_close(c, 0), DWQ_OK);
    cr_expect_eq(state, 3);
}

static void leave_without_a_close(int code)
{
    dwq_controller_t *c = NULL;

    cr_assert_eq(dwq_open(&(dwq_options_t){ .functions = functions }, &c, NULL),
                 DWQ_OK);
    exit(code);
}

Test(open, an_exit_with_0_without_a_close_ends_with_1, .exit_code = 1,
     .timeout = 60)
{
    leave_without_a_close(0);
}

Test(open, an_exit_with_a_code_without_a_close_ends_with_it, .exit_code = 5,
     .timeout = 60)
{
    leave_without_a_close(5);
}

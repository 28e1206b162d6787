/* A run that is opened and closed in a job of one process, with MPI and without. */
#include <criterion/criterion.h>
#include <dwq/dwq.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static int asks_for_itself(dwq_call_t *call, void *arg)
{
    dwq_controller_t **c = arg;
    dwq_result_t result;
    int next = dwq_controller_get_next_result(*c, &result);
    int waited = dwq_controller_wait_next_result(*c, INFINITY, &result);

    return dwq_call_return(call, DWQ_VALUES(next, waited));
}

/* Nobody else is there to finish one. */
Test(open, a_call_in_place_that_waits_for_itself_is_refused, .timeout = 60)
{
    dwq_controller_t *c = NULL;
    const dwq_function_t own[] = { { "asks", asks_for_itself, &c },
                                   { NULL, NULL, NULL } };
    dwq_result_t result;
    int code, status = 0;

    cr_assert_eq(dwq_open(&(dwq_options_t){ .functions = own }, &c, &code),
                 DWQ_OK);
    cr_assert_eq(dwq_controller_submit_call(
                     c, &(dwq_task_t){ .function = "asks" }, NULL),
                 DWQ_OK);
    cr_assert_eq(dwq_controller_get_next_result(c, &result), DWQ_OK);
    for (size_t i = 0; i < 2; i++) {
        cr_expect(dwq_result_get(&result, 0, i, &status));
        cr_expect_eq(status, DWQ_E_STATE);
    }
    dwq_result_clear(&result);
    cr_expect_eq(dwq_close(c, 0), DWQ_OK);
}

static int cancels_all(dwq_call_t *call, void *arg)
{
    dwq_controller_t **c = arg;
    dwq_result_t result;
    int status = dwq_controller_cancel(*c, 0);
    int itself = dwq_controller_cancel(*c, 1);

    /* One of them is even collected, and its task gone. */
    if (dwq_controller_probe_next_result(*c, &result) == DWQ_OK) {
        cr_expect_eq(result.status, DWQ_E_CANCELLED);
        dwq_result_clear(&result);
    }
    return dwq_call_return(call, DWQ_VALUES(status, itself));
}

Test(open, a_call_in_place_may_cancel_those_behind_it, .timeout = 60)
{
    dwq_controller_t *c = NULL;
    const dwq_function_t own[] = { { "cancels", cancels_all, &c },
                                   { "square", square, NULL },
                                   { NULL, NULL, NULL } };
    const dwq_task_t tasks[] = { { .function = "cancels", .id = 1 },
                                 { .function = "square", DWQ_ARGS(1.) },
                                 { .function = "square", DWQ_ARGS(2.) } };
    dwq_result_t result;
    int code, status = 7;

    cr_assert_eq(dwq_open(&(dwq_options_t){ .functions = own }, &c, &code),
                 DWQ_OK);
    cr_assert_eq(dwq_controller_submit_multiple(c, tasks, 3, NULL), DWQ_OK);
    cr_assert_eq(dwq_controller_get_next_result(c, &result), DWQ_OK);
    cr_expect_eq(result.status, DWQ_E_CANCELLED);
    dwq_result_clear(&result);
    cr_assert_eq(dwq_controller_get_next_result(c, &result), DWQ_OK);
    cr_expect_eq(result.id, 1);
    cr_expect_eq(result.worker, 0);
    cr_expect(dwq_result_get(&result, 0, 0, &status) && status == DWQ_OK);
    cr_expect(dwq_result_get(&result, 0, 1, &status) && status == DWQ_E_STATE);
    dwq_result_clear(&result);
    cr_expect_eq(dwq_controller_probe_next_result(c, &result), DWQ_E_EMPTY);
    cr_expect_eq(dwq_close(c, 0), DWQ_OK);
}

static int nap(dwq_call_t *call, void *arg)
{
    (void)call, (void)arg;
    nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
    return 0;
}

/* The grace passes in it, and it looks at the run. */
static int naps_inside(dwq_call_t *call, void *arg)
{
    dwq_controller_t **c = arg;
    dwq_counts_t counts;
    int status = dwq_controller_submit_call(
        *c, &(dwq_task_t){ .function = "nap" }, NULL);
    int counted = dwq_controller_counts(*c, &counts);

    return dwq_call_return(call,
                           DWQ_VALUES(status, counted, (int)counts.running));
}

Test(open, a_call_in_place_may_outlast_the_grace, .timeout = 60)
{
    dwq_controller_t *c = NULL;
    const dwq_function_t own[] = { { "naps_inside", naps_inside, &c },
                                   { "nap", nap, NULL },
                                   { NULL, NULL, NULL } };
    dwq_result_t result;
    int code, value = -1;

    cr_assert_eq(dwq_open(&(dwq_options_t){ .functions = own,
                                            .time_limit = 0.1,
                                            .time_limit_grace = 0.1 },
                          &c, &code),
                 DWQ_OK);
    cr_assert_eq(dwq_controller_submit_call(
                     c, &(dwq_task_t){ .function = "naps_inside" }, NULL),
                 DWQ_OK);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(dwq_controller_get_next_result(c, &result), DWQ_OK);
        cr_expect_eq(result.status, DWQ_OK, "%s", result.message);
        cr_expect_eq(result.attempts, 1);
        for (size_t k = 0; i == 1 && k < 3; k++) {
            cr_expect(dwq_result_get(&result, 0, k, &value));
            cr_expect_eq(value, k == 2 ? 1 : DWQ_OK);
        }
        dwq_result_clear(&result);
    }
    cr_expect_eq(dwq_close(c, 0), DWQ_OK);
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

static void on_signal(int signal)
{
    (void)signal;
}

Test(open, handlers_that_the_program_sets_meanwhile_stay, .timeout = 60)
{
    struct sigaction before, now, mine = { .sa_handler = on_signal };
    dwq_controller_t *c = NULL;

    sigaction(SIGINT, NULL, &before);
    cr_assert_eq(dwq_open(&(dwq_options_t){ .functions = functions }, &c, NULL),
                 DWQ_OK);
    sigaction(SIGTERM, &mine, NULL);
    cr_expect_eq(dwq_close(c, 0), DWQ_OK);
    sigaction(SIGTERM, NULL, &now);
    cr_expect(now.sa_handler == on_signal);
    sigaction(SIGINT, NULL, &now);
    cr_expect(now.sa_handler == before.sa_handler);
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

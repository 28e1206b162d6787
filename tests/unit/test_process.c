/* The state of a process, in a job of one, with MPI and without. */
#include <criterion/criterion.h>
#include <dwq/dwq.h>
#include <pthread.h>
#include <stdlib.h>

#include "libdwq/process/process.h"

static int exits(dwq_controller_t *controller, void *arg)
{
    (void)controller;
    exit(*(const int *)arg);
}

static void leave_in_a_run(int code)
{
    dwq_run(&(dwq_options_t){ .controller = exits, .arg = &code }, NULL);
}

Test(process, a_run_that_is_left_with_0_ends_with_1, .exit_code = 1,
     .timeout = 60)
{
    leave_in_a_run(0);
}

Test(process, a_run_that_is_left_with_a_code_ends_with_it, .exit_code = 5,
     .timeout = 60)
{
    leave_in_a_run(5);
}

static int looks(dwq_controller_t *controller, void *arg)
{
    (void)controller;
    (void)arg;
    cr_expect_not_null(dwqi_process_run_of_thread());
    cr_expect_eq(dwqi_process_count_run(), 0); /* one inside another */
    return 256;
}

Test(process, a_code_is_given_as_it_is, .timeout = 60)
{
    int code = 0;

    cr_expect_eq(dwq_run(&(dwq_options_t){ .controller = looks }, &code),
                 DWQ_OK);
    cr_expect_eq(code, 256);
    cr_expect_null(dwqi_process_run_of_thread());
    cr_expect_eq(dwq_main(0, NULL, &(dwq_options_t){ .controller = looks }), 1);
    dwq_finalize();
}

static void *enters(void *arg)
{
    struct dwqi_process_run *runs = arg;

    for (int i = 0; i < 2; i++) {
        dwqi_process_enter(&runs[i]);
    }
    cr_expect_eq(dwqi_process_run_of_thread(), &runs[1]);
    cr_expect_eq(runs[1].outer, &runs[0]);
    dwqi_process_leave(&runs[0]); /* in any order */
    cr_expect_eq(dwqi_process_run_of_thread(), &runs[1]);
    return NULL;
}

Test(process, runs_are_known_by_their_threads, .timeout = 60)
{
    struct dwqi_process_run runs[2] = { 0 }, own = { .outer = NULL };
    pthread_t thread;

    dwqi_process_enter(&own);
    cr_expect(!dwqi_process_has_other_runs());
    pthread_create(&thread, NULL, enters, runs);
    pthread_join(thread, NULL);
    cr_expect(dwqi_process_has_other_runs());
    cr_expect_eq(dwqi_process_run_of_thread(), &own);
    dwqi_process_leave(&runs[1]);
    cr_expect(!dwqi_process_has_other_runs());
    cr_expect(!dwqi_process_may_finish());
    dwqi_process_leave(&own);
}

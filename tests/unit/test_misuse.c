/* Handles that are used when they are no more, and runs that are opened where they cannot
 * be: in a job of one process, with MPI and without. */
#include <criterion/criterion.h>
#include <dwq/dwq.h>
#include <string.h>
#ifdef WITH_MPI
#include <dwq/mpi.h>
#endif

static int nothing(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    return 0;
}

static const dwq_function_t functions[] = { { "nothing", nothing, NULL },
                                            { NULL, NULL, NULL } };
static const dwq_options_t options = { .functions = functions };
static const dwq_task_t task = { .function = "nothing" };

static dwq_controller_t *open_run(const dwq_options_t *with)
{
    dwq_controller_t *c = NULL;

    cr_assert_eq(dwq_open(with, &c, NULL), DWQ_OK);
    cr_assert_not_null(c);
    return c;
}

/* --- Handles that were closed ------------------------------------------------- */

static void expect_refused(dwq_controller_t *c)
{
    dwq_result_t result;
    dwq_worker_info_t info;
    dwq_counts_t counts;
    uint64_t id = 7;
    size_t n;
    int worker;

    cr_expect_eq(dwq_controller_submit_call(c, &task, &id), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_queue_call(c, &task, &id), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_submit_multiple(c, &task, 1, &id), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_submit_each(c, &task, &id, &n), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_get_result(c, 1, &result), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_get_next_result(c, &result), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_probe_next_result(c, &result), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_probe_all_next_results(c, &result, 1, &n),
                 DWQ_E_STATE);
    cr_expect_eq(dwq_controller_wait_next_result(c, 0, &result), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_counts(c, &counts), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_get_ready_worker(c, &worker, NULL),
                 DWQ_E_STATE);
    cr_expect_eq(dwq_controller_cancel(c, 0), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_progress(c), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_info(c, stderr), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_exit(c), DWQ_E_STATE);
    cr_expect_eq(dwq_worker_info(c, 1, &info), DWQ_E_STATE);
    cr_expect_eq(dwq_close(c, 0), DWQ_E_STATE);
    cr_expect_eq(dwq_controller_run_args(c).n, 0);
    cr_expect_eq(dwq_controller_world(c).size, 0);
    cr_expect_null(dwq_controller_plan(c));
    cr_expect(strstr(dwq_controller_error(c), "closed"));
    cr_expect_eq(id, 7);
}

Test(misuse, a_handle_that_was_closed_is_refused, .timeout = 60)
{
    dwq_controller_t *c = open_run(&options);

    cr_expect_eq(dwq_close(c, 0), DWQ_OK);
    expect_refused(c);
}

static int gives_its_handle(dwq_controller_t *c, void *arg)
{
    *(dwq_controller_t **)arg = c;
    cr_expect_eq(dwq_controller_submit_call(c, &task, NULL), DWQ_OK);
    return 0;
}

Test(misuse, the_handle_of_a_run_that_is_over_is_refused, .timeout = 60)
{
    dwq_controller_t *c = NULL;
    int code;

    cr_assert_eq(dwq_run(&(dwq_options_t){ .controller = gives_its_handle,
                                           .functions = functions,
                                           .arg = &c },
                         &code),
                 DWQ_OK);
    expect_refused(c);
}

static int closes_behind_its_serving(dwq_worker_t *worker, void *arg)
{
    dwq_worker_serve(worker);
    return dwq_close(*(dwq_controller_t **)arg, 0) == DWQ_E_STATE ? 0 : 1;
}

/* The end of the worker function is a part of the close. */
Test(misuse, a_close_in_a_close_is_refused, .timeout = 60)
{
    dwq_controller_t *c = NULL;

    c = open_run(&(dwq_options_t){ .functions = functions,
                                   .worker = closes_behind_its_serving,
                                   .arg = &c });
    cr_expect_eq(dwq_close(c, 0), DWQ_OK);
}

#ifdef WITH_MPI
/* The older one of two lives on. */
Test(misuse, a_handle_is_refused_beside_one_that_is_open, .timeout = 60)
{
    dwq_controller_t *c = open_run(&options), *other = NULL;

    cr_assert_eq(dwq_open_comm(MPI_COMM_SELF, &options, &other, NULL), DWQ_OK);
    cr_expect_eq(dwq_controller_submit_call(c, &task, NULL), DWQ_OK);
    cr_expect_eq(dwq_close(other, 0), DWQ_OK);
    expect_refused(other);
    cr_expect_eq(dwq_controller_submit_call(c, &task, NULL), DWQ_OK);
    cr_expect_eq(dwq_close(c, 0), DWQ_OK);
    expect_refused(c);
}
#endif

Test(misuse, an_abort_by_a_closed_handle_ends_the_process, .exit_code = 1,
     .timeout = 60)
{
    dwq_controller_t *c = open_run(&options);

    dwq_close(c, 0);
    dwq_controller_abort(c);
}

/* --- Runs that cannot be -------------------------------------------------------- */

static int opens(dwq_call_t *call, void *arg)
{
    dwq_controller_t *second = NULL;
    int code, opened = dwq_open(&options, &second, NULL);
    int ran =
        dwq_run(&(dwq_options_t){ .controller = gives_its_handle }, &code);

    (void)arg;
    cr_expect_null(second);
    return dwq_call_return(call, DWQ_VALUES(opened, ran));
}

/* As where there are more ranks: those that it needs are in a run. */
Test(misuse, a_second_run_over_the_job_is_refused, .timeout = 60)
{
    const dwq_function_t own[] = { { "opens", opens, NULL },
                                   { NULL, NULL, NULL } };
    dwq_controller_t *c = open_run(&(dwq_options_t){ .functions = own });
    dwq_controller_t *second = NULL;
    dwq_result_t result;
    int status = 0;

    cr_expect_eq(dwq_open(&options, &second, NULL), DWQ_E_STATE);
    cr_expect_null(second);
    cr_expect(strstr(dwq_controller_error(NULL), "are in the run"));
#ifdef WITH_MPI
    cr_expect_eq(dwq_open_comm(MPI_COMM_WORLD, &options, &second, NULL),
                 DWQ_E_STATE);
#endif
    cr_assert_eq(dwq_controller_submit_call(
                     c, &(dwq_task_t){ .function = "opens" }, NULL),
                 DWQ_OK);
    cr_assert_eq(dwq_controller_get_next_result(c, &result), DWQ_OK);
    for (size_t i = 0; i < 2; i++) {
        cr_expect(dwq_result_get(&result, 0, i, &status));
        cr_expect_eq(status, DWQ_E_STATE);
    }
    dwq_result_clear(&result);
    cr_expect_eq(dwq_close(c, 0), DWQ_OK);
}

#ifdef WITH_MPI
Test(misuse, a_run_over_no_communicator_starts_nothing, .timeout = 60)
{
    dwq_controller_t *c = NULL;
    int is_up = 1;

    cr_expect_eq(dwq_open_comm(MPI_COMM_NULL, &options, &c, NULL), DWQ_E_ARG);
    cr_expect(strstr(dwq_controller_error(NULL), "MPI_COMM_NULL"));
    cr_expect_eq(dwq_run_comm(MPI_COMM_NULL, &options, NULL), DWQ_E_ARG);
    MPI_Initialized(&is_up);
    cr_expect_eq(is_up, 0);
}
#endif

/* --- Counts ------------------------------------------------------------------------ */

static void expect_counts(dwq_controller_t *c, uint64_t queued,
                          uint64_t running, uint64_t finished)
{
    dwq_counts_t counts;

    cr_assert_eq(dwq_controller_counts(c, &counts), DWQ_OK);
    cr_expect_eq(counts.queued, queued);
    cr_expect_eq(counts.held, 0);
    cr_expect_eq(counts.running, running);
    cr_expect_eq(counts.finished, finished);
}

struct seen {
    dwq_controller_t *c;
    int depth;
    uint64_t finished;
};

static int counts_itself(dwq_call_t *call, void *arg)
{
    struct seen *seen = arg;
    int64_t behind = 0, more = 0;
    uint64_t before = seen->finished;

    dwq_arg(call, 0, &behind);
    dwq_arg(call, 1, &more);
    seen->depth++;
    expect_counts(seen->c, (uint64_t)behind, (uint64_t)seen->depth, before);
    if (more) {
        cr_expect_eq(
            dwq_controller_submit_call(
                seen->c,
                &(dwq_task_t){ .function = "counts_itself", DWQ_ARGS(behind) },
                NULL),
            DWQ_OK);
        expect_counts(seen->c, (uint64_t)behind, (uint64_t)seen->depth,
                      before + 1);
    }
    seen->depth--;
    seen->finished++;
    return 0;
}

/* A call may submit another, which runs in it, before those that wait. */
Test(misuse, a_call_in_place_counts_itself_as_running, .timeout = 60)
{
    struct seen seen = { .depth = 0 };
    const dwq_function_t own[] = { { "counts_itself", counts_itself, &seen },
                                   { NULL, NULL, NULL } };
    dwq_task_t tasks[3] = {
        { .function = "counts_itself", DWQ_ARGS(2) },
        { .function = "counts_itself", DWQ_ARGS(1, 1) },
        { .function = "counts_itself", DWQ_ARGS(0) },
    };

    seen.c = open_run(&(dwq_options_t){ .functions = own });
    expect_counts(seen.c, 0, 0, 0);
    cr_expect_eq(dwq_controller_submit_multiple(seen.c, tasks, 3, NULL),
                 DWQ_OK);
    expect_counts(seen.c, 0, 0, 4);
    cr_expect_eq(dwq_close(seen.c, 0), DWQ_OK);
}

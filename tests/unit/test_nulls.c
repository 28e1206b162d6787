/* NULL where a handle, a result or a task should be: an answer, and nothing else.
 * tests/lint/nulls.sh looks whether each public function that takes a pointer is here. */
#include <criterion/criterion.h>
#include <dwq/dwq.h>
#ifdef WITH_MPI
#include <dwq/mpi.h>
#endif
#include <math.h>

static const dwq_task_t task = { .function = "f" };

Test(nulls, calls_without_a_controller)
{
    dwq_controller_t *none = NULL;
    dwq_result_t result;
    dwq_worker_info_t info;
    dwq_counts_t counts;
    uint64_t id;
    size_t n;
    int worker;

    cr_expect_eq(dwq_controller_submit_call(none, &task, &id), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_queue_call(none, &task, &id), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_submit_multiple(none, &task, 1, &id),
                 DWQ_E_ARG);
    cr_expect_eq(dwq_controller_get_result(none, 1, &result), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_get_next_result(none, &result), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_probe_next_result(none, &result), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_probe_all_next_results(none, &result, 1, &n),
                 DWQ_E_ARG);
    cr_expect_eq(dwq_controller_submit_each(none, &task, &id, &n), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_wait_next_result(none, 0, &result), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_counts(none, &counts), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_get_ready_worker(none, &worker, NULL),
                 DWQ_E_ARG);
    cr_expect_eq(dwq_controller_cancel(none, 0), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_progress(none), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_info(none, stderr), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_exit(none), DWQ_E_ARG);
    cr_expect_eq(dwq_controller_run_args(none).n, 0);
    cr_expect_eq(dwq_controller_world(none).size, 0);
    cr_expect_null(dwq_controller_plan(none));
    cr_expect_eq(dwq_worker_info(none, 1, &info), DWQ_E_ARG);
    cr_expect_not_null(dwq_controller_error(none));
    cr_expect_eq(dwq_close(none, 1), DWQ_OK);
}

Test(nulls, calls_without_a_worker)
{
    dwq_worker_t *none = NULL;
    dwq_result_t result;

    cr_expect_eq(dwq_worker_serve(none), DWQ_E_ARG);
    cr_expect_eq(dwq_worker_id(none), 0);
    cr_expect_eq(dwq_worker_set_ready_data(none, dwq_value(1)), DWQ_E_ARG);
    cr_expect_eq(dwq_worker_run_args(none).n, 0);
    cr_expect_eq(dwq_worker_world(none).size, 0);
    cr_expect_eq(dwq_worker_execute(none, &task, &result), DWQ_E_ARG);
    cr_expect_eq(dwq_worker_publish_service(none), DWQ_E_ARG);
    cr_expect_eq(dwq_worker_connect_service(none, 1), DWQ_E_ARG);
}

/* They do not return, whatever they are given. */
Test(nulls, an_abort_without_a_controller_ends_the_process, .exit_code = 1)
{
    dwq_controller_abort(NULL);
}

Test(nulls, an_abort_without_a_worker_ends_the_process, .exit_code = 1)
{
    dwq_worker_abort(NULL);
}

Test(nulls, an_abort_without_a_broker_ends_the_process, .exit_code = 1)
{
    dwq_broker_abort(NULL);
}

Test(nulls, copies_without_a_place)
{
    cr_expect_eq(dwq_values_copy((dwq_values_t){ 0 }, NULL), DWQ_E_ARG);
    cr_expect_eq(dwq_kwargs_copy((dwq_kwargs_t){ 0 }, NULL), DWQ_E_ARG);
    dwq_values_free((dwq_values_t){ 0 });
    dwq_kwargs_free((dwq_kwargs_t){ 0 });
}

Test(nulls, builders_that_are_not_there)
{
    dwq_builder_t *none = NULL;

    dwq_builder_destroy(none);
    cr_expect_null(dwq_builder_task(none));
    cr_expect_eq(dwq_builder_set_int(none, "id", 1), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_set_double(none, "time_est", 1), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_set_string(none, "module", "m"), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_bool(none, NULL, true), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_int(none, NULL, 1), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_uint(none, NULL, 1), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_double(none, NULL, 1), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_string(none, NULL, "x"), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_bytes(none, NULL, "x", 1), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_array(none, NULL, DWQ_INT8, "x", 0, NULL, 0),
                 DWQ_E_ARG);
    cr_expect_eq(dwq_builder_list(none, NULL), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_map(none, NULL), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_end(none), DWQ_E_ARG);
    none = dwq_builder_create(NULL);
    cr_expect_eq(dwq_builder_set_int(none, NULL, 1), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_set_string(none, "module", NULL), DWQ_OK);
    cr_expect_eq(dwq_builder_string(none, NULL, NULL), DWQ_OK);
    cr_expect_eq(dwq_builder_task(none)->args.items[0].kind, DWQ_KIND_NIL);
    cr_expect_eq(dwq_builder_bytes(none, NULL, NULL, 1), DWQ_E_ARG);
    dwq_builder_destroy(none);
}

static int no_function(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    return 0;
}

Test(nulls, options_that_are_not_there)
{
    dwq_options_t *none = NULL;

    dwq_options_destroy(none);
    cr_expect_eq(dwq_options_set_int(none, "prefetch", 1), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_double(none, "time_limit", 1), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_string(none, "bind", "core"), DWQ_E_ARG);
    cr_expect_eq(dwq_options_add_function(none, "f", no_function, NULL),
                 DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_roles(none, NULL, NULL, NULL, NULL),
                 DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_run_args(none, NULL), DWQ_E_ARG);
    none = dwq_options_create();
    cr_expect_eq(dwq_options_set_int(none, NULL, 1), DWQ_E_ARG);
    cr_expect_eq(dwq_options_add_function(none, NULL, no_function, NULL),
                 DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_run_args(none, NULL), DWQ_E_ARG);
    dwq_options_destroy(none);
}

Test(nulls, parts_that_are_not_there)
{
    dwq_result_t *none = NULL;
    const char *text = "as it was";
    size_t shape[DWQ_MAX_DIMS];
    const void *data;
    int64_t i = 7;
    double x = 7;
    int type, n;

    cr_expect_eq(dwq_value_kind(NULL), DWQ_KIND_NIL);
    cr_expect_eq(dwq_value_n(NULL), 0);
    cr_expect_null(dwq_value_item(NULL, 0));
    cr_expect_null(dwq_value_name(NULL, 0));
    cr_expect_null(dwq_value_entry(NULL, "x"));
    cr_expect_not(dwq_value_data(NULL, &type, &n, shape, &data));
    dwq_result_destroy(none);
    cr_expect_not(dwq_result_int(none, "id", &i));
    cr_expect_not(dwq_result_double(none, "this_time", &x));
    cr_expect_not(dwq_result_string(none, "message", &text));
    none = dwq_result_create();
    cr_expect_not(dwq_result_int(none, NULL, &i));
    cr_expect_not(dwq_result_int(none, "id", NULL));
    cr_expect_not(dwq_result_double(none, "this_time", NULL));
    cr_expect_not(dwq_result_string(none, "message", NULL));
    cr_expect_eq(i, 7);
    cr_expect_eq(x, 7);
    dwq_result_destroy(none);
}

Test(nulls, calls_without_a_broker)
{
    dwq_broker_t *none = NULL;

    cr_expect_eq(dwq_broker_serve(none), DWQ_E_ARG);
    cr_expect_eq(dwq_broker_id(none), 0);
    cr_expect_eq(dwq_broker_set_ready_data(none, dwq_value(1)), DWQ_E_ARG);
    cr_expect_eq(dwq_broker_run_args(none).n, 0);
    cr_expect_eq(dwq_broker_world(none).size, 0);
}

Test(nulls, calls_without_a_call)
{
    dwq_call_t *none = NULL;
    double x = 7;

    cr_expect_eq(dwq_call_id(none), 0);
    cr_expect_eq(dwq_call_rank(none), 0);
    cr_expect_eq(dwq_call_size(none), 0);
    cr_expect_eq(dwq_call_n_args(none), 0);
    cr_expect_eq(dwq_call_kwargs(none).n, 0);
    cr_expect_null(dwq_call_arg(none, 0));
    cr_expect_null(dwq_call_kwarg(none, "x"));
    cr_expect_not(dwq_arg(none, 0, &x));
    cr_expect_not(dwq_kwarg(none, "x", &x));
    cr_expect_eq(x, 7);
    cr_expect_eq(dwq_call_return(none, DWQ_VALUES(1)), DWQ_E_ARG);
    cr_expect_null(dwq_call_alloc(none, DWQ_DOUBLE, 1, (size_t[]){ 3 }).data);
    cr_expect_eq(dwq_call_fail(none, 5, "%d", 1), 5);
    cr_expect_eq(dwq_call_fail(none, 0, "%d", 1), -1);
    cr_expect_eq(dwq_call_fail_text(none, 5, NULL), 5);
    cr_expect_eq(dwq_call_return_built(none, NULL), DWQ_E_ARG);
    cr_expect_null(dwq_call_alloc_data(none, DWQ_DOUBLE, 1, (size_t[]){ 3 }));
    cr_expect_not(dwq_call_agree(none, true));
    cr_expect_eq(dwq_call_stop(none), DWQ_STOP_NONE);
    cr_expect(isinf(dwq_call_time_left(none)));
}

Test(nulls, results_and_values_that_are_not_there)
{
    dwq_value_t value = dwq_value(1.5);
    int i;

    cr_expect_null(dwq_result_value(NULL, 0, 0));
    cr_expect_eq(dwq_result_n_values(NULL, 0), 0);
    dwq_result_clear(NULL);
    cr_expect_not(dwq_result_get(NULL, 0, 0, &i));
    cr_expect_eq(dwq_array_count(NULL), 0);
    cr_expect_eq(dwq_array_size(NULL), 0);
    cr_expect_null(dwq_array(DWQ_DOUBLE, NULL, 1, (size_t[]){ 3 }).data);
    cr_expect_eq(dwq_array(DWQ_DOUBLE, &value, 1, NULL).ndim, 0);
    cr_expect_eq(dwq_value_string(NULL).kind, DWQ_KIND_NIL);
    cr_expect_null(dwq_map_find((dwq_kwargs_t){ 0, NULL }, NULL));
    dwq_value_print(NULL, stderr);
    dwq_value_print(&value, NULL);
}

/* Without a value, and with one that would fit but nowhere to go. */
#define EXPECT_UNREAD(name, type, value)              \
    do {                                              \
        type out;                                     \
        dwq_value_t given = (value);                  \
                                                      \
        cr_expect_not(dwq_read_##name(NULL, &out));   \
        cr_expect_not(dwq_read_##name(&given, NULL)); \
        cr_expect(dwq_read_##name(&given, &out));     \
    } while (0)

Test(nulls, readers)
{
    dwq_bytes_t bytes = { "x", 1 };
    dwq_array_t array = dwq_array(DWQ_INT8, "x", 1, (size_t[]){ 1 });

    EXPECT_UNREAD(bool, bool, dwq_value_bool(true));
    EXPECT_UNREAD(int, int, dwq_value_int(1));
    EXPECT_UNREAD(int64, int64_t, dwq_value_int(1));
    EXPECT_UNREAD(uint64, uint64_t, dwq_value_uint(UINT64_MAX));
    EXPECT_UNREAD(float, float, dwq_value_double(1));
    EXPECT_UNREAD(double, double, dwq_value_double(1));
    EXPECT_UNREAD(string, const char *, dwq_value_string("x"));
    EXPECT_UNREAD(bytes, dwq_bytes_t, dwq_value_bytes(bytes));
    EXPECT_UNREAD(array, dwq_array_t, dwq_value_array(array));
    EXPECT_UNREAD(value, dwq_value_t, dwq_value_nil());
}

Test(nulls, runs_without_options)
{
    dwq_controller_t *controller = NULL;
    int code = 7;

    cr_expect_eq(dwq_main(0, NULL, NULL), 1);
    cr_expect_eq(dwq_worker_main(0, NULL, NULL), 1);
    cr_expect_eq(dwq_world(NULL), DWQ_E_ARG);
    cr_expect_eq(dwq_run(NULL, &code), DWQ_E_OPTION);
    cr_expect_eq(dwq_run(NULL, NULL), DWQ_E_OPTION);
    cr_expect_eq(dwq_open(NULL, &controller, &code), DWQ_E_OPTION);
    cr_expect_str_eq(dwq_controller_error(NULL), "options is NULL");
    cr_expect_eq(dwq_open(&(dwq_options_t){ .arg = NULL }, NULL, &code),
                 DWQ_E_ARG);
    cr_expect_null(controller);
    cr_expect_eq(code, 7);
#ifdef WITH_MPI
    cr_expect_eq(dwq_open_comm(MPI_COMM_NULL, NULL, NULL, NULL), DWQ_E_ARG);
    cr_expect_eq(dwq_run_comm(MPI_COMM_NULL, NULL, NULL), DWQ_E_ARG);
    cr_expect_eq(dwq_run_comm(MPI_COMM_SELF, NULL, NULL), DWQ_E_OPTION);
#endif
    dwq_finalize();
}

#ifdef WITH_MPI
Test(nulls, communicators)
{
    MPI_Fint comm = 7;
    int n = 7;

    cr_expect_eq(dwq_call_comm(NULL), MPI_COMM_NULL);
    cr_expect_eq(dwq_worker_comm(NULL), MPI_COMM_NULL);
    cr_expect_eq(dwq_worker_merged_comm(NULL), MPI_COMM_NULL);
    cr_expect_eq(dwq_worker_server_comm(NULL), MPI_COMM_NULL);
    cr_expect_eq(dwq_broker_merged_comm(NULL), MPI_COMM_NULL);
    cr_expect_eq(dwq_broker_group_comm(NULL), MPI_COMM_NULL);
    cr_expect_null(dwq_worker_client_comms(NULL, &n));
    cr_expect_eq(n, 0);
    cr_expect_null(dwq_worker_client_comms(NULL, NULL));
    cr_expect_eq(dwq_worker_client_comms_f(NULL, 1, &comm), 0);
}

Test(nulls, communicators_of_fortran)
{
    dwq_controller_t *c = NULL;

    for (int running = 0; running < 2; running++) {
        MPI_Fint none = running ? MPI_Comm_c2f(MPI_COMM_NULL) : -1;

        cr_expect_eq(dwq_call_comm_f(NULL), none);
        cr_expect_eq(dwq_worker_comm_f(NULL), none);
        cr_expect_eq(dwq_worker_merged_comm_f(NULL), none);
        cr_expect_eq(dwq_worker_server_comm_f(NULL), none);
        cr_expect_eq(dwq_broker_merged_comm_f(NULL), none);
        cr_expect_eq(dwq_broker_group_comm_f(NULL), none);
        cr_expect_eq(dwq_run_comm_f(none, NULL, NULL),
                     running ? DWQ_E_ARG : DWQ_E_STATE);
        cr_expect_eq(dwq_open_comm_f(none, NULL, &c, NULL),
                     running ? DWQ_E_ARG : DWQ_E_STATE);
        if (!running) {
            MPI_Init(NULL, NULL);
        }
    }
    MPI_Finalize();
}
#endif

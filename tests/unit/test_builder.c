/* Tasks built value by value, and values, results and options by name. */
#include <criterion/criterion.h>
#include <float.h>
#include <limits.h>
#include <string.h>

#include <dwq/dwq.h>

#include "libdwq/base/value_flags.h"
#include "tests/values_equal.h"

static const dwq_task_t *built(dwq_builder_t *b)
{
    const dwq_task_t *task = dwq_builder_task(b);

    cr_assert_not_null(task);
    return task;
}

/* --- Values ---------------------------------------------------------------- */

/* What the macros make of the same. */
Test(builder, makes_what_the_macros_make)
{
    dwq_builder_t *b = dwq_builder_create("f");
    double grid[6] = { 1, 2, 3, 4, 5, 6 };
    size_t shape[2] = { 2, 3 };
    char text[] = "text", name[] = "steps";
    const dwq_task_t *task;
    dwq_values_t args = DWQ_VALUES(
        (bool)true, -3, UINT64_MAX, 0.5, text, ((dwq_bytes_t){ "a\0b", 3 }),
        dwq_array(DWQ_DOUBLE, grid, 2, shape),
        DWQ_LIST(1, DWQ_LIST("in", "side"), DWQ_MAP({ "k", dwq_value(2) })));
    dwq_kwargs_t kwargs = DWQ_ENTRIES(
        { "steps", dwq_value(7) },
        { "box", DWQ_MAP({ "x", dwq_value(1.5) }, { "y", DWQ_LIST(1, 2) }) });

    cr_assert_eq(dwq_builder_bool(b, NULL, true), DWQ_OK);
    cr_assert_eq(dwq_builder_int(b, NULL, -3), DWQ_OK);
    cr_assert_eq(dwq_builder_int(b, name, 7), DWQ_OK);
    cr_assert_eq(dwq_builder_uint(b, NULL, UINT64_MAX), DWQ_OK);
    cr_assert_eq(dwq_builder_double(b, NULL, 0.5), DWQ_OK);
    cr_assert_eq(dwq_builder_string(b, NULL, text), DWQ_OK);
    cr_assert_eq(dwq_builder_bytes(b, NULL, "a\0b", 3), DWQ_OK);
    cr_assert_eq(dwq_builder_array(b, NULL, DWQ_DOUBLE, grid, 2, shape, 0),
                 DWQ_OK);
    cr_assert_eq(dwq_builder_list(b, NULL), DWQ_OK);
    cr_assert_eq(dwq_builder_int(b, NULL, 1), DWQ_OK);
    cr_assert_eq(dwq_builder_list(b, NULL), DWQ_OK);
    cr_assert_eq(dwq_builder_string(b, NULL, "in"), DWQ_OK);
    cr_assert_eq(dwq_builder_string(b, NULL, "side"), DWQ_OK);
    cr_assert_eq(dwq_builder_end(b), DWQ_OK);
    cr_assert_eq(dwq_builder_map(b, NULL), DWQ_OK);
    cr_assert_eq(dwq_builder_int(b, "k", 2), DWQ_OK);
    cr_assert_eq(dwq_builder_end(b), DWQ_OK);
    cr_assert_null(dwq_builder_task(b), "a list is open");
    cr_assert_eq(dwq_builder_end(b), DWQ_OK);
    cr_assert_eq(dwq_builder_map(b, "box"), DWQ_OK);
    cr_assert_eq(dwq_builder_double(b, "x", 1.5), DWQ_OK);
    cr_assert_eq(dwq_builder_list(b, "y"), DWQ_OK);
    cr_assert_eq(dwq_builder_int(b, NULL, 1), DWQ_OK);
    cr_assert_eq(dwq_builder_int(b, NULL, 2), DWQ_OK);
    cr_assert_eq(dwq_builder_end(b), DWQ_OK);
    cr_assert_eq(dwq_builder_end(b), DWQ_OK);

    memset(text, '?', sizeof text - 1); /* texts and names were copied */
    memset(name, '?', sizeof name - 1);
    args.items =
        (const dwq_value_t[]){ args.items[0], args.items[1],     args.items[2],
                               args.items[3], dwq_value("text"), args.items[5],
                               args.items[6], args.items[7] };
    task = built(b);
    cr_assert_str_eq(task->function, "f");
    cr_assert(values_equal(task->args, args));
    cr_assert(entries_equal(task->kwargs, kwargs));
    dwq_builder_destroy(b);
}

Test(builder, takes_arrays_in_three_ways)
{
    dwq_builder_t *b = dwq_builder_create(NULL);
    const size_t n = 3;
    int data[3] = { 1, 2, 3 };

    for (int taken = 0; taken < 4; taken++) {
        const dwq_array_t *array;

        cr_assert_eq(dwq_builder_array(b, NULL, DWQ_INT32, data, 1, &n, taken),
                     DWQ_OK);
        array = &built(b)->args.items[taken].u.array;
        cr_expect_eq(array->data, data);
        cr_expect_eq(!!(array->flags & DWQI_ARRAY_BORROWED), taken & 1);
        cr_expect_eq(!!(array->flags & DWQI_ARRAY_SCATTER), taken >> 1);
    }
    cr_expect_null(built(b)->function);
    dwq_builder_destroy(b);
}

/* A program may look once, at the end. */
Test(builder, a_value_that_is_refused_spoils_all)
{
    const size_t n = 1;

    for (int way = 0; way < 7; way++) {
        dwq_builder_t *b = dwq_builder_create("f");
        dwq_status_t status = DWQ_OK;

        cr_assert_eq(dwq_builder_int(b, NULL, 1), DWQ_OK);
        switch (way) {
        case 0:
            status = dwq_builder_end(b);
            break;
        case 1:
            dwq_builder_list(b, NULL);
            status = dwq_builder_int(b, "named", 1);
            dwq_builder_end(b);
            break;
        case 2:
            dwq_builder_map(b, NULL);
            status = dwq_builder_int(b, NULL, 1);
            dwq_builder_end(b);
            break;
        case 3:
            status = dwq_builder_array(b, NULL, 0, &n, 1, &n, 0);
            break;
        case 4:
            status = dwq_builder_array(b, NULL, DWQ_INT8, &n, 1, &n, 4);
            break;
        case 5:
            status = dwq_builder_array(b, NULL, DWQ_INT8, &n, 9, &n, 0);
            break;
        default:
            for (int i = 0; i <= DWQ_MAX_DEPTH; i++) {
                cr_assert_eq(status, DWQ_OK, "%d", i);
                status = dwq_builder_list(b, NULL);
            }
            for (int i = 0; i < DWQ_MAX_DEPTH; i++) {
                cr_assert_eq(dwq_builder_end(b), DWQ_OK);
            }
            break;
        }
        cr_expect_eq(status, DWQ_E_ARG, "%d", way);
        cr_expect_eq(dwq_builder_int(b, NULL, 1), DWQ_OK);
        cr_expect_null(dwq_builder_task(b), "%d", way);
        dwq_builder_destroy(b);
    }
}

/* --- Fields ---------------------------------------------------------------- */

Test(builder, sets_every_field_of_a_task)
{
    dwq_builder_t *b = dwq_builder_create("f");
    const dwq_task_t *task;

    cr_assert_eq(dwq_builder_set_int(b, "id", 1), DWQ_OK);
    cr_assert_eq(dwq_builder_set_int(b, "worker", 2), DWQ_OK);
    cr_assert_eq(dwq_builder_set_int(b, "priority", -3), DWQ_OK);
    cr_assert_eq(dwq_builder_set_int(b, "ranks", 4), DWQ_OK);
    cr_assert_eq(dwq_builder_set_double(b, "time_est", 5.5), DWQ_OK);
    cr_assert_eq(dwq_builder_set_string(b, "function", "g"), DWQ_OK);
    cr_assert_eq(dwq_builder_set_string(b, "module", "m"), DWQ_OK);
    cr_assert_eq(dwq_builder_set_string(b, "host", "h"), DWQ_OK);
    cr_expect_eq(dwq_builder_set_int(b, "time_est", 5), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_set_int(b, "worker", 1LL << 40), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_set_double(b, "worker", 5), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_set_string(b, "worker", "5"), DWQ_E_ARG);
    cr_expect_eq(dwq_builder_set_int(b, "reserved", 1), DWQ_E_ARG);
    task = built(b);
    cr_expect_eq(task->id, 1);
    cr_expect_eq(task->worker, 2);
    cr_expect_eq(task->priority, -3);
    cr_expect_eq(task->ranks, 4);
    cr_expect_eq(task->time_est, 5.5);
    cr_expect_str_eq(task->function, "g");
    cr_expect_str_eq(task->module, "m");
    cr_expect_str_eq(task->host, "h");
    dwq_builder_destroy(b);
}

Test(flat, reads_every_field_of_a_result)
{
    dwq_result_t result = { .id = 1,
                            .status = DWQ_E_TASK,
                            .code = -2,
                            .failed_rank = 3,
                            .n_ranks = 4,
                            .worker = 5,
                            .rank = 6,
                            .message = "seven",
                            .this_time = 8.5,
                            .time_over_est = 9.5,
                            .n_processed = 10,
                            .total_time = 11.5,
                            .attempts = 12 };
    static const char *const ints[] = {
        "id",     "status", "code",        "failed_rank", "n_ranks",
        "worker", "rank",   "n_processed", "attempts"
    };
    static const int64_t values[] = { 1, DWQ_E_TASK, -2, 3, 4, 5, 6, 10, 12 };
    const char *text = NULL;
    int64_t i = 0;
    double x = 0;

    for (int k = 0; k < 9; k++) {
        cr_expect(dwq_result_int(&result, ints[k], &i), "%s", ints[k]);
        cr_expect_eq(i, values[k], "%s", ints[k]);
    }
    cr_expect(dwq_result_double(&result, "this_time", &x) && x == 8.5);
    cr_expect(dwq_result_double(&result, "time_over_est", &x) && x == 9.5);
    cr_expect(dwq_result_double(&result, "total_time", &x) && x == 11.5);
    cr_expect(dwq_result_string(&result, "message", &text));
    cr_expect_str_eq(text, "seven");
    cr_expect_not(dwq_result_int(&result, "this_time", &i));
    cr_expect_not(dwq_result_double(&result, "id", &x));
    cr_expect_not(dwq_result_string(&result, "owner", &text));
}

Test(flat, sees_the_parts_of_a_value)
{
    dwq_value_t map = DWQ_MAP({ "a", dwq_value(1) }, { "b", dwq_value("two") });
    dwq_value_t list = DWQ_LIST(3, map);
    dwq_value_t bytes = dwq_value(((dwq_bytes_t){ "xyz", 3 }));
    float numbers[6] = { 0 };
    dwq_value_t array =
        dwq_value(dwq_array(DWQ_FLOAT, numbers, 2, (size_t[]){ 2, 3 }));
    size_t shape[DWQ_MAX_DIMS] = { 0 };
    const void *data = NULL;
    const char *text;
    int type = 0, ndim = 0, i;

    cr_expect_eq(dwq_value_kind(&list), DWQ_KIND_LIST);
    cr_expect_eq(dwq_value_n(&list), 2);
    cr_expect(dwq_read_int(dwq_value_item(&list, 0), &i) && i == 3);
    cr_expect_null(dwq_value_item(&list, 2));
    cr_expect_null(dwq_value_name(&list, 0));
    cr_expect_null(dwq_value_entry(&list, "a"));
    cr_expect_eq(dwq_value_n(&map), 2);
    cr_expect_str_eq(dwq_value_name(&map, 1), "b");
    cr_expect(dwq_read_string(dwq_value_item(&map, 1), &text));
    cr_expect_str_eq(text, "two");
    cr_expect(dwq_read_int(dwq_value_entry(&map, "a"), &i) && i == 1);
    cr_expect_null(dwq_value_entry(&map, "c"));
    cr_expect_eq(dwq_value_n(&bytes), 0);
    cr_expect(dwq_value_data(&bytes, &type, &ndim, shape, &data));
    cr_expect(type == DWQ_UINT8 && ndim == 1 && shape[0] == 3);
    cr_expect_eq(data, bytes.u.bytes.data);
    cr_expect(dwq_value_data(&array, &type, &ndim, shape, &data));
    cr_expect(type == DWQ_FLOAT && ndim == 2 && shape[0] == 2 && shape[1] == 3);
    cr_expect_eq(data, numbers);
    cr_expect_not(dwq_value_data(&list, &type, &ndim, shape, &data));
}

/* --- Options --------------------------------------------------------------- */

static int fun(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    return 0;
}

static int control(dwq_controller_t *controller, void *arg)
{
    (void)controller;
    (void)arg;
    return 0;
}

Test(flat, sets_options_by_their_names)
{
    dwq_options_t *o = dwq_options_create();
    dwq_builder_t *b = dwq_builder_create(NULL);
    char path[] = "/modules";
    int i = 0;

    cr_assert_eq(dwq_options_set_int(o, "nprocs_per_worker", 3), DWQ_OK);
    cr_assert_eq(dwq_options_set_int(o, "broker_is_worker", 1), DWQ_OK);
    cr_assert_eq(dwq_options_set_double(o, "time_limit", 60), DWQ_OK);
    cr_assert_eq(dwq_options_set_string(o, "module_path", path), DWQ_OK);
    cr_assert_eq(dwq_options_set_string(o, "bind", "group"), DWQ_OK);
    path[1] = '?';
    cr_expect_eq(o->nprocs_per_worker, 3);
    cr_expect(o->broker_is_worker);
    cr_expect_eq(o->time_limit, 60);
    cr_expect_str_eq(o->module_path, "/modules");
    cr_expect_eq(o->bind, DWQ_BIND_GROUP);
    cr_expect_eq(dwq_options_set_int(o, "broker_is_worker", 2), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_int(o, "prefetch", INT64_MAX), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_int(o, "time_limit", 1), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_int(o, "unheard_of", 1), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_double(o, "prefetch", 1), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_string(o, "bind", "rank"), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_string(o, "spawn_args", "x"), DWQ_E_ARG);

    cr_assert_eq(dwq_builder_int(b, "n", 7), DWQ_OK);
    for (int k = 0; k < 2; k++) { /* the second time in place of the first */
        cr_assert_eq(dwq_options_set_run_args(o, b), DWQ_OK);
    }
    dwq_builder_destroy(b);
    cr_expect_eq(o->run_args.n, 1);
    cr_expect(dwq_read_int(dwq_map_find(o->run_args, "n"), &i) && i == 7);
    cr_assert_eq(dwq_options_set_roles(o, control, NULL, NULL, &i), DWQ_OK);
    cr_expect_eq(o->controller, control);
    cr_expect_eq(o->arg, &i);
    for (int k = 0; k < 40; k++) {
        char name[] = "f00";

        name[1] = (char)('0' + k / 10);
        name[2] = (char)('0' + k % 10);
        cr_assert_eq(dwq_options_add_function(o, name, fun, &i), DWQ_OK);
        cr_expect_str_eq(o->functions[k].name, name);
        cr_expect_eq(o->functions[k].function, fun);
        cr_expect_eq(o->functions[k].arg, &i);
        cr_expect_null(o->functions[k + 1].name);
    }
    dwq_options_destroy(o);
}

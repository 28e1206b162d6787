/* What the codec refuses to pack. */
#include "tests/unit/codec_fixture.h"

/* That all three ways of packing refuse the values, and leave alone what they
 * would have filled. */
static void refused(dwq_values_t values, const char *why)
{
    struct codec c = { .item = NULL };
    struct dwqi_pack untouched = { .size = 99 };
    dwq_task_t task = { .function = "f", .args = values };
    struct dwqi_part_head head = { .id = 1, .n_parts = 1 };

    cr_assert_eq(dwqi_pack_task(&task, 1, &c.scratch, &untouched, &c.why),
                 DWQ_E_ARG);
    cr_assert_not_null(strstr(c.why, why), "'%s' is not in '%s'", why, c.why);
    c.why = NULL;
    cr_assert_eq(
        dwqi_pack_part(&head, NULL, values, &c.scratch, &untouched, &c.why),
        DWQ_E_ARG);
    cr_assert_not_null(strstr(c.why, why));
    c.why = NULL;
    cr_assert_eq(dwqi_values_pack(values, (dwq_kwargs_t){ 0, NULL }, &c.scratch,
                                  &untouched, &c.why),
                 DWQ_E_ARG);
    cr_assert_not_null(strstr(c.why, why));
    cr_assert(untouched.size == 99 && !untouched.block);
    round_trip_one(&c, dwq_value_int(1)); /* scratch serves on */
    finish(&c);
}

Test(refused, scatter_of_a_0_d_array)
{
    double x = 1;

    refused(DWQ_VALUES(dwq_scatter(dwq_array(DWQ_DOUBLE, &x, 0, NULL))),
            "scatter");
}

Test(refused, array_of_type_0_wherever_it_stands)
{
    dwq_array_t bad = dwq_array(DWQ_DOUBLE, NULL, 1, (size_t[]){ 1 });

    refused(DWQ_VALUES(bad), "array");
    refused(DWQ_VALUES(dwq_borrow(bad)), "array");
    refused(DWQ_VALUES(dwq_scatter(bad)), "array");
    refused(DWQ_VALUES(1, DWQ_LIST(1, bad)), "array");
    refused(DWQ_VALUES(DWQ_MAP({ "a", dwq_value(bad) })), "array");
}

Test(refused, array_that_was_made_by_hand_and_is_wrong)
{
    char data[4];
    dwq_array_t array = dwq_array(DWQ_INT8, data, 1, (size_t[]){ 4 });

    array.ndim = DWQ_MAX_DIMS + 1;
    refused(DWQ_VALUES(array), "array");
    array.ndim = -1;
    refused(DWQ_VALUES(array), "array");
    array.ndim = 1;
    array.data = NULL;
    refused(DWQ_VALUES(array), "array");
    array.data = data;
    array.type = (dwq_type_t)257; /* 1 in a byte */
    refused(DWQ_VALUES(array), "array");
}

Test(refused, values_that_were_made_by_hand_and_are_wrong)
{
    dwq_value_t value = { .kind = (dwq_kind_t)99 };

    refused((dwq_values_t){ 1, &value }, "kind");
    refused((dwq_values_t){ 1, NULL }, "without");
    refused(DWQ_VALUES(((dwq_values_t){ 1, NULL })), "without");
    refused(DWQ_VALUES(((dwq_kwargs_t){ 1, NULL })), "without");
    refused(DWQ_VALUES(((dwq_bytes_t){ NULL, 1 })), "without");
    refused(DWQ_VALUES(((dwq_bytes_t){ "", (size_t)1 << 33 })), "4 GiB");
}

Test(refused, nesting_above_the_limit_also_of_empty_lists_and_maps)
{
    struct codec c = { .item = NULL };
    dwq_value_t lists[DWQ_MAX_DEPTH + 2], maps[DWQ_MAX_DEPTH + 2];
    dwq_kwarg_t entries[DWQ_MAX_DEPTH + 2];

    /* lists[i] is i lists deep; an int is 0 deep. */
    lists[0] = maps[0] = dwq_value_int(1);
    for (int i = 1; i <= DWQ_MAX_DEPTH + 1; i++) {
        lists[i] = dwq_value_list((dwq_values_t){ 1, &lists[i - 1] });
        entries[i] = (dwq_kwarg_t){ "k", maps[i - 1] };
        maps[i] = dwq_value_map((dwq_kwargs_t){ 1, &entries[i] });
    }
    round_trip(&c, DWQ_VALUES(lists[DWQ_MAX_DEPTH], maps[DWQ_MAX_DEPTH]),
               DWQ_ENTRIES({ "a", lists[DWQ_MAX_DEPTH] }));
    refused(DWQ_VALUES(lists[DWQ_MAX_DEPTH + 1]), "nested");
    refused(DWQ_VALUES(maps[DWQ_MAX_DEPTH + 1]), "nested");
    lists[1] = DWQ_LIST();
    round_trip(&c, DWQ_VALUES(lists[DWQ_MAX_DEPTH]), (dwq_kwargs_t){ 0, NULL });
    refused(DWQ_VALUES(lists[DWQ_MAX_DEPTH + 1]), "nested");
    lists[1] = dwq_value_map((dwq_kwargs_t){ 0, NULL });
    refused(DWQ_VALUES(lists[DWQ_MAX_DEPTH + 1]), "nested");
    finish(&c);
}

static dwq_status_t pack_named(dwq_kwargs_t kwargs)
{
    struct codec c = { .item = NULL };
    dwq_task_t task = { .function = "f", .kwargs = kwargs };
    dwq_status_t status = dwqi_pack_task(&task, 1, &c.scratch, &c.pack, &c.why);

    finish(&c);
    return status;
}

Test(refused, keyword_without_a_name_or_given_twice)
{
    dwq_value_t one = dwq_value_int(1);
    char a[] = "a"; /* another "a" */

    cr_assert_eq(pack_named(DWQ_ENTRIES({ NULL, one })), DWQ_E_ARG);
    cr_assert_eq(pack_named((dwq_kwargs_t){ 1, NULL }), DWQ_E_ARG);
    cr_assert_eq(
        pack_named(DWQ_ENTRIES({ "a", one }, { "b", one }, { a, one })),
        DWQ_E_ARG);
    cr_assert_eq(pack_named(DWQ_ENTRIES({ "a", one }, { "A", one }, { "", one },
                                        { "ab", one })),
                 DWQ_OK);
    refused(DWQ_VALUES(DWQ_MAP({ "a", one }, { a, one })), "twice");
    refused(DWQ_VALUES(DWQ_MAP({ NULL, one })), "name");
}

Test(refused, keyword_given_twice_among_very_many_and_fast, .timeout = 20)
{
    enum {
        N = 300000
    };
    dwq_kwarg_t *entries = calloc(N, sizeof *entries);
    char(*names)[16] = calloc(N, sizeof *names);

    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
        entries[i] = (dwq_kwarg_t){ names[i], dwq_value_nil() };
    }
    cr_assert_eq(pack_named((dwq_kwargs_t){ N, entries }), DWQ_OK);
    entries[N / 3].name = "299999";
    cr_assert_eq(pack_named((dwq_kwargs_t){ N, entries }), DWQ_E_ARG);
    entries[N / 3].name = NULL;
    cr_assert_eq(pack_named((dwq_kwargs_t){ N, entries }), DWQ_E_ARG);
    free(entries);
    free(names);
}

Test(refused, task_without_a_function_or_with_too_long_a_name)
{
    struct codec c = { .item = NULL };
    char *name = malloc(65536);
    dwq_task_t task = { .function = NULL };

    cr_assert_eq(dwqi_pack_task(&task, 1, &c.scratch, &c.pack, &c.why),
                 DWQ_E_ARG);
    task.function = "";
    cr_assert_eq(dwqi_pack_task(&task, 1, &c.scratch, &c.pack, &c.why),
                 DWQ_E_ARG);
    memset(name, 'f', 65535);
    name[65535] = '\0';
    task.function = name;
    cr_assert_eq(dwqi_pack_task(&task, 1, &c.scratch, &c.pack, &c.why),
                 DWQ_E_ARG);
    task.function = "f";
    task.module = name;
    cr_assert_eq(dwqi_pack_task(&task, 1, &c.scratch, &c.pack, &c.why),
                 DWQ_E_ARG);
    task.module = name + 1; /* 65,535 bytes with its end */
    pack_task(&c, &task, 1);
    unpack_task(&c);
    cr_assert_str_eq(c.task.module, name + 1);
    finish(&c);
    free(name);
}

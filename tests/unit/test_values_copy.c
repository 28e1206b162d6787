/* Values that outlive the block in which they were made. */
#include <criterion/criterion.h>
#include <dwq/dwq.h>
#include <string.h>

/* What lies where the block's memory was. */
static void overwrite_stack(void)
{
    volatile unsigned char garbage[8192];

    for (size_t i = 0; i < sizeof garbage; i++) {
        garbage[i] = 0x5a;
    }
}

static dwq_kwargs_t entries_of(int n)
{
    dwq_kwargs_t copy = { 0, NULL };

    for (int i = 0; i <= n; i++) {
        char text[20];
        double data[3] = { i, i + 1, i + 2 };
        dwq_bytes_t bytes = { data, sizeof data };

        snprintf(text, sizeof text, "text %d", i);
        if (i == n) {
            cr_assert_eq(
                dwq_kwargs_copy(
                    DWQ_ENTRIES(
                        { "n", dwq_value(i) }, { "text", dwq_value(text) },
                        { "list", DWQ_LIST(text, 2.5, DWQ_LIST()) },
                        { "map", DWQ_MAP({ text, dwq_value(data[0]) }) },
                        { "bytes", dwq_value(bytes) },
                        { "array",
                          dwq_value(dwq_borrow(dwq_array(DWQ_DOUBLE, data, 1,
                                                         (size_t[]){ 3 }))) }),
                    &copy),
                DWQ_OK);
        }
        memset(data, 0, sizeof data);
        memset(text, 0, sizeof text);
    }
    return copy;
}

Test(values_copy, lives_behind_its_block)
{
    dwq_kwargs_t copy = entries_of(7);
    const char *text = NULL, *item = NULL;
    const dwq_value_t *list = dwq_map_find(copy, "list");
    dwq_array_t array = { .data = NULL };
    dwq_bytes_t bytes = { NULL, 0 };
    int n = 0;
    double x = 0;

    overwrite_stack();
    cr_assert_eq(copy.n, 6);
    cr_assert(dwq_read_int(dwq_map_find(copy, "n"), &n) && n == 7);
    cr_assert(dwq_read_string(dwq_map_find(copy, "text"), &text));
    cr_assert_str_eq(text, "text 7");
    cr_assert(list && list->kind == DWQ_KIND_LIST && list->u.list.n == 3);
    cr_assert(dwq_read_string(&list->u.list.items[0], &item));
    cr_assert_str_eq(item, "text 7");
    cr_assert(list->u.list.items[2].kind == DWQ_KIND_LIST &&
              list->u.list.items[2].u.list.n == 0);
    cr_assert(dwq_read_double(
        dwq_map_find(dwq_map_find(copy, "map")->u.map, "text 7"), &x));
    cr_assert(x == 7);
    cr_assert(dwq_read_bytes(dwq_map_find(copy, "bytes"), &bytes));
    cr_assert(bytes.size == 24 && ((const double *)bytes.data)[2] == 9);
    cr_assert(dwq_read_array(dwq_map_find(copy, "array"), &array));
    cr_assert(array.shape[0] == 3 && ((double *)array.data)[1] == 8);
    cr_assert_eq((uintptr_t)array.data % 64, 0);
    dwq_kwargs_free(copy);
}

/* Tasks that a loop collects have arguments of their own. */
Test(values_copy, each_turn_of_a_loop_has_its_own)
{
    dwq_task_t tasks[10] = { { .function = NULL } };

    for (int i = 0; i < 10; i++) {
        cr_assert_eq(dwq_values_copy(DWQ_VALUES(i, "x"), &tasks[i].args),
                     DWQ_OK);
    }
    overwrite_stack();
    for (int i = 0; i < 10; i++) {
        int is = -1;

        cr_assert(dwq_read_int(&tasks[i].args.items[0], &is) && is == i);
        cr_assert_str_eq(tasks[i].args.items[1].u.string, "x");
        dwq_values_free(tasks[i].args);
    }
}

Test(values_copy, nothing_is_a_copy_of_nothing)
{
    dwq_values_t values = { 1, NULL };
    dwq_kwargs_t entries = { 1, NULL };

    cr_assert_eq(dwq_values_copy(DWQ_VALUES(), &values), DWQ_OK);
    cr_assert_eq(dwq_kwargs_copy((dwq_kwargs_t){ 0, NULL }, &entries), DWQ_OK);
    cr_assert(values.n == 0 && entries.n == 0);
    dwq_values_free(values);
    dwq_kwargs_free(entries);
    dwq_values_free((dwq_values_t){ 0, NULL });
}

Test(values_copy, what_cannot_be_copied_is_refused)
{
    dwq_value_t items[1];
    dwq_values_t around = { 1, items }, values = { 7, NULL };
    dwq_kwargs_t entries = { 7, NULL };

    items[0] = dwq_value(around); /* itself, without an end */
    cr_assert_eq(dwq_values_copy(around, &values), DWQ_E_ARG);
    cr_assert_eq(dwq_kwargs_copy(DWQ_ENTRIES({ NULL, dwq_value(1) }), &entries),
                 DWQ_E_ARG);
    cr_assert(values.n == 7 && entries.n == 7);
    cr_assert_eq(dwq_values_copy(around, NULL), DWQ_E_ARG);
}

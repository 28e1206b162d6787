/* Public structs: their sizes stay while the ABI (meson.build) does, and what they keep
 * for later versions is 0. */
#include <criterion/criterion.h>
#include <dwq/dwq.h>
#include <string.h>

#include "libdwq/queue/task.h"
#include "libdwq/run/options.h"

/* Of a new field: take its bytes from `reserved`, where they lie. Else the ABI counts
 * up, and so do these. */
#define EXPECT_LAYOUT(type, size)                                            \
    do {                                                                     \
        cr_expect_eq(sizeof(type), (size_t)(size), #type " has %zu bytes",   \
                     sizeof(type));                                          \
        cr_expect_eq(offsetof(type, reserved) + sizeof((type *)0)->reserved, \
                     sizeof(type), #type " ends in reserved bytes");         \
    } while (0)

Test(layout, sizes_are_those_of_this_abi)
{
#if defined(__LP64__)
    cr_assert_eq(DWQ_ABI, 4);
    EXPECT_LAYOUT(dwq_options_t, 400);
    EXPECT_LAYOUT(dwq_task_t, 216);
    EXPECT_LAYOUT(dwq_result_t, 144);
    EXPECT_LAYOUT(dwq_world_t, 64);
    EXPECT_LAYOUT(dwq_counts_t, 128);
    EXPECT_LAYOUT(dwq_plan_group_t, 112);
    EXPECT_LAYOUT(dwq_worker_info_t, 80);
    cr_expect_eq(sizeof(dwq_function_t), 24);
    cr_expect_eq(offsetof(dwq_kwarg_t, value), 8);
    cr_expect_eq(sizeof(dwq_value_t), 96);
#endif
}

/* One bit of them is enough. */
Test(layout, a_task_with_reserved_bytes_is_refused)
{
    dwq_task_t given = { .function = "f" };

    for (size_t i = 0; i < sizeof given.reserved; i++) {
        struct dwqi_tasks tasks = { 0 };
        struct dwqi_task *task = NULL;
        const char *why = "";

        ((unsigned char *)given.reserved)[i] = 1;
        cr_assert_eq(dwqi_task_create(&tasks, &given, true, &task, &why),
                     DWQ_E_ARG);
        cr_assert_not_null(strstr(why, "reserved"), "%s", why);
        ((unsigned char *)given.reserved)[i] = 0;
        cr_assert_eq(dwqi_task_create(&tasks, &given, true, &task, &why),
                     DWQ_OK);
        dwqi_tasks_finish(&tasks);
    }
}

Test(layout, options_with_reserved_bytes_are_refused)
{
    dwq_options_t options = { 0 }, out;
    struct dwqi_error fault = { .code = 0 };

    for (size_t i = 0; i < sizeof options.reserved; i++) {
        ((unsigned char *)options.reserved)[i] = 0x80;
        cr_assert_eq(dwqi_options_resolve(&options, &out, &fault),
                     DWQ_E_OPTION);
        cr_assert_not_null(strstr(fault.text, "reserved"), "%s", fault.text);
        ((unsigned char *)options.reserved)[i] = 0;
        cr_assert_eq(dwqi_options_resolve(&options, &out, &fault), DWQ_OK);
    }
}

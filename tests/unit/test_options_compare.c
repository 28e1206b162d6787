/* Combinations of options, and how ranks compare theirs. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/run/options.h"

#define EXPECT_NAMED(fault, what)                                           \
    cr_assert_not_null(strstr((fault).text, what), "no '%s' in '%s'", what, \
                       (fault).text)

static int any_broker(dwq_broker_t *broker, void *arg)
{
    (void)broker;
    (void)arg;
    return 0;
}

static int any_worker(dwq_worker_t *worker, void *arg)
{
    (void)worker;
    (void)arg;
    return 0;
}

/* --- Combinations ------------------------------------------------------- */

static void refused(const dwq_options_t *options, int size, const char *name,
                    const char *value)
{
    struct dwqi_error fault = { .text = "" };

    cr_assert_eq(dwqi_options_check(options, size, &fault), DWQ_E_OPTION, "%s",
                 name);
    EXPECT_NAMED(fault, name);
    EXPECT_NAMED(fault, value);
}

static void accepted(const dwq_options_t *options, int size)
{
    struct dwqi_error fault = { .text = "" };

    cr_assert_eq(dwqi_options_check(options, size, &fault), DWQ_OK, "%s",
                 fault.text);
}

Test(options_check, combinations_that_cannot_be)
{
    dwq_options_t broker = { .broker = any_broker };
    dwq_options_t service = { .enable_worker_service = true };
    dwq_options_t name = { .worker_name = "start" };

    refused(&broker, 3, "broker", "grouping");
    refused(&broker, 1, "broker", "grouping");
    refused(&service, 1, "enable_worker_service", "grouping is none");
    service.grouping = DWQ_GROUPING_SPLIT;
    refused(&service, 1, "enable_worker_service", "grouping is split");
    refused(&name, 2, "worker_name", "start");
    name.worker_module = "mesh";
    accepted(&name, 2);
    name.worker_module = NULL;
    name.worker = any_worker; /* the pointer comes first */
    accepted(&name, 2);
    accepted(&(dwq_options_t){ 0 }, 1);
    accepted(&(dwq_options_t){ .nprocs_per_worker = 1 }, 5);
}

Test(options_check, several_ranks_per_worker_mean_groups_by_split)
{
    dwq_options_t o = { .nprocs_per_worker = 3 };

    accepted(&o, 5);
    cr_assert_eq(dwqi_options_grouping(&o), DWQ_GROUPING_SPLIT);
    cr_assert_eq(dwqi_options_nprocs(&o), 3);
    o.nprocs_per_worker = 1;
    cr_assert_eq(dwqi_options_grouping(&o), DWQ_GROUPING_NONE);
    o.grouping = DWQ_GROUPING_SPLIT;
    o.nprocs_per_worker = 0;
    cr_assert_eq(dwqi_options_grouping(&o), DWQ_GROUPING_SPLIT);
    cr_assert_eq(dwqi_options_nprocs(&o), 1);
    o.nprocs_per_worker = DWQ_NPROCS_AUTO;
    accepted(&o, 5);
    accepted(&o, 1);
}

Test(options_check, placement_is_asked_for_by_size_or_by_an_option)
{
    dwq_options_t o = { .nprocs_per_worker = 3 };

    cr_assert_not(dwqi_options_placed(&o));
    o.bind = DWQ_BIND_CORE;
    cr_assert(dwqi_options_placed(&o));
    o.nprocs_per_worker = 1; /* no groups */
    cr_assert_not(dwqi_options_placed(&o));
    o = (dwq_options_t){ .nprocs_per_worker = DWQ_NPROCS_AUTO };
    cr_assert(dwqi_options_placed(&o));
    o.groups_per_host = 2;
    accepted(&o, 5);
    o.domain = DWQ_DOMAIN_L3;
    refused(&o, 5, "groups_per_host", "2");
    o.domain = DWQ_DOMAIN_DEFAULT;
    o.nprocs_per_worker = 4;
    refused(&o, 5, "groups_per_host", "4");
    o = (dwq_options_t){ .nprocs_per_worker = 2,
                         .broker_is_worker = true,
                         .broker_on_thread = true };
    refused(&o, 5, "broker_on_thread", "broker_is_worker");
}

static void expect_unused(const dwq_options_t *options, int size,
                          const char *names)
{
    struct dwqi_error got = { .text = "something" };

    dwqi_options_unused(options, size, &got);
    cr_assert_str_eq(got.text, names);
}

static const char *const *own_args(const char *const *library_args, void *arg)
{
    (void)arg;
    return library_args;
}

Test(options_check, options_of_no_use_are_named)
{
    static const char *const args[] = { "-v", NULL };
    dwq_options_t all = { .broker_name = "b",
                          .broker_module = "m",
                          .collective_mode = DWQ_COLLECTIVE_SENDRECV,
                          .broker_is_worker = true,
                          .sequential_spawn = true,
                          .spawn_startup_wait = 1,
                          .spawn_executable = "x",
                          .spawn_args = args,
                          .worker_service_name = "s",
                          .time_limit_grace = 1 };

    expect_unused(&(dwq_options_t){ .max_workers = 3, .time_limit = 1 }, 2, "");
    expect_unused(&all, 2,
                  "broker_name, broker_module, collective_mode, "
                  "broker_is_worker, sequential_spawn, spawn_startup_wait, "
                  "spawn_executable, spawn_args, worker_service_name, "
                  "time_limit_grace");
    all.time_limit = 1;
    all.grouping = DWQ_GROUPING_SPAWN;
    expect_unused(&all, 2,
                  "sequential_spawn, spawn_startup_wait, spawn_executable, "
                  "spawn_args"); /* groups of one, the broker inside */
    all.nprocs_per_worker = 2;
    expect_unused(&all, 2, "");
    expect_unused(&(dwq_options_t){ .grouping = DWQ_GROUPING_SPLIT }, 1,
                  "grouping");
    expect_unused(&(dwq_options_t){ .bind = DWQ_BIND_CORE }, 2, "bind");
    expect_unused(
        &(dwq_options_t){ .nprocs_per_worker = 2, .domain = DWQ_DOMAIN_L3 }, 2,
        "domain");
    expect_unused(&(dwq_options_t){ .spawn_args_function = own_args }, 2,
                  "spawn_args_function");
    expect_unused(&(dwq_options_t){ .spawn_args_function = own_args,
                                    .grouping = DWQ_GROUPING_SPAWN },
                  2, "");
    expect_unused(&(dwq_options_t){ .spawn_args_function = own_args,
                                    .grouping = DWQ_GROUPING_SPAWN,
                                    .broker_is_worker = true },
                  2, "spawn_args_function");
    expect_unused(&(dwq_options_t){ .time_limit_grace = 2 }, 2,
                  "time_limit_grace");
}

/* --- The same on all ranks ---------------------------------------------- */

static char *text_of(const dwq_options_t *options)
{
    struct dwqi_buffer text = { .data = NULL };
    struct dwqi_error fault = { .text = "" };

    cr_assert_eq(dwqi_options_text(options, &text, &fault), DWQ_OK, "%s",
                 fault.text);
    cr_assert_eq(text.data[text.size - 1], '\0');
    return (char *)text.data;
}

/* Rank 3 has `mine`, rank 0 `theirs`. */
static void expect_difference(const dwq_options_t *mine,
                              const dwq_options_t *theirs, const char *says)
{
    char *a = text_of(mine), *b = text_of(theirs);
    struct dwqi_error fault = { .text = "" };

    cr_assert_str_neq(a, b, "%s", says);
    dwqi_options_difference(a, b, 3, 0, &fault);
    cr_assert_str_eq(fault.text, says);
    free(a);
    free(b);
}

#define DIFFERS(field, value, shown, shown_default)                       \
    expect_difference(&(dwq_options_t){ .field = value }, &none,          \
                      "option " #field                                    \
                      " differs between ranks: rank 0 has " shown_default \
                      ", rank 3 has " shown)

Test(options_text, every_option_is_compared)
{
    static const char *const args[] = { "-v", "2", NULL };
    static const dwq_options_t none = { 0 };

    DIFFERS(worker_name, "w", "\"w\"", "(not set)");
    DIFFERS(worker_module, "w", "\"w\"", "(not set)");
    DIFFERS(broker_name, "b", "\"b\"", "(not set)");
    DIFFERS(broker_module, "", "\"\"", "(not set)");
    DIFFERS(module_path, "/a:/b", "\"/a:/b\"", "(not set)");
    DIFFERS(grouping, DWQ_GROUPING_SPLIT, "split", "none");
    DIFFERS(nprocs_per_worker, -1, "-1", "0");
    DIFFERS(collective_mode, DWQ_COLLECTIVE_SENDRECV, "sendrecv", "default");
    DIFFERS(broker_is_worker, true, "1", "0");
    DIFFERS(max_workers, 4, "4", "0");
    DIFFERS(sequential_spawn, true, "1", "0");
    DIFFERS(spawn_startup_wait, 0.5, "0.5", "0");
    DIFFERS(spawn_executable, "/bin/x", "\"/bin/x\"", "(not set)");
    DIFFERS(spawn_args, args, "\"-v\"\"2\"", "(not set)");
    DIFFERS(enable_worker_service, true, "1", "0");
    DIFFERS(worker_service_name, "s", "\"s\"", "(not set)");
    DIFFERS(time_limit, 1e6, "1000000", "0");
    DIFFERS(time_limit_grace, 0.25, "0.25", "0");
    DIFFERS(queue_order, DWQ_ORDER_LONGEST_FIRST, "longest-first", "fifo");
    DIFFERS(prefetch, 5, "5", "0");
    DIFFERS(idle_wait, 0.125, "0.125", "0");
    DIFFERS(verbose, true, "1", "0");
    DIFFERS(thread_level, 3, "3", "0");
    DIFFERS(domain, DWQ_DOMAIN_HOST, "host", "default");
    DIFFERS(groups_per_host, 2, "2", "0");
    DIFFERS(straddle, DWQ_STRADDLE_NEVER, "never", "default");
    DIFFERS(fill, DWQ_FILL_SPREAD, "spread", "default");
    DIFFERS(threads_per_rank, 4, "4", "0");
    DIFFERS(broker_on_thread, true, "1", "0");
    DIFFERS(bind, DWQ_BIND_GROUP, "group", "none");
    DIFFERS(controller_shares_core, true, "1", "0");
    DIFFERS(time_est_seconds, true, "1", "0");
}

Test(options_text, callbacks_and_tables_are_not_compared)
{
    static const dwq_function_t functions[] = { { .name = NULL } };
    dwq_options_t a = { 0 };
    dwq_options_t b = { .worker = any_worker,
                        .functions = functions,
                        .arg = &a,
                        .argc = 3,
                        .log_arg = &a };
    char *text_a = text_of(&a), *text_b = text_of(&b);

    cr_assert_str_eq(text_a, text_b);
    free(text_a);
    free(text_b);
}

Test(options_text, run_args_are_compared)
{
    dwq_options_t one = { .run_args = DWQ_ENTRIES({ "n", dwq_value(1) }) };
    dwq_options_t two = { .run_args = DWQ_ENTRIES({ "n", dwq_value(2) }) };
    dwq_options_t renamed = { .run_args = DWQ_ENTRIES({ "m", dwq_value(1) }) };
    dwq_options_t *const all[] = { &one, &two, &renamed };

    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++) {
            char *text_a = text_of(all[a]), *text_b = text_of(all[b]);

            cr_assert_eq(strcmp(text_a, text_b) == 0, a == b);
            if (a != b) {
                struct dwqi_error fault = { .text = "" };

                dwqi_options_difference(text_a, text_b, 1, 0, &fault);
                EXPECT_NAMED(fault, "run_args");
            }
            free(text_a);
            free(text_b);
        }
    }
}

Test(options_text, run_args_that_differ_are_shown)
{
    char *one = text_of(&(dwq_options_t){
        .run_args = DWQ_ENTRIES({ "mesh", dwq_value("coarse") }) });
    char *two = text_of(&(dwq_options_t){
        .run_args = DWQ_ENTRIES({ "mesh", dwq_value("fine") }) });
    struct dwqi_error fault = { .text = "" };

    dwqi_options_difference(one, two, 1, 0, &fault);
    cr_expect(strstr(fault.text, "rank 0 has {\"mesh\": \"fine\"}"), "%s",
              fault.text);
    cr_expect(strstr(fault.text, "rank 1 has {\"mesh\": \"coarse\"}"), "%s",
              fault.text);
    free(one);
    free(two);
}

Test(options_text, run_args_that_cannot_be_sent_are_named)
{
    dwq_options_t options = {
        .run_args =
            DWQ_ENTRIES({ "x", dwq_value(dwq_scatter(dwq_array(
                                   DWQ_DOUBLE, &(double){ 1 }, 0, NULL))) })
    };
    struct dwqi_buffer text = { .data = NULL };
    struct dwqi_error fault = { .text = "" };

    cr_assert_eq(dwqi_options_text(&options, &text, &fault), DWQ_E_OPTION);
    EXPECT_NAMED(fault, "run_args");
    dwqi_buffer_finish(&text);
}

Test(options_text, controller_rank_of_the_environment_is_compared)
{
    const dwq_options_t options = { 0 };
    struct dwqi_error fault = { .text = "" };
    char *a, *b;

    setenv(DWQI_CONTROLLER_RANK_ENV, "1", 1);
    a = text_of(&options);
    unsetenv(DWQI_CONTROLLER_RANK_ENV);
    b = text_of(&options);
    dwqi_options_difference(a, b, 1, 0, &fault);
    cr_assert_str_eq(fault.text, "option " DWQI_CONTROLLER_RANK_ENV
                                 " differs between ranks: rank 0 has (not "
                                 "set), rank 1 has \"1\"");
    free(a);
    free(b);
}

Test(options_text, strings_that_look_alike_differ)
{
    static const char *const one[] = { "a\"\"b", NULL };
    static const char *const two[] = { "a", "b", NULL };
    static const char *const no_args[] = { NULL };
    const dwq_options_t newline = { .worker_name = "a\nb=c" };

    expect_difference(&newline, &(dwq_options_t){ .worker_name = "a\\nb=c" },
                      "option worker_name differs between ranks: rank 0 has "
                      "\"a\\\\nb=c\", rank 3 has \"a\\nb=c\"");
    expect_difference(&(dwq_options_t){ .spawn_args = one },
                      &(dwq_options_t){ .spawn_args = two },
                      "option spawn_args differs between ranks: rank 0 has "
                      "\"a\"\"b\", rank 3 has \"a\\\"\\\"b\"");
    expect_difference(&(dwq_options_t){ .spawn_args = no_args },
                      &(dwq_options_t){ .spawn_args = NULL },
                      "option spawn_args differs between ranks: rank 0 has "
                      "(not set), rank 3 has ");
}

/* The place where long values differ is shown, for both ranks. */
Test(options_text, long_values_are_shown_where_they_differ)
{
    char here[600], there[600];
    dwq_options_t mine = { .module_path = here };
    dwq_options_t theirs = { .module_path = there };
    struct dwqi_error fault = { .text = "" };
    char *a, *b;

    memset(here, 'x', sizeof here);
    here[sizeof here - 1] = '\0';
    memcpy(there, here, sizeof here);
    memcpy(here + 300, "[mine]", 6);
    memcpy(there + 300, "[theirs]", 8);
    a = text_of(&mine);
    b = text_of(&theirs);
    dwqi_options_difference(a, b, 2147483647, 2147483646, &fault);
    EXPECT_NAMED(fault, "module_path");
    EXPECT_NAMED(fault, "[mine]");
    EXPECT_NAMED(fault, "[theirs]");
    EXPECT_NAMED(fault, "2147483647");
    EXPECT_NAMED(fault, "2147483646");
    free(a);
    free(b);
}

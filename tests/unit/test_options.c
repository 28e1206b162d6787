/* What options and environment may be, and what is said when they are not. */
#include <criterion/criterion.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/run/options.h"

/* The checks below say which text they looked at. */
#define EXPECT_NAMED(fault, what)                                           \
    cr_assert_not_null(strstr((fault).text, what), "no '%s' in '%s'", what, \
                       (fault).text)

static void expect_good(const dwq_options_t *options, dwq_options_t *out)
{
    struct dwqi_error fault = { .text = "" };

    cr_assert_eq(dwqi_options_resolve(options, out, &fault), DWQ_OK, "%s",
                 fault.text);
}

/* Refused, both named, and nothing written. */
static void expect_bad(const dwq_options_t *options, const char *name,
                       const char *value)
{
    struct dwqi_error fault = { .text = "" };
    dwq_options_t out = { .max_workers = 12345 };

    cr_assert_eq(dwqi_options_resolve(options, &out, &fault), DWQ_E_OPTION,
                 "%s: %s", name, value);
    EXPECT_NAMED(fault, name);
    EXPECT_NAMED(fault, value);
    cr_assert_eq(out.max_workers, 12345);
}

/* --- Ranges ------------------------------------------------------------- */

#define AT(field) #field, offsetof(dwq_options_t, field)

static const struct {
    const char *name;
    size_t offset;
    int min, max;
} ints[] = {
    { AT(grouping), 0, 2 },
    { AT(nprocs_per_worker), -1, 65536 },
    { AT(collective_mode), 0, 2 },
    { AT(max_workers), INT_MIN, INT_MAX },
    { AT(queue_order), 0, 1 },
    { AT(prefetch), -1, 1000000 },
    { AT(thread_level), 0, 3 },
    { AT(domain), 0, 5 },
    { AT(groups_per_host), 0, INT_MAX },
    { AT(straddle), 0, 3 },
    { AT(fill), 0, 2 },
    { AT(threads_per_rank), 0, INT_MAX },
    { AT(bind), 0, 2 },
};

static const struct {
    const char *name;
    size_t offset;
    double good, bad;
} doubles[] = {
    { AT(spawn_startup_wait), 1e9, 1e10 },
    { AT(time_limit), 1e12, 1e13 },
    { AT(time_limit_grace), 1e12, 1e13 },
    { AT(idle_wait), 3600, 3601 },
};

static void try_int(size_t offset, int value, const char *name, bool good)
{
    dwq_options_t options = { 0 }, out;
    char text[20];

    memcpy((char *)&options + offset, &value, sizeof value);
    if (good) {
        expect_good(&options, &out);
    } else {
        snprintf(text, sizeof text, "%d", value);
        expect_bad(&options, name, text);
    }
}

Test(options, every_integer_has_its_range)
{
    for (size_t i = 0; i < sizeof ints / sizeof ints[0]; i++) {
        try_int(ints[i].offset, ints[i].min, ints[i].name, true);
        try_int(ints[i].offset, ints[i].max, ints[i].name, true);
        if (ints[i].min > INT_MIN) {
            try_int(ints[i].offset, ints[i].min - 1, ints[i].name, false);
        }
        if (ints[i].max < INT_MAX) {
            try_int(ints[i].offset, ints[i].max + 1, ints[i].name, false);
        }
    }
}

static void try_double(size_t offset, double value, const char *name,
                       const char *text_or_null)
{
    dwq_options_t options = { 0 }, out;

    memcpy((char *)&options + offset, &value, sizeof value);
    if (text_or_null) {
        expect_bad(&options, name, text_or_null);
    } else {
        expect_good(&options, &out);
    }
}

Test(options, every_time_has_its_range_and_is_a_number)
{
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
        size_t offset = doubles[i].offset;
        const char *name = doubles[i].name;

        try_double(offset, 0, name, NULL);
        try_double(offset, 0.25, name, NULL);
        try_double(offset, doubles[i].good, name, NULL);
        try_double(offset, doubles[i].bad, name, "");
        try_double(offset, -2.5, name, "-2.5");
        try_double(offset, (double)NAN, name, "nan");
        try_double(offset, INFINITY, name, "inf");
        try_double(offset, -INFINITY, name, "-inf");
    }
}

Test(options, defaults)
{
    dwq_options_t options = { 0 }, out;

    unsetenv("DWQ_MODULE_PATH");
    expect_good(&options, &out);
    cr_assert_eq(out.idle_wait, 1e-3);
    cr_assert_eq(out.prefetch, DWQ_PREFETCH_AUTO);
    cr_assert_eq(out.queue_order, DWQ_ORDER_FIFO);
    cr_assert_str_eq(out.module_path, ".");
    cr_assert(!out.verbose);
}

Test(options, spin_becomes_zero)
{
    dwq_options_t options = { .idle_wait = DWQ_IDLE_WAIT_SPIN };
    dwq_options_t out;

    expect_good(&options, &out);
    cr_assert_eq(out.idle_wait, 0);
}

/* --- Environment -------------------------------------------------------- */

static dwq_options_t with(const char *name, const char *value)
{
    dwq_options_t options = { 0 }, out;

    setenv(name, value, 1);
    expect_good(&options, &out);
    unsetenv(name);
    return out;
}

static void without(const char *name, const char *value)
{
    struct dwqi_error fault = { .text = "" };
    dwq_options_t options = { 0 }, out;

    setenv(name, value, 1);
    cr_assert_eq(dwqi_options_resolve(&options, &out, &fault), DWQ_E_OPTION,
                 "%s=%s", name, value);
    EXPECT_NAMED(fault, name);
    EXPECT_NAMED(fault, value);
    unsetenv(name);
}

Test(options, idle_wait_from_the_environment)
{
    static const char *const bad[] = {
        "x", "1 h", "-1", "nan", "inf", "1us2", "ms", "1mss", "1e300", "3601s"
    };

    cr_assert(fabs(with("DWQ_IDLE_WAIT", "500us").idle_wait - 5e-4) < 1e-15);
    cr_assert(fabs(with("DWQ_IDLE_WAIT", "2ms").idle_wait - 2e-3) < 1e-15);
    cr_assert_eq(with("DWQ_IDLE_WAIT", "3s").idle_wait, 3);
    cr_assert_eq(with("DWQ_IDLE_WAIT", "0.25").idle_wait, 0.25);
    cr_assert_eq(with("DWQ_IDLE_WAIT", "0").idle_wait, 0);
    cr_assert_eq(with("DWQ_IDLE_WAIT", "0ms").idle_wait, 0);
    cr_assert_eq(with("DWQ_IDLE_WAIT", "").idle_wait, 1e-3);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        without("DWQ_IDLE_WAIT", bad[i]);
    }
}

Test(options, prefetch_from_the_environment)
{
    static const char *const bad[] = { "-1",      "many",       "3x",
                                       "1000001", "2147483647", "99999999999",
                                       "1.5",     "Auto" };

    cr_assert_eq(with("DWQ_PREFETCH", "auto").prefetch, DWQ_PREFETCH_AUTO);
    cr_assert_eq(with("DWQ_PREFETCH", "0").prefetch, DWQ_PREFETCH_OFF);
    cr_assert_eq(with("DWQ_PREFETCH", "1").prefetch, 1);
    cr_assert_eq(with("DWQ_PREFETCH", "1000000").prefetch, 1000000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        without("DWQ_PREFETCH", bad[i]);
    }
}

Test(options, queue_order_and_verbose_from_the_environment)
{
    cr_assert_eq(with("DWQ_QUEUE_ORDER", "fifo").queue_order, DWQ_ORDER_FIFO);
    cr_assert_eq(with("DWQ_QUEUE_ORDER", "longest-first").queue_order,
                 DWQ_ORDER_LONGEST_FIRST);
    without("DWQ_QUEUE_ORDER", "longest");
    without("DWQ_QUEUE_ORDER", "1");
    cr_assert(with("DWQ_VERBOSE", "1").verbose);
    cr_assert(!with("DWQ_VERBOSE", "0").verbose);
    without("DWQ_VERBOSE", "yes");
    without("DWQ_VERBOSE", "2");
}

Test(options, placement_from_the_environment)
{
    cr_assert_eq(with("DWQ_DOMAIN", "core").domain, DWQ_DOMAIN_CORE);
    cr_assert_eq(with("DWQ_DOMAIN", "host").domain, DWQ_DOMAIN_HOST);
    without("DWQ_DOMAIN", "socket");
    cr_assert_eq(with("DWQ_STRADDLE", "if-must").straddle,
                 DWQ_STRADDLE_IF_MUST);
    cr_assert_eq(with("DWQ_STRADDLE", "freely").straddle, DWQ_STRADDLE_FREELY);
    without("DWQ_STRADDLE", "always");
    cr_assert_eq(with("DWQ_FILL", "spread").fill, DWQ_FILL_SPREAD);
    without("DWQ_FILL", "1");
    cr_assert_eq(with("DWQ_THREADS_PER_RANK", "4").threads_per_rank, 4);
    without("DWQ_THREADS_PER_RANK", "0");
    cr_assert_eq(with("DWQ_BIND", "none").bind, DWQ_BIND_NONE);
    cr_assert_eq(with("DWQ_BIND", "group").bind, DWQ_BIND_GROUP);
    without("DWQ_BIND", "socket");
    cr_assert(with("DWQ_CONTROLLER_SHARES", "1").controller_shares_core);
    without("DWQ_CONTROLLER_SHARES", "yes");
}

Test(options, program_wins_over_the_environment)
{
    dwq_options_t options = { .idle_wait = 0.5,
                              .prefetch = 7,
                              .queue_order = DWQ_ORDER_LONGEST_FIRST,
                              .module_path = "/mine" };
    dwq_options_t out;

    setenv("DWQ_IDLE_WAIT", "2ms", 1);
    setenv("DWQ_PREFETCH", "3", 1);
    setenv("DWQ_QUEUE_ORDER", "fifo", 1);
    setenv("DWQ_MODULE_PATH", "/theirs", 1);
    expect_good(&options, &out);
    cr_assert_eq(out.idle_wait, 0.5);
    cr_assert_eq(out.prefetch, 7);
    cr_assert_eq(out.queue_order, DWQ_ORDER_LONGEST_FIRST);
    cr_assert_str_eq(out.module_path, "/mine");
    options = (dwq_options_t){ 0 };
    expect_good(&options, &out);
    cr_assert_str_eq(out.module_path, "/theirs");
}

static void rank(const char *text, int size, int wanted)
{
    struct dwqi_error fault = { .text = "" };
    int got = -77;

    setenv(DWQI_CONTROLLER_RANK_ENV, text, 1);
    cr_assert_eq(dwqi_options_controller_rank(size, &got, &fault), DWQ_OK, "%s",
                 fault.text);
    cr_assert_eq(got, wanted, "'%s' of %d gives %d", text, size, got);
}

static void no_rank(const char *text, int size)
{
    struct dwqi_error fault = { .text = "" };
    int got = -77;

    setenv(DWQI_CONTROLLER_RANK_ENV, text, 1);
    cr_assert_eq(dwqi_options_controller_rank(size, &got, &fault), DWQ_E_OPTION,
                 "'%s' of %d", text, size);
    cr_assert_eq(got, -77);
    EXPECT_NAMED(fault, DWQI_CONTROLLER_RANK_ENV);
    EXPECT_NAMED(fault, text);
}

Test(options, controller_rank)
{
    struct dwqi_error fault;
    int got = -77;

    unsetenv(DWQI_CONTROLLER_RANK_ENV);
    cr_assert_eq(dwqi_options_controller_rank(4, &got, &fault), DWQ_OK);
    cr_assert_eq(got, 0);
    rank("", 4, 0);
    rank("0", 4, 0);
    rank("3", 4, 3);
    rank("-1", 4, 3);
    rank("-100", 4, 3);
    rank("-1", 1, 0);
    no_rank("4", 4);
    no_rank("1", 1);
    no_rank("one", 4);
    no_rank("1x", 4);
    no_rank("1.0", 4);
    no_rank("99999999999999999999", 4);
    no_rank("-99999999999999999999", 4);
}

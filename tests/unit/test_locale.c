/* What the library reads and writes is the same in a locale with a decimal comma, and
 * the locale stays the user's. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "libdwq/queue/cell.h"
#include "libdwq/run/options.h"
#include "tests/comma_locale.h"

static char folder[TEMPORARY_SIZE];

static void begin(void)
{
    if (!comma_locale_make(folder)) {
        cr_skip_test("localedef makes no " COMMA_LOCALE " here");
    }
    cr_assert_not_null(setlocale(LC_ALL, COMMA_LOCALE));
}

static void end(void)
{
    char text[8];

    snprintf(text, sizeof text, "%.1f", 0.5);
    cr_expect_str_eq(text, "0,5", "the locale is not the user's any more");
    comma_locale_remove(folder);
}

TestSuite(locale, .init = begin, .fini = end);

Test(locale, numbers_are_read_and_written_with_a_point)
{
    char text[32];
    double number;

    cr_expect(dwqi_plain_is_number("0.001", &number));
    cr_expect_eq(number, 0.001);
    cr_expect_not(dwqi_plain_is_number("0,001", &number));
    dwqi_plain_format(text, sizeof text, "%g %s", 0.25, "Größe");
    cr_expect_str_eq(text, "0.25 Größe");
}

Test(locale, messages_of_the_system_are_in_one_language)
{
    cr_expect_str_eq(dwqi_plain_error(ENOENT), "No such file or directory");
}

Test(locale, an_environment_of_seconds_is_read)
{
    dwq_options_t given = { .time_limit = 100.5 }, o;
    struct dwqi_buffer text = { .data = NULL };
    struct dwqi_error fault = { .text = "" };

    setenv("DWQ_IDLE_WAIT", "0.25", 1);
    cr_assert_eq(dwqi_options_resolve(&given, &o, &fault), DWQ_OK, "%s",
                 fault.text);
    cr_expect_eq(o.idle_wait, 0.25);
    cr_assert_eq(dwqi_options_text(&o, &text, &fault), DWQ_OK);
    cr_expect_not_null(strstr((const char *)text.data, "\ntime_limit=100.5\n"));
    dwqi_buffer_finish(&text);
}

static char *print_report(void)
{
    struct dwqi_cell items[3] = { { 0 } };
    struct dwqi_cell_list cells = { .items = items, .n = 2 };
    struct dwqi_stats stats = { .n_collected = 1, .cells = &cells };
    const struct dwqi_backlog backlog = { 0, 0, 0 };
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    dwq_value_t value = dwq_value(3.25);

    dwqi_stats_add(&stats, 1, 0.5, 1);
    dwqi_stats_print(&stats, &backlog, out);
    dwq_value_print(&value, out);
    fclose(out);
    return printed;
}

Test(locale, the_report_and_values_have_points)
{
    char *printed = print_report();

    cr_expect_not_null(strstr(printed, "time per call: mean 0.5 s, std 0 s"),
                       "%s", printed);
    cr_expect_not_null(strstr(printed, "time per worker: mean 0.25 s"), "%s",
                       printed);
    cr_expect_not_null(strstr(printed, "3.25"), "%s", printed);
    free(printed);
}

/* Plain text: cuts between characters, escapes, numbers in every locale. */
#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/log.h"
#include "libdwq/base/plain.h"

/* --- Cuts ------------------------------------------------------------------ */

Test(plain, a_text_is_cut_between_its_characters)
{
    /* One, two, three and four bytes. */
    static const char text[] = "aé漢😀z";
    static const int ends[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 };

    for (size_t most = 0; most < sizeof ends / sizeof ends[0]; most++) {
        cr_expect_eq(dwqi_plain_fit(text, most), ends[most], "%zu", most);
    }
}

Test(plain, what_snprintf_cut_has_whole_characters)
{
    for (size_t size = 1; size < 12; size++) {
        char text[16];

        snprintf(text, size, "%s", "ab漢😀");
        dwqi_plain_cut(text, size);
        cr_expect_eq(strlen(text), (size_t)dwqi_plain_fit("ab漢😀", size - 1),
                     "%zu", size);
    }
}

Test(plain, what_cannot_be_written_leaves_its_format)
{
    char text[32];

    setlocale(LC_ALL, "C");
    dwqi_plain_format(text, sizeof text, "lost %ls", L"\u539f\u5b50");
    cr_expect_str_eq(text, "lost %ls");
}

Test(plain, what_is_no_utf_8_is_cut_anywhere)
{
    cr_expect_eq(dwqi_plain_fit("\xe4\xe4\xe4\xe4", 3), 2); /* looks like one */
    cr_expect_eq(dwqi_plain_fit("\x80\x80\x80\x80\x80", 3), 3);
    cr_expect_eq(dwqi_plain_fit("x\x80\x80\x80\x80", 4), 4);
}

/* --- Escapes ---------------------------------------------------------------- */

static const struct {
    const char *text, *plain;
} escapes[] = {
    { "", "" },
    { "naïve 漢字 😀", "naïve 漢字 😀" },
    { "a\nlibdwq: error: b", "a\\nlibdwq: error: b" },
    { "\x1b[31mred\x7f\t\r", "\\x1b[31mred\\x7f\\t\\x0d" },
    { "\xc2\x9b"
      "31m",
      "\\x9b31m" }, /* the same in one character */
    { "Gr\xf6\xdf"
      "e",
      "Gr\\xf6\\xdfe" },          /* Latin-1 */
    { "\xe6\xbc", "\\xe6\\xbc" }, /* half a character */
    { "\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80",
      "\\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80" },
};

Test(plain, control_characters_are_escaped_and_text_is_not)
{
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        char text[80];

        dwqi_plain_escape(escapes[i].text, text, sizeof text);
        cr_expect_str_eq(text, escapes[i].plain);
    }
}

Test(plain, an_escape_is_written_whole_or_not_at_all)
{
    for (size_t size = 1; size <= 6; size++) {
        char text[8] = "???????";

        dwqi_plain_escape("a\x01", text, size);
        cr_expect_str_eq(text, size == 1 ? "" : size < 6 ? "a" : "a\\x01");
    }
}

static void keep_line(const char *line, void *arg)
{
    snprintf(arg, 2000, "%s", line);
}

Test(plain, a_log_line_is_one_line_of_whole_characters)
{
    char kept[2000], name[1200] = "";
    struct dwqi_log log = { .line = keep_line, .arg = kept };

    dwqi_log_error(&log, "no function '%s'", "f\nlibdwq: all is well\x1b[2J");
    cr_expect_str_eq(kept, "libdwq: error: no function 'f\\nlibdwq: all is "
                           "well\\x1b[2J'");
    for (int i = 0; i < 399; i++) {
        strcat(name, "漢");
    }
    for (int i = 0; i < 3; i++) { /* one of these cuts at a boundary anyway */
        dwqi_log_error(&log, "%s%s", &"xxx"[i], name);
        cr_expect_geq(strlen(kept), 1020);
        cr_expect_eq(dwqi_plain_fit(kept, strlen(kept)), (int)strlen(kept));
        cr_expect_null(strchr(kept, '\\'), "%s", kept);
    }
}

/* --- Locales ---------------------------------------------------------------- */

Test(plain, numbers_are_read_whole_and_finite)
{
    double number = 7;
    const char *end;

    cr_expect(dwqi_plain_number("2.5ms", &number, &end));
    cr_expect_eq(number, 2.5);
    cr_expect_str_eq(end, "ms");
    cr_expect(dwqi_plain_is_number("1e-3", &number));
    cr_expect_eq(number, 1e-3);
    cr_expect_not(dwqi_plain_is_number("1,5", &number));
    cr_expect_not(dwqi_plain_is_number("", &number));
    cr_expect_not(dwqi_plain_is_number("nan", &number));
    cr_expect_not(dwqi_plain_is_number("1e999", &number));
    cr_expect_eq(number, 1e-3);
}

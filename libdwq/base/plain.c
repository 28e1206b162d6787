#include "libdwq/base/plain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAW_SIZE 2048

/* --- Locale -------------------------------------------------------------- */

locale_t dwqi_plain_enter(void)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    return plain ? uselocale(plain) : (locale_t)0;
}

void dwqi_plain_leave(locale_t outer)
{
    if (outer) {
        freelocale(uselocale(outer));
    }
}

/* --- Characters ------------------------------------------------------------ */

/* Bytes that a first byte announces; 0: it is none. */
static size_t announced(unsigned char first)
{
    return first < 0x80                     ? 1
           : first >= 0xc2 && first <= 0xdf ? 2
           : first >= 0xe0 && first <= 0xef ? 3
           : first >= 0xf0 && first <= 0xf4 ? 4
                                            : 0;
}

size_t dwqi_plain_character(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t n = announced(at[0]);

    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    /* No long forms, no halves of pairs, nothing above the last one. */
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f)) {
        return 0;
    }
    return n;
}

static bool is_control(const char *text)
{
    unsigned char c = (unsigned char)text[0];

    return c < 0x20 || c == 0x7f ||
           (c == 0xc2 && (unsigned char)text[1] < 0xa0);
}

/* Where a cut behind `size` bytes has to be: before the character it goes through. */
static size_t boundary(const char *text, size_t size)
{
    size_t back = 1;

    while (back < 4 && back <= size &&
           ((unsigned char)text[size - back] & 0xc0) == 0x80) {
        back++;
    }
    return back <= size && announced((unsigned char)text[size - back]) > back
               ? size - back
               : size;
}

int dwqi_plain_fit(const char *text, size_t most)
{
    size_t size = strnlen(text, most);

    return (int)(text[size] == '\0' ? size : boundary(text, size));
}

void dwqi_plain_cut(char *text, size_t size)
{
    if (size > 0 && strnlen(text, size) + 1 >= size) {
        text[boundary(text, size - 1)] = '\0';
    }
}

/* One character, or one byte that is none, as it is written. */
static size_t escape(const char *text, char *out, size_t size, size_t *used_out)
{
    size_t n = dwqi_plain_character(text);

    if (n > 0 && !is_control(text)) {
        *used_out = n;
        memcpy(out, text, n < size ? n : 0);
        return n;
    }
    *used_out = n > 0 ? n : 1;
    if (text[0] == '\n' || text[0] == '\t') {
        return (size_t)snprintf(out, size, text[0] == '\n' ? "\\n" : "\\t");
    }
    /* A control character of two bytes is the value of its second one. */
    return (size_t)snprintf(out, size, "\\x%02x",
                            (unsigned char)text[n == 2 ? 1 : 0]);
}

void dwqi_plain_escape(const char *text, char *out, size_t size)
{
    while (*text != '\0') {
        size_t used;
        size_t n = escape(text, out, size, &used);

        if (n >= size) {
            break; /* an escape is written whole or not at all */
        }
        text += used;
        out += n;
        size -= n;
    }
    if (size > 0) {
        *out = '\0';
    }
}

/* --- Writing and reading ----------------------------------------------------- */

void dwqi_plain_vprint(char *text, size_t size, const char *format,
                       va_list args)
{
    locale_t outer = dwqi_plain_enter();
    va_list again;
    int written;

    va_copy(again, args);
    written = vsnprintf(text, size, format, args);
    dwqi_plain_leave(outer);
    if (written < 0) { /* wide characters, which C's locale has none of */
        written = vsnprintf(text, size, format, again);
    }
    va_end(again);
    if (written < 0) { /* no locale has them: the bare format says something */
        snprintf(text, size, "%s", format);
    }
    dwqi_plain_cut(text, size);
}

void dwqi_plain_vformat(char *text, size_t size, const char *format,
                        va_list args)
{
    char raw[RAW_SIZE];

    dwqi_plain_vprint(raw, sizeof raw, format, args);
    dwqi_plain_escape(raw, text, size);
}

void dwqi_plain_format(char *text, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    dwqi_plain_vformat(text, size, format, args);
    va_end(args);
}

const char *dwqi_plain_error(int code)
{
    locale_t outer = dwqi_plain_enter();
    const char *text = strerror(code);

    dwqi_plain_leave(outer);
    return text;
}

bool dwqi_plain_number(const char *text, double *out, const char **end_out)
{
    locale_t outer = dwqi_plain_enter();
    char *end;
    double value = strtod(text, &end);

    dwqi_plain_leave(outer);
    if (end == text || !isfinite(value)) {
        return false;
    }
    *out = value;
    *end_out = end;
    return true;
}

bool dwqi_plain_is_number(const char *text, double *out)
{
    const char *end;
    double value;

    if (!dwqi_plain_number(text, &value, &end) || *end != '\0') {
        return false;
    }
    *out = value;
    return true;
}

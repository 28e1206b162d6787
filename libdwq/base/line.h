/* A line of text, made as a handler of a signal may make it. What is too much is cut;
 * control characters become '?'. */
#ifndef DWQI_BASE_LINE_H
#define DWQI_BASE_LINE_H

#include <stddef.h>
#include <stdint.h>

struct dwqi_line {
    size_t used;
    char text[2048]; /* no closing NUL */
};

static inline void dwqi_line_add(struct dwqi_line *line, const char *text)
{
    for (; *text && line->used < sizeof line->text - 1; text++) {
        unsigned char c = (unsigned char)*text;

        line->text[line->used++] = (char)(c < ' ' || c == 127 ? '?' : c);
    }
}

static inline void dwqi_line_add_number(struct dwqi_line *line, uint64_t number)
{
    char digits[21], *first = digits + sizeof digits - 1;

    *first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    dwqi_line_add(line, first);
}

#endif

#include "topology/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void dwqi_text_add(struct dwqi_buffer *text, const char *format, ...)
{
    char line[512];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (size < 0) {
        text->failed = true;
    } else if ((size_t)size < sizeof line) {
        dwqi_buffer_append(text, line, (size_t)size);
    } else { /* vsnprintf writes an end mark, which is then taken off again */
        char *at = dwqi_buffer_grow(text, (size_t)size + 1);

        if (at) {
            va_start(args, format);
            vsnprintf(at, (size_t)size + 1, format, args);
            va_end(args);
            text->size--;
        }
    }
}

void dwqi_text_add_ranges(struct dwqi_buffer *text, const int *numbers,
                          int count)
{
    for (int i = 0; i < count;) {
        int last = i;

        while (last + 1 < count && numbers[last + 1] == numbers[last] + 1) {
            last++;
        }
        dwqi_text_add(text, i > 0 ? ",%d" : "%d", numbers[i]);
        if (last > i) {
            dwqi_text_add(text, "-%d", numbers[last]);
        }
        i = last + 1;
    }
}

char *dwqi_text_take(struct dwqi_buffer *text)
{
    char *string;

    dwqi_buffer_append(text, "", 1);
    if (text->failed) {
        dwqi_buffer_finish(text);
        return NULL;
    }
    string = (char *)text->data;
    *text = (struct dwqi_buffer){ .data = NULL };
    return string;
}

bool dwqi_reader_skip(struct dwqi_reader *reader, char c)
{
    if (reader->at == reader->end || *reader->at != c) {
        return false;
    }
    reader->at++;
    return true;
}

bool dwqi_reader_number(struct dwqi_reader *reader, int max, int *out)
{
    const char *at = reader->at;
    int number = 0;

    while (at < reader->end && *at >= '0' && *at <= '9') {
        int digit = *at - '0';

        if (number > (max - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
        at++;
    }
    if (at == reader->at) {
        return false;
    }
    reader->at = at;
    *out = number;
    return true;
}

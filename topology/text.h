/* Writing and reading the texts of this room. */
#ifndef DWQI_TOPOLOGY_TEXT_H
#define DWQI_TOPOLOGY_TEXT_H

#include <dwq/status.h>
#include <stdbool.h>
#include <stddef.h>

#include "libdwq/base/buffer.h"

/* Appends, without an end mark. */
void dwqi_text_add(struct dwqi_buffer *text, const char *format, ...)
    DWQ_PRINTF(2, 3);
/* "0-3,8" for ascending numbers. */
void dwqi_text_add_ranges(struct dwqi_buffer *text, const int *numbers,
                          int count);
/* The bytes as a string of its own; frees the buffer. NULL: out of memory. */
char *dwqi_text_take(struct dwqi_buffer *text);

/* What is left of bytes that are being read. */
struct dwqi_reader {
    const char *at;
    const char *end;
};

/* Takes this character if it is the next one. */
bool dwqi_reader_skip(struct dwqi_reader *reader, char c);
/* Takes digits; false when there are none, or the number is above max. */
bool dwqi_reader_number(struct dwqi_reader *reader, int max, int *out);

#endif

/* Plain text: the same in every locale, of whole characters (UTF-8), and without
 * control characters, so that no name can forge a line or steer a terminal. */
#ifndef DWQI_BASE_PLAIN_H
#define DWQI_BASE_PLAIN_H

#include <dwq/status.h>
#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* This thread writes and reads numbers, and the system's messages, as in C until
 * dwqi_plain_leave(). Between them no code of the user runs. */
locale_t dwqi_plain_enter(void);
void dwqi_plain_leave(locale_t outer);

/* Bytes of the character that a text begins with; 0: it is none. */
size_t dwqi_plain_character(const char *text);
/* Bytes of the longest beginning of `text` that has at most `most` bytes and ends
 * with a whole character: for "%.*s". What is no UTF-8 is cut anywhere. */
int dwqi_plain_fit(const char *text, size_t most);
/* Cuts a text that was too long for its place of `size` bytes. */
void dwqi_plain_cut(char *text, size_t size);

/* Control characters, and bytes that are no UTF-8, become \n, \t and \x1b. */
void dwqi_plain_escape(const char *text, char *out, size_t size);

/* snprintf() of plain text; up to 2 KiB. */
void dwqi_plain_format(char *text, size_t size, const char *format, ...)
    DWQ_PRINTF(3, 4);
void dwqi_plain_vformat(char *text, size_t size, const char *format,
                        va_list args);
/* The same for a text of the user's, which may have lines and tabs: not escaped. */
void dwqi_plain_vprint(char *text, size_t size, const char *format,
                       va_list args);
/* strerror() in English. */
const char *dwqi_plain_error(int code);

/* A finite number that the text begins with; what follows is *end_out. */
bool dwqi_plain_number(const char *text, double *out, const char **end_out);
/* The same, and nothing follows. */
bool dwqi_plain_is_number(const char *text, double *out);

#endif

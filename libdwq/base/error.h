/* Why something failed, in words: the one such object of the library. Whoever decides
 * writes it; callers hand it on to a log, a result, or the user. */
#ifndef DWQI_BASE_ERROR_H
#define DWQI_BASE_ERROR_H

#include <dwq/status.h>

struct dwqi_error {
    char text[512]; /* names what is wrong, and its value; "": nothing is */
    int code;       /* the status, or what else goes with the text */
};

/* Write both, the text plain and cut at its size; the status is handed back. */
dwq_status_t dwqi_error_set(struct dwqi_error *error, dwq_status_t status,
                            const char *format, ...) DWQ_PRINTF(3, 4);
/* The same with a text for the status, where nobody wrote one. */
dwq_status_t dwqi_error_complete(struct dwqi_error *error, dwq_status_t status);

#endif

/* Where the library's lines go: the user's callback, or stderr. Errors and
 * warnings always; decisions when verbose. */
#ifndef DWQI_BASE_LOG_H
#define DWQI_BASE_LOG_H

#include <dwq/status.h>
#include <stdbool.h>

struct dwqi_log {
    void (*line)(const char *line, void *arg); /* NULL: stderr */
    void *arg;
    bool verbose;
    char who[48]; /* "rank 3 (worker 2)", or empty */
};

void dwqi_log_error(const struct dwqi_log *log, const char *format, ...)
    DWQ_PRINTF(2, 3);
void dwqi_log_warning(const struct dwqi_log *log, const char *format, ...)
    DWQ_PRINTF(2, 3);
/* Only when verbose; a macro, so that the arguments cost nothing otherwise. */
#define dwqi_log_info(log, ...)                \
    do {                                       \
        if ((log)->verbose) {                  \
            dwqi_log_line((log), __VA_ARGS__); \
        }                                      \
    } while (0)
void dwqi_log_line(const struct dwqi_log *log, const char *format, ...)
    DWQ_PRINTF(2, 3);

#endif

/* Where the library's lines go: the user's callback, or stderr. Errors and
 * warnings always; decisions when verbose. */
#ifndef DWQI_BASE_LOG_H
#define DWQI_BASE_LOG_H

#include <dwq/status.h>
#include <stdbool.h>
#include <stdint.h>

struct dwqi_log {
    void (*line)(const char *line, void *arg); /* NULL: stderr */
    void *arg;
    bool verbose;
    char who[48]; /* "rank 3 (worker 2)", or empty */
};

/* "no memory for a task of 600 bytes on rank 3 (worker 2)", into `text`. */
#define DWQI_NO_MEMORY_SIZE 160
void dwqi_no_memory_text(char *text, const struct dwqi_log *log,
                         const char *what, uint64_t size);

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

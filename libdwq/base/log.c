#include "libdwq/base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 1024

static void emit(const struct dwqi_log *log, const char *level,
                 const char *format, va_list args)
{
    char line[LINE_MAX_BYTES];
    int used = snprintf(line, sizeof line, "libdwq: %s%s%s", log->who,
                        log->who[0] ? ": " : "", level);

    if (used < 0 || (size_t)used >= sizeof line) {
        used = 0;
    }
    vsnprintf(line + used, sizeof line - (size_t)used, format, args);
    if (log->line) {
        log->line(line, log->arg);
    } else {
        fprintf(stderr, "%s\n", line);
    }
}

void dwqi_log_error(const struct dwqi_log *log, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    emit(log, "error: ", format, args);
    va_end(args);
}

void dwqi_log_warning(const struct dwqi_log *log, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    emit(log, "warning: ", format, args);
    va_end(args);
}

void dwqi_log_line(const struct dwqi_log *log, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    emit(log, "", format, args);
    va_end(args);
}

void dwqi_no_memory_text(char *text, const struct dwqi_log *log,
                         const char *what, uint64_t size)
{
    snprintf(text, DWQI_NO_MEMORY_SIZE,
             "no memory for %s of %" PRIu64 " bytes%s%s", what, size,
             log->who[0] != '\0' ? " on " : "", log->who);
}

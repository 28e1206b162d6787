#include "libdwq/base/error.h"

#include "libdwq/base/plain.h"

dwq_status_t dwqi_error_set(struct dwqi_error *error, dwq_status_t status,
                            const char *format, ...)
{
    va_list args;

    va_start(args, format);
    dwqi_plain_vformat(error->text, sizeof error->text, format, args);
    va_end(args);
    error->code = status;
    return status;
}

dwq_status_t dwqi_error_complete(struct dwqi_error *error, dwq_status_t status)
{
    return status == DWQ_OK || error->code == (int)status
               ? status
               : dwqi_error_set(error, status, "%s", dwq_status_text(status));
}

#include "workers/last_call.h"

#include <string.h>

#include "libdwq/item/transport.h"

void dwqi_last_call_keep(struct dwqi_last_call *last, const void *item,
                         const struct dwqi_task_head *head)
{
    size_t names = (size_t)head->function_size + head->module_size;

    last->function_size = head->function_size;
    last->module_size = head->module_size;
    last->time_est = head->time_est > 0 ? head->time_est : 1; /* 0 means 1 */
    if (names <= sizeof last->names) {
        memcpy(last->names, (const char *)item + sizeof *head, names);
    }
}

double dwqi_last_call_next(const struct dwqi_last_call *last,
                           const struct dwqi_part_head *part, const void *item,
                           const struct dwqi_task_head *head)
{
    size_t names = (size_t)last->function_size + last->module_size;
    double seconds = part->this_time * head->time_est / last->time_est;

    return seconds < DWQI_SHORT_CALL && names <= sizeof last->names &&
                   head->function_size == last->function_size &&
                   head->module_size == last->module_size &&
                   memcmp((const char *)item + sizeof *head, last->names,
                          names) == 0
               ? seconds
               : 0;
}

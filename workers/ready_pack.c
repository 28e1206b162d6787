#include "workers/ready_pack.h"

dwq_status_t dwqi_ready_pack_set(struct dwqi_pack *pack, dwq_value_t data,
                                 const struct dwqi_log *log)
{
    struct dwqi_scratch scratch = { .pool = NULL };
    struct dwqi_pack made;
    const char *why = "";
    dwq_status_t status =
        dwqi_values_pack((dwq_values_t){ 1, &data }, (dwq_kwargs_t){ 0, NULL },
                         &scratch, &made, &why);

    dwqi_scratch_finish(&scratch);
    if (status != DWQ_OK) {
        dwqi_log_error(log, "ready data: %s", why);
        return status;
    }
    dwqi_pack_finish(pack);
    *pack = made;
    return DWQ_OK;
}

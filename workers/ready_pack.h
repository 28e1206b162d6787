/* Ready data as each role keeps it: an item of one value. */
#ifndef DWQI_WORKERS_READY_PACK_H
#define DWQI_WORKERS_READY_PACK_H

#include "libdwq/base/log.h"
#include "libdwq/item/codec.h"

/* Put a copy of `data` in place of what *pack has. DWQ_E_ARG (not a valid value, and
 * logged), DWQ_E_NOMEM: *pack is as it was. */
dwq_status_t dwqi_ready_pack_set(struct dwqi_pack *pack, dwq_value_t data,
                                 const struct dwqi_log *log);

#endif

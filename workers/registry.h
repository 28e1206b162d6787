/* The functions of this process: the table of __main__, and modules (shared
 * objects) that are loaded at first use, begun and finished once for each registry,
 * and never unloaded. Only what stands in a table can be found. */
#ifndef DWQI_WORKERS_REGISTRY_H
#define DWQI_WORKERS_REGISTRY_H

#include <dwq/function.h>

#include "libdwq/base/error.h"
#include "libdwq/base/log.h"

struct dwqi_registry;

/**
 * @param functions    Borrowed; NULL is an empty table.
 * @param arg          For functions of the table that have none.
 * @param module_path  Folders with ':' between: as they are now, whatever folder
 *                     calls go to.
 *
 * @return DWQ_OK, DWQ_E_NOMEM, DWQ_E_OPTION (two functions of one name, or one
 *         without a pointer: reason_out says which)
 */
dwq_status_t dwqi_registry_create(const dwq_function_t *functions, void *arg,
                                  const char *module_path,
                                  const struct dwqi_log *log,
                                  struct dwqi_registry **registry_out,
                                  struct dwqi_error *reason_out);
void dwqi_registry_destroy(struct dwqi_registry *registry);

/* `module` NULL is __main__. DWQ_OK: function_out has its arg filled in.
 * DWQ_E_TASK: reason_out names what is missing or wrong. */
dwq_status_t dwqi_registry_find(struct dwqi_registry *registry,
                                const char *module, const char *function,
                                dwq_function_t *function_out,
                                struct dwqi_error *reason_out);

/* The worker function that a module exports under a name; NULL: the
 * one it exports without a name. *arg_out is what the module's init gave. */
dwq_status_t dwqi_registry_find_worker(
    struct dwqi_registry *registry, const char *module, const char *name,
    int (**function_out)(dwq_worker_t *worker, void *arg), void **arg_out,
    struct dwqi_error *reason_out);

/* The same for a broker function. */
dwq_status_t dwqi_registry_find_broker(
    struct dwqi_registry *registry, const char *module, const char *name,
    int (**function_out)(dwq_broker_t *broker, void *arg), void **arg_out,
    struct dwqi_error *reason_out);

#endif

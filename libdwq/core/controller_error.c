/* Why a call of the user's failed: kept in the handle until the next one. */
#include "libdwq/core/controller_private.h"
#include "libdwq/wire/process.h"

static const char elsewhere[] =
    "this call comes from another thread than the one that opened the run, or "
    "from a child of fork(): nothing was done";

/* Whether this is the user that the handle was given to. */
static bool is_here(const dwq_controller_t *c)
{
    return pthread_equal(c->thread, pthread_self()) && !dwqi_process_is_child();
}

dwq_status_t dwqi_controller_enter(dwq_controller_t *c)
{
    if (!c) {
        return DWQ_E_ARG;
    }
    if (!is_here(c)) {
        dwqi_log_error(c->config.log, "%s", elsewhere);
        return DWQ_E_STATE;
    }
    c->error.code = DWQ_OK;
    c->error.text[0] = '\0';
    return DWQ_OK;
}

dwq_status_t dwqi_controller_refuse(dwq_controller_t *c, dwq_status_t status,
                                    const char *why)
{
    if (why) {
        dwqi_error_set(&c->error, status, "%s", why);
    }
    dwqi_error_complete(&c->error, status);
    dwqi_log_error(c->config.log, "%s", c->error.text);
    return status;
}

const char *dwq_controller_error(const dwq_controller_t *controller)
{
    const struct dwqi_error *error;

    if (!controller) {
        return dwqi_process_failure();
    }
    if (!is_here(controller)) {
        return elsewhere;
    }
    error = &controller->error;
    return error->text[0] != '\0' || error->code == DWQ_OK
               ? error->text
               : dwq_status_text((dwq_status_t)error->code);
}

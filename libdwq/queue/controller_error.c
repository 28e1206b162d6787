/* Why a call of the user's failed: kept in the handle until the next one. A handle that is
 * no more is not looked into. */
#include "libdwq/queue/controller_private.h"

static const char elsewhere[] =
    "this call comes from another thread than the one that opened the run, or "
    "from a child of fork(): nothing was done";

static const char closed[] =
    "this controller was closed (by dwq_close(), or at the end of its "
    "dwq_run()): nothing was done";

void dwqi_controller_forget(dwq_controller_t *controller)
{
    dwqi_process_remove_handle(&controller->handle);
}

bool dwqi_controller_is_known(const dwq_controller_t *controller)
{
    return controller && dwqi_process_has_handle((const void *)controller);
}

/* Why the user may not use it here and now; NULL: it is open, and theirs. */
static inline const char *why_not(const dwq_controller_t *c)
{
    return dwqi_process_is_child()                     ? elsewhere
           : !dwqi_controller_is_known(c)              ? closed
           : !pthread_equal(c->thread, pthread_self()) ? elsewhere
                                                       : NULL;
}

dwq_status_t dwqi_controller_enter(dwq_controller_t *c)
{
    const char *why;

    if (!c) {
        return DWQ_E_ARG;
    }
    why = why_not(c);
    if (why) {
        dwqi_log_error(why == elsewhere && !dwqi_process_is_child()
                           ? c->d.config.log
                           : &(struct dwqi_log){ .line = NULL },
                       "%s", why);
        return DWQ_E_STATE;
    }
    if (c->depth++ == 0 && c->feeder) {
        dwqi_feeder_enter(c->feeder);
    }
    c->error.code = DWQ_OK;
    c->error.text[0] = '\0';
    return DWQ_OK;
}

dwq_status_t dwqi_controller_leave_call(dwq_controller_t *c,
                                        dwq_status_t status)
{
    return dwqi_controller_leave(c, status);
}

dwq_status_t dwqi_controller_refuse(dwq_controller_t *c, dwq_status_t status,
                                    const char *why)
{
    if (why) {
        dwqi_error_set(&c->error, status, "%s", why);
    }
    dwqi_error_complete(&c->error, status);
    dwqi_log_error(c->d.config.log, "%s", c->error.text);
    return status;
}

const char *dwq_controller_error(const dwq_controller_t *controller)
{
    const struct dwqi_error *error;
    const char *why;

    if (!controller) {
        return dwqi_process_failure();
    }
    why = why_not(controller);
    if (why) {
        return why;
    }
    error = &controller->error;
    return error->text[0] != '\0' || error->code == DWQ_OK
               ? error->text
               : dwq_status_text((dwq_status_t)error->code);
}

#include "workers/idle.h"

#include <stdlib.h>

struct idle {
    struct dwqi_role role;
    struct dwqi_transport *transport;
    bool told;
};

static dwq_status_t step(struct dwqi_role *role)
{
    struct idle *idle = (struct idle *)(void *)role;
    struct dwqi_message message;
    dwq_status_t status = dwqi_poll(idle->transport, &message);

    if (status == DWQ_OK) {
        idle->told = message.status == DWQ_OK && message.tag == DWQI_EXIT;
        dwqi_release(idle->transport, &message);
    }
    return status;
}

static bool is_closed(const struct dwqi_role *role)
{
    return ((const struct idle *)(const void *)role)->told;
}

static void finish(struct dwqi_role *role)
{
    free(role);
}

static const struct dwqi_role_ops ops = {
    .step = step,
    .is_closed = is_closed,
    .finish = finish,
};

dwq_status_t dwqi_idle_create(struct dwqi_transport *transport,
                              struct dwqi_role **role_out)
{
    struct idle *idle = calloc(1, sizeof *idle);

    if (!idle) {
        return DWQ_E_NOMEM;
    }
    idle->role.ops = &ops;
    idle->transport = transport;
    *role_out = &idle->role;
    return DWQ_OK;
}

/* Words of the service in a group: between the broker beside it and its rank 0, and
 * the order to accept a client. */
#include "libdwq/group/team_private.h"

void dwqi_team_listen(struct dwqi_team *team,
                      dwq_status_t (*heard)(void *arg,
                                            const struct dwqi_service *service),
                      void *arg)
{
    team->heard = heard;
    team->heard_arg = arg;
}

dwq_status_t dwqi_team_pump(struct dwqi_team *team)
{
    return dwqi_team_receive(team);
}

dwq_status_t dwqi_team_say_service(struct dwqi_team *team,
                                   const struct dwqi_service *service)
{
    int peer = team->config.rank == 0 ? dwqi_team_peer(team, 0) : 0;

    return dwqi_service_send(team->config.transport, peer, service);
}

dwq_status_t dwqi_team_service_came(struct dwqi_team *team,
                                    const struct dwqi_message *message)
{
    struct dwqi_service service;
    dwq_status_t status = dwqi_service_read(message, &service);

    if (status != DWQ_OK) {
        return status;
    }
    if (service.kind == DWQI_SERVICE_ACCEPT && team->config.rank != 0) {
        team->order = (struct dwqi_order){ .kind = DWQI_ORDER_ACCEPT };
        team->has_order = true;
        return DWQ_OK;
    }
    return team->heard ? team->heard(team->heard_arg, &service) : DWQ_E_MESSAGE;
}

dwq_status_t dwqi_team_send_accept(struct dwqi_team *team)
{
    team->sending = DWQI_ORDER_ACCEPT;
    team->n_missing = team->config.size - 1;
    team->down = false;
    dwqi_arena_reset(&team->arena);
    return team->ops->send_order(team, DWQI_ORDER_ACCEPT);
}

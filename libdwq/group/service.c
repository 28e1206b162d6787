#include "libdwq/group/service.h"

#include <string.h>

dwq_status_t dwqi_service_send(struct dwqi_transport *transport, int peer,
                               const struct dwqi_service *service)
{
    struct dwqi_extent part = { service, sizeof *service };

    return dwqi_send(
        transport, peer,
        &(struct dwqi_outgoing){
            .tag = DWQI_SERVICE, .n_items = 1, .parts = &part, .n_parts = 1 });
}

dwq_status_t dwqi_service_read(const struct dwqi_message *message,
                               struct dwqi_service *service_out)
{
    struct dwqi_service service;

    if (message->status != DWQ_OK || message->body_size < sizeof service) {
        return DWQ_E_MESSAGE;
    }
    memcpy(&service, message->body, sizeof service);
    if (service.kind == 0 || service.kind >= DWQI_SERVICE_KIND_COUNT ||
        !memchr(service.name, '\0', sizeof service.name) ||
        !memchr(service.port, '\0', sizeof service.port)) {
        return DWQ_E_MESSAGE;
    }
    *service_out = service;
    return DWQ_OK;
}

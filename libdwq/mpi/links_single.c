/* Without MPI, or with one that has no intercommunicators: no name can be published,
 * so nothing is ever linked. */
#include "libdwq/item/links.h"

#include <stddef.h>

dwq_status_t dwqi_links_create(struct dwqi_group *group,
                               const struct dwqi_log *log,
                               struct dwqi_links **links_out)
{
    (void)group;
    (void)log;
    *links_out = NULL; /* what the others get, and do not mind */
    return DWQ_OK;
}

void dwqi_links_destroy(struct dwqi_links *links)
{
    (void)links;
}

dwq_status_t dwqi_links_publish(struct dwqi_links *links, const char *name,
                                char *port_out)
{
    (void)links;
    (void)name;
    (void)port_out;
    return DWQ_E_SERVICE;
}

dwq_status_t dwqi_links_renew(struct dwqi_links *links, char *port_out)
{
    (void)links;
    (void)port_out;
    return DWQ_E_SERVICE;
}

dwq_status_t dwqi_links_accept(struct dwqi_links *links)
{
    (void)links;
    return DWQ_E_STATE;
}

dwq_status_t dwqi_links_connect(struct dwqi_links *links, const char *port)
{
    (void)links;
    (void)port;
    return DWQ_E_STATE;
}

const void *dwqi_links_server(const struct dwqi_links *links)
{
    (void)links;
    return NULL;
}

const void *dwqi_links_clients(const struct dwqi_links *links, int *n_out)
{
    (void)links;
    *n_out = 0;
    return NULL;
}

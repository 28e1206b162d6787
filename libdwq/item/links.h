/* The MPI side of the service, on one rank of a group: the port under its name, and
 * the intercommunicators to other groups. Accept and connect block until the other
 * group comes, and must be entered only when both groups have committed themselves
 * (group/service.h). */
#ifndef DWQI_ITEM_LINKS_H
#define DWQI_ITEM_LINKS_H

#include "libdwq/base/log.h"

struct dwqi_group;
struct dwqi_links;

/* DWQ_OK, DWQ_E_NOMEM. Both are borrowed. */
dwq_status_t dwqi_links_create(struct dwqi_group *group,
                               const struct dwqi_log *log,
                               struct dwqi_links **links_out);
/* Unpublish; wait cheaply for each other group, and disconnect. Collective over all
 * groups that are linked, which do it after their last call. */
void dwqi_links_destroy(struct dwqi_links *links);

/* The group's rank 0: open a port and publish it. `port_out` has room for
 * DWQI_PORT_MAX bytes. DWQ_OK; DWQ_E_SERVICE, and the reason is logged. */
dwq_status_t dwqi_links_publish(struct dwqi_links *links, const char *name,
                                char *port_out);
/* It, too, after an accept: open another port, for the next client; Open MPI 5.0.7 hangs
 * where a port is used twice. The name stays that of the first. */
dwq_status_t dwqi_links_renew(struct dwqi_links *links, char *port_out);

/* Collective over both groups. DWQ_OK, DWQ_E_MPI, DWQ_E_NOMEM. */
dwq_status_t dwqi_links_accept(struct dwqi_links *links);
dwq_status_t dwqi_links_connect(struct dwqi_links *links, const char *port);

/* For the user: an MPI_Comm *, NULL: none; and an array of n MPI_Comm, NULL: none,
 * in the order in which they were accepted. */
const void *dwqi_links_server(const struct dwqi_links *links);
const void *dwqi_links_clients(const struct dwqi_links *links, int *n_out);

#endif

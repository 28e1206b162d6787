#include "libdwq/item/links.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/mpi/group_private.h"
#include "libdwq/process/lines.h"

_Static_assert(MPI_MAX_PORT_NAME <= DWQI_PORT_MAX, "a port fits");

struct dwqi_links {
    struct dwqi_group *group;
    const struct dwqi_log *log;
    char *name; /* published; NULL: none */
    char published[MPI_MAX_PORT_NAME];
    char
        port[MPI_MAX_PORT_NAME]; /* of the next client; "": none, or not here */
    /* Private ones, over which the groups part, whatever calls left on the user's. */
    MPI_Comm server, *clients;
    MPI_Comm user_server, *user_clients;
    int n_clients;
};

dwq_status_t dwqi_links_create(struct dwqi_group *group,
                               const struct dwqi_log *log,
                               struct dwqi_links **links_out)
{
    struct dwqi_links *links = calloc(1, sizeof *links);

    if (!links) {
        return DWQ_E_NOMEM;
    }
    links->group = group;
    links->log = log;
    links->server = links->user_server = MPI_COMM_NULL;
    *links_out = links;
    return DWQ_OK;
}

/* --- Errors ---------------------------------------------------------------- */

/* Have the errors of `comm` returned, and remember what was done with them. Those of
 * ports and names are the world's. */
static MPI_Errhandler catch_errors(MPI_Comm comm)
{
    MPI_Errhandler before;

    MPI_Comm_get_errhandler(comm, &before);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    return before;
}

static void restore_errors(MPI_Comm comm, MPI_Errhandler before)
{
    MPI_Comm_set_errhandler(comm, before);
    MPI_Errhandler_free(&before);
}

static bool worked(const struct dwqi_links *links, int code, const char *what)
{
    char text[MPI_MAX_ERROR_STRING];
    int length;

    if (code == MPI_SUCCESS) {
        return true;
    }
    MPI_Error_string(code, text, &length);
    dwqi_log_error(links->log, "%s: %s", what, text);
    return false;
}

/* --- The name, and ports ------------------------------------------------------ */

static bool open_port(struct dwqi_links *links)
{
    MPI_Errhandler before = catch_errors(MPI_COMM_WORLD);
    bool ok = worked(links, MPI_Open_port(MPI_INFO_NULL, links->port),
                     "MPI_Open_port");

    restore_errors(MPI_COMM_WORLD, before);
    if (!ok) {
        links->port[0] = '\0';
    }
    return ok;
}

static void close_port(struct dwqi_links *links)
{
    MPI_Errhandler before = catch_errors(MPI_COMM_WORLD);

    if (links->port[0] != '\0') {
        MPI_Close_port(links->port);
        links->port[0] = '\0';
    }
    restore_errors(MPI_COMM_WORLD, before);
}

static bool publish(struct dwqi_links *links, const char *name)
{
    MPI_Errhandler before = catch_errors(MPI_COMM_WORLD);
    bool ok = worked(links, MPI_Publish_name(name, MPI_INFO_NULL, links->port),
                     "MPI_Publish_name");

    restore_errors(MPI_COMM_WORLD, before);
    memcpy(links->published, links->port, sizeof links->published);
    return ok;
}

dwq_status_t dwqi_links_publish(struct dwqi_links *links, const char *name,
                                char *port_out)
{
    char *copy = strdup(name);

    if (!copy || !open_port(links)) {
        free(copy);
        return DWQ_E_SERVICE;
    }
    if (!publish(links, name)) {
        close_port(links);
        free(copy);
        return DWQ_E_SERVICE;
    }
    links->name = copy;
    snprintf(port_out, DWQI_PORT_MAX, "%s", links->port);
    return DWQ_OK;
}

dwq_status_t dwqi_links_renew(struct dwqi_links *links, char *port_out)
{
    close_port(links);
    if (!open_port(links)) {
        return DWQ_E_SERVICE;
    }
    snprintf(port_out, DWQI_PORT_MAX, "%s", links->port);
    return DWQ_OK;
}

static void unpublish(struct dwqi_links *links)
{
    MPI_Errhandler before;

    if (!links->name) {
        return;
    }
    before = catch_errors(MPI_COMM_WORLD);
    MPI_Unpublish_name(links->name, MPI_INFO_NULL, links->published);
    restore_errors(MPI_COMM_WORLD, before);
    close_port(links);
    free(links->name);
    links->name = NULL;
}

/* --- Intercommunicators ------------------------------------------------------ */

static dwq_status_t copy_for_user(const struct dwqi_links *links, MPI_Comm comm,
                                  MPI_Comm *copy_out)
{
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    return dwqi_world_duplicate(links->group->world, comm, false, copy_out);
}

/* Room for one more client. */
static bool make_room(const struct dwqi_links *links, MPI_Comm **comms)
{
    size_t n = (size_t)links->n_clients + 1;
    MPI_Comm *more = realloc(*comms, n * sizeof(MPI_Comm));

    *comms = more ? more : *comms;
    return more != NULL;
}

dwq_status_t dwqi_links_accept(struct dwqi_links *links)
{
    int n = links->n_clients;
    MPI_Comm comm = links->group->user_group.now;
    MPI_Errhandler before;
    bool ok;

    if (!make_room(links, &links->clients) ||
        !make_room(links, &links->user_clients)) {
        return DWQ_E_NOMEM;
    }
    before = catch_errors(comm);
    ok = worked(links,
                MPI_Comm_accept(links->port, MPI_INFO_NULL, 0, comm,
                                &links->clients[n]),
                "MPI_Comm_accept");
    restore_errors(comm, before);
    if (!ok) {
        return DWQ_E_MPI;
    }
    links->user_clients[n] = MPI_COMM_NULL;
    links->n_clients++;
    return copy_for_user(links, links->clients[n], &links->user_clients[n]);
}

dwq_status_t dwqi_links_connect(struct dwqi_links *links, const char *port)
{
    MPI_Comm comm = links->group->user_group.now;
    MPI_Errhandler before = catch_errors(comm);
    bool ok = worked(
        links, MPI_Comm_connect(port, MPI_INFO_NULL, 0, comm, &links->server),
        "MPI_Comm_connect");

    restore_errors(comm, before);
    if (!ok) {
        links->server = MPI_COMM_NULL;
        return DWQ_E_MPI;
    }
    return copy_for_user(links, links->server, &links->user_server);
}

const void *dwqi_links_server(const struct dwqi_links *links)
{
    return links->user_server == MPI_COMM_NULL ? NULL : &links->user_server;
}

const void *dwqi_links_clients(const struct dwqi_links *links, int *n_out)
{
    *n_out = links->n_clients;
    return links->n_clients > 0 ? links->user_clients : NULL;
}

/* --- The end ------------------------------------------------------------------ */

/* Both groups meet first: MPI_Comm_disconnect spins until the other one comes. Where a
 * rank of the job has died it may be one of theirs, and they do without. */
static bool meet(const struct dwqi_links *links, MPI_Comm comm)
{
    MPI_Request request;

    return !dwqi_lines_know_deaths(dwqi_process_lines()) &&
           MPI_Ibarrier(comm, &request) == MPI_SUCCESS &&
           dwqi_world_finish_until(links->group->world, true, &request,
                                   INFINITY) == DWQ_OK;
}

static void part(struct dwqi_links *links, MPI_Comm *comm, MPI_Comm *user)
{
    if (*user != MPI_COMM_NULL) {
        MPI_Comm_set_errhandler(*user, MPI_ERRORS_RETURN);
        MPI_Comm_free(user);
    }
    if (meet(links, *comm)) {
        MPI_Comm_disconnect(comm);
    }
}

void dwqi_links_destroy(struct dwqi_links *links)
{
    if (!links) {
        return;
    }
    unpublish(links);
    if (links->server != MPI_COMM_NULL) {
        part(links, &links->server, &links->user_server);
    }
    /* Each client waits for this group alone, so that any order will do. */
    for (int i = 0; i < links->n_clients; i++) {
        part(links, &links->clients[i], &links->user_clients[i]);
    }
    free(links->clients);
    free(links->user_clients);
    free(links);
}

/* What groups say to each other, over their brokers, before they enter MPI's accept
 * and connect, which have no timeout:
 *
 *     client's rank 0        its broker        server's broker      server's group
 *         |                      |                   |<--- PUBLISH ------| rank 0
 *         |------ REQUEST ------>|------------------>|  until no call runs
 *         |<------- OFFER -------|<------------------|  new tasks are held
 *         |------- COMMIT ------>|------------------>|---- ACCEPT ------>| every rank
 *         |  MPI_Comm_connect, every rank            |   MPI_Comm_accept |
 *
 * CANCEL instead of COMMIT (or before any OFFER): the client has given this number up.
 * It says exactly one of both to each number it requested, unless it hears REFUSE
 * (the server withdrew, or leaves). So the server never waits for long. */
#ifndef DWQI_GROUP_SERVICE_H
#define DWQI_GROUP_SERVICE_H

#include "libdwq/item/transport.h"

#define DWQI_SERVICE_NAME_MAX 256 /* with the closing NUL */

enum dwqi_service_kind {
    DWQI_SERVICE_PUBLISH = 1, /* name, port */
    DWQI_SERVICE_REQUEST,     /* group, number, name */
    DWQI_SERVICE_OFFER,       /* number, port */
    DWQI_SERVICE_REFUSE,      /* number */
    DWQI_SERVICE_COMMIT,      /* group, number */
    DWQI_SERVICE_CANCEL,      /* group, number */
    DWQI_SERVICE_ACCEPT,      /* in a group, by message: an order */
    DWQI_SERVICE_KIND_COUNT
};

/* The body of a SERVICE message. */
struct dwqi_service {
    uint32_t kind;
    int32_t group;   /* the client's number */
    uint64_t number; /* of the client's requests, from 1 */
    uint64_t reserved[6];
    char name[DWQI_SERVICE_NAME_MAX];
    char port[DWQI_PORT_MAX];
};
_Static_assert(sizeof(struct dwqi_service) == 64 + 256 + 1024, "wire struct");

/* DWQ_OK, DWQ_E_MPI, DWQ_E_NOMEM. */
dwq_status_t dwqi_service_send(struct dwqi_transport *transport, int peer,
                               const struct dwqi_service *service);
/* DWQ_E_MESSAGE: it cannot be read. */
dwq_status_t dwqi_service_read(const struct dwqi_message *message,
                               struct dwqi_service *service_out);

#endif

#include "workers/service.h"

#include <stdlib.h>
#include <string.h>

#include "workers/worker.h"

#define SECONDS_PER_ATTEMPT 1.
#define ATTEMPTS 5

struct dwqi_access {
    struct dwqi_access_config config;
    bool published, connected;
    uint64_t number; /* of the newest request */
    /* What came last for it; .kind 0: nothing. Older words are of older requests. */
    struct dwqi_service heard;
};

dwq_status_t dwqi_access_create(const struct dwqi_access_config *config,
                                struct dwqi_access **access_out)
{
    struct dwqi_access *access = calloc(1, sizeof *access);

    if (!access) {
        return DWQ_E_NOMEM;
    }
    access->config = *config;
    *access_out = access;
    return DWQ_OK;
}

void dwqi_access_destroy(struct dwqi_access *access)
{
    free(access);
}

dwq_status_t dwqi_access_hear(struct dwqi_access *access,
                              const struct dwqi_service *word)
{
    access->heard = *word;
    return DWQ_OK;
}

static bool is_first(const struct dwqi_access *access)
{
    return dwqi_team_rank(access->config.team) == 0;
}

/* One line for the group. */
static dwq_status_t refuse(const struct dwqi_access *access, const char *what,
                           const char *why)
{
    if (is_first(access)) {
        dwqi_log_error(access->config.log, "%s the service \"%s\": %s", what,
                       access->config.name, why);
    }
    return DWQ_E_SERVICE;
}

/* What every rank finds alike, without a word. */
static dwq_status_t check(const struct dwqi_access *access, const char *what,
                          const char *why_not)
{
    if (why_not) {
        return refuse(access, what, why_not);
    }
    if (strlen(access->config.name) >= DWQI_SERVICE_NAME_MAX) {
        return refuse(access, what, "the name is longer than 255 bytes");
    }
    return DWQ_OK;
}

/* All ranks of the group come, and say the same. */
static dwq_status_t agree(struct dwqi_access *access, const char *what, bool ok,
                          bool *all_ok_out)
{
    dwq_status_t status = dwqi_team_agree(access->config.team, ok, all_ok_out);

    if (status == DWQ_E_STATE) {
        return refuse(access, what,
                      "possible only before serving, or in a call");
    }
    return status;
}

static dwq_status_t meet(struct dwqi_access *access, const char *what)
{
    bool all_here = false;
    dwq_status_t status = agree(access, what, true, &all_here);

    if (status == DWQ_OK && !all_here) {
        status = refuse(access, what, "a rank of the group did not come");
    }
    return status;
}

/* --- Group 1 ----------------------------------------------------------------- */

static dwq_status_t tell_port(struct dwqi_access *access, const char *port)
{
    struct dwqi_service word = { .kind = DWQI_SERVICE_PUBLISH };

    snprintf(word.name, sizeof word.name, "%s", access->config.name);
    snprintf(word.port, sizeof word.port, "%s", port);
    return access->config.say(access->config.arg, &word);
}

dwq_status_t dwqi_access_publish(struct dwqi_access *access)
{
    static const char what[] = "cannot publish";
    const struct dwqi_access_config *config = &access->config;
    char port[DWQI_PORT_MAX];
    bool ok = true;
    dwq_status_t status =
        check(access, what, config->group == 1 ? NULL : "only group 1 does");

    if (status != DWQ_OK || access->published) {
        return status;
    }
    status = meet(access, what);
    if (status != DWQ_OK) {
        return status;
    }
    if (is_first(access)) {
        ok = dwqi_links_publish(config->links, config->name, port) == DWQ_OK;
    }
    status = agree(access, what, ok, &ok);
    if (status != DWQ_OK || !ok) {
        return status == DWQ_OK ? DWQ_E_SERVICE : status;
    }
    access->published = true;
    if (!is_first(access)) {
        return DWQ_OK;
    }
    dwqi_log_info(access->config.log, "service \"%s\" is published",
                  access->config.name);
    return tell_port(access, port);
}

/* The port for the next client goes to the broker before this rank's part does; without
 * one, nobody else is offered anything. */
dwq_status_t dwqi_access_accept(struct dwqi_access *access)
{
    char port[DWQI_PORT_MAX] = "";
    dwq_status_t status = dwqi_links_accept(access->config.links);

    if (status != DWQ_OK || !is_first(access) ||
        dwqi_links_renew(access->config.links, port) != DWQ_OK) {
        return status;
    }
    return tell_port(access, port);
}

/* --- A client ------------------------------------------------------------------ */

static dwq_status_t say(struct dwqi_access *access, enum dwqi_service_kind kind)
{
    struct dwqi_service word = { .kind = kind, .number = access->number };
    dwq_status_t status;

    snprintf(word.name, sizeof word.name, "%s", access->config.name);
    status = access->config.say(access->config.arg, &word);
    /* So that it leaves, whatever the user does next. */
    return status == DWQ_OK ? access->config.pump(access->config.arg) : status;
}

/* Wait for the answer to the newest request, until a time. */
static dwq_status_t await(struct dwqi_access *access, double until)
{
    struct dwqi_transport *transport = access->config.transport;

    for (;;) {
        dwq_status_t status = access->config.pump(access->config.arg);

        if (status != DWQ_OK || (access->heard.kind != 0 &&
                                 access->heard.number == access->number)) {
            return status;
        }
        if (dwqi_now(transport) >= until) {
            return DWQ_E_AGAIN;
        }
        status = dwqi_pause(transport, until);
        if (status != DWQ_OK) {
            return status;
        }
    }
}

/* One request, which ends with COMMIT (DWQ_OK), REFUSE (DWQ_E_SERVICE) or CANCEL
 * (DWQ_E_AGAIN). */
static dwq_status_t request(struct dwqi_access *access)
{
    dwq_status_t status, said;

    access->number++;
    access->heard.kind = 0;
    status = say(access, DWQI_SERVICE_REQUEST);
    if (status == DWQ_OK) {
        status = await(access, dwqi_now(access->config.transport) +
                                   SECONDS_PER_ATTEMPT);
    }
    if (status == DWQ_E_AGAIN) {
        said = say(access, DWQI_SERVICE_CANCEL);
        return said == DWQ_OK ? status : said;
    }
    if (status != DWQ_OK) {
        return status;
    }
    return access->heard.kind == DWQI_SERVICE_OFFER
               ? say(access, DWQI_SERVICE_COMMIT)
               : DWQ_E_SERVICE;
}

static dwq_status_t negotiate(struct dwqi_access *access, const char *what,
                              int attempts)
{
    dwq_status_t status = DWQ_E_AGAIN;
    char why[80];

    for (int a = 0; a < attempts && status == DWQ_E_AGAIN; a++) {
        status = request(access);
    }
    if (status == DWQ_E_AGAIN) {
        snprintf(why, sizeof why, "no answer in %d attempts", attempts);
        return refuse(access, what, why);
    }
    return status == DWQ_E_SERVICE
               ? refuse(access, what, "group 1 withdrew, or leaves the run")
               : status;
}

dwq_status_t dwqi_access_connect(struct dwqi_access *access, int attempts)
{
    static const char what[] = "cannot connect to";
    const struct dwqi_access_config *config = &access->config;
    dwq_status_t status = check(
        access, what, config->group == 1 ? "group 1 offers it itself" : NULL);
    bool granted = true;

    if (status != DWQ_OK || access->connected) {
        return status;
    }
    status = meet(access, what);
    if (status == DWQ_OK && is_first(access)) {
        status = negotiate(access, what, attempts > 0 ? attempts : ATTEMPTS);
        granted = status == DWQ_OK;
        status = status == DWQ_E_SERVICE ? DWQ_OK : status;
    }
    if (status == DWQ_OK) {
        status = agree(access, what, granted, &granted);
    }
    if (status != DWQ_OK || !granted) {
        return status == DWQ_OK ? DWQ_E_SERVICE : status;
    }
    status = dwqi_links_connect(config->links, access->heard.port);
    access->connected = status == DWQ_OK;
    return status;
}

/* --- The worker's handle ----------------------------------------------------------- */

static dwq_status_t no_group(const dwq_worker_t *worker, const char *function)
{
    dwqi_log_error(worker->log,
                   "%s: the service joins groups, and this worker is one rank",
                   function);
    return DWQ_E_SERVICE;
}

dwq_status_t dwq_worker_publish_service(dwq_worker_t *worker)
{
    if (!worker) {
        return DWQ_E_ARG;
    }
    return worker->access ? dwqi_access_publish(worker->access)
                          : no_group(worker, "dwq_worker_publish_service");
}

dwq_status_t dwq_worker_connect_service(dwq_worker_t *worker, int attempts)
{
    if (!worker) {
        return DWQ_E_ARG;
    }
    return worker->access ? dwqi_access_connect(worker->access, attempts)
                          : no_group(worker, "dwq_worker_connect_service");
}

const void *dwqi_worker_server_comm(const dwq_worker_t *worker)
{
    return worker && worker->access
               ? dwqi_links_server(worker->access->config.links)
               : NULL;
}

const void *dwqi_worker_client_comms(const dwq_worker_t *worker, int *n_out)
{
    int n = 0;

    n_out = n_out ? n_out : &n;
    *n_out = 0;
    return worker && worker->access
               ? dwqi_links_clients(worker->access->config.links, n_out)
               : NULL;
}

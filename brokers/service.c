#include "brokers/service.h"

#include <stdlib.h>
#include <string.h>

#include "brokers/service_fsm.h"
#include "libdwq/group/inbox.h"

/* What a group wants; at most one request at a time. */
struct request {
    bool waits;
    uint64_t number;
    uint64_t arrival; /* counted; the smallest is the oldest */
    int peer;         /* its broker */
    char name[DWQI_SERVICE_NAME_MAX];
};

struct dwqi_broker_service {
    struct dwqi_broker_service_config config;
    struct dwqi_transport *inbox;
    enum dwqi_service_state state;
    struct request *requests; /* [n_groups + 1], by group */
    uint64_t n_arrivals;
    struct dwqi_service published; /* name and port */
    int client;                    /* the group that it was offered to */
    bool own_is_due;               /* this rank's share of the accept */
};

static dwq_status_t word_came(void *arg, const struct dwqi_message *message);

dwq_status_t dwqi_broker_service_create(
    const struct dwqi_broker_service_config *config,
    struct dwqi_broker_service **service_out)
{
    struct dwqi_broker_service *s = calloc(1, sizeof *s);
    dwq_status_t status;

    if (!s) {
        return DWQ_E_NOMEM;
    }
    s->config = *config;
    s->requests = calloc((size_t)config->n_groups + 1, sizeof *s->requests);
    status = s->requests ? dwqi_inbox_create(config->transport, DWQI_SERVICE,
                                             word_came, s, &s->inbox)
                         : DWQ_E_NOMEM;
    if (status != DWQ_OK) {
        dwqi_broker_service_destroy(s);
        return status;
    }
    *service_out = s;
    return DWQ_OK;
}

void dwqi_broker_service_destroy(struct dwqi_broker_service *s)
{
    if (s) {
        dwqi_close(s->inbox);
        free(s->requests);
        free(s);
    }
}

struct dwqi_transport *dwqi_broker_service_transport(
    struct dwqi_broker_service *s)
{
    return s->inbox;
}

dwq_status_t dwqi_broker_service_pump(struct dwqi_broker_service *s)
{
    return dwqi_inbox_pump(s->inbox);
}

/* --- States ---------------------------------------------------------------- */

static dwq_status_t answer(struct dwqi_broker_service *s,
                           const struct request *request,
                           enum dwqi_service_kind kind)
{
    struct dwqi_service word = s->published;

    word.kind = kind;
    word.number = request->number;
    return dwqi_service_send(s->config.transport, request->peer, &word);
}

static dwq_status_t refuse_all(struct dwqi_broker_service *s)
{
    dwq_status_t status = DWQ_OK;

    for (int g = 1; g <= s->config.n_groups && status == DWQ_OK; g++) {
        if (s->requests[g].waits) {
            s->requests[g].waits = false;
            status = answer(s, &s->requests[g], DWQI_SERVICE_REFUSE);
        }
    }
    return status;
}

static dwq_status_t act(struct dwqi_broker_service *s,
                        enum dwqi_service_action action)
{
    switch (action) {
    case DWQI_SA_SEND_OFFER:
        s->requests[s->client].waits = false;
        return answer(s, &s->requests[s->client], DWQI_SERVICE_OFFER);
    case DWQI_SA_SEND_ACCEPT:
        dwqi_log_info(s->config.log, "service: accepts group %d", s->client);
        s->own_is_due = s->config.accept != NULL;
        return dwqi_team_send_accept(s->config.team);
    case DWQI_SA_REFUSE_ALL:
        return refuse_all(s);
    case DWQI_SA_NONE:
        break;
    }
    return DWQ_OK;
}

static dwq_status_t handle_event(struct dwqi_broker_service *s,
                                 enum dwqi_service_event event)
{
    struct dwqi_edge edge = dwqi_service_edge(s->state, event);

    if (!edge.allowed) {
        dwqi_log_error(s->config.log, "service: event %d in state %d",
                       (int)event, (int)s->state);
        return DWQ_E_STATE;
    }
    s->state = edge.next;
    return act(s, edge.action);
}

/* --- Words of other brokers --------------------------------------------------- */

static dwq_status_t request_came(struct dwqi_broker_service *s, int peer,
                                 const struct dwqi_service *word)
{
    struct request *request = &s->requests[word->group];

    *request = (struct request){ .waits = true,
                                 .number = word->number,
                                 .arrival = s->n_arrivals++,
                                 .peer = peer };
    memcpy(request->name, word->name, sizeof request->name);
    return s->state == DWQI_SS_GONE ? refuse_all(s) : DWQ_OK;
}

/* An answer to the offer, or the end of a request that still waits. */
static dwq_status_t answer_came(struct dwqi_broker_service *s,
                                const struct dwqi_service *word)
{
    struct request *request = &s->requests[word->group];
    bool is_newest = word->number == request->number;
    bool is_offered =
        s->state == DWQI_SS_OFFERED && word->group == s->client && is_newest;

    if (word->kind == DWQI_SERVICE_COMMIT) {
        /* A client that nobody accepts would wait for ever. */
        return is_offered ? handle_event(s, DWQI_SE_COMMIT) : DWQ_E_MESSAGE;
    }
    request->waits = request->waits && !is_newest;
    return is_offered ? handle_event(s, DWQI_SE_CANCEL) : DWQ_OK;
}

static dwq_status_t to_group(struct dwqi_broker_service *s,
                             const struct dwqi_service *word)
{
    return s->config.heard ? s->config.heard(s->config.arg, word)
                           : dwqi_team_say_service(s->config.team, word);
}

static dwq_status_t word_came(void *arg, const struct dwqi_message *message)
{
    struct dwqi_broker_service *s = arg;
    struct dwqi_service word = { .kind = 0 };
    dwq_status_t status = dwqi_service_read(message, &word);
    bool of_client = s->config.group == DWQI_SERVICE_GROUP && word.group > 0 &&
                     word.group <= s->config.n_groups;

    switch (word.kind) {
    case DWQI_SERVICE_OFFER:
    case DWQI_SERVICE_REFUSE:
        return to_group(s, &word);
    case DWQI_SERVICE_REQUEST:
        return of_client ? request_came(s, message->peer, &word)
                         : DWQ_E_MESSAGE;
    case DWQI_SERVICE_COMMIT:
    case DWQI_SERVICE_CANCEL:
        return of_client ? answer_came(s, &word) : DWQ_E_MESSAGE;
    default:
        return status == DWQ_OK ? DWQ_E_MESSAGE : status;
    }
}

/* --- Words of the group --------------------------------------------------------- */

dwq_status_t dwqi_broker_service_ask(struct dwqi_broker_service *s,
                                     const struct dwqi_service *word)
{
    struct dwqi_service own = *word;

    if (word->kind == DWQI_SERVICE_PUBLISH) {
        s->published = *word;
        return handle_event(s, DWQI_SE_PUBLISH);
    }
    own.group = s->config.group;
    return dwqi_service_send(s->config.transport, s->config.server, &own);
}

/* --- Steps ------------------------------------------------------------------------ */

/* The group whose request under the published name is the oldest; 0: none. */
static int oldest(const struct dwqi_broker_service *s)
{
    int found = 0;

    for (int g = 1; g <= s->config.n_groups; g++) {
        const struct request *r = &s->requests[g];

        if (r->waits && strcmp(r->name, s->published.name) == 0 &&
            (found == 0 || r->arrival < s->requests[found].arrival)) {
            found = g;
        }
    }
    return found;
}

static bool is_accepting(const struct dwqi_broker_service *s)
{
    return s->state == DWQI_SS_ACCEPTING || s->state == DWQI_SS_RENEWED;
}

/* This rank's share, when the others can come, too; then their parts. */
static dwq_status_t accept_client(struct dwqi_broker_service *s)
{
    struct dwqi_team *team = s->config.team;
    dwq_status_t status = dwqi_team_poll(team);

    if ((status == DWQ_OK || status == DWQ_E_AGAIN) && s->own_is_due &&
        dwqi_team_is_down(team)) {
        s->own_is_due = false;
        status = s->config.accept(s->config.arg);
        if (status == DWQ_OK) {
            status = dwqi_team_poll(team);
        }
    }
    if (status != DWQ_OK) {
        return status;
    }
    dwqi_team_drop_parts(team);
    return handle_event(s, DWQI_SE_ACCEPTED);
}

dwq_status_t dwqi_broker_service_step(struct dwqi_broker_service *s, bool idle)
{
    int next;

    if (is_accepting(s)) {
        return accept_client(s);
    }
    next = s->state == DWQI_SS_OPEN && idle ? oldest(s) : 0;
    if (next == 0) {
        return DWQ_E_AGAIN;
    }
    s->client = next;
    return handle_event(s, DWQI_SE_NEXT);
}

bool dwqi_broker_service_holds(const struct dwqi_broker_service *s)
{
    return s->state == DWQI_SS_OFFERED || is_accepting(s);
}

dwq_status_t dwqi_broker_service_leave(struct dwqi_broker_service *s)
{
    return handle_event(s, DWQI_SE_LEAVE);
}

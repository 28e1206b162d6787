#include "brokers/relay.h"

#include <stdlib.h>
#include <string.h>

#include "brokers/group_run.h"
#include "brokers/ready_data.h"
#include "brokers/relay_fsm.h"
#include "libdwq/base/plain.h"
#include "workers/ready_pack.h"
#include "workers/serve.h"

struct relay {
    struct dwqi_role role;
    struct dwqi_relay_config config;
    enum dwqi_relay_state state;
    struct dwqi_role *server; /* to the controller */
    struct dwqi_group_run run;
    struct dwqi_pack ready_data; /* of this rank */
    uint64_t n_ready;            /* of the group's READYs, those passed on */
    bool group_serves;           /* every rank of it, at the start */
};

static struct relay *of(struct dwqi_role *role)
{
    return (struct relay *)(void *)role;
}

static bool server_is_closed(const struct relay *relay)
{
    return relay->server->ops->is_closed(relay->server);
}

/* --- Ready data ------------------------------------------------------------ */

static dwq_status_t pass_ready_data(struct relay *relay)
{
    struct dwqi_team *team = relay->config.team;
    struct dwqi_extent own = { relay->ready_data.block,
                               relay->ready_data.block_size };

    relay->n_ready = dwqi_team_n_ready(team);
    return dwqi_ready_data_pass(team, own, relay->server);
}

static dwq_status_t set_ready_data(struct dwqi_role *role, dwq_value_t data)
{
    struct relay *relay = of(role);
    dwq_status_t status =
        dwqi_ready_pack_set(&relay->ready_data, data, relay->config.log);

    if (status != DWQ_OK) {
        return status;
    }
    return relay->state == DWQI_RS_SERVING ? pass_ready_data(relay) : DWQ_OK;
}

/* What ranks of the group said in a call goes before its result. */
static dwq_status_t pass_new_ready_data(void *arg)
{
    struct relay *relay = arg;

    return relay->n_ready != dwqi_team_n_ready(relay->config.team)
               ? pass_ready_data(relay)
               : DWQ_OK;
}

/* --- The service ------------------------------------------------------------- */

/* DWQ_OK: there is more to do. Other brokers' words come here where no server polls. */
static dwq_status_t step_service(struct relay *relay)
{
    struct dwqi_broker_service *service = relay->config.service;
    bool serves = relay->state == DWQI_RS_SERVING && relay->group_serves;
    bool closed = server_is_closed(relay);
    bool held = dwqi_group_run_is_held(&relay->run), holds;
    dwq_status_t status = DWQ_OK;

    if (!service) {
        return DWQ_E_AGAIN;
    }
    if (relay->state != DWQI_RS_SERVING || closed) {
        status = dwqi_broker_service_pump(service);
    }
    if (status == DWQ_OK) {
        status = dwqi_broker_service_step(
            service, serves && !closed && !relay->server->has_failed &&
                         !dwqi_group_run_is_busy(&relay->run));
    }
    holds = dwqi_broker_service_holds(service);
    dwqi_group_run_hold(&relay->run, holds);
    return status == DWQ_E_AGAIN && held && !holds ? DWQ_OK : status;
}

static dwq_status_t leave_service(struct relay *relay)
{
    return relay->config.service
               ? dwqi_broker_service_leave(relay->config.service)
               : DWQ_OK;
}

/* --- States ----------------------------------------------------------------- */

static dwq_status_t act(struct relay *relay, enum dwqi_relay_action action,
                        const char *reason)
{
    dwq_status_t status;

    switch (action) {
    case DWQI_RA_REPORT_READY:
        relay->group_serves = true;
        status = pass_ready_data(relay);
        return status == DWQ_OK ? relay->server->ops->begin(relay->server)
                                : status;
    case DWQI_RA_REPORT_WITHDRAWN:
        status = leave_service(relay);
        return status == DWQ_OK
                   ? relay->server->ops->withdraw(relay->server, reason)
                   : status;
    case DWQI_RA_SEND_EXIT:
        status = leave_service(relay);
        return status == DWQ_OK ? dwqi_team_send_exit(relay->config.team)
                                : status;
    case DWQI_RA_NONE:
        break;
    }
    return DWQ_OK;
}

static dwq_status_t handle_event(struct relay *relay,
                                 enum dwqi_relay_event event,
                                 const char *reason)
{
    struct dwqi_edge edge = dwqi_relay_edge(relay->state, event);

    if (!edge.allowed) {
        return DWQ_E_STATE;
    }
    relay->state = edge.next;
    return act(relay, edge.action, reason);
}

/* The function before the serving is over: nobody waits for this rank in it. */
static dwq_status_t leave_function(struct relay *relay)
{
    return dwqi_team_rank(relay->config.team) < 0
               ? DWQ_OK
               : dwqi_team_leave(relay->config.team);
}

static dwq_status_t begin(struct dwqi_role *role)
{
    struct relay *relay = of(role);
    dwq_status_t status = leave_function(relay);

    return status == DWQ_OK ? handle_event(relay, DWQI_RE_BEGIN, "") : status;
}

static dwq_status_t withdraw(struct dwqi_role *role, const char *reason)
{
    struct relay *relay = of(role);
    dwq_status_t status = leave_function(relay);

    return status == DWQ_OK ? handle_event(relay, DWQI_RE_WITHDRAW, reason)
                            : status;
}

/* The whole group has spoken: it serves if every rank does. */
static dwq_status_t hear_group(struct relay *relay)
{
    struct dwqi_team *team = relay->config.team;
    char reason[200];

    for (int r = 0; r < dwqi_team_n_ranks(team); r++) {
        const struct dwqi_team_word *word = dwqi_team_word(team, r);

        if (word->withdrew) {
            dwqi_plain_format(reason, sizeof reason, "rank %d of its group: %s",
                              r, word->reason ? word->reason : "withdrew");
            return handle_event(relay, DWQI_RE_REFUSED, reason);
        }
    }
    return handle_event(relay, DWQI_RE_ALL_READY, "");
}

/* A task that the group still runs is awaited first, whoever still wants it; so is a
 * client that may come, and a rank that is still in its function before the serving:
 * there it may wait for this one's word. */
static dwq_status_t dismissed(struct relay *relay)
{
    struct dwqi_report report;
    dwq_status_t status = DWQ_OK;

    if (relay->config.service &&
        dwqi_broker_service_holds(relay->config.service)) {
        return DWQ_E_AGAIN;
    }
    if (dwqi_group_run_is_busy(&relay->run)) {
        status = relay->run.runner.ops->poll(&relay->run.runner, &report);
        if (status != DWQ_OK) {
            return status;
        }
        report.release(report.owner);
    }
    status = dwqi_team_poll_ready(relay->config.team);
    return status == DWQ_OK ? handle_event(relay, DWQI_RE_DISMISSED, "")
                            : status;
}

/* What ranks of the group say beside their parts. In a task its runner listens. */
static dwq_status_t listen(struct relay *relay)
{
    if (!relay->group_serves) {
        return dwqi_team_poll_ready(relay->config.team);
    }
    return dwqi_group_run_is_busy(&relay->run) &&
                   !dwqi_group_run_is_held(&relay->run)
               ? DWQ_OK
               : dwqi_team_listen_in_passing(relay->config.team);
}

static dwq_status_t serve(struct relay *relay)
{
    dwq_status_t status;

    if (server_is_closed(relay)) {
        return dismissed(relay);
    }
    status = listen(relay);
    if (status != DWQ_OK && status != DWQ_E_AGAIN) {
        return status;
    }
    status = relay->server->ops->step(relay->server);
    relay->role.has_failed = relay->server->has_failed;
    relay->role.look_again = relay->server->look_again;
    /* It may have heard EXIT and have nothing to do: this relay has. */
    return status == DWQ_E_AGAIN && server_is_closed(relay) ? DWQ_OK : status;
}

static dwq_status_t step_state(struct relay *relay)
{
    dwq_status_t status;

    switch (relay->state) {
    case DWQI_RS_GATHERING:
        status = dwqi_team_poll_ready(relay->config.team);
        return status == DWQ_OK ? hear_group(relay) : status;
    case DWQI_RS_SERVING:
        return serve(relay);
    case DWQI_RS_LEAVING:
        status = dwqi_team_poll(relay->config.team);
        return status == DWQ_OK ? handle_event(relay, DWQI_RE_GONE, "")
                                : status;
    default:
        return DWQ_E_AGAIN;
    }
}

/* The service comes second: it hears what the server received, and has its turn
 * between two tasks. */
static dwq_status_t step(struct dwqi_role *role)
{
    struct relay *relay = of(role);
    dwq_status_t status, service;

    role->look_again = 0;
    status = step_state(relay);

    if (status != DWQ_OK && status != DWQ_E_AGAIN) {
        return status;
    }
    service = step_service(relay);
    return service == DWQ_E_AGAIN ? status : service;
}

/* Controller and group have been left. */
static bool is_closed(const struct dwqi_role *role)
{
    return ((const struct relay *)(const void *)role)->state == DWQI_RS_CLOSED;
}

static void finish(struct dwqi_role *role)
{
    struct relay *relay = of(role);

    dwqi_role_finish(relay->server);
    dwqi_group_run_finish(&relay->run);
    dwqi_pack_finish(&relay->ready_data);
    free(relay);
}

static const struct dwqi_role_ops ops = {
    .begin = begin,
    .withdraw = withdraw,
    .set_ready_data = set_ready_data,
    .step = step,
    .is_closed = is_closed,
    .finish = finish,
};

dwq_status_t dwqi_relay_create(const struct dwqi_relay_config *config,
                               struct dwqi_role **role_out)
{
    struct relay *relay = calloc(1, sizeof *relay);
    struct dwqi_broker_service *service = config->service;
    dwq_status_t status;

    if (!relay) {
        return DWQ_E_NOMEM;
    }
    relay->role.ops = &ops;
    relay->config = *config;
    dwqi_group_run_init(&relay->run, config->team, config->executor,
                        config->log);
    relay->run.before_report = pass_new_ready_data;
    relay->run.before_report_arg = relay;
    status = dwqi_server_create(
        &(struct dwqi_server_config){
            .transport = service ? dwqi_broker_service_transport(service)
                                 : config->transport,
            .runner = &relay->run.runner,
            .log = config->log,
            .controller = config->controller,
            .time_limit = config->time_limit },
        &relay->server);
    if (status != DWQ_OK) {
        free(relay);
        return status;
    }
    *role_out = &relay->role;
    return DWQ_OK;
}

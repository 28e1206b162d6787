#include "brokers/relay.h"

#include <stdlib.h>
#include <string.h>

#include "brokers/group_run.h"
#include "brokers/ready_data.h"
#include "brokers/relay_fsm.h"
#include "workers/serve.h"

struct dwqi_relay {
    struct dwqi_relay_config config;
    enum dwqi_relay_state state;
    struct dwqi_server *server;
    struct dwqi_group_run run;
    struct dwqi_pack ready_data; /* of this rank */
    uint64_t n_ready;            /* of the group's READYs, those passed on */
};

static dwq_status_t pass_new_ready_data(void *arg);

dwq_status_t dwqi_relay_create(const struct dwqi_relay_config *config,
                               struct dwqi_relay **relay_out)
{
    struct dwqi_relay *relay = calloc(1, sizeof *relay);
    dwq_status_t status;

    if (!relay) {
        return DWQ_E_NOMEM;
    }
    relay->config = *config;
    dwqi_group_run_init(&relay->run, config->team, config->executor);
    relay->run.before_report = pass_new_ready_data;
    relay->run.before_report_arg = relay;
    status = dwqi_server_create(
        &(struct dwqi_server_config){ .transport = config->transport,
                                      .runner = &relay->run.runner,
                                      .log = config->log,
                                      .controller = config->controller,
                                      .time_limit = config->time_limit },
        &relay->server);
    if (status != DWQ_OK) {
        free(relay);
        return status;
    }
    *relay_out = relay;
    return DWQ_OK;
}

void dwqi_relay_destroy(struct dwqi_relay *relay)
{
    if (relay) {
        dwqi_server_destroy(relay->server);
        dwqi_group_run_finish(&relay->run);
        dwqi_pack_finish(&relay->ready_data);
        free(relay);
    }
}

/* --- Ready data ------------------------------------------------------------ */

static dwq_status_t pass_ready_data(struct dwqi_relay *relay)
{
    struct dwqi_team *team = relay->config.team;
    struct dwqi_extent own = { relay->ready_data.block,
                               relay->ready_data.block_size };

    relay->n_ready = dwqi_team_n_ready(team);
    return dwqi_ready_data_pass(team, own, relay->server);
}

dwq_status_t dwqi_relay_set_ready_data(struct dwqi_relay *relay,
                                       dwq_value_t data)
{
    struct dwqi_buffer scratch = { .data = NULL };
    struct dwqi_pack pack;
    const char *why = "";
    dwq_status_t status =
        dwqi_values_pack((dwq_values_t){ 1, &data }, (dwq_kwargs_t){ 0, NULL },
                         &scratch, &pack, &why);

    dwqi_buffer_finish(&scratch);
    if (status != DWQ_OK) {
        dwqi_log_error(relay->config.log, "ready data: %s", why);
        return status;
    }
    dwqi_pack_finish(&relay->ready_data);
    relay->ready_data = pack;
    return relay->state == DWQI_RS_SERVING ? pass_ready_data(relay) : DWQ_OK;
}

/* What ranks of the group said in a call goes before its result. */
static dwq_status_t pass_new_ready_data(void *arg)
{
    struct dwqi_relay *relay = arg;

    return relay->n_ready != dwqi_team_n_ready(relay->config.team)
               ? pass_ready_data(relay)
               : DWQ_OK;
}

/* --- States ----------------------------------------------------------------- */

static dwq_status_t act(struct dwqi_relay *relay, enum dwqi_relay_action action,
                        const char *reason)
{
    dwq_status_t status;

    switch (action) {
    case DWQI_RA_REPORT_READY:
        status = pass_ready_data(relay);
        return status == DWQ_OK ? dwqi_server_begin(relay->server) : status;
    case DWQI_RA_REPORT_WITHDRAWN:
        return dwqi_server_withdraw(relay->server, reason);
    case DWQI_RA_SEND_EXIT:
        return dwqi_team_send_exit(relay->config.team);
    case DWQI_RA_NONE:
        break;
    }
    return DWQ_OK;
}

static dwq_status_t handle_event(struct dwqi_relay *relay,
                                 enum dwqi_relay_event event,
                                 const char *reason)
{
    struct dwqi_relay_edge edge = dwqi_relay_edge(relay->state, event);

    if (!edge.allowed) {
        return DWQ_E_STATE;
    }
    relay->state = edge.next;
    return act(relay, edge.action, reason);
}

dwq_status_t dwqi_relay_begin(struct dwqi_relay *relay)
{
    return handle_event(relay, DWQI_RE_BEGIN, "");
}

dwq_status_t dwqi_relay_withdraw(struct dwqi_relay *relay, const char *reason)
{
    return handle_event(relay, DWQI_RE_WITHDRAW, reason);
}

/* The whole group has spoken: it serves if every rank does. */
static dwq_status_t hear_group(struct dwqi_relay *relay)
{
    struct dwqi_team *team = relay->config.team;
    char reason[200];

    for (int r = 0; r < dwqi_team_n_ranks(team); r++) {
        const struct dwqi_team_word *word = dwqi_team_word(team, r);

        if (word->withdrew) {
            snprintf(reason, sizeof reason, "rank %d of its group: %s", r,
                     word->reason ? word->reason : "withdrew");
            return handle_event(relay, DWQI_RE_REFUSED, reason);
        }
    }
    return handle_event(relay, DWQI_RE_ALL_READY, "");
}

/* A task that the group still runs is awaited first, whoever still wants it. */
static dwq_status_t dismissed(struct dwqi_relay *relay)
{
    struct dwqi_report report;
    dwq_status_t status = DWQ_OK;

    if (dwqi_group_run_is_busy(&relay->run)) {
        status = relay->run.runner.ops->poll(&relay->run.runner, &report);
        if (status != DWQ_OK) {
            return status;
        }
        report.release(report.owner);
    }
    return handle_event(relay, DWQI_RE_DISMISSED, "");
}

static dwq_status_t serve(struct dwqi_relay *relay)
{
    dwq_status_t status;

    if (dwqi_server_is_closed(relay->server)) {
        return dismissed(relay);
    }
    status = dwqi_server_step(relay->server);
    /* It may have heard EXIT and have nothing to do: this relay has. */
    return status == DWQ_E_AGAIN && dwqi_server_is_closed(relay->server)
               ? DWQ_OK
               : status;
}

dwq_status_t dwqi_relay_step(struct dwqi_relay *relay)
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

bool dwqi_relay_is_closed(const struct dwqi_relay *relay)
{
    return relay->state == DWQI_RS_CLOSED;
}

bool dwqi_relay_has_failed(const struct dwqi_relay *relay)
{
    return dwqi_server_has_failed(relay->server);
}

#include "workers/serve_team.h"

#include <stdlib.h>

#include "workers/ready_pack.h"
#include "workers/solo.h"

struct dwqi_member {
    struct dwqi_member_config config;
    bool closed;
    bool begun;
    struct dwqi_pack ready_data;
    bool ready_data_changed;
};

dwq_status_t dwqi_member_create(const struct dwqi_member_config *config,
                                struct dwqi_member **member_out)
{
    struct dwqi_member *member = calloc(1, sizeof *member);

    if (!member) {
        return DWQ_E_NOMEM;
    }
    member->config = *config;
    *member_out = member;
    return DWQ_OK;
}

void dwqi_member_destroy(struct dwqi_member *member)
{
    if (member) {
        dwqi_pack_finish(&member->ready_data);
        free(member);
    }
}

dwq_status_t dwqi_member_set_ready_data(struct dwqi_member *member,
                                        dwq_value_t data)
{
    dwq_status_t status =
        dwqi_ready_pack_set(&member->ready_data, data, member->config.log);

    if (status != DWQ_OK) {
        return status;
    }
    member->ready_data_changed = member->begun;
    return DWQ_OK;
}

static dwq_status_t say_ready(struct dwqi_member *member)
{
    member->ready_data_changed = false;
    return dwqi_team_say_ready(
        member->config.team,
        (struct dwqi_extent){ member->ready_data.block,
                              member->ready_data.block_size });
}

dwq_status_t dwqi_member_begin(struct dwqi_member *member)
{
    dwq_status_t status = dwqi_team_leave(member->config.team);

    member->begun = true;
    return status == DWQ_OK ? say_ready(member) : status;
}

dwq_status_t dwqi_member_withdraw(struct dwqi_member *member,
                                  const char *reason)
{
    dwq_status_t status = dwqi_team_leave(member->config.team);

    member->begun = true;
    return status == DWQ_OK
               ? dwqi_team_say_withdrawn(member->config.team, reason)
               : status;
}

static dwq_status_t run(struct dwqi_member *member,
                        const struct dwqi_order *order)
{
    struct dwqi_team *team = member->config.team;
    const struct dwqi_share *share =
        order->head.n_scattered > 0 ? &order->share : NULL;
    struct dwqi_done done;
    struct dwqi_report report;
    dwq_status_t status = dwqi_team_enter(team);

    if (status == DWQ_OK) {
        status = order->lost > 0
                     ? dwqi_executor_fail(member->config.executor,
                                          order->head.id, order->lost, &done)
                     : dwqi_executor_run(member->config.executor, order->item,
                                         &order->head, share, &done);
    }
    if (status != DWQ_OK) {
        return status;
    }
    if (done.gave_up) {
        dwqi_team_gave_up(team);
    }
    dwqi_team_finish_order(team);
    status = dwqi_team_leave(team);
    if (status == DWQ_OK && member->ready_data_changed) {
        status = say_ready(member); /* so that the part does not come first */
    }
    if (status != DWQ_OK) {
        dwqi_done_finish(&done);
        return status;
    }
    status = dwqi_report_of_done(&done, &report);
    return status == DWQ_OK
               ? dwqi_team_send_part(team, report.parts, report.n_parts,
                                     report.release, report.owner)
               : status;
}

static void release_nothing(void *owner)
{
    (void)owner;
}

static dwq_status_t accept_client(struct dwqi_member *member)
{
    const struct dwqi_member_config *config = &member->config;
    dwq_status_t status =
        config->accept ? config->accept(config->accept_arg) : DWQ_E_MESSAGE;

    return status == DWQ_OK ? dwqi_team_send_part(config->team, NULL, 0,
                                                  release_nothing, NULL)
                            : status;
}

dwq_status_t dwqi_member_step(struct dwqi_member *member)
{
    struct dwqi_order order;
    dwq_status_t status = dwqi_team_poll_order(member->config.team, &order);

    if (status != DWQ_OK) {
        return status;
    }
    switch (order.kind) {
    case DWQI_ORDER_TASK:
        return run(member, &order);
    case DWQI_ORDER_ACCEPT:
        return accept_client(member);
    case DWQI_ORDER_RENEW:
        return dwqi_team_renew(member->config.team);
    case DWQI_ORDER_EXIT:
        member->closed = true;
        return DWQ_OK;
    default:
        return DWQ_E_MESSAGE;
    }
}

bool dwqi_member_is_closed(const struct dwqi_member *member)
{
    return member->closed;
}

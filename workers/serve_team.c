#include "workers/serve_team.h"

#include <stdlib.h>

#include "workers/ready_pack.h"
#include "workers/solo.h"

struct leaf {
    struct dwqi_role role;
    struct dwqi_leaf_config config;
    bool closed;
    bool begun;
    struct dwqi_pack ready_data;
    bool ready_data_changed;
};

static struct leaf *of(struct dwqi_role *role)
{
    return (struct leaf *)(void *)role;
}

static void finish(struct dwqi_role *role)
{
    dwqi_pack_finish(&of(role)->ready_data);
    free(of(role));
}

static dwq_status_t set_ready_data(struct dwqi_role *role, dwq_value_t data)
{
    struct leaf *leaf = of(role);
    dwq_status_t status =
        dwqi_ready_pack_set(&leaf->ready_data, data, leaf->config.log);

    if (status != DWQ_OK) {
        return status;
    }
    leaf->ready_data_changed = leaf->begun;
    return DWQ_OK;
}

static dwq_status_t say_ready(struct leaf *leaf)
{
    leaf->ready_data_changed = false;
    return dwqi_team_say_ready(
        leaf->config.team, (struct dwqi_extent){ leaf->ready_data.block,
                                                 leaf->ready_data.block_size });
}

static dwq_status_t begin(struct dwqi_role *role)
{
    struct leaf *leaf = of(role);
    dwq_status_t status = dwqi_team_leave(leaf->config.team);

    leaf->begun = true;
    return status == DWQ_OK ? say_ready(leaf) : status;
}

static dwq_status_t withdraw(struct dwqi_role *role, const char *reason)
{
    struct leaf *leaf = of(role);
    dwq_status_t status = dwqi_team_leave(leaf->config.team);

    leaf->begun = true;
    return status == DWQ_OK ? dwqi_team_say_withdrawn(leaf->config.team, reason)
                            : status;
}

static dwq_status_t run(struct leaf *leaf, const struct dwqi_order *order)
{
    struct dwqi_team *team = leaf->config.team;
    const struct dwqi_share *share =
        order->head.n_scattered > 0 ? &order->share : NULL;
    struct dwqi_done done;
    struct dwqi_report report;
    dwq_status_t status = dwqi_team_enter(team);

    if (status == DWQ_OK) {
        status = order->lost > 0
                     ? dwqi_executor_fail(leaf->config.executor, &order->head,
                                          order->lost, &done)
                     : dwqi_executor_run(leaf->config.executor, order->item,
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
    if (status == DWQ_OK && leaf->ready_data_changed) {
        status = say_ready(leaf); /* so that the part does not come first */
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

static dwq_status_t accept_client(struct leaf *leaf)
{
    const struct dwqi_leaf_config *config = &leaf->config;
    dwq_status_t status =
        config->accept ? config->accept(config->accept_arg) : DWQ_E_MESSAGE;

    return status == DWQ_OK ? dwqi_team_send_part(config->team, NULL, 0,
                                                  release_nothing, NULL)
                            : status;
}

static dwq_status_t step(struct dwqi_role *role)
{
    struct leaf *leaf = of(role);
    struct dwqi_order order;
    dwq_status_t status = dwqi_team_poll_order(leaf->config.team, &order);

    if (status != DWQ_OK) {
        return status;
    }
    switch (order.kind) {
    case DWQI_ORDER_TASK:
        return run(leaf, &order);
    case DWQI_ORDER_ACCEPT:
        return accept_client(leaf);
    case DWQI_ORDER_RENEW:
        return dwqi_team_renew(leaf->config.team);
    case DWQI_ORDER_EXIT:
        leaf->closed = true;
        return DWQ_OK;
    default:
        return DWQ_E_MESSAGE;
    }
}

static bool is_closed(const struct dwqi_role *role)
{
    return ((const struct leaf *)(const void *)role)->closed;
}

static const struct dwqi_role_ops ops = {
    .begin = begin,
    .withdraw = withdraw,
    .set_ready_data = set_ready_data,
    .step = step,
    .is_closed = is_closed,
    .finish = finish,
};

dwq_status_t dwqi_leaf_create(const struct dwqi_leaf_config *config,
                              struct dwqi_role **role_out)
{
    struct leaf *leaf = calloc(1, sizeof *leaf);

    if (!leaf) {
        return DWQ_E_NOMEM;
    }
    leaf->role.ops = &ops;
    leaf->config = *config;
    *role_out = &leaf->role;
    return DWQ_OK;
}

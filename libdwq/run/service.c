/* Wires a rank of a group to the service: the broker's part, and the access that the
 * worker's handle gives. */
#include "libdwq/run/run_private.h"

#define DEFAULT_NAME "dwq.init"

dwq_status_t dwqi_run_accept_client(void *arg)
{
    struct run *run = arg;

    return dwqi_access_accept(run->access);
}

static dwq_status_t hear(void *arg, const struct dwqi_service *word)
{
    struct run *run = arg;

    return dwqi_access_hear(run->access, word);
}

static dwq_status_t hear_group(void *arg, const struct dwqi_service *word)
{
    struct run *run = arg;

    return dwqi_broker_service_ask(run->service, word);
}

static dwq_status_t make_broker_part(struct run *run)
{
    bool inside = run->options.broker_is_worker;
    struct dwqi_broker_service_config config = {
        .transport = run->transport,
        .team = run->team,
        .log = &run->log,
        .group = run->worker_id,
        .n_groups = run->facts.n_workers,
        .server = dwqi_plan_rank_of(&run->plan, DWQI_SERVICE_GROUP),
        .accept = inside ? dwqi_run_accept_client : NULL,
        .heard = inside ? hear : NULL,
        .arg = run,
    };

    return dwqi_broker_service_create(&config, &run->service);
}

/* --- The group's rank 0 and its broker ------------------------------------------ */

static dwq_status_t say_inside(void *arg, const struct dwqi_service *word)
{
    struct run *run = arg;

    return dwqi_broker_service_ask(run->service, word);
}

static dwq_status_t pump_inside(void *arg)
{
    struct run *run = arg;

    return dwqi_broker_service_pump(run->service);
}

static dwq_status_t say_to_broker(void *arg, const struct dwqi_service *word)
{
    struct run *run = arg;

    return dwqi_team_say_service(run->team, word);
}

static dwq_status_t pump_group(void *arg)
{
    struct run *run = arg;

    return dwqi_team_pump(run->team);
}

static dwq_status_t make_access(struct run *run)
{
    bool is_broker = run->service != NULL;
    const char *name = run->options.worker_service_name;
    struct dwqi_access_config config = {
        .transport = run->group_transport,
        .team = run->team,
        .log = &run->log,
        .name = name && name[0] != '\0' ? name : DEFAULT_NAME,
        .group = run->worker_id,
        .say = is_broker ? say_inside : say_to_broker,
        .pump = is_broker ? pump_inside : pump_group,
        .arg = run,
    };
    dwq_status_t status = dwqi_links_create(run->group, &run->log, &run->links);

    config.links = run->links;
    return status == DWQ_OK ? dwqi_access_create(&config, &run->access)
                            : status;
}

dwq_status_t dwqi_run_make_service(struct run *run)
{
    bool beside = dwqi_team_rank(run->team) < 0;
    dwq_status_t status = DWQ_OK;

    if (run->kind == DWQI_ROLE_BROKER) {
        status = make_broker_part(run);
    }
    if (status == DWQ_OK && !beside) {
        status = make_access(run);
    }
    dwqi_team_listen(run->team, beside ? hear_group : hear, run);
    return status;
}

void dwqi_run_publish_service(struct run *run)
{
    if (run->options.enable_worker_service && run->access &&
        run->worker_id == DWQI_SERVICE_GROUP) {
        /* What fails is logged, and the clients fail to connect. */
        (void)dwqi_access_publish(run->access);
    }
}

void dwqi_run_finish_service(struct run *run)
{
    dwqi_broker_service_destroy(run->service);
    dwqi_access_destroy(run->access);
    dwqi_links_destroy(run->links);
}

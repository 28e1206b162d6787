#include "brokers/broker.h"

dwq_status_t dwq_broker_serve(dwq_broker_t *broker)
{
    if (broker->served) {
        dwqi_log_error(broker->log, "dwq_broker_serve: called twice");
        return DWQ_E_STATE;
    }
    broker->served = true;
    return broker->serve(broker->serve_arg);
}

void dwq_broker_abort(dwq_broker_t *broker)
{
    dwqi_log_error(broker->log, "broker %d aborts the run: all ranks end now",
                   broker->id);
    broker->abort(broker->abort_arg);
}

int dwq_broker_id(const dwq_broker_t *broker)
{
    return broker->id;
}

const void *dwqi_broker_merged_comm(const dwq_broker_t *broker)
{
    return broker->merged_comm;
}

const void *dwqi_broker_brokers_comm(const dwq_broker_t *broker)
{
    return broker->brokers_comm;
}

dwq_status_t dwq_broker_set_ready_data(dwq_broker_t *broker, dwq_value_t data)
{
    return dwqi_relay_set_ready_data(broker->relay, data);
}

dwq_kwargs_t dwq_broker_run_args(const dwq_broker_t *broker)
{
    return broker->run_args;
}

dwq_world_t dwq_broker_world(const dwq_broker_t *broker)
{
    return broker->world;
}

#include "brokers/broker.h"

#include "libdwq/process/process.h"

dwq_status_t dwq_broker_serve(dwq_broker_t *broker)
{
    if (!broker) {
        return DWQ_E_ARG;
    }
    if (broker->served) {
        dwqi_log_error(broker->log, "dwq_broker_serve: called twice");
        return DWQ_E_STATE;
    }
    broker->served = true;
    return broker->serve(broker->serve_arg);
}

void dwq_broker_abort(dwq_broker_t *broker)
{
    if (!broker) {
        dwqi_process_abort_without_handle("dwq_broker_abort");
    }
    dwqi_log_error(broker->log, "broker %d aborts the run: all ranks end now",
                   broker->id);
    broker->abort(broker->abort_arg);
}

int dwq_broker_id(const dwq_broker_t *broker)
{
    return broker ? broker->id : 0;
}

const void *dwqi_broker_merged_comm(const dwq_broker_t *broker)
{
    return broker ? broker->merged_comm : NULL;
}

const void *dwqi_broker_brokers_comm(const dwq_broker_t *broker)
{
    return broker ? broker->brokers_comm : NULL;
}

dwq_status_t dwq_broker_set_ready_data(dwq_broker_t *broker, dwq_value_t data)
{
    return broker ? broker->role->ops->set_ready_data(broker->role, data)
                  : DWQ_E_ARG;
}

dwq_kwargs_t dwq_broker_run_args(const dwq_broker_t *broker)
{
    return broker ? broker->run_args : (dwq_kwargs_t){ 0, NULL };
}

dwq_world_t dwq_broker_world(const dwq_broker_t *broker)
{
    return broker ? broker->world : (dwq_world_t){ .size = 0 };
}

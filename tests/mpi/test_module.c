/* A module for the scenarios: functions, init, worker and broker functions. */
#include <dwq/dwq.h>

static int scale(dwq_call_t *call, void *arg)
{
    double x;

    if (!dwq_arg(call, 0, &x)) {
        return dwq_call_fail(call, 1, "scale(x): x must be a number");
    }
    return dwq_call_return(call, DWQ_VALUES(x * *(double *)arg));
}

static const dwq_function_t functions[] = { { "scale", scale, NULL },
                                            { NULL, NULL, NULL } };

static double factor;

static void *init(void)
{
    factor = 3;
    return &factor;
}

/* The factor becomes 5 before this worker serves. */
static int five(dwq_worker_t *worker, void *arg)
{
    *(double *)arg = 5;
    return dwq_worker_serve(worker) == DWQ_OK ? 0 : 1;
}

static int refuses(dwq_worker_t *worker, void *arg)
{
    (void)worker;
    (void)arg;
    return 1;
}

static const dwq_worker_function_t workers[] = { { "five", five },
                                                 { "refuses", refuses },
                                                 { NULL, NULL } };

static int returns_44(dwq_broker_t *broker, void *arg)
{
    (void)arg;
    return dwq_broker_serve(broker) == DWQ_OK ? 44 : 1;
}

static const dwq_broker_function_t brokers[] = { { "returns_44", returns_44 },
                                                 { NULL, NULL } };

DWQ_MODULE(.functions = functions, .init = init, .workers = workers,
           .brokers = brokers);

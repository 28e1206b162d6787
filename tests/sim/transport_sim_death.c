/* Endpoints that die. */
#include <math.h>

#include "tests/sim/transport_sim_private.h"

static void nothing(void *arg)
{
    (void)arg;
}

/* A step runs ahead of the clock: what it would have sent later was never sent. */
static void unsend(struct dwqi_sim *sim, int endpoint)
{
    for (size_t i = 0; i < sim->events.n; i++) {
        struct event *event = sim->events.items[i];

        if (event->kind == EVENT_ARRIVAL && event->sender == endpoint &&
            event->sent > sim->clock) {
            dwqi_sim_free_parcel(event->parcel);
            event->parcel = NULL;
            event->kind = EVENT_CALL;
            event->call = nothing;
        }
    }
}

void dwqi_sim_kill(struct dwqi_sim *sim, int endpoint)
{
    struct endpoint *e = &sim->endpoints[endpoint];

    e->dead = true;
    e->step = NULL;
    unsend(sim, endpoint);
}

void dwqi_sim_tell_death(struct dwqi_sim *sim, int endpoint, double delay)
{
    double *last = dwqi_sim_last_of_pair(sim, endpoint, 0);
    struct parcel *parcel = dwqi_sim_memory(sizeof *parcel);
    struct event *event;

    parcel->message = (struct dwqi_message){ .peer = endpoint,
                                             .status = DWQ_E_WORKER,
                                             .why = "it was killed" };
    event = dwqi_sim_add_event(sim, EVENT_ARRIVAL, 0,
                               fmax(*last, sim->clock + delay));
    event->parcel = parcel;
    event->sender = endpoint;
}

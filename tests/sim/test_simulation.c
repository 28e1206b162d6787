/* The simulated transport itself. */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/sim/transport_sim.h"

static dwq_status_t never(void *arg)
{
    (void)arg;
    return DWQ_E_AGAIN;
}

/* Many messages from 1 and from 2 to 0: each pair in order, and not all of 1
 * before those of 2. */
Test(simulation, keeps_order_within_a_pair_and_not_between_pairs)
{
    struct dwqi_sim *sim = dwqi_sim_create(&(struct dwqi_sim_config){
        .n_endpoints = 3, .seed = 9, .mean_delay = 1e-3 });
    uint32_t next[3] = { 0, 0, 0 };
    int n_switches = 0, last = 0;
    struct dwqi_message message;

    dwqi_sim_set_step(sim, 1, never, NULL, 0);
    for (uint32_t i = 0; i < 200; i++) {
        int from = 1 + (int)(i / 100);

        dwqi_sim_advance(sim, from, 1e-3);
        dwqi_send(
            dwqi_sim_endpoint(sim, from), 0,
            &(struct dwqi_outgoing){ .tag = DWQI_BYE, .n_items = i % 100 });
    }
    for (int i = 0; i < 200; i++) {
        while (dwqi_poll(dwqi_sim_endpoint(sim, 0), &message) != DWQ_OK) {
            cr_assert_eq(dwqi_pause(dwqi_sim_endpoint(sim, 0), INFINITY),
                         DWQ_OK);
        }
        cr_assert_eq(message.n_items, next[message.peer]);
        next[message.peer]++;
        n_switches += message.peer != last;
        last = message.peer;
        dwqi_release(dwqi_sim_endpoint(sim, 0), &message);
    }
    cr_assert_gt(n_switches, 5);
    cr_assert_eq(dwqi_pause(dwqi_sim_endpoint(sim, 0), INFINITY), DWQ_E_MPI);
    cr_assert(dwqi_sim_is_stuck(sim));
    dwqi_sim_destroy(sim);
}

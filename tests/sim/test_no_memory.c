/* Submitting while there is no memory. */
#include <criterion/criterion.h>
#include <math.h>

#include "libdwq/queue/controller.h"
#include "tests/sim/memory.h"
#include "tests/sim/transport_sim.h"

#define N_TASKS 100 /* more than the first sizes of queue and map */

static void quiet(const char *line, void *arg)
{
    (void)line;
    (void)arg;
}

/* Of 100 tasks for a worker that is not ready, with the n-th allocation failing; true:
 * none failed. */
static bool submit(struct dwqi_sim *sim, int n)
{
    struct dwqi_log log = { .line = quiet };
    dwq_task_t tasks[N_TASKS];
    uint64_t ids[N_TASKS] = { 0 };
    dwq_controller_t *c;
    dwq_result_t result;
    dwq_status_t status;

    cr_assert_eq(dwqi_controller_create(
                     &(struct dwqi_controller_config){
                         .queue.transport = dwqi_sim_endpoint(sim, 0),
                         .queue.log = &log,
                         .n_workers = 1,
                         .peers = (const int[]){ 1 },
                         .queue.held_max = 1,
                         .queue.time_limit = INFINITY,
                         .queue.grace_end = INFINITY },
                     &c),
                 DWQ_OK);
    for (int i = 0; i < N_TASKS; i++) {
        tasks[i] = (dwq_task_t){ .function = "f", .worker = i % 2 };
        tasks[i].priority = i % 5;
    }
    memory_begin(n);
    status = dwq_controller_submit_multiple(c, tasks, N_TASKS, ids);
    memory_end();
    if (status != DWQ_OK) {
        cr_assert_eq(status, DWQ_E_NOMEM);
        cr_assert_eq(ids[0], 0);
        cr_assert_eq(dwq_controller_get_next_result(c, &result), DWQ_E_EMPTY);
        cr_assert_eq(dwq_controller_submit_multiple(c, tasks, N_TASKS, ids),
                     DWQ_OK);
    }
    cr_assert_eq(dwq_controller_cancel(c, 0), DWQ_OK);
    for (int i = 0; i < N_TASKS; i++) {
        cr_assert_eq(dwq_controller_get_result(c, ids[i], &result), DWQ_OK);
        cr_assert_eq(result.status, DWQ_E_CANCELLED);
        dwq_result_clear(&result);
    }
    cr_assert_eq(dwq_controller_get_next_result(c, &result), DWQ_E_EMPTY);
    dwqi_controller_destroy(c);
    return status == DWQ_OK;
}

/* must_hold: whichever allocation fails. */
Test(no_memory, submit_multiple_takes_all_or_none)
{
    struct dwqi_sim *sim =
        dwqi_sim_create(&(struct dwqi_sim_config){ .n_endpoints = 2 });
    int n = 1;

    while (!submit(sim, n)) {
        n++;
    }
    cr_assert_gt(n, N_TASKS, "each task allocates");
    dwqi_sim_destroy(sim);
}

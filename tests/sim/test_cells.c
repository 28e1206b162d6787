/* The dispatcher by itself, without a handle of the user's: cells are made while it runs. */
#include <criterion/criterion.h>
#include <math.h>

#include "libdwq/queue/dispatcher.h"
#include "tests/sim/transport_sim.h"

static dwq_status_t wait_for_more(void *arg)
{
    (void)arg;
    return DWQ_E_AGAIN;
}

/* Everything that is under way arrives, and the dispatcher acts on it. */
static void go_on(struct dwqi_sim *sim, struct dwqi_dispatcher *d)
{
    bool moved;

    for (int i = 0; i < 3; i++) {
        dwqi_sim_advance(sim, 0, 1);
        cr_assert_eq(dwqi_dispatcher_step(d, &moved), DWQ_OK);
    }
}

static void serve(struct dwqi_sim *sim, struct dwqi_dispatcher *d, int worker)
{
    dwqi_sim_set_step(sim, worker, wait_for_more, NULL, 0);
    dwqi_send_bare(dwqi_sim_endpoint(sim, worker), 0, DWQI_READY);
    go_on(sim, d);
}

static size_t n_tasks_at(struct dwqi_sim *sim, int worker)
{
    struct dwqi_transport *transport = dwqi_sim_endpoint(sim, worker);
    struct dwqi_message message;
    size_t n = 0;

    while (dwqi_poll(transport, &message) == DWQ_OK) {
        n += message.tag == DWQI_TASK ? message.n_items : 0;
        dwqi_release(transport, &message);
    }
    return n;
}

static void queue(struct dwqi_dispatcher *d, int n)
{
    const char *why;
    struct dwqi_task *task;

    for (int i = 0; i < n; i++) {
        cr_assert_eq(dwqi_task_create(&d->tasks,
                                      &(dwq_task_t){ .function = "f" }, true,
                                      &task, &why),
                     DWQ_OK);
        cr_assert_eq(dwqi_dispatcher_enter(d, task), DWQ_OK);
    }
}

Test(cells, those_made_at_run_time_get_tasks, .timeout = 60)
{
    enum {
        N = 40
    };
    static struct dwqi_log log;
    struct dwqi_sim *sim = dwqi_sim_create(&(struct dwqi_sim_config){
        .n_endpoints = N + 1, .seed = 4, .mean_delay = 1e-6, .far = true });
    const dwq_worker_info_t info = { .n_ranks = 1 };
    struct dwqi_dispatcher d;

    cr_assert_eq(
        dwqi_dispatcher_init(&d,
                             &(struct dwqi_dispatcher_config){
                                 .transport = dwqi_sim_endpoint(sim, 0),
                                 .log = &log,
                                 .held_max = 1,
                                 .time_limit = INFINITY,
                                 .grace_end = INFINITY }),
        DWQ_OK);
    cr_assert_eq(dwqi_dispatcher_add_remote(&d, 1, &info), DWQ_OK);
    queue(&d, N + 1);
    for (int w = 1; w <= N; w++) {
        if (w > 1) {
            cr_assert_eq(dwqi_dispatcher_add_remote(&d, w, &info), DWQ_OK);
            go_on(sim, &d);
            cr_assert_eq(n_tasks_at(sim, w), 0, "before it serves");
        }
        serve(sim, &d, w);
        cr_assert_eq(n_tasks_at(sim, w), 1, "worker %d", w);
        cr_assert_eq(dwqi_dispatcher_cell(&d, w)->state, DWQI_CELL_BUSY);
    }
    cr_assert_eq(dwqi_dispatcher_backlog(&d).n_running, N);
    cr_assert_eq(dwqi_dispatcher_backlog(&d).n_queued, 1);
    dwqi_dispatcher_finish(&d);
    dwqi_sim_destroy(sim);
}

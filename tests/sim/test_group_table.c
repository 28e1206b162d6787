/* All of n = 2..17 ranks x nprocs 1..5, broker inside and beside, both modes: each
 * combination works on the simulated transport, or not one group fits and the plan
 * says so. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "libdwq/queue/controller.h"
#include "libdwq/run/plan.h"
#include "tests/sim/work.h"

#define MOST_RANKS 17
#define MOST_NPROCS 5

static const dwq_function_t functions[] = { WORK_FUNCTION,
                                            { NULL, NULL, NULL } };

struct table_run {
    struct dwqi_plan plan;
    struct dwqi_sim *sim;
    struct dwqi_log log;
    struct work_data data;
    struct work works[2 * MOST_RANKS];
    struct sim_group groups[MOST_RANKS];
    dwq_controller_t *c;
};

static void quiet(const char *line, void *arg)
{
    (void)line;
    (void)arg;
}

/* The places of the plan are the merged ranks: those of group g, in order. */
static void check_places(const struct dwqi_plan *plan, int number, int n_merged)
{
    int n_seen = 0;

    for (int rank = 0; rank < plan->request.size; rank++) {
        if (dwqi_plan_worker_of(plan, rank) == number) {
            cr_assert_eq(plan->place_of[rank], n_seen);
            cr_assert_eq(dwqi_plan_role(plan, rank),
                         n_seen == 0 ? DWQI_ROLE_BROKER : DWQI_ROLE_LEAF);
            n_seen++;
        }
    }
    cr_assert_eq(n_seen, n_merged);
}

static void make_groups(struct table_run *t, bool gather)
{
    int n = dwqi_plan_n_workers(&t->plan), peers[MOST_RANKS];
    const struct dwqi_plan_request *r = &t->plan.request;

    t->log.line = quiet;
    t->sim = dwqi_sim_create(
        &(struct dwqi_sim_config){ .n_endpoints = 1 + n * (1 + GROUP_MAX),
                                   .seed = (uint64_t)r->size,
                                   .mean_delay = 1e-5 });
    for (int g = 0; g < n; g++) {
        peers[g] = g + 1;
    }
    dwqi_controller_create(
        &(struct dwqi_controller_config){ .queue.transport =
                                              dwqi_sim_endpoint(t->sim, 0),
                                          .queue.log = &t->log,
                                          .n_workers = n,
                                          .peers = peers,
                                          .queue.held_max = 4,
                                          .queue.time_limit = INFINITY,
                                          .queue.grace_end = INFINITY },
        &t->c);
    for (int g = 0; g < n; g++) {
        sim_group_init(&t->groups[g],
                       &(struct sim_group_config){
                           .sim = t->sim,
                           .log = &t->log,
                           .functions = functions,
                           .number = g + 1,
                           .first = 1 + n + g * GROUP_MAX,
                           .n_ranks = t->plan.shown.groups[g].n_ranks,
                           .inside = r->inside,
                           .gather = gather,
                           .seed = (uint64_t)g,
                           .mean_delay = 1e-5,
                           .coll_max = (size_t)1 << 30,
                           .time_limit = INFINITY });
        check_places(&t->plan, g + 1, t->groups[g].n_merged);
        sim_group_start(&t->groups[g]);
    }
}

/* Two tasks for each group: one fails on its last rank; both have a scattered array
 * of 7 rows, and one of fewer rows than most groups have ranks. */
static void submit(struct table_run *t)
{
    int n = dwqi_plan_n_workers(&t->plan);

    work_data_init(&t->data);
    for (int i = 0; i < 2 * n; i++) {
        struct work *w = &t->works[i];
        struct work_task task;

        *w = (struct work){ .x = i + 1,
                            .seconds = 1e-4,
                            .index = i,
                            .large = 1,
                            .n_large = i % 2 ? 300 : 3,
                            .n_arrays = 3,
                            .arrays = { { 7, 5, true, false, false },
                                        { 2, 3, true, true, false },
                                        { 4, 1, false, false, false } } };
        w->fails = i % 2 ? 1 << (t->plan.request.nprocs - 1) : 0;
        work_make(w, &t->data, &task);
        task.task.worker = 1 + i / 2;
        cr_assert_eq(dwq_controller_submit_call(t->c, &task.task, NULL),
                     DWQ_OK);
    }
}

static void collect(struct table_run *t)
{
    int n = dwqi_plan_n_workers(&t->plan), n_results = 0;
    dwq_result_t result;

    while (dwq_controller_get_next_result(t->c, &result) == DWQ_OK) {
        int number = (int)(uint32_t)result.id; /* from 1 */
        const struct work *w = &t->works[number - 1];
        const char *what = work_fault(w, &result, t->plan.request.nprocs);

        cr_assert_eq(result.status, w->fails ? DWQ_E_TASK : DWQ_OK);
        cr_assert_null(what, "%d ranks, nprocs %d: %s", t->plan.request.size,
                       t->plan.request.nprocs, what);
        cr_assert_eq(result.worker, 1 + (number - 1) / 2);
        dwq_result_clear(&result);
        n_results++;
    }
    cr_assert_eq(n_results, 2 * n);
    cr_assert_eq(dwqi_controller_close(t->c, false), DWQ_OK);
    cr_assert(dwqi_sim_drain(t->sim, 1000000));
    for (int g = 0; g < n; g++) {
        cr_assert_null(sim_group_fault(&t->groups[g]), "%s",
                       sim_group_fault(&t->groups[g]));
    }
}

static void play(const struct dwqi_plan_request *request, bool gather)
{
    struct table_run *t = calloc(1, sizeof *t);
    int each = request->nprocs + (request->inside ? 0 : 1), needed = 0;
    dwq_status_t status = dwqi_plan_make(request, &t->plan, &needed);

    if (request->size - 1 < each) {
        cr_assert_eq(status, DWQ_E_OPTION, "not one group fits");
        cr_assert_eq(needed, each + 1);
        free(t);
        return;
    }
    cr_assert_eq(status, DWQ_OK);
    cr_assert_eq(dwqi_plan_n_workers(&t->plan), (request->size - 1) / each);
    cr_assert_eq(t->plan.shown.n_idle, (request->size - 1) % each);
    make_groups(t, gather);
    submit(t);
    collect(t);
    dwqi_controller_destroy(t->c);
    for (int g = 0; g < dwqi_plan_n_workers(&t->plan); g++) {
        sim_group_finish(&t->groups[g]);
    }
    dwqi_sim_destroy(t->sim);
    dwqi_plan_finish(&t->plan);
    free(t);
}

static void play_all(bool inside, bool gather)
{
    struct dwqi_plan_request r = { .grouping = DWQ_GROUPING_SPLIT,
                                   .inside = inside };

    for (r.size = 2; r.size <= MOST_RANKS; r.size++) {
        for (r.nprocs = 1; r.nprocs <= MOST_NPROCS; r.nprocs++) {
            r.controller = (r.size * 7 + r.nprocs) % r.size;
            play(&r, gather);
        }
    }
}

Test(any_group_size_any_number_of_ranks, gather_inside)
{
    play_all(true, true);
}

Test(any_group_size_any_number_of_ranks, gather_beside)
{
    play_all(false, true);
}

Test(any_group_size_any_number_of_ranks, sendrecv_inside)
{
    play_all(true, false);
}

Test(any_group_size_any_number_of_ranks, sendrecv_beside)
{
    play_all(false, false);
}

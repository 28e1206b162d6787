#include "libdwq/run/plan.h"

#include <limits.h>
#include <stdlib.h>

static bool is_grouped(const struct dwqi_plan_request *r)
{
    return r->grouping != DWQ_GROUPING_NONE && r->size > 1;
}

/* Ranks of the job that one worker takes. */
static int ranks_per_worker(const struct dwqi_plan_request *r)
{
    if (!is_grouped(r) || r->grouping == DWQ_GROUPING_SPAWN) {
        return 1;
    }
    if (r->inside) {
        return r->nprocs;
    }
    return r->nprocs < INT_MAX - 1 ? r->nprocs + 1 : INT_MAX - 1;
}

static int count_workers(const struct dwqi_plan_request *r)
{
    int n = (r->size - 1) / ranks_per_worker(r);

    return r->max_workers > 0 && n > r->max_workers ? r->max_workers : n;
}

/* The i-th rank that is not the controller. */
static int nth_rank(const struct dwqi_plan_request *r, int i)
{
    return i < r->controller ? i : i + 1;
}

static dwq_status_t allocate(struct dwqi_plan *plan, int n_workers)
{
    size_t size = (size_t)plan->request.size;
    size_t n = (size_t)n_workers;
    size_t each = is_grouped(&plan->request) ? (size_t)plan->request.nprocs : 1;

    plan->groups = calloc(n + 1, sizeof *plan->groups);
    plan->idle = calloc(size, sizeof *plan->idle);
    plan->ranks = n * each < SIZE_MAX / sizeof *plan->ranks
                      ? calloc(n * each + 1, sizeof *plan->ranks)
                      : NULL;
    plan->group_of = calloc(size, sizeof *plan->group_of);
    plan->place_of = calloc(size, sizeof *plan->place_of);
    return plan->groups && plan->idle && plan->ranks && plan->group_of &&
                   plan->place_of
               ? DWQ_OK
               : DWQ_E_NOMEM;
}

/* Ranks of the job from the first-th on become worker `number`. */
static void add_worker(struct dwqi_plan *plan, int number, int first)
{
    const struct dwqi_plan_request *r = &plan->request;
    bool grouped = is_grouped(r);
    int n_here = ranks_per_worker(r), width = grouped ? r->nprocs : 1;
    int beside = grouped && !r->inside;
    int *ranks = plan->ranks + (size_t)(number - 1) * (size_t)width;

    for (int i = 0; i < n_here; i++) {
        int rank = nth_rank(r, first + i);

        plan->group_of[rank] = number;
        plan->place_of[rank] = i;
    }
    for (int i = 0; i < width; i++) {
        ranks[i] = i + beside < n_here ? nth_rank(r, first + i + beside) : -1;
    }
    plan->groups[number - 1] = (dwq_plan_group_t){ .id = number,
                                                   .broker = nth_rank(r, first),
                                                   .broker_is_worker = !beside,
                                                   .n_ranks = width,
                                                   .ranks = ranks };
}

static void add_idle(struct dwqi_plan *plan)
{
    const struct dwqi_plan_request *r = &plan->request;
    int n_idle = 0;
    int left = r->size - 1 - plan->shown.n_groups * ranks_per_worker(r);

    for (int rank = 0; rank < r->size; rank++) {
        if (rank != r->controller && plan->group_of[rank] == 0) {
            plan->idle[n_idle++] = (dwq_plan_idle_t){
                rank, left < ranks_per_worker(r)
                          ? "left over: too few ranks for one more group"
                          : "beyond max_workers"
            };
        }
    }
    plan->shown.n_idle = n_idle;
}

dwq_status_t dwqi_plan_make(const struct dwqi_plan_request *request,
                            struct dwqi_plan *plan_out, int *needed_out)
{
    struct dwqi_plan plan = { .request = *request };
    int each = ranks_per_worker(request);
    int n = count_workers(request);
    dwq_status_t status;

    *needed_out = each + 1;
    if (n == 0 && request->size > 1) {
        return DWQ_E_OPTION;
    }
    status = allocate(&plan, n);
    if (status != DWQ_OK) {
        dwqi_plan_finish(&plan);
        return status;
    }
    for (int number = 1; number <= n; number++) {
        add_worker(&plan, number, (number - 1) * each);
    }
    plan.shown = (dwq_plan_t){ .size = request->size,
                               .controller = request->controller,
                               .n_groups = n,
                               .groups = plan.groups,
                               .idle = plan.idle };
    add_idle(&plan);
    *plan_out = plan;
    return DWQ_OK;
}

void dwqi_plan_finish(struct dwqi_plan *plan)
{
    for (int i = 0; plan->groups && i < plan->shown.n_groups; i++) {
        free((char *)(void *)plan->groups[i].host);
    }
    free(plan->seats);
    free(plan->cores);
    free(plan->groups);
    free(plan->idle);
    free(plan->ranks);
    free(plan->group_of);
    free(plan->place_of);
    *plan = (struct dwqi_plan){ .groups = NULL };
}

int dwqi_plan_worker_of(const struct dwqi_plan *plan, int rank)
{
    return plan->group_of ? plan->group_of[rank] : 0;
}

int dwqi_plan_rank_of(const struct dwqi_plan *plan, int worker)
{
    return plan->groups[worker - 1].broker;
}

int dwqi_plan_n_workers(const struct dwqi_plan *plan)
{
    return plan->shown.n_groups;
}

enum dwqi_role_kind dwqi_plan_role(const struct dwqi_plan *plan, int rank)
{
    if (plan->request.size == 1) {
        return DWQI_ROLE_IN_PLACE;
    }
    if (rank == plan->request.controller) {
        return DWQI_ROLE_CONTROLLER;
    }
    if (dwqi_plan_worker_of(plan, rank) == 0) {
        return DWQI_ROLE_IDLE;
    }
    if (!is_grouped(&plan->request)) {
        return DWQI_ROLE_WORKER;
    }
    return plan->place_of[rank] == 0 ? DWQI_ROLE_BROKER : DWQI_ROLE_LEAF;
}

const char *dwqi_plan_idle_reason(const struct dwqi_plan *plan, int rank)
{
    for (int i = 0; i < plan->shown.n_idle; i++) {
        if (plan->idle[i].rank == rank) {
            return plan->idle[i].reason;
        }
    }
    return "";
}

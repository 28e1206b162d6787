#define _GNU_SOURCE /* sched_getaffinity, gethostname */
#include "tests/mpi/places.h"

#include <sched.h>
#include <unistd.h>

int n_allowed(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -1;
}

int first_allowed(void)
{
    cpu_set_t set;
    int first = 0;

    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return -1;
    }
    while (first < CPU_SETSIZE && !CPU_ISSET((size_t)first, &set)) {
        first++;
    }
    return first;
}

/* Host, rank of the job (-1: spawned), hardware threads it may use, the first of
 * them. */
static int where(dwq_call_t *call, void *arg)
{
    char host[256] = "";
    dwq_world_t world;

    (void)arg;
    dwq_world(&world);
    gethostname(host, sizeof host - 1);
    return dwq_call_return(call, DWQ_VALUES((const char *)host,
                                            world.spawned ? -1 : world.rank,
                                            n_allowed(), first_allowed()));
}

const dwq_function_t places_functions[] = { { "where", where, NULL },
                                            { NULL, NULL, NULL } };

void ask(dwq_controller_t *c, const dwq_task_t *task, dwq_result_t *result)
{
    uint64_t id = 0;

    CHECK(dwq_controller_submit_call(c, task, &id) == DWQ_OK);
    CHECK(dwq_controller_get_result(c, id, result) == DWQ_OK);
    CHECK(result->status == DWQ_OK);
}

static void check_rank(const dwq_plan_group_t *group, int i, int threads,
                       const dwq_result_t *result)
{
    const char *host = "";
    int rank = -2, n = 0;

    CHECK(dwq_result_get(result, i, 0, &host) &&
          strcmp(host, group->seats[i].host) == 0);
    CHECK(dwq_result_get(result, i, 1, &rank) && rank == group->ranks[i]);
    CHECK(dwq_result_get(result, i, 2, &n) && n > 0);
    CHECK(threads == 0 || group->oversubscribed || n == threads);
}

/* Each worker's ranks are where the plan says; threads > 0: and may use so many. */
void check_places(dwq_controller_t *c, int threads)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);
    dwq_worker_info_t info;
    dwq_result_t result;

    for (int w = 1; w <= plan->n_groups; w++) {
        const dwq_plan_group_t *group = &plan->groups[w - 1];

        CHECK(group->host && group->seats);
        CHECK(dwq_worker_info(c, w, &info) == DWQ_OK);
        CHECK(info.n_ranks == group->n_ranks && info.host == group->host &&
              info.n_cores == group->n_cores);
        ask(c, &(dwq_task_t){ .function = "where", .worker = w }, &result);
        CHECK(result.n_ranks == group->n_ranks && result.worker == w);
        for (int i = 0; i < result.n_ranks; i++) {
            check_rank(group, i, threads, &result);
        }
        dwq_result_clear(&result);
    }
    CHECK(dwq_worker_info(c, 0, &info) == DWQ_E_ARG);
    CHECK(dwq_worker_info(c, plan->n_groups + 1, &info) == DWQ_E_ARG);
}

/* Of group after group. */
void expect_widths(const dwq_plan_t *plan, const int *widths, int n)
{
    CHECK(plan->n_groups == n);
    for (int g = 0; g < n && g < plan->n_groups; g++) {
        CHECK(plan->groups[g].n_ranks == widths[g]);
    }
}

void play(dwq_options_t options,
          int (*controller)(dwq_controller_t *c, void *arg))
{
    options.controller = controller;
    options.functions = places_functions;
    scenario_run_options(&options);
}

int check_only_places(dwq_controller_t *c, void *arg)
{
    (void)arg;
    check_places(c, 0);
    return 0;
}

void listen_for(const char *line, void *arg)
{
    struct heard *heard = arg;

    heard->n += strstr(line, heard->text) != NULL;
}

int total(int n)
{
    int all = 0;

    MPI_Allreduce(&n, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    return all;
}

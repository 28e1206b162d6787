/* What one operation on a long queue costs, in comparisons of the heap: the
 * scheduler and the heap are compiled into this program with a counter. */
#include <criterion/criterion.h>
#include <stdlib.h>

static unsigned long n_compared;

/* Calls of heap->before(), and nothing else, look like this. */
#define before(a, b) before((n_compared++, (a)), (b))
#include "libdwq/base/heap.c"
#undef before
#include "libdwq/queue/scheduler.c"

#define N_JOBS 1000000 /* below 2^20 */
#define N_WORKERS 1000 /* below 2^10 */

/* One operation changes a queue of jobs once, and the heaps of open workers and
 * of workers with bound jobs a few times; each change climbs or sinks through
 * one heap, with at most 2 comparisons a level, and 2 to find out which. */
#define MOST_COMPARED (2 * (20 + 2) + 6 * (2 * (10 + 2)))

static const double micro = 1e-6;

static unsigned long worst;

/* Call it after each operation. */
static void note(const char *operation)
{
    worst = n_compared > worst ? n_compared : worst;
    cr_assert_leq(n_compared, MOST_COMPARED, "%s: %lu comparisons", operation,
                  n_compared);
    n_compared = 0;
}

static struct dwqi_job *make_jobs(unsigned seed)
{
    struct dwqi_job *jobs = calloc(N_JOBS, sizeof *jobs);

    cr_assert_not_null(jobs);
    srand(seed);
    for (int i = 0; i < N_JOBS; i++) {
        jobs[i].rate = &micro;
        jobs[i].priority = rand() % 100;
        jobs[i].time_est = 1 + rand() % 1000;
        if (rand() % 4 == 0) {
            jobs[i].worker = 1 + rand() % N_WORKERS;
            jobs[i].binding = rand() % 2 == 0;
        }
    }
    return jobs;
}

static void assign_some(struct dwqi_scheduler *s, int n)
{
    for (int i = 0; i < n; i++) {
        struct dwqi_job *job;
        int worker;

        if (!dwqi_scheduler_next(s, &job, &worker)) {
            return;
        }
        note("next");
    }
}

/* The oldest of what it holds is over, or all is given back. */
static void empty_worker(struct dwqi_scheduler *s, int worker, bool give_back)
{
    while (dwqi_scheduler_held(s, worker)) {
        struct dwqi_job *job = dwqi_scheduler_held(s, worker);

        if (give_back) {
            dwqi_scheduler_give_back(s, job);
            note("give_back");
        } else {
            dwqi_scheduler_done(s, job);
            note("done");
        }
    }
}

Test(scheduler_cost, every_operation_on_a_million_jobs_is_logarithmic,
     .timeout = 100)
{
    struct dwqi_job *jobs = make_jobs(1);
    struct dwqi_scheduler *s =
        dwqi_scheduler_create(N_WORKERS, DWQ_ORDER_LONGEST_FIRST, 16);
    size_t n = N_JOBS;

    cr_assert_not_null(s);
    for (int i = 0; i < N_JOBS; i++) {
        cr_assert_eq(dwqi_scheduler_add(s, &jobs[i]), DWQ_OK);
        note("add");
    }
    for (int i = 0; i < N_JOBS; i += 10) { /* from the middle */
        dwqi_scheduler_remove(s, &jobs[i]);
        note("remove");
        n--;
    }
    for (int w = 1; w <= N_WORKERS; w++) {
        dwqi_scheduler_worker_ready(s, w);
        note("ready");
    }
    for (int round = 0; round < 20; round++) {
        assign_some(s, 20 * N_WORKERS);
        for (int w = 1; w <= N_WORKERS; w++) {
            empty_worker(s, w, (w + round) % 3 == 0);
            dwqi_scheduler_idle_worker(s);
            dwqi_scheduler_any_waiting(s);
            note("look");
        }
    }
    for (int w = 1; w <= N_WORKERS; w += 7) {
        dwqi_scheduler_worker_gone(s, w);
        note("gone");
    }
    cr_assert_lt(dwqi_scheduler_n_waiting(s), n, "something was run");
    cr_assert_gt(dwqi_scheduler_n_waiting(s), N_JOBS / 2, "it was long");
    cr_assert_gt(worst, 20, "the counter counts: %lu", worst);
    dwqi_scheduler_destroy(s);
    free(jobs);
}

/* A run on simulated ranks: 20 equal calls for each worker, with and without
 * groups. Arguments: RANKS SECONDS, ranks of a group (1: no groups) and of a call.
 * Prints the makespan and the efficiency, work / (ranks of workers x makespan), as
 * "NAME VALUE". */
#include <dwq/dwq.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CALLS 20 /* per worker */

struct job {
    int ranks;
    double seconds;
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int work(dwq_call_t *call, void *arg)
{
    const struct job *job = arg;
    struct timespec time = { .tv_sec = (time_t)job->seconds };

    (void)call;
    time.tv_nsec = (long)((job->seconds - (double)time.tv_sec) * 1e9);
    nanosleep(&time, NULL);
    return 0;
}

static bool submit(dwq_controller_t *controller, int n)
{
    for (int i = 0; i < n; i++) {
        if (dwq_controller_submit_call(controller,
                                       &(dwq_task_t){ .function = "work" },
                                       NULL) != DWQ_OK) {
            return false;
        }
    }
    return true;
}

static int take_all(dwq_controller_t *controller)
{
    dwq_result_t result;
    int n = 0;

    while (dwq_controller_get_next_result(controller, &result) == DWQ_OK) {
        n += result.status == DWQ_OK;
        dwq_result_clear(&result);
    }
    return n;
}

static int controller(dwq_controller_t *controller, void *arg)
{
    const struct job *job = arg;
    int n_workers = dwq_controller_world(controller).n_workers;
    int n = CALLS * n_workers;
    double begin = now(), makespan;

    if (!submit(controller, n) || take_all(controller) != n) {
        fprintf(stderr, "dwq-scale: a call failed\n");
        return 1;
    }
    makespan = now() - begin;
    printf("start_s %.9g\nmakespan_s %.9g\nefficiency %.9g\n", begin, makespan,
           n * job->seconds / (n_workers * makespan));
    return 0;
}

int main(int argc, char **argv)
{
    struct job job = { .ranks = argc > 1 ? atoi(argv[1]) : 1,
                       .seconds = argc > 2 ? strtod(argv[2], NULL) : 0 };
    const dwq_function_t functions[] = {
        { .name = "work", .function = work },
        { .name = NULL },
    };

    return dwq_main(
        argc, argv,
        &(dwq_options_t){ .controller = controller,
                          .functions = functions,
                          .arg = &job,
                          .grouping = job.ranks > 1 ? DWQ_GROUPING_SPLIT
                                                    : DWQ_GROUPING_NONE,
                          .nprocs_per_worker = job.ranks > 1 ? job.ranks : 0,
                          .broker_is_worker = job.ranks > 1 });
}

/* Uneven calls: how close to the best list schedule of the same times. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "bench/calls.h"

#define CALLS_MAX 200
#define MEAN 0.01 /* seconds */
#define SIGMA 1.
#define PI 3.14159265358979323846

/* splitmix64, by Sebastiano Vigna (public domain). */
static double unit(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Lognormal, the same in every job. */
static void draw(double *seconds, int n)
{
    uint64_t state = 20240501;

    for (int i = 0; i < n; i++) {
        double normal =
            sqrt(-2 * log(1 - unit(&state))) * cos(2 * PI * unit(&state));

        seconds[i] = MEAN * exp(SIGMA * normal - SIGMA * SIGMA / 2);
    }
}

static int longer(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

/* Each call to the worker that is free first. */
static double list_schedule(const double *seconds, int n, int n_workers)
{
    double free_at[64] = { 0 };
    double end = 0;

    for (int i = 0; i < n; i++) {
        int first = 0;

        for (int w = 1; w < n_workers; w++) {
            first = free_at[w] < free_at[first] ? w : first;
        }
        free_at[first] += seconds[i];
        end = fmax(end, free_at[first]);
    }
    return end;
}

static double lower_bound(const double *seconds, int n, int n_workers)
{
    double sum = 0, longest = 0;

    for (int i = 0; i < n; i++) {
        sum += seconds[i];
        longest = fmax(longest, seconds[i]);
    }
    return fmax(sum / n_workers, longest);
}

/* --- In the job: CALLS LONGEST_FIRST -------------------------------------------- */

static int controller(dwq_controller_t *controller, void *arg)
{
    int n = (int)fmin(arg_number(arg, 0), CALLS_MAX);
    bool estimates = arg_number(arg, 1) > 0;
    int n_workers = dwq_controller_world(controller).n_workers;
    double seconds[CALLS_MAX], ideal, bound, begin;
    dwq_task_t tasks[CALLS_MAX];
    dwq_value_t args[CALLS_MAX];

    draw(seconds, n);
    bound = lower_bound(seconds, n, n_workers);
    for (int i = 0; i < n; i++) {
        args[i] = dwq_value(seconds[i]);
        tasks[i] = (dwq_task_t){ .function = "sleep",
                                 .args = { 1, &args[i] },
                                 .time_est = estimates ? seconds[i] : 0 };
    }
    for (int w = 1; w <= n_workers; w++) { /* all are up */
        submit_echo(controller, 0, w);
        take_one(controller);
    }
    begin = now();
    dwq_controller_submit_multiple(controller, tasks, (size_t)n, NULL);
    while (take_one(controller)) {
    }
    begin = now() - begin;
    if (estimates) {
        qsort(seconds, (size_t)n, sizeof *seconds, longer);
    }
    ideal = list_schedule(seconds, n, n_workers);
    printf("makespan %.9g\nideal %.9g\nbound %.9g\n", begin, ideal, bound);
    return 0;
}

int measure_balance(int argc, char **argv)
{
    bool longest = argc > 1 && strtod(argv[1], NULL) > 0;

    return run_calls(
        controller, argc, argv,
        &(dwq_options_t){ .queue_order = longest ? DWQ_ORDER_LONGEST_FIRST
                                                 : DWQ_ORDER_FIFO });
}

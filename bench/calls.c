#include "bench/calls.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define WINDOW 2000 /* calls outstanding */

double arg_number(const struct args *args, int i)
{
    return i < args->argc ? strtod(args->argv[i], NULL) : 0;
}

double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double resident_bytes(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    long size = 0, resident = 0;

    if (!statm || fscanf(statm, "%ld %ld", &size, &resident) != 2) {
        resident = 0;
    }
    if (statm) {
        fclose(statm);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

double processor_time(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* --- Functions ------------------------------------------------------------ */

static int echo(dwq_call_t *call, void *arg)
{
    double x;

    (void)arg;
    if (!dwq_arg(call, 0, &x)) {
        return dwq_call_fail(call, 1, "echo(x)");
    }
    return dwq_call_return(call, DWQ_VALUES(x));
}

static int copy(dwq_call_t *call, void *arg)
{
    dwq_array_t array;

    (void)arg;
    if (!dwq_arg(call, 0, &array)) {
        return dwq_call_fail(call, 1, "copy(array)");
    }
    return dwq_call_return(call, DWQ_VALUES(array));
}

/* Not filled: the bare program does not touch its data either. */
static int alloc(dwq_call_t *call, void *arg)
{
    dwq_array_t array, own;

    (void)arg;
    if (!dwq_arg(call, 0, &array)) {
        return dwq_call_fail(call, 1, "alloc(array)");
    }
    own = dwq_call_alloc(call, array.type, array.ndim, array.shape);
    return dwq_call_return(call, DWQ_VALUES(own));
}

static void pause_for(double seconds)
{
    struct timespec pause = { .tv_sec = (time_t)seconds };

    pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
    nanosleep(&pause, NULL);
}

static int sleep_for(dwq_call_t *call, void *arg)
{
    double seconds;

    (void)arg;
    if (!dwq_arg(call, 0, &seconds)) {
        return dwq_call_fail(call, 1, "sleep(seconds)");
    }
    pause_for(seconds);
    return 0;
}

static int processor(dwq_call_t *call, void *arg)
{
    (void)arg;
    return dwq_call_return(call, DWQ_VALUES(processor_time()));
}

const dwq_function_t call_functions[] = {
    { .name = "echo", .function = echo },
    { .name = "copy", .function = copy },
    { .name = "alloc", .function = alloc },
    { .name = "sleep", .function = sleep_for },
    { .name = "processor_time", .function = processor },
    { .name = NULL },
};

/* --- Running --------------------------------------------------------------- */

int run_calls(int (*controller)(dwq_controller_t *controller, void *arg),
              int argc, char **argv, const dwq_options_t *options)
{
    struct args args = { argc, argv };
    dwq_options_t own = options ? *options : (dwq_options_t){ .argc = 0 };

    own.controller = controller;
    own.functions = call_functions;
    own.arg = &args;
    /* Spawned groups run this program as it was started: no arguments here. */
    return dwq_main(0, NULL, &own);
}

int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int time_calls(dwq_controller_t *controller, void *arg)
{
    int n = (int)arg_number(arg, 0);
    double pause = arg_number(arg, 2);
    int worker = (int)arg_number(arg, 5);
    double *seconds = calloc((size_t)n + 1, sizeof *seconds);

    for (int i = -n / 10 - N_WARM; seconds && i < n; i++) {
        double start;

        if (pause > 0 && i >= 0) {
            pause_for(pause);
        }
        start = now();
        submit_echo(controller, worker, i);
        take_one(controller);
        if (i >= 0) {
            seconds[i] = now() - start;
        }
    }
    if (seconds) {
        qsort(seconds, (size_t)n, sizeof *seconds, compare_doubles);
        printf("p50 %.9g\np99 %.9g\n", seconds[n / 2],
               seconds[(size_t)n * 99 / 100]);
    }
    free(seconds);
    return 0;
}

void submit_echo(dwq_controller_t *controller, int worker, double x)
{
    dwq_task_t task = { .function = "echo", .worker = worker, DWQ_ARGS(x) };

    if (dwq_controller_submit_call(controller, &task, NULL) != DWQ_OK) {
        dwq_controller_abort(controller);
    }
}

bool take_one(dwq_controller_t *controller)
{
    dwq_result_t result;

    if (dwq_controller_get_next_result(controller, &result) != DWQ_OK) {
        return false;
    }
    dwq_result_clear(&result);
    return true;
}

void stream_echo(dwq_controller_t *controller, int n)
{
    int sent = 0, out = 0;

    while (sent < n || out > 0) {
        while (sent < n && out < WINDOW) {
            submit_echo(controller, 0, sent);
            sent++;
            out++;
        }
        out -= take_one(controller);
    }
}

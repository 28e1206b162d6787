/* What the measuring jobs call, and how they run. */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include <dwq/dwq.h>
#include <stdbool.h>
#include <stdio.h>

int measure_payload(int argc, char **argv);
int measure_idle(int argc, char **argv);
int measure_balance(int argc, char **argv);
int measure_bounds(int argc, char **argv);
int measure_modes(int argc, char **argv);
int measure_sweep(int argc, char **argv);

double now(void);
/* Bytes that this process has in memory. */
double resident_bytes(void);
/* Seconds of processor time of this process. */
double processor_time(void);

/* For qsort(). */
int compare_doubles(const void *a, const void *b);

/* The arguments of a measuring job, for its controller function. */
struct args {
    int argc;
    char **argv;
};

/* Argument i as a number; 0 if it is not there. */
double arg_number(const struct args *args, int i);

/**
 * Run `controller` with a struct args * as its arg, and these functions:
 *
 *     echo(x)          -> x
 *     copy(array)      -> the array, copied
 *     alloc(array)     -> an array of the same shape by dwq_call_alloc()
 *     sleep(seconds)   -> nothing
 *     processor_time() -> seconds used by the process so far
 */
int run_calls(int (*controller)(dwq_controller_t *controller, void *arg),
              int argc, char **argv, const dwq_options_t *options);

/* Those functions, for a run that is not run_calls()'s. */
extern const dwq_function_t call_functions[];

/* A controller function: one echo(x) at a time, arguments CALLS ... PAUSE ...
 * WORKER: argument 0 is how many, argument 2 seconds before each, argument 5 the
 * worker (0 or none: as the scheduler gives them). Hundreds go before, without a
 * pause: the first call of a worker costs more than its later ones. Prints p50 and
 * p99. */
int time_calls(dwq_controller_t *controller, void *arg);

/* Submit echo(x), to a worker (0: any). Ends the run when it is refused. */
void submit_echo(dwq_controller_t *controller, int worker, double x);
/* Submit and take n calls of echo, 2000 outstanding. */
void stream_echo(dwq_controller_t *controller, int n);
/* Take the next result, whatever it is. false: there is none. */
bool take_one(dwq_controller_t *controller);

#endif

/* A user's own commands or functions, timed over the values of their parameters:
 * every run is a task of a libdwq job, alone on the cores of its worker. */
#ifndef BENCH_SWEEP_H
#define BENCH_SWEEP_H

#include "bench/bench.h"

struct sweep_options {
    const char *command;  /* {NAME} stands for a value; or NULL */
    const char *function; /* MODULE:NAME, parameters by name; or NULL */
    int warmups;          /* of every combination, not counted */
    int repeats;          /* of every combination */
    int jobs;             /* at once, each on cores / jobs cores */
};

/* parameters: n of NAME=VALUE,VALUE,... false: it was said what is wrong. */
bool sweep_check(char **parameters, int n, const struct sweep_options *options);
/* Makes figures and prints their table (but where JSON is printed), of what was
 * checked. An exit code. */
int sweep_run(struct bench *bench, const struct facts *facts, char **parameters,
              int n, const struct sweep_options *options);

/* What the job prints for each run, a line: SWEEP_RAN CASE SECONDS PROCESSOR BYTES,
 * the last two -1 of functions; or SWEEP_FAILED CASE WHY. Warm-ups: SWEEP_WARM. */
#define SWEEP_PREFIX "dwq-sweep-"
#define SWEEP_RAN SWEEP_PREFIX "ran"
#define SWEEP_FAILED SWEEP_PREFIX "failed"
#define SWEEP_WARM SWEEP_PREFIX "warm"

extern const struct question question_sweep; /* is not asked with the others */

#endif

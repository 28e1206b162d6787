/* A user's own command, timed over the values of its parameters: every run is a
 * task of a libdwq job, alone on the cores of its worker. */
#ifndef BENCH_SWEEP_H
#define BENCH_SWEEP_H

#include "bench/bench.h"

struct sweep_options {
    int repeats; /* of every combination */
    int jobs;    /* commands at once, each on cores / jobs cores */
};

/* parameters: n of NAME=VALUE,VALUE,... An exit code. */
int sweep_run(struct bench *bench, const char *command, char **parameters,
              int n, const struct sweep_options *options);
/* In the job: REPEATS COMMAND PARAMETERS... */
int sweep_measure(int argc, char **argv);

#endif

/* Start a job, wait for its end, and keep what it printed. */
#ifndef TESTS_MPI_LAUNCH_H
#define TESTS_MPI_LAUNCH_H

#include <stdbool.h>

struct launch {
    const char *program; /* a path */
    const char *argument;
    int ranks;          /* 0: without a launcher */
    const char *others; /* NULL, or the program that ranks from 1 on run */
    const char *const *launcher; /* more arguments of mpirun; ends with NULL */
    double timeout; /* seconds; 0: 60. That of Criterion's test is above */
    const char *interrupt_after; /* send SIGINT when this was printed */
    bool once; /* a job in which PMIx crashed is not started again */
};

struct launched {
    bool pmix_crashed; /* a thread of PMIx: no fault of the program */
    bool timed_out; /* it was ended; `output` then says where each rank was */
    int status;     /* exit code, or 128 + signal */
    char *output;   /* stdout and stderr; free() it */
};

/* Jobs started from now on spawn. Open MPI 4 does that without hanging only with a
 * setting, and Open MPI 5 only without; see mpi/spawn_mpi.c. */
void launch_spawns(void);

void launch(const struct launch *what, struct launched *launched_out);
/* The same of a program of the tests: `program` is the X of scenario_X, in the folder of
 * DWQ_TEST_PROGRAMS. */
struct launched launch_scenario(const struct launch *what);

#endif

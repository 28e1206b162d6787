/* `dwq run`, as its two files share it. */
#ifndef DWQI_COMMAND_RUN_H
#define DWQI_COMMAND_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "libdwq/command/verdict.h"

#define ARGUMENTS_MAX 4096
#define LINE_MAX_KEPT 4096

struct launcher {
    int major; /* of Open MPI */
    const char *ranks, *hosts, *hostfile;
    bool verbose;
    char **program; /* ends with NULL: what follows the options */
    char *arguments[ARGUMENTS_MAX];
    int n;
    struct verdict verdict;
    pid_t mpirun;
    int noise; /* its stderr */
    char kept[LINE_MAX_KEPT];
    size_t n_kept;              /* of a line that may be noise */
    double killed_at, ended_at; /* INFINITY-like 0: not yet */
    int signals;                /* a file that they come by */
    sigset_t signals_before;
    bool asked;     /* the run, to end */
    int signal;     /* that mpirun got last; 0: none */
    int n_children; /* of mpirun, at most so far */
    int n_missed;   /* looks in a row that found fewer */
};

/* What was asked for, as a command of mpirun. Answers an exit code; -1: it is to be run. */
int run_read(struct launcher *l, int argc, char **argv);
/* Of mpirun and the ranks; the verdict listens by now. */
void run_set_environment(const struct launcher *l);

#endif

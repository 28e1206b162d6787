/* The function of short_run.c, for ranks of dwq-worker, too. */
#include <dwq/mpi.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/mpi/short_run.h"

static void write_log(const dwq_call_t *call)
{
    char line[64];
    const char *path = getenv(SHORT_RUN_LOG);
    int file = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    int n = snprintf(line, sizeof line, "%d %d\n", (int)dwq_call_id(call),
                     dwq_call_rank(call));

    if (file >= 0 && write(file, line, (size_t)n) < 0) {
        perror(path);
    }
    close(file);
}

/* An array: the same and its sum. */
static int adds(dwq_call_t *call, void *arg)
{
    dwq_array_t given, sum;
    size_t one = 1;

    (void)arg;
    write_log(call);
    if (!dwq_arg(call, 0, &given)) {
        return dwq_call_fail(call, 1, "no array");
    }
    sum = dwq_call_alloc(call, DWQ_DOUBLE, 1, &one);
    if (!sum.data) {
        return dwq_call_fail(call, 1, "no memory for the sum");
    }
    ((double *)sum.data)[0] = 0;
    for (size_t i = 0; i < given.shape[0]; i++) {
        ((double *)sum.data)[0] += ((const double *)given.data)[i];
    }
    return dwq_call_return(call, DWQ_VALUES(given, sum, "a text"));
}

static const dwq_function_t functions[] = { { "adds", adds, NULL },
                                            { NULL, NULL, NULL } };

static int worker(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    return dwq_worker_serve(worker) == DWQ_OK ? 0 : 1;
}

DWQ_MODULE(.functions = functions, .worker = worker);

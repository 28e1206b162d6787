/* One short run of each kind, as no_memory.c plays it, and short_run.c is it. */
#ifndef TESTS_MPI_SHORT_RUN_H
#define TESTS_MPI_SHORT_RUN_H

/* What the program prints: all tasks had one result each, right or out of memory. */
#define SHORT_RUN_RIGHT "short run: right"
/* In the environment: a file for who ran what, a line each. */
#define SHORT_RUN_LOG "DWQ_TEST_SHORT_RUN_LOG"

#endif

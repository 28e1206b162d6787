/* The calls of one row: every kind of task once per group and once unbound, and what
 * has to come of each. */
#ifndef TESTS_MPI_TABLE_CASES_H
#define TESTS_MPI_TABLE_CASES_H

#include "tests/mpi/scenario.h"

/* The controller function's: plays all cases and checks each result. The number of
 * results, which is table_n_results() when none is missing. */
int table_play(dwq_controller_t *c, int nprocs);
int table_n_results(int n_groups);

#endif

/* What the rows of the table call, on every rank of a group. */
#ifndef TESTS_MPI_TABLE_FUNCTIONS_H
#define TESTS_MPI_TABLE_FUNCTIONS_H

#include "tests/mpi/scenario.h"

#define MIB ((size_t)1 << 20)

enum agree_mode {
    ALL_SAY_YES,
    ONE_SAYS_NO,
    ONE_LEAVES
};

/* ranks(x): x + rank, and the group's size. silent(): odd ranks return nothing.
 * one_fails(rank): the others return their rank. rows(scattered int64, n): first
 * row and number of rows of this rank. reversed(uint8): a checksum, and the bytes in
 * reverse order. agree(mode, rank): the answers of three agreements.
 * collectives(): whether they work. slow(rank): the seconds that this rank took. */
extern const dwq_function_t table_functions[];

uint64_t table_checksum(const uint8_t *data, size_t n);
void table_fill(uint8_t *data, size_t n);

#endif

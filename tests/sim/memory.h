/* Allocations of the program, one of which fails. The linker puts memory.c in front of
 * malloc(), calloc() and realloc(). */
#ifndef TESTS_SIM_MEMORY_H
#define TESTS_SIM_MEMORY_H

#include <dwq/status.h>
#include <stdbool.h>

/* From now on they are counted; the n-th gets no memory (0: each gets some). */
void memory_begin(long n);
/* How many there were; none fails any more. */
long memory_end(void);
/* Whether one did since the last begin. */
bool memory_has_failed(void);
/* Whether a call answers so for that. */
bool memory_is_short(dwq_status_t status);

#endif

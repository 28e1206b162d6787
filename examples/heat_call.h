/* The function that workers run: a plate, its rows shared by the ranks of the
 * group that has the call. */
#ifndef EXAMPLES_HEAT_CALL_H
#define EXAMPLES_HEAT_CALL_H

#include <dwq/dwq.h>

/* heat(rows, columns, height=, width=, diffusivity=, duration=): temperatures at
 * the end. `arg` is the struct heat_start that has the temperatures at time 0 and
 * at the edges. Each rank returns its rows, rows x columns
 * doubles; one after the other they are the plate. */
int heat_call(dwq_call_t *call, void *arg);

#endif

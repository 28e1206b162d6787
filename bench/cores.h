/* The cores that this process may use, in equal shares. */
#ifndef BENCH_CORES_H
#define BENCH_CORES_H

#include <stdbool.h>

/* Cores, not hardware threads; at least 1. */
int cores_count(void);
/* Bind this process to share i of n, with all hardware threads of its cores. */
bool cores_bind(int i, int n);

#endif

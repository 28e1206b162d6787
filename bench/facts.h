/* What machine and what programs these figures are of. */
#ifndef BENCH_FACTS_H
#define BENCH_FACTS_H

#include "bench/bench.h"

struct facts facts_find(void);
/* Whether python3 has mpi4py.futures. */
bool facts_has_mpi4py(void);

#endif

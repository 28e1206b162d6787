/* The OpenMP runtime of this process, if its program has one. Asked for at run time:
 * nothing here is linked with it. */
#ifndef DWQI_TOPOLOGY_OPENMP_H
#define DWQI_TOPOLOGY_OPENMP_H

#include "topology/cpuset.h"

/**
 * OMP_PROC_BIND and its like have the runtime pin this thread to one of its places,
 * mostly before main(). Then the places tell what the process might use before.
 *
 * @param pinned  What the thread may use now.
 * @param places  Empty; gets all places if `pinned` is one of them, else stays so.
 *
 * @return false: out of memory
 */
bool dwqi_openmp_places(const struct dwqi_cpuset *pinned,
                        struct dwqi_cpuset *places);

/* From now on parallel regions of this thread have n threads, unless OMP_NUM_THREADS
 * says how many. How many they had; 0: nothing was changed. */
int dwqi_openmp_set_threads(int n);

#endif

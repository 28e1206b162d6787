#define _GNU_SOURCE /* sched_setaffinity */
#include "bench/cores.h"

#include <sched.h>
#include <stdio.h>

/* The first hardware thread of this one's core: the core's number. */
static int core_of(int cpu)
{
    char path[96];
    int first = cpu;
    FILE *from;

    snprintf(path, sizeof path,
             "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
             cpu);
    from = fopen(path, "r");
    if (from) {
        if (fscanf(from, "%d", &first) != 1 || first < 0) {
            first = cpu;
        }
        fclose(from);
    }
    return first < CPU_SETSIZE ? first : cpu;
}

/* The cores of which `allowed` has a thread, in order. */
static int find_cores(const cpu_set_t *allowed, int cores_out[CPU_SETSIZE])
{
    cpu_set_t seen;
    int n = 0;

    CPU_ZERO(&seen);
    for (int c = 0; c < CPU_SETSIZE; c++) {
        int core = CPU_ISSET((size_t)c, allowed) ? core_of(c) : -1;

        if (core >= 0 && !CPU_ISSET((size_t)core, &seen)) {
            CPU_SET((size_t)core, &seen);
            cores_out[n++] = core;
        }
    }
    return n;
}

int cores_count(void)
{
    int cores[CPU_SETSIZE];
    cpu_set_t allowed;

    return sched_getaffinity(0, sizeof allowed, &allowed) == 0
               ? find_cores(&allowed, cores)
               : 1;
}

bool cores_bind(int i, int n)
{
    int cores[CPU_SETSIZE], n_cores;
    cpu_set_t allowed, mine, share;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return false;
    }
    n_cores = find_cores(&allowed, cores);
    CPU_ZERO(&mine);
    for (int c = i * (n_cores / n); c < (i + 1) * (n_cores / n); c++) {
        CPU_SET((size_t)cores[c], &mine);
    }
    CPU_ZERO(&share);
    for (int c = 0; c < CPU_SETSIZE; c++) {
        if (CPU_ISSET((size_t)c, &allowed) &&
            CPU_ISSET((size_t)core_of(c), &mine)) {
            CPU_SET((size_t)c, &share);
        }
    }
    return sched_setaffinity(0, sizeof share, &share) == 0;
}

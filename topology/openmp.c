#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "topology/openmp.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct places {
    int (*count)(void);
    int (*size)(int place);
    void (*list)(int place, int *ids);
};

/* ISO C has no way from an object's pointer to a function's. */
static bool find(const char *name, void *function_out, size_t size)
{
    void *found = dlsym(RTLD_DEFAULT, name);

    memcpy(function_out, &found, size);
    return found != NULL;
}

/* A runtime that has not pinned this thread is not asked: some wake up only then, and
 * would make their places of all processors, before this process is bound. */
static bool may_have_pinned(const struct dwqi_cpuset *now)
{
    static const char *const names[] = { "OMP_PROC_BIND", "OMP_PLACES",
                                         "GOMP_CPU_AFFINITY", "KMP_AFFINITY" };
    bool asked = false;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        asked = asked || getenv(names[i]);
    }
    return asked && dwqi_cpuset_count(now) < sysconf(_SC_NPROCESSORS_ONLN);
}

static bool read_place(const struct places *runtime, int place,
                       struct dwqi_cpuset *set)
{
    int n = runtime->size(place);
    int *ids = malloc(((size_t)n + 1) * sizeof *ids);
    bool ok = ids != NULL;

    if (ok) {
        runtime->list(place, ids);
    }
    for (int i = 0; i < n && ok; i++) {
        ok = dwqi_cpuset_add(set, ids[i]);
    }
    free(ids);
    return ok;
}

bool dwqi_openmp_places(const struct dwqi_cpuset *pinned,
                        struct dwqi_cpuset *places)
{
    struct places runtime;
    bool ok = true, is_place = false;

    if (!may_have_pinned(pinned) ||
        !find("omp_get_num_places", &runtime.count, sizeof runtime.count) ||
        !find("omp_get_place_num_procs", &runtime.size, sizeof runtime.size) ||
        !find("omp_get_place_proc_ids", &runtime.list, sizeof runtime.list)) {
        return true;
    }
    for (int i = 0; i < runtime.count() && ok; i++) {
        struct dwqi_cpuset place = { .words = NULL };

        ok = read_place(&runtime, i, &place) &&
             dwqi_cpuset_unite(places, &place);
        is_place = is_place || dwqi_cpuset_equal(&place, pinned);
        dwqi_cpuset_finish(&place);
    }
    if (!ok || !is_place) {
        dwqi_cpuset_finish(places);
    }
    return ok;
}

int dwqi_openmp_set_threads(int n)
{
    int (*get)(void);
    void (*set)(int);
    int before;

    if (getenv("OMP_NUM_THREADS") ||
        !find("omp_get_max_threads", &get, sizeof get) ||
        !find("omp_set_num_threads", &set, sizeof set)) {
        return 0;
    }
    before = get();
    set(n);
    return before;
}

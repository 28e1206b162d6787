/* Described machines in a build without hwloc: the plain part of its synthetic
 * strings, "pack:2 numa:2 l3:2 core:16 pu:2". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "topology/plan/hosts.h"

enum kind {
    PACKAGE,
    NUMA,
    L3,
    CORE,
    PU,
    OTHER, /* says nothing here */
    N_KINDS
};

static const struct {
    const char *name;
    enum kind kind;
} kinds[] = {
    { "pack", PACKAGE }, { "package", PACKAGE }, { "socket", PACKAGE },
    { "numa", NUMA },    { "node", NUMA },       { "l3", L3 },
    { "core", CORE },    { "pu", PU },           { "die", OTHER },
    { "group", OTHER },  { "l1", OTHER },        { "l2", OTHER },
    { "l4", OTHER },     { "l5", OTHER },
};
#define N_NAMES (sizeof kinds / sizeof kinds[0])

/* How many cores a part of each kind has; 0: there is no such part. */
struct parts {
    int cores[N_KINDS];
    int n_cores, n_pus; /* of the machine; of a core */
};

/* One "kind:count" inside the parts before it. */
static bool read_level(const char *word, struct parts *parts)
{
    char name[8], rest;
    enum kind kind;
    size_t i = 0;
    int count;

    if (sscanf(word, "%7[a-z0-9]:%d%c", name, &count, &rest) != 2 ||
        count < 1 || parts->cores[PU] > 0) {
        return false;
    }
    while (i < N_NAMES && strcmp(kinds[i].name, name) != 0) {
        i++;
    }
    if (i == N_NAMES) {
        return false;
    }
    kind = kinds[i].kind;
    if (kind == PU && parts->cores[CORE] == 0) {
        kind = CORE; /* each thread is one */
    }
    if ((kind != OTHER && parts->cores[kind] > 0) ||
        (parts->cores[CORE] > 0) != (kind == PU) ||
        count > DWQI_SYNTHETIC_LIMIT / (parts->n_cores * parts->n_pus)) {
        return false;
    }
    for (int k = 0; k < CORE && kind != PU; k++) {
        parts->cores[k] *= count;
    }
    *(kind == PU ? &parts->n_pus : &parts->n_cores) *= count;
    parts->cores[kind] = 1;
    return true;
}

static int number_of(const struct parts *parts, enum kind kind, int core,
                     int none)
{
    return parts->cores[kind] > 0 ? core / parts->cores[kind] : none;
}

static dwq_status_t build(const struct parts *parts, struct dwqi_machine *out)
{
    dwq_status_t status = DWQ_OK;

    for (int i = 0; i < parts->n_cores && status == DWQ_OK; i++) {
        struct dwqi_core core = { .number = i,
                                  .package = number_of(parts, PACKAGE, i, 0),
                                  .numa = number_of(parts, NUMA, i, 0),
                                  .l3 = number_of(parts, L3, i, -1),
                                  .n_pus = parts->n_pus };
        int pus[DWQI_SYNTHETIC_LIMIT];

        for (int k = 0; k < core.n_pus; k++) {
            pus[k] = i * core.n_pus + k;
        }
        status = dwqi_machine_add(out, &core, pus);
    }
    return status;
}

dwq_status_t dwqi_discover_text(const char *text, const char *host,
                                struct dwqi_machine *out,
                                struct dwqi_error *fault_out)
{
    struct parts parts = { .n_cores = 1, .n_pus = 1 };
    struct dwqi_machine machine = { .cores = NULL };
    char *copy = strdup(text), *rest = NULL;
    dwq_status_t status = copy ? DWQ_OK : DWQ_E_NOMEM;

    (void)host;
    for (char *word = copy ? strtok_r(copy, " ", &rest) : NULL;
         word && status == DWQ_OK; word = strtok_r(NULL, " ", &rest)) {
        status = read_level(word, &parts) ? DWQ_OK : DWQ_E_OPTION;
    }
    free(copy);
    if (status == DWQ_OK) {
        status = parts.cores[CORE] > 0 ? build(&parts, &machine) : DWQ_E_OPTION;
    }
    if (status == DWQ_OK) {
        *out = machine;
        return DWQ_OK;
    }
    dwqi_machine_finish(&machine);
    return dwqi_error_set(fault_out, status, "'%.*s': " DWQI_SYNTHETIC_FAULT,
                          dwqi_plain_fit(text, 80), text);
}

#include <stdio.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "topology/hosts.h"
#include "topology/text.h"

enum kind {
    KIND_PACKAGE,
    KIND_NUMA,
    KIND_L3,
    KIND_OTHER,
    KIND_CORE,
    KIND_PU
};

static const struct {
    const char *name;
    enum kind kind;
} kinds[] = {
    { "package", KIND_PACKAGE }, { "pack", KIND_PACKAGE },
    { "socket", KIND_PACKAGE },  { "numa", KIND_NUMA },
    { "numanode", KIND_NUMA },   { "node", KIND_NUMA },
    { "l3", KIND_L3 },           { "l3cache", KIND_L3 },
    { "core", KIND_CORE },       { "pu", KIND_PU },
    { "die", KIND_OTHER },       { "group", KIND_OTHER },
    { "l1", KIND_OTHER },        { "l1cache", KIND_OTHER },
    { "l2", KIND_OTHER },        { "l2cache", KIND_OTHER },
    { "l4", KIND_OTHER },        { "l5", KIND_OTHER },
};

struct plan {
    int n_cores;
    int pus_per_core;
    int per_part[KIND_OTHER]; /* cores of each part; 0: there are none */
    bool is_core, is_pu;      /* was seen */
};

static dwq_status_t fail(struct dwqi_error *fault, const char *word,
                         size_t size, const char *why)
{
    return dwqi_error_set(fault, DWQ_E_OPTION, "'%.*s': %s",
                          dwqi_plain_fit(word, size < 80 ? size : 80), word,
                          why);
}

static bool find_kind(const char *word, size_t size, enum kind *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t k = 0;

        while (k < size && kinds[i].name[k] != '\0' &&
               (word[k] | 0x20) == (kinds[i].name[k] | 0x20)) {
            k++;
        }
        if (k == size && kinds[i].name[k] == '\0') {
            *out = kinds[i].kind;
            return true;
        }
    }
    return false;
}

/* Parts so far are made of `count` of this. */
static const char *add_level(struct plan *plan, enum kind kind, int count)
{
    if (kind == KIND_PU) {
        plan->is_pu = true;
        plan->pus_per_core = count;
        return NULL;
    }
    if (plan->is_core) {
        return "is inside a core";
    }
    if (plan->n_cores > DWQI_CORE_LIMIT / count) {
        return "gives too many cores";
    }
    plan->n_cores *= count;
    for (int i = 0; i < KIND_OTHER; i++) {
        plan->per_part[i] *= count;
    }
    if (kind < KIND_OTHER) {
        if (plan->per_part[kind] > 0) {
            return "is there twice";
        }
        plan->per_part[kind] = 1;
    }
    plan->is_core = kind == KIND_CORE;
    return NULL;
}

static dwq_status_t read_word(struct plan *plan, const char *word, size_t size,
                              struct dwqi_error *fault)
{
    const char *colon = memchr(word, ':', size), *why;
    struct dwqi_reader reader = { .at = colon ? colon + 1 : word,
                                  .end = word + size };
    enum kind kind;
    int count;

    if (!colon || !find_kind(word, (size_t)(colon - word), &kind)) {
        return fail(fault, word, size,
                    "not a part of a machine and how many there are "
                    "(pack:2 numa:2 core:16 pu:2)");
    }
    if (!dwqi_reader_number(&reader, DWQI_CORE_LIMIT, &count) || count < 1 ||
        reader.at != reader.end) {
        return fail(fault, word, size, "no count behind the colon");
    }
    if (plan->is_pu) {
        return fail(fault, word, size, "is inside a hardware thread");
    }
    why = add_level(plan, kind, count);
    return why ? fail(fault, word, size, why) : DWQ_OK;
}

static int part_number(const struct plan *plan, enum kind kind, int core,
                       int none)
{
    return plan->per_part[kind] > 0 ? core / plan->per_part[kind] : none;
}

static dwq_status_t build(const struct plan *plan, struct dwqi_machine *out)
{
    dwq_status_t status = DWQ_OK;
    int pus[64];

    for (int i = 0; i < plan->n_cores && status == DWQ_OK; i++) {
        struct dwqi_core core = {
            .number = i,
            .package = part_number(plan, KIND_PACKAGE, i, 0),
            .numa = part_number(plan, KIND_NUMA, i, 0),
            .l3 = part_number(plan, KIND_L3, i, -1),
            .n_pus = plan->pus_per_core,
        };

        for (int k = 0; k < core.n_pus; k++) {
            pus[k] = i * core.n_pus + k;
        }
        status = dwqi_machine_add(out, &core, pus);
    }
    return status;
}

dwq_status_t dwqi_synthetic_parse(const char *text, const char *host,
                                  struct dwqi_machine *out,
                                  struct dwqi_error *fault_out)
{
    struct plan plan = { .n_cores = 1, .pus_per_core = 1 };
    struct dwqi_machine machine = { .cores = NULL };
    const char *at = text + strspn(text, " \t");
    dwq_status_t status = DWQ_OK;

    (void)host;
    while (*at != '\0' && status == DWQ_OK) {
        size_t size = strcspn(at, " \t");

        status = read_word(&plan, at, size, fault_out);
        at += size;
        at += strspn(at, " \t");
    }
    if (status != DWQ_OK) {
        return status;
    }
    if (!plan.is_core && plan.is_pu) { /* each thread is a core */
        status =
            add_level(&plan, KIND_CORE, plan.pus_per_core) ? DWQ_E_ARG : DWQ_OK;
        plan.pus_per_core = 1;
    } else if (!plan.is_core) {
        return fail(fault_out, text, strlen(text), "no cores (core:N)");
    }
    if (status == DWQ_OK) {
        status = plan.pus_per_core <= 64 ? build(&plan, &machine) : DWQ_E_ARG;
    }
    if (status != DWQ_OK) {
        dwqi_machine_finish(&machine);
        return status == DWQ_E_NOMEM
                   ? status
                   : fail(fault_out, text, strlen(text),
                          "too many cores or hardware threads");
    }
    *out = machine;
    return DWQ_OK;
}

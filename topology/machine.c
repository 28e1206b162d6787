#include <stdlib.h>
#include <string.h>

#include "libdwq/base/memory.h"
#include "topology/model.h"

void dwqi_machine_finish(struct dwqi_machine *machine)
{
    free(machine->cores);
    free(machine->pus);
    *machine = (struct dwqi_machine){ .cores = NULL };
}

static bool is_number(int number, int least)
{
    return number >= least && number < DWQI_CORE_LIMIT;
}

static bool is_core(const struct dwqi_core *core, const int *pus)
{
    if (!is_number(core->number, 0) || !is_number(core->package, 0) ||
        !is_number(core->numa, 0) || !is_number(core->l3, -1) ||
        core->n_pus < 1 || core->n_pus > DWQI_PU_LIMIT) {
        return false;
    }
    for (int i = 0; i < core->n_pus; i++) {
        if (pus[i] < (i > 0 ? pus[i - 1] + 1 : 0) || pus[i] >= DWQI_PU_LIMIT) {
            return false;
        }
    }
    return true;
}

dwq_status_t dwqi_machine_add(struct dwqi_machine *machine,
                              const struct dwqi_core *core, const int *pus)
{
    if (!is_core(core, pus) || machine->n_pus > DWQI_PU_LIMIT - core->n_pus ||
        (machine->n_cores > 0 &&
         machine->cores[machine->n_cores - 1].number >= core->number)) {
        return DWQ_E_ARG;
    }
    if (!dwqi_memory_grow(&machine->cores, &machine->core_room,
                          machine->n_cores + 1, sizeof *core) ||
        !dwqi_memory_grow(&machine->pus, &machine->pu_room,
                          machine->n_pus + core->n_pus, sizeof *pus)) {
        return DWQ_E_NOMEM;
    }
    memcpy(machine->pus + machine->n_pus, pus,
           (size_t)core->n_pus * sizeof *pus);
    machine->cores[machine->n_cores] = *core;
    machine->cores[machine->n_cores].first_pu = machine->n_pus;
    machine->n_cores++;
    machine->n_pus += core->n_pus;
    return DWQ_OK;
}

static dwq_status_t add_usable(struct dwqi_machine *out,
                               const struct dwqi_machine *machine,
                               struct dwqi_core core,
                               const struct dwqi_cpuset *usable, int *scratch)
{
    int n = 0;

    for (int i = 0; i < core.n_pus; i++) {
        int pu = machine->pus[core.first_pu + i];

        if (dwqi_cpuset_has(usable, pu)) {
            scratch[n++] = pu;
        }
    }
    core.n_pus = n;
    return n > 0 ? dwqi_machine_add(out, &core, scratch) : DWQ_OK;
}

dwq_status_t dwqi_machine_restrict(const struct dwqi_machine *machine,
                                   const struct dwqi_cpuset *usable,
                                   struct dwqi_machine *out)
{
    struct dwqi_machine left = { .cores = NULL };
    size_t n_scratch = machine->n_pus > 0 ? (size_t)machine->n_pus : 1;
    int *scratch = malloc(n_scratch * sizeof *scratch);
    dwq_status_t status = scratch ? DWQ_OK : DWQ_E_NOMEM;

    for (int i = 0; i < machine->n_cores && status == DWQ_OK; i++) {
        status = add_usable(&left, machine, machine->cores[i], usable, scratch);
    }
    free(scratch);
    if (status != DWQ_OK) {
        dwqi_machine_finish(&left);
        return status;
    }
    *out = left;
    return DWQ_OK;
}

#include "topology/model.h"

#include <stdlib.h>
#include <string.h>

#include "libdwq/base/memory.h"
#include "topology/describe.h"

void dwqi_cluster_finish(struct dwqi_cluster *cluster)
{
    for (int i = 0; i < cluster->n_hosts; i++) {
        free(cluster->hosts[i].name);
    }
    for (int i = 0; i < cluster->n_machines; i++) {
        dwqi_machine_finish(&cluster->machines[i]);
    }
    for (int i = 0; i < cluster->n_sets; i++) {
        dwqi_cpuset_finish(&cluster->sets[i]);
    }
    free(cluster->hosts);
    free(cluster->machines);
    free(cluster->ranks);
    free(cluster->sets);
    dwqi_intern_finish(&cluster->machine_keys);
    dwqi_intern_finish(&cluster->set_keys);
    *cluster = (struct dwqi_cluster){ .hosts = NULL };
}

/* Takes the machine, which is then empty. -1: out of memory. */
static int share_machine(struct dwqi_cluster *cluster,
                         struct dwqi_machine *machine)
{
    struct dwqi_buffer key = { .data = NULL };
    int index = -1;

    dwqi_machine_print(machine, &key);
    if (!key.failed &&
        dwqi_memory_grow(&cluster->machines, &cluster->machine_room,
                         cluster->n_machines + 1, sizeof *machine)) {
        index = dwqi_intern(&cluster->machine_keys, key.data, key.size);
    }
    if (index == cluster->n_machines) {
        cluster->machines[cluster->n_machines++] = *machine;
        *machine = (struct dwqi_machine){ .cores = NULL };
    }
    dwqi_machine_finish(machine);
    dwqi_buffer_finish(&key);
    return index;
}

static dwq_status_t copy_machine(const struct dwqi_machine *machine,
                                 struct dwqi_machine *copy)
{
    dwq_status_t status = DWQ_OK;

    for (int i = 0; i < machine->n_cores && status == DWQ_OK; i++) {
        const struct dwqi_core *core = &machine->cores[i];

        status = dwqi_machine_add(copy, core, machine->pus + core->first_pu);
    }
    return status;
}

static bool is_name(const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)name[i] <= ' ' || name[i] == 127) {
            return false;
        }
    }
    return size > 0 && size < DWQI_HOST_NAME_LIMIT;
}

dwq_status_t dwqi_cluster_add_host(struct dwqi_cluster *cluster,
                                   const char *name,
                                   const struct dwqi_machine *machine,
                                   bool this_system)
{
    struct dwqi_machine copy = { .cores = NULL };
    dwq_status_t status;
    char *own_name;
    int index;

    if (!is_name(name)) {
        return DWQ_E_ARG;
    }
    status = copy_machine(machine, &copy);
    if (status != DWQ_OK) {
        dwqi_machine_finish(&copy);
        return status;
    }
    index = share_machine(cluster, &copy);
    own_name = strdup(name);
    if (index < 0 || !own_name ||
        !dwqi_memory_grow(&cluster->hosts, &cluster->host_room,
                          cluster->n_hosts + 1, sizeof *cluster->hosts)) {
        free(own_name);
        return DWQ_E_NOMEM;
    }
    cluster->hosts[cluster->n_hosts++] = (struct dwqi_host){
        .name = own_name, .machine = index, .this_system = this_system
    };
    return DWQ_OK;
}

/* -1: out of memory. */
static int share_set(struct dwqi_cluster *cluster,
                     const struct dwqi_cpuset *set)
{
    struct dwqi_cpuset *sets;
    int index;

    if (!dwqi_memory_grow(&cluster->sets, &cluster->set_room,
                          cluster->n_sets + 1, sizeof *sets)) {
        return -1;
    }
    sets = cluster->sets;
    index = dwqi_intern(&cluster->set_keys, set->words,
                        set->n_words * sizeof *set->words);
    if (index == cluster->n_sets) {
        sets[index] = (struct dwqi_cpuset){ .words = NULL };
        cluster->n_sets++; /* a copy that fails leaves it empty */
        if (!dwqi_cpuset_unite(&sets[index], set)) {
            return -1;
        }
    }
    return index;
}

dwq_status_t dwqi_cluster_add_rank(struct dwqi_cluster *cluster, int host,
                                   const struct dwqi_cpuset *allowed)
{
    int set = -1;

    if (host < 0 || host >= cluster->n_hosts) {
        return DWQ_E_ARG;
    }
    if (allowed && cluster->hosts[host].this_system) {
        set = share_set(cluster, allowed);
        if (set < 0) {
            return DWQ_E_NOMEM;
        }
    }
    if (!dwqi_memory_grow(&cluster->ranks, &cluster->rank_room,
                          cluster->n_ranks + 1, sizeof *cluster->ranks)) {
        return DWQ_E_NOMEM;
    }
    cluster->ranks[cluster->n_ranks++] =
        (struct dwqi_place){ .host = host, .set = set };
    return DWQ_OK;
}

/* --- What the ranks of a host may use together -------------------------- */

struct usable {
    struct dwqi_cpuset set;
    bool all;       /* one of its ranks may use everything */
    bool has_ranks; /* a host without is left alone */
    int last_set;   /* neighbours are often alike */
};

static dwq_status_t gather_usable(const struct dwqi_cluster *cluster,
                                  struct usable *usable)
{
    for (int rank = 0; rank < cluster->n_ranks; rank++) {
        const struct dwqi_place *place = &cluster->ranks[rank];
        struct usable *host = &usable[place->host];

        host->all = host->all || place->set < 0;
        if (!host->all && !(host->has_ranks && host->last_set == place->set) &&
            !dwqi_cpuset_unite(&host->set, &cluster->sets[place->set])) {
            return DWQ_E_NOMEM;
        }
        host->has_ranks = true;
        host->last_set = place->set;
    }
    return DWQ_OK;
}

static dwq_status_t restrict_host(struct dwqi_cluster *cluster, int host,
                                  const struct dwqi_cpuset *usable)
{
    struct dwqi_machine left = { .cores = NULL };
    dwq_status_t status = dwqi_machine_restrict(
        dwqi_cluster_machine(cluster, host), usable, &left);
    int index;

    if (status != DWQ_OK) {
        return status;
    }
    index = share_machine(cluster, &left);
    if (index < 0) {
        return DWQ_E_NOMEM;
    }
    cluster->hosts[host].machine = index;
    return DWQ_OK;
}

/* Hosts that are like the one before need not be looked at again. */
static dwq_status_t restrict_hosts(struct dwqi_cluster *cluster,
                                   const struct usable *usable)
{
    int last = -1, machine_before = -1;

    for (int host = 0; host < cluster->n_hosts; host++) {
        int machine = cluster->hosts[host].machine;
        dwq_status_t status;

        if (!usable[host].has_ranks || usable[host].all) {
            continue;
        }
        if (last >= 0 && machine == machine_before &&
            dwqi_cpuset_equal(&usable[last].set, &usable[host].set)) {
            cluster->hosts[host].machine = cluster->hosts[last].machine;
            continue;
        }
        status = restrict_host(cluster, host, &usable[host].set);
        if (status != DWQ_OK) {
            return status;
        }
        last = host;
        machine_before = machine;
    }
    return DWQ_OK;
}

dwq_status_t dwqi_cluster_restrict(struct dwqi_cluster *cluster)
{
    size_t n = cluster->n_hosts > 0 ? (size_t)cluster->n_hosts : 1;
    struct usable *usable = calloc(n, sizeof *usable);
    dwq_status_t status;

    if (!usable) {
        return DWQ_E_NOMEM;
    }
    status = gather_usable(cluster, usable);
    if (status == DWQ_OK) {
        status = restrict_hosts(cluster, usable);
    }
    for (int host = 0; host < cluster->n_hosts; host++) {
        dwqi_cpuset_finish(&usable[host].set);
    }
    free(usable);
    return status;
}

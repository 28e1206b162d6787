/* A binding that the launcher made is named when it is in the way: what it left no
 * rank of could be had by starting the job otherwise, and nobody sees it elsewhere. */
#include <stdio.h>
#include <string.h>

#include "topology/placer_private.h"

/* Cores of its host that a rank may use, at least in part. */
static int cores_of(const struct dwqi_cluster *cluster, int rank)
{
    const struct dwqi_machine *machine =
        dwqi_cluster_machine(cluster, cluster->ranks[rank].host);
    int n = 0;

    for (int i = 0; i < machine->n_cores; i++) {
        const struct dwqi_core *core = &machine->cores[i];
        bool usable = false;

        for (int k = 0; k < core->n_pus && !usable; k++) {
            usable = dwqi_cluster_allows(cluster, rank,
                                         machine->pus[core->first_pu + k]);
        }
        n += usable;
    }
    return n;
}

void dwqi_name_launcher(const struct work *work, struct dwqi_error *why_out)
{
    const struct dwqi_cluster *cluster = work->cluster;
    const struct dwqi_place_request *request = &work->request;
    size_t length = strlen(why_out->text);
    bool bound = false;
    int widest = 0;

    for (int r = 0; r < cluster->n_ranks; r++) {
        const struct dwqi_place *rank = &cluster->ranks[r];
        int n = cores_of(cluster, r);

        bound =
            bound || (cluster->hosts[rank->host].this_system &&
                      n < dwqi_cluster_machine(cluster, rank->host)->n_cores);
        widest = n > widest ? n : widest;
    }
    if (bound && request->threads > widest) {
        dwqi_place_blame(why_out, DWQI_PART_THREADS,
                         "threads: %d for each rank, and each rank may use %d "
                         "core%s only: bound by the launcher; start with "
                         "mpirun --bind-to none or srun --cpu-bind=none",
                         request->threads, widest, widest == 1 ? "" : "s");
    } else if (bound) {
        snprintf(why_out->text + length, sizeof why_out->text - length,
                 "; the launcher bound each rank (not with mpirun --bind-to "
                 "none, srun --cpu-bind=none)");
    }
}

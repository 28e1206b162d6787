/* The fewest parts that so many groups can be in, on hosts that are small enough to
 * try each set of cores for each group. */
#include <stdlib.h>

#include "tests/unit/placement_check.h"

#define MOST_CORES 8
#define MOST_GROUPS 32
#define NEVER 1000000000L

static int bits(unsigned set)
{
    int n = 0;

    for (; set != 0; set &= set - 1) {
        n++;
    }
    return n;
}

/* Packages count more than NUMA nodes, and these more than caches. */
static long weigh(const struct dwqi_machine *machine, unsigned cores)
{
    static const enum dwqi_domain kinds[] = { DWQI_DOMAIN_PACKAGE,
                                              DWQI_DOMAIN_NUMA,
                                              DWQI_DOMAIN_L3 };
    long weight = 0;

    for (int i = 0; i < 3; i++) {
        int n = 0;

        for (int a = 0; a < machine->n_cores; a++) {
            bool first = (cores >> a & 1) != 0;

            for (int b = 0; b < a && first; b++) {
                first = (cores >> b & 1) == 0 ||
                        part_of(&machine->cores[a], kinds[i]) !=
                            part_of(&machine->cores[b], kinds[i]);
            }
            n += first;
        }
        weight = weight * 100 + n;
    }
    return weight;
}

/* By number of groups on these cores: the least that they weigh. */
static void weigh_host(const struct dwqi_machine *machine, unsigned all,
                       int width, int n_ranks, long *least)
{
    long best[1 << MOST_CORES];

    for (unsigned left = 0; left <= all; left++) {
        best[left] = NEVER;
    }
    best[all] = 0;
    for (unsigned left = all;; left--) {
        int n = bits(all & ~left) / width;

        if (best[left] < NEVER && (left & ~all) == 0) {
            least[n] = best[left] < least[n] ? best[left] : least[n];
            for (unsigned k = left; k != 0 && (n + 1) * width <= n_ranks;
                 k = (k - 1) & left) {
                if (bits(k) == width) {
                    long weight = best[left] + weigh(machine, k);
                    long *to = &best[left & ~k];

                    *to = weight < *to ? weight : *to;
                }
            }
        }
        if (left == 0) {
            break;
        }
    }
}

static void weigh_any(const struct check *k, int host, long *least)
{
    const struct dwqi_machine *machine = machine_at(k, host);
    unsigned all = (1u << machine->n_cores) - 1;
    bool is_home = k->cluster->ranks[k->request->controller].host == host;
    int n_ranks = ranks_beside_controller(k, host);

    for (int i = 0; i <= MOST_CORES; i++) {
        least[i] = NEVER;
    }
    for (int i = 0; i < (is_home ? machine->n_cores : 1); i++) {
        weigh_host(machine, is_home ? all & ~(1u << i) : all,
                   k->request->size.n, n_ranks, least);
    }
}

static bool is_small(const struct check *k)
{
    int width = k->request->size.n;

    if (spawns(k) || k->request->size.kind != DWQI_SIZE_FIXED ||
        k->request->broker != DWQI_BROKER_INSIDE || threads_of(k) > 1 ||
        has_bound_ranks(k) || k->cluster->n_hosts > 4 ||
        k->plan->controller_on_thread || k->plan->controller_shares ||
        k->plan->n_oversubscribed > 0 || k->plan->n_on_threads > 0) {
        return false;
    }
    for (int h = 0; h < k->cluster->n_hosts; h++) {
        if (machine_at(k, h)->n_cores > MOST_CORES) {
            return false;
        }
    }
    for (int g = 0; g < k->plan->n_groups; g++) {
        if (spans_hosts(k, &k->plan->groups[g])) {
            return false;
        }
    }
    return width > 1;
}

static long weigh_plan(const struct check *k)
{
    long weight = 0;

    for (int g = 0; g < k->plan->n_groups; g++) {
        const struct dwqi_seat *seats =
            k->plan->seats + k->plan->groups[g].first_seat;
        const struct dwqi_machine *machine = machine_at(k, seats->host);
        unsigned cores = 0;

        for (int s = 0; s < k->plan->groups[g].width; s++) {
            cores |=
                1u << index_of(machine, k->plan->cores[seats[s].first_core]);
        }
        weight += weigh(machine, cores);
    }
    return weight;
}

void find_least(const struct check *k, long *parts_out, long *least_out)
{
    long sum[MOST_GROUPS + 1] = { 0 }, least[MOST_CORES + 1];

    *parts_out = *least_out = 0;
    if (!is_small(k)) {
        return;
    }
    for (int i = 1; i <= MOST_GROUPS; i++) {
        sum[i] = NEVER;
    }
    for (int h = 0; h < k->cluster->n_hosts; h++) {
        weigh_any(k, h, least);
        for (int i = MOST_GROUPS; i >= 0; i--) {
            long best = NEVER;

            for (int n = 0; n <= i && n <= MOST_CORES; n++) {
                long weight = sum[i - n] + least[n];

                best = weight < best ? weight : best;
            }
            sum[i] = best;
        }
    }
    *parts_out = weigh_plan(k);
    *least_out = sum[k->plan->n_groups];
}

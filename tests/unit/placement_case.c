#include <stdlib.h>
#include <string.h>

#include "tests/unit/placement.h"
#include "topology/plan/names.h"

static void *copy_of(const void *items, int n, size_t size)
{
    void *copy = malloc((size_t)n * size + 1);

    if (!copy) {
        abort();
    }
    if (n > 0) {
        memcpy(copy, items, (size_t)n * size);
    }
    return copy;
}

void case_finish(struct placement_case *c)
{
    free(c->hosts);
    free(c->ranks);
    *c = (struct placement_case){ .hosts = NULL };
}

struct placement_case case_copy(const struct placement_case *c)
{
    struct placement_case copy = *c;

    copy.hosts = copy_of(c->hosts, c->n_hosts, sizeof *c->hosts);
    copy.ranks = copy_of(c->ranks, c->n_ranks, sizeof *c->ranks);
    return copy;
}

static bool is_removed(const struct case_host *host, int number)
{
    return (host->removed[number / 64] >> (number % 64) & 1) != 0;
}

/* --- The cluster -------------------------------------------------------- */

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static struct dwqi_machine machine_of(const struct case_host *host)
{
    struct dwqi_machine machine = { .cores = NULL };

    for (int i = 0; i < host->machine->n_cores; i++) {
        const struct dwqi_core *core = &host->machine->cores[i];

        if (!is_removed(host, core->number)) {
            must(dwqi_machine_add(&machine, core,
                                  host->machine->pus + core->first_pu) ==
                 DWQ_OK);
        }
    }
    return machine;
}

/* The threads of a rank's cores, NULL: all. A rank that has lost all of its cores
 * is one that was never bound to them. */
static const struct dwqi_cpuset *set_of(const struct placement_case *c,
                                        const struct case_rank *rank,
                                        struct dwqi_cpuset *set)
{
    const struct case_host *host = &c->hosts[rank->host];
    const struct dwqi_machine *machine = host->machine;

    for (int i = rank->low < 0 ? machine->n_cores : rank->low;
         i < rank->high && i < machine->n_cores; i += rank->step) {
        const struct dwqi_core *core = &machine->cores[i];

        for (int k = 0; k < core->n_pus && !is_removed(host, core->number);
             k++) {
            must(dwqi_cpuset_add(set, machine->pus[core->first_pu + k]));
        }
    }
    return set->n_words > 0 ? set : NULL;
}

struct dwqi_cluster case_cluster(const struct placement_case *c)
{
    struct dwqi_cluster cluster = { .hosts = NULL };

    for (int h = 0; h < c->n_hosts; h++) {
        struct dwqi_machine machine = machine_of(&c->hosts[h]);
        char name[32];

        snprintf(name, sizeof name, "h%d", h);
        must(dwqi_cluster_add_host(&cluster, name, &machine, true) == DWQ_OK);
        dwqi_machine_finish(&machine);
    }
    for (int r = 0; r < c->n_ranks; r++) {
        struct dwqi_cpuset set = { .words = NULL };

        must(dwqi_cluster_add_rank(&cluster, c->ranks[r].host,
                                   set_of(c, &c->ranks[r], &set)) == DWQ_OK);
        dwqi_cpuset_finish(&set);
    }
    must(dwqi_cluster_restrict(&cluster) == DWQ_OK);
    return cluster;
}

/* --- Printing ----------------------------------------------------------- */

static void print_host(const struct placement_case *c, int h, FILE *out)
{
    const struct dwqi_machine *machine = c->hosts[h].machine;
    const struct dwqi_core *last = NULL;

    fprintf(out, "  host %d:", h);
    for (int i = 0; i < machine->n_cores; i++) {
        const struct dwqi_core *core = &machine->cores[i];

        if (is_removed(&c->hosts[h], core->number)) {
            continue;
        }
        if (!last || last->package != core->package ||
            last->numa != core->numa) {
            fprintf(out, " [package %d NUMA %d]", core->package, core->numa);
        }
        fprintf(out, core->n_pus > 1 ? " %d(x%d)" : " %d", core->number,
                core->n_pus);
        last = core;
    }
    fprintf(out, "\n");
}

static void print_request(const struct dwqi_place_request *request, FILE *out)
{
    char size[32];

    dwqi_size_print(&request->size, size, sizeof size);
    fprintf(out,
            "  %s, size %s, broker %s, straddle %s, fill %s, threads %d, "
            "max_workers %d, controller %d%s\n",
            request->grouping == DWQ_GROUPING_SPAWN ? "spawn" : "split", size,
            dwqi_policy_name(DWQI_POLICY_BROKER, (int)request->broker),
            dwqi_policy_name(DWQI_POLICY_STRADDLE, (int)request->straddle),
            dwqi_policy_name(DWQI_POLICY_FILL, (int)request->fill),
            request->threads, request->max_workers, request->controller,
            request->controller_shares ? ", which shares" : "");
}

void case_print(const struct placement_case *c, FILE *out)
{
    for (int h = 0; h < c->n_hosts && h < 20; h++) {
        print_host(c, h, out);
    }
    fprintf(out, "  ranks:");
    for (int r = 0; r < c->n_ranks && r < 64; r++) {
        fprintf(out, " %d@h%d", r, c->ranks[r].host);
        if (c->ranks[r].low >= 0) {
            fprintf(out, "(%d-%d", c->ranks[r].low, c->ranks[r].high - 1);
            fprintf(out, c->ranks[r].step > 1 ? "/%d)" : ")", c->ranks[r].step);
        }
    }
    fprintf(out, "\n  (%d hosts, %d ranks)\n", c->n_hosts, c->n_ranks);
    print_request(&c->request, out);
}

/* --- At random ---------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood). */
int dice_below(struct dice *dice, int n)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (int)((z ^ z >> 31) % (uint64_t)n);
}

enum binding {
    BIND_NONE,
    BIND_CORE,
    BIND_NUMA,
    BIND_STRIDE, /* every second or third core */
    BIND_MIXED,  /* one of the others, rank by rank */
    N_BINDINGS
};

static void bind_rank(const struct placement_case *c, struct case_rank *rank,
                      int nth, enum binding binding, struct dice *dice)
{
    const struct dwqi_machine *machine = c->hosts[rank->host].machine;
    int core = nth % machine->n_cores;

    if (binding == BIND_MIXED) {
        binding = (enum binding)dice_below(dice, BIND_MIXED);
    }
    rank->low = rank->high = -1;
    rank->step = 1;
    if (binding == BIND_STRIDE) {
        rank->step = 2 + dice_below(dice, 2);
        rank->low = nth % rank->step;
        rank->high = machine->n_cores;
    } else if (binding == BIND_CORE) {
        rank->low = core;
        rank->high = core + 1;
    } else if (binding == BIND_NUMA) {
        rank->low = core;
        rank->high = core + 1;
        while (rank->low > 0 && machine->cores[rank->low - 1].numa ==
                                    machine->cores[core].numa) {
            rank->low--;
        }
        while (rank->high < machine->n_cores &&
               machine->cores[rank->high].numa == machine->cores[core].numa) {
            rank->high++;
        }
    }
}

static int usable_cores(const struct case_host *host)
{
    int n = 0;

    for (int i = 0; i < host->machine->n_cores; i++) {
        n += !is_removed(host, i);
    }
    return n > 0 ? n : 1;
}

/* As many as cores; fewer; now and then more on one host. */
static int ranks_on(const struct placement_case *c, int h, int style,
                    struct dice *dice)
{
    int n = usable_cores(&c->hosts[h]);

    switch (style) {
    case 0:
        return 1 + dice_below(dice, n);
    case 1:
        return n + dice_below(dice, 2) * dice_below(dice, 4);
    default:
        return n;
    }
}

static void add_rank(struct placement_case *c, int host, int nth,
                     enum binding binding, struct dice *dice)
{
    struct case_rank *rank = &c->ranks[c->n_ranks++];

    rank->host = host;
    bind_rank(c, rank, nth, binding, dice);
}

static void random_ranks(struct placement_case *c, struct dice *dice)
{
    enum binding binding = (enum binding)dice_below(dice, N_BINDINGS);
    int style = dice_below(dice, 4), most = 0;
    bool round_robin = dice_below(dice, 3) == 0;
    int *counts = calloc((size_t)c->n_hosts, sizeof *counts);
    size_t room = 0;

    must(counts != NULL);
    for (int h = 0; h < c->n_hosts; h++) {
        counts[h] = ranks_on(c, h, style, dice);
        most = counts[h] > most ? counts[h] : most;
        room += (size_t)counts[h];
    }
    free(c->ranks);
    c->ranks = malloc((room + 1) * sizeof *c->ranks);
    must(c->ranks != NULL);
    c->n_ranks = 0;
    for (int i = 0; i < (round_robin ? most : c->n_hosts); i++) {
        for (int k = 0; k < (round_robin ? c->n_hosts : counts[i]); k++) {
            int host = round_robin ? k : i, nth = round_robin ? i : k;

            if (nth < counts[host]) {
                add_rank(c, host, nth, binding, dice);
            }
        }
    }
    free(counts);
}

static struct dwqi_size random_size(struct dice *dice, int n_cores)
{
    struct dwqi_size size = { .kind = DWQI_SIZE_FIXED };

    switch (dice_below(dice, 6)) {
    case 0:
        size.kind = DWQI_SIZE_DOMAIN;
        size.domain = (enum dwqi_domain)dice_below(dice, 5);
        break;
    case 1:
        size.kind = DWQI_SIZE_PER_HOST;
        size.n = 1 + dice_below(dice, 5);
        break;
    case 2:
        size.n = 1 + dice_below(dice, n_cores + n_cores / 2);
        break;
    default:
        size.n = 1 + dice_below(dice, 6);
        break;
    }
    return size;
}

void case_random(struct placement_case *c, struct dice *dice)
{
    int n_cores = c->hosts[dice_below(dice, c->n_hosts)].machine->n_cores;
    struct dwqi_place_request *request = &c->request;

    random_ranks(c, dice);
    request->grouping =
        dice_below(dice, 3) == 0 ? DWQ_GROUPING_SPAWN : DWQ_GROUPING_SPLIT;
    request->size = random_size(dice, n_cores);
    request->broker = (enum dwqi_broker_place)dice_below(dice, 3);
    request->straddle = (enum dwqi_straddle)dice_below(dice, 3);
    request->fill = (enum dwqi_fill)dice_below(dice, 2);
    request->threads = dice_below(dice, 4) == 0 ? 1 + dice_below(dice, 3) : 1;
    request->max_workers =
        dice_below(dice, 3) == 0 ? 1 + dice_below(dice, 6) : 0;
    if (request->grouping == DWQ_GROUPING_SPAWN && dice_below(dice, 2) == 0) {
        int few = c->n_ranks / 64 + 2;

        c->n_ranks = dice_below(dice, 2) == 0 ? 0
                     : few < c->n_ranks       ? few
                                              : c->n_ranks;
    }
    request->controller = c->n_ranks > 0 && dice_below(dice, 2) == 0
                              ? dice_below(dice, c->n_ranks)
                              : 0;
    request->controller_shares = dice_below(dice, 4) == 0;
}

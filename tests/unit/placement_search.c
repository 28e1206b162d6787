/* The most groups that can be: every way to choose cores and ranks for one group
 * after the other, host by host, and brokers of what is left on any host. For
 * small cases with groups of a fixed size made of the ranks that are there. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/placement.h"

#define MOST_CORES 8
#define MOST_RANKS 9

struct search {
    const struct dwqi_cluster *cluster;
    const struct dwqi_place_request *request;
    int host;
    int n_cores, n_ranks;
    unsigned allowed[MOST_RANKS];       /* by rank of the host: cores */
    unsigned parts[2 * MOST_CORES + 1]; /* that a group may be in */
    int n_parts;
    int brokers[MOST_CORES + 1]; /* by number of groups: beside them; or -1 */
    unsigned char memo[1 << MOST_CORES][1 << MOST_RANKS]; /* was there */
};

static int bits(unsigned set)
{
    int n = 0;

    for (; set != 0; set &= set - 1) {
        n++;
    }
    return n;
}

/* Whether all ranks of the set can sit on one core of the set each: Hall's
 * condition would do, too; this tries. */
static bool can_sit(const struct search *s, unsigned ranks, unsigned cores)
{
    int rank = 0;

    if (ranks == 0) {
        return true;
    }
    while (!(ranks >> rank & 1)) {
        rank++;
    }
    for (int c = 0; c < s->n_cores; c++) {
        if ((cores & s->allowed[rank]) >> c & 1 &&
            can_sit(s, ranks & ~(1u << rank), cores & ~(1u << c))) {
            return true;
        }
    }
    return false;
}

/* Ranks of the set that can sit in the set of cores: a matching (Kuhn). */
static bool push(const struct search *s, int rank, unsigned cores,
                 unsigned *seen, int *rank_at)
{
    for (int c = 0; c < s->n_cores; c++) {
        if (((cores & s->allowed[rank] & ~*seen) >> c & 1) == 0) {
            continue;
        }
        *seen |= 1u << c;
        if (rank_at[c] < 0 || push(s, rank_at[c], cores, seen, rank_at)) {
            rank_at[c] = rank;
            return true;
        }
    }
    return false;
}

static int count_brokers(const struct search *s, unsigned cores, unsigned ranks)
{
    int rank_at[MOST_CORES], n = 0;

    memset(rank_at, -1, sizeof rank_at);
    for (int r = 0; r < s->n_ranks; r++) {
        unsigned seen = 0;

        n += (ranks >> r & 1) && push(s, r, cores, &seen, rank_at);
    }
    return n;
}

static void visit(struct search *s, unsigned cores, unsigned ranks,
                  int n_groups);

static void with_cores(struct search *s, unsigned cores, unsigned ranks,
                       unsigned chosen, int n_groups)
{
    for (unsigned r = ranks; r != 0; r = (r - 1) & ranks) {
        if (bits(r) == s->request->size.n && can_sit(s, r, chosen)) {
            visit(s, cores & ~chosen, ranks & ~r, n_groups + 1);
        }
    }
}

/* What is left when there are so many groups: brokers of any host's groups. */
static void visit(struct search *s, unsigned cores, unsigned ranks,
                  int n_groups)
{
    int n_brokers;

    if (s->memo[cores][ranks]) {
        return;
    }
    s->memo[cores][ranks] = 1;
    n_brokers = count_brokers(s, cores, ranks);
    if (n_brokers > s->brokers[n_groups]) {
        s->brokers[n_groups] = n_brokers;
    }
    for (int p = 0; p < s->n_parts; p++) {
        unsigned open = cores & s->parts[p];

        for (unsigned k = open; k != 0; k = (k - 1) & open) {
            if (bits(k) == s->request->size.n) {
                with_cores(s, cores, ranks, k, n_groups);
            }
        }
    }
}

/* --- What a host is ----------------------------------------------------- */

static unsigned cores_of(const struct search *s, enum dwqi_domain kind,
                         int like)
{
    const struct dwqi_core *cores =
        dwqi_cluster_machine(s->cluster, s->host)->cores;
    unsigned set = 0;

    for (int i = 0; i < s->n_cores; i++) {
        if (kind == DWQI_DOMAIN_HOST ||
            (kind == DWQI_DOMAIN_NUMA && cores[i].numa == cores[like].numa) ||
            (kind == DWQI_DOMAIN_PACKAGE &&
             cores[i].package == cores[like].package)) {
            set |= 1u << i;
        }
    }
    return set;
}

/* The most ranks that can sit in these cores. */
static int capacity(const struct search *s, unsigned cores)
{
    unsigned all = (1u << s->n_ranks) - 1;
    int best = 0;

    for (unsigned r = all; r != 0; r = (r - 1) & all) {
        if (bits(r) > best && bits(r) <= bits(cores) && can_sit(s, r, cores)) {
            best = bits(r);
        }
    }
    return best;
}

static int count_parts(struct search *s, enum dwqi_domain kind)
{
    int n = 0;

    s->n_parts = 0;
    for (int i = 0; i < s->n_cores; i++) {
        unsigned part = cores_of(s, kind, i);
        int k = 0;

        while (k < s->n_parts && s->parts[k] != part) {
            k++;
        }
        s->parts[k] = part;
        s->n_parts += k == s->n_parts;
        n = s->n_parts;
    }
    return n;
}

/* The parts of the innermost kind of which one could hold a group. */
static void find_parts(struct search *s, unsigned cores)
{
    bool inside =
        count_parts(s, DWQI_DOMAIN_NUMA) >= count_parts(s, DWQI_DOMAIN_PACKAGE);
    enum dwqi_domain kinds[] = {
        inside ? DWQI_DOMAIN_NUMA : DWQI_DOMAIN_PACKAGE,
        inside ? DWQI_DOMAIN_PACKAGE : DWQI_DOMAIN_NUMA,
        DWQI_DOMAIN_HOST,
    };
    bool freely = s->request->straddle == DWQI_STRADDLE_FREELY;
    bool never = s->request->straddle == DWQI_STRADDLE_NEVER;

    for (int k = freely ? 2 : 0; k < (never ? 1 : 3); k++) {
        count_parts(s, kinds[k]);
        for (int i = 0; i < s->n_parts; i++) {
            if (capacity(s, s->parts[i] & cores) >= s->request->size.n) {
                return;
            }
        }
    }
    s->n_parts = 0;
}

static void find_ranks(struct search *s)
{
    const struct dwqi_machine *machine =
        dwqi_cluster_machine(s->cluster, s->host);

    for (int r = 0; r < s->cluster->n_ranks; r++) {
        const struct dwqi_place *place = &s->cluster->ranks[r];

        if (place->host != s->host || r == s->request->controller) {
            continue;
        }
        s->allowed[s->n_ranks] = 0;
        for (int i = 0; i < s->n_cores; i++) {
            if (place->set < 0 ||
                dwqi_cpuset_has(&s->cluster->sets[place->set],
                                machine->pus[machine->cores[i].first_pu])) {
                s->allowed[s->n_ranks] |= 1u << i;
            }
        }
        s->n_ranks++;
    }
}

static void search_cores(struct search *s, unsigned cores)
{
    memset(s->memo, 0, sizeof s->memo);
    memset(s->brokers, -1, sizeof s->brokers);
    find_parts(s, cores);
    visit(s, cores, (1u << s->n_ranks) - 1, 0);
}

/* Hosts together: by number of groups, the most brokers, or -1. */
struct sum {
    int brokers[4 * (MOST_CORES + 1)];
};
#define N_SUM (4 * (MOST_CORES + 1))

static struct sum add_host(const struct sum *sum, const struct search *s)
{
    struct sum more;

    memset(&more, -1, sizeof more);
    for (int i = 0; i < N_SUM; i++) {
        for (int k = 0; k <= MOST_CORES && sum->brokers[i] >= 0; k++) {
            int n = sum->brokers[i] + s->brokers[k];

            if (s->brokers[k] >= 0 && i + k < N_SUM &&
                n > more.brokers[i + k]) {
                more.brokers[i + k] = n;
            }
        }
    }
    return more;
}

/* The most groups that have a broker each. */
static int most_of(const struct sum *sum, const struct search *s)
{
    struct sum all = add_host(sum, s);
    bool inside = s->request->broker == DWQI_BROKER_INSIDE;
    int most = 0;

    for (int i = 0; i < N_SUM; i++) {
        most = all.brokers[i] >= (inside ? 0 : i) ? i : most;
    }
    return most;
}

/* The controller on each core that it may have, or on a spare thread. */
static int search_home(struct search *s, const struct sum *others)
{
    const struct dwqi_machine *machine =
        dwqi_cluster_machine(s->cluster, s->host);
    int set = s->cluster->ranks[s->request->controller].set, best = 0;
    unsigned all = (1u << s->n_cores) - 1;

    for (int i = 0; i < s->n_cores; i++) {
        const struct dwqi_core *core = &machine->cores[i];

        if (set >= 0 && !dwqi_cpuset_has(&s->cluster->sets[set],
                                         machine->pus[core->first_pu])) {
            continue;
        }
        for (int thread = 0; thread < (core->n_pus > 1 ? 2 : 1); thread++) {
            int n;

            search_cores(s, thread ? all : all & ~(1u << i));
            n = most_of(others, s);
            best = n > best ? n : best;
        }
    }
    return best;
}

static bool is_small(const struct placement_case *c,
                     const struct dwqi_cluster *cluster)
{
    for (int h = 0; h < cluster->n_hosts; h++) {
        int n_ranks = 0, n_cores = dwqi_cluster_machine(cluster, h)->n_cores;

        for (int r = 0; r < cluster->n_ranks; r++) {
            n_ranks += cluster->ranks[r].host == h;
        }
        if (n_cores > MOST_CORES || n_ranks > n_cores) {
            return false;
        }
    }
    return c->request.grouping == DWQ_GROUPING_SPLIT &&
           c->request.size.kind == DWQI_SIZE_FIXED && c->request.threads == 1 &&
           c->request.broker != DWQI_BROKER_THREAD && cluster->n_hosts <= 4;
}

static void start(struct search *s, const struct dwqi_cluster *cluster,
                  const struct dwqi_place_request *request, int host)
{
    *s = (struct search){ .cluster = cluster,
                          .request = request,
                          .host = host,
                          .n_cores =
                              dwqi_cluster_machine(cluster, host)->n_cores };
    find_ranks(s);
}

int search_most(const struct placement_case *c)
{
    struct dwqi_cluster cluster = case_cluster(c);
    struct search *s = malloc(sizeof *s);
    struct sum sum;
    int most, home;

    if (!s) {
        abort();
    }
    if (!is_small(c, &cluster)) {
        most = -1;
        goto done;
    }
    home = cluster.ranks[c->request.controller].host;
    memset(&sum, -1, sizeof sum);
    sum.brokers[0] = 0;
    for (int h = 0; h < cluster.n_hosts; h++) {
        if (h != home) {
            start(s, &cluster, &c->request, h);
            search_cores(s, (1u << s->n_cores) - 1);
            sum = add_host(&sum, s);
        }
    }
    start(s, &cluster, &c->request, home);
    most = search_home(s, &sum);
    if (c->request.max_workers > 0 && most > c->request.max_workers) {
        most = c->request.max_workers;
    }
done:
    free(s);
    dwqi_cluster_finish(&cluster);
    return most;
}

/* The placer: groups wider than a part are in as few parts as they can be. */
#include <stdlib.h>

#include "tests/unit/placer_fixture.h"

#define MOST_GROUPS 32

static int parts_of(const struct fixture *f, int group, enum dwqi_domain kind)
{
    int seen[1024], n = 0;

    for (int s = 0; s < f->plan.groups[group].width; s++) {
        const struct dwqi_seat *at = seat(f, group, s);
        const struct dwqi_machine *machine =
            dwqi_cluster_machine(&f->cluster, at->host);

        for (int c = 0; c < at->n_cores; c++) {
            const struct dwqi_core *core =
                &machine->cores[f->plan.cores[at->first_core + c]];
            int inside = kind == DWQI_DOMAIN_PACKAGE ? core->package
                         : kind == DWQI_DOMAIN_NUMA  ? core->numa
                         : kind == DWQI_DOMAIN_L3    ? core->l3
                                                     : 0;
            int key = at->host * DWQI_CORE_LIMIT + inside, i = 0;

            while (i < n && seen[i] != key) {
                i++;
            }
            seen[i] = key;
            n += i == n;
        }
    }
    return n;
}

struct row {
    const char *hosts;
    int ranks_per_host;
    struct dwqi_place_request request;
    enum dwqi_domain kind;
    int n_groups, parts; /* of each */
};

Test(placer_parts,
     touches_as_few_hosts_packages_numa_nodes_and_caches_as_it_must)
{
    static const struct row rows[] = {
        { "n[1-5]:core:4 pu:1",
          4,
          { .size = { .n = 8 }, .broker = DWQI_BROKER_INSIDE },
          DWQI_DOMAIN_HOST,
          2,
          2 },
        { "n:pack:3 core:8 pu:1",
          24,
          { .size = { .n = 16 } },
          DWQI_DOMAIN_PACKAGE,
          1,
          2 },
        { "n:numa:6 core:2 pu:1",
          12,
          { .size = { .n = 4 } },
          DWQI_DOMAIN_NUMA,
          2,
          2 },
        { "n:numa:1 l3:4 core:3 pu:1",
          12,
          { .size = { .n = 4 }, .broker = DWQI_BROKER_INSIDE },
          DWQI_DOMAIN_L3,
          2,
          2 },
        { "n:numa:4 core:4 pu:1", /* the controller's is left to others */
          16,
          { .size = { .n = 4 }, .threads = 2, .broker = DWQI_BROKER_INSIDE },
          DWQI_DOMAIN_NUMA,
          1,
          2 },
        { "n:numa:6 core:2 pu:1", /* fewer ranks than the part has cores */
          5,
          { .size = { .kind = DWQI_SIZE_DOMAIN, .domain = DWQI_DOMAIN_HOST },
            .broker = DWQI_BROKER_INSIDE },
          DWQI_DOMAIN_NUMA,
          1,
          2 },
        { "n[1-6]:core:4 pu:1",
          0,
          { .grouping = DWQ_GROUPING_SPAWN, .size = { .n = 8 } },
          DWQI_DOMAIN_HOST,
          2,
          2 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f = make(rows[i].hosts, rows[i].ranks_per_host);

        place(&f, rows[i].request);
        cr_assert_eq(f.status, DWQ_OK, "%zu: %s", i, f.why.text);
        cr_expect_geq(f.plan.n_groups, rows[i].n_groups, "%zu", i);
        for (int g = 0; g < rows[i].n_groups; g++) {
            cr_expect_eq(parts_of(&f, g, rows[i].kind), rows[i].parts,
                         "row %zu, group %d: %d", i, g + 1,
                         parts_of(&f, g, rows[i].kind));
        }
        finish(&f);
    }
}

/* --- Equal parts: the least that any placement has ------------------------- */

static int ceil_of(int a, int b)
{
    return (a + b - 1) / b;
}

/* Groups that share parts, and the parts, are a graph: one edge for each part of a
 * group. g groups and p parts that hang together have g + p - 1 edges at least, and
 * can have so few if the parts hold the groups; so what is to be found is which
 * groups share parts. One of n_parts parts has a core less. */
static int least_edges(int n_groups, int width, int n_parts, int n_cores)
{
    static int best[2][MOST_GROUPS + 1]
                   [256]; /* small part used, groups, parts */

    for (int i = 0; i < 2 * (MOST_GROUPS + 1) * 256; i++) {
        (&best[0][0][0])[i] = 1 << 20;
    }
    best[0][0][0] = 0;
    for (int g = 0; g < n_groups; g++) {
        for (int p = 0; p <= n_parts; p++) {
            for (int used = 0; used < 2; used++) {
                for (int more = 1; g + more <= n_groups; more++) {
                    for (int small = 0; small + used < 2; small++) {
                        int q = ceil_of(more * width + small, n_cores);
                        int *to = &best[used + small][g + more][p + q];
                        int edges = best[used][g][p] + more + q - 1;

                        if (p + q <= n_parts - (small + used == 0)) {
                            *to = edges < *to ? edges : *to;
                        }
                    }
                }
            }
        }
    }
    n_cores = 1 << 20;
    for (int p = 0; p <= n_parts; p++) {
        for (int used = 0; used < 2; used++) {
            int edges = best[used][n_groups][p];

            n_cores = edges < n_cores ? edges : n_cores;
        }
    }
    return n_cores;
}

/* All groups that there is room for. Returns their parts. */
static int check_equal_parts(const char *form, enum dwqi_domain kind,
                             int n_parts, int n_cores, int width,
                             int *least_out)
{
    int most = (n_parts * n_cores - 1) / width, sum = 0, n_hosts, least;
    struct fixture f;
    char hosts[64];

    snprintf(hosts, sizeof hosts, form, n_parts, n_cores);
    f = make(hosts, 0);
    n_hosts = f.cluster.n_hosts;
    for (int i = 0; i < n_parts * n_cores; i++) {
        int host = i / (n_parts * n_cores / n_hosts);

        cr_assert_eq(dwqi_cluster_add_rank(&f.cluster, host, NULL), DWQ_OK);
    }
    place(&f, (struct dwqi_place_request){ .size = fixed(width),
                                           .broker = DWQI_BROKER_INSIDE });
    cr_assert_eq(f.status, DWQ_OK, "%s: %s", hosts, f.why.text);
    cr_assert_eq(f.plan.n_groups, most, "%s", hosts);
    for (int g = 0; g < most; g++) {
        sum += parts_of(&f, g, kind);
    }
    least = least_edges(most, width, n_parts, n_cores);
    cr_expect(sum >= least && sum <= least + 1,
              "%s, groups of %d: %d parts, not %d", hosts, width, sum, least);
    finish(&f);
    *least_out = least;
    return sum;
}

Test(placer_parts, finds_the_least_where_all_parts_are_equal, .timeout = 300)
{
    static const struct {
        const char *form;
        enum dwqi_domain kind;
    } kinds[] = { { "n[1-%d]:core:%d pu:1", DWQI_DOMAIN_HOST },
                  { "n:pack:%d core:%d pu:1", DWQI_DOMAIN_PACKAGE },
                  { "n:numa:%d core:%d pu:1", DWQI_DOMAIN_NUMA },
                  { "n:numa:1 l3:%d core:%d pu:1", DWQI_DOMAIN_L3 } };
    long sum = 0, sum_least = 0;

    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (int n_cores = 2; n_cores <= 9; n_cores++) {
            for (int n_parts = 2; n_parts <= 12; n_parts++) {
                for (int width = n_cores + 1; width < n_parts * n_cores;
                     width++) {
                    int least;

                    sum += check_equal_parts(kinds[k].form, kinds[k].kind,
                                             n_parts, n_cores, width, &least);
                    sum_least += least;
                }
            }
        }
    }
    /* One group after the other: the last may be made of what others left. */
    fprintf(stderr, "parts of all groups: %ld; least: %ld\n", sum, sum_least);
    cr_assert_leq((sum - sum_least) * 2000, sum_least);
}

/* --- Small hosts: the least that a search finds ------------------------------ */

static void add_ranks(struct placement_case *c, struct dice *dice)
{
    int few = dice_below(dice, 3);

    c->ranks = calloc((size_t)c->n_hosts * 8, sizeof *c->ranks);
    cr_assert_not_null(c->ranks);
    for (int h = 0; h < c->n_hosts; h++) {
        int n = c->hosts[h].machine->n_cores;

        for (int i = 0; i < n; i++) {
            if (i == 0 || (c->hosts[h].removed[0] >> i & 1) == 0) {
                n = few == 0 ? 1 + dice_below(dice, n) : n;
                c->ranks[c->n_ranks++] =
                    (struct case_rank){ .host = h, .low = -1 };
            }
        }
    }
}

static struct verdict small_case(const struct dwqi_machine *machine, int taken,
                                 struct dice *dice)
{
    struct placement_case c = { .n_hosts = 1 + dice_below(dice, 3) };
    struct verdict verdict;

    c.hosts = calloc((size_t)c.n_hosts, sizeof *c.hosts);
    cr_assert_not_null(c.hosts);
    for (int h = 0; h < c.n_hosts; h++) {
        c.hosts[h].machine = machine;
        for (int i = 1; i < machine->n_cores; i++) {
            if (dice_below(dice, 10) < taken) {
                c.hosts[h].removed[0] |= (uint64_t)1 << i;
            }
        }
    }
    add_ranks(&c, dice);
    c.request = (struct dwqi_place_request){
        .grouping = DWQ_GROUPING_SPLIT,
        .size = fixed(2 + dice_below(dice, 6)),
        .broker = DWQI_BROKER_INSIDE,
        .straddle = (enum dwqi_straddle)dice_below(dice, 3),
        .fill = (enum dwqi_fill)dice_below(dice, 2),
        .threads = 1,
        .max_workers = dice_below(dice, 3) == 0 ? 1 : 0,
    };
    verdict = case_verdict(&c);
    cr_assert_str_eq(verdict.text, "");
    if (verdict.parts != verdict.least) {
        fprintf(stderr, "parts weigh %ld, not %ld\n", verdict.parts,
                verdict.least);
        case_print(&c, stderr);
    }
    case_finish(&c);
    return verdict;
}

Test(placer_parts, finds_what_a_search_finds_on_small_hosts, .timeout = 300)
{
    static const char *const machines[] = {
        "numa:4 core:2 pu:1",        "pack:2 numa:2 core:2 pu:1",
        "pack:2 core:4 pu:1",        "pack:3 core:2 pu:1",
        "numa:2 l3:2 core:2 pu:1",   "numa:1 l3:4 core:2 pu:1",
        "pack:2 numa:1 core:3 pu:1", "pack:2 numa:2 l3:2 core:1 pu:1",
    };

    for (int taken = 0; taken < 3; taken++) {
        long n_known = 0, n_least = 0;

        for (size_t m = 0; m < sizeof machines / sizeof machines[0]; m++) {
            struct dwqi_machine machine = { .cores = NULL };
            struct dwqi_error fault;
            struct dice dice = { .state = m * 1000 + (uint64_t)taken };

            cr_assert_eq(dwqi_discover_text(machines[m], "h", &machine, &fault),
                         DWQ_OK);
            for (int i = 0; i < 100; i++) {
                struct verdict verdict = small_case(&machine, taken, &dice);

                n_known += verdict.least > 0;
                n_least += verdict.least > 0 && verdict.parts == verdict.least;
            }
            dwqi_machine_finish(&machine);
        }
        fprintf(stderr, "%d of ten cores taken: %ld of %ld in least parts\n",
                taken, n_least, n_known);
        cr_expect_gt(n_known, 200);
        cr_expect_geq(n_least * 100, n_known * (taken == 0 ? 100 : 95));
    }
}

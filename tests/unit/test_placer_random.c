/* Every rule, over many clusters and random requests; a failing case is shrunk
 * and printed. DWQ_PLACER_CASES: requests for each cluster (default 1000);
 * DWQ_PLACER_SEED. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/placement.h"
#include "topology/discover.h"
#include "topology/plan/hosts.h"

#define N_MACHINES 4

/* Hosts of these machines in turn; `taken`: how many of ten cores, at random,
 * may not be used. */
struct cluster_row {
    const char *name;
    int n_hosts;
    const char *machines[N_MACHINES];
    int taken;
};

#define XML(name) UNIT_DATA "/topology/" name ".xml"

static const struct cluster_row rows[] = {
    { "a laptop", 1, { "pack:1 core:4 pu:2" }, 0 },
    { "one core", 1, { "pack:1 core:1 pu:2" }, 0 },
    { "two small", 2, { "pack:2 core:2 pu:1" }, 0 },
    { "small, taken", 3, { "pack:1 numa:2 core:4 pu:1" }, 3 },
    { "small, unequal", 3, { "pack:2 core:3 pu:1", "numa:3 core:2 pu:2" }, 0 },
    { "small, unequal, taken",
      4,
      { "pack:2 core:4 pu:1", "numa:2 core:3 pu:2", "core:5 pu:1" },
      2 },
    { "deep", 2, { "pack:2 numa:2 core:2 pu:2" }, 0 },
    { "deep, taken", 2, { "pack:2 numa:2 core:2 pu:2" }, 2 },
    { "caches", 2, { "pack:1 numa:2 l3:2 core:2 pu:1" }, 1 },
    { "cache around NUMA nodes", 2, { "pack:2 l3:1 numa:2 core:3 pu:1" }, 1 },
    { "NUMA node around packages", 2, { "numa:1 pack:2 core:4 pu:2" }, 1 },
    { "odd numbers",
      5,
      { "pack:3 numa:1 core:5 pu:1", "pack:1 core:7 pu:3" },
      1 },
    { "a rack", 16, { "pack:2 numa:2 core:8 pu:2" }, 0 },
    { "a rack, taken", 16, { "pack:2 numa:2 core:8 pu:2" }, 1 },
    { "a mixed rack",
      12,
      { "pack:2 core:12 pu:1", "pack:4 core:10 pu:1", "pack:1 core:6 pu:2" },
      0 },
    { "wide hosts", 3, { "pack:2 numa:4 l3:2 core:8 pu:2" }, 1 },
    { "a recorded machine", 4, { XML("recorded-vm") }, 0 },
    { "XML: 8 NUMA nodes", 3, { XML("made-epyc") }, 1 },
    { "XML: three kinds",
      6,
      { XML("made-xeon"), XML("made-epyc"), XML("recorded-vm") },
      0 },
    { "XML: a cgroup", 3, { XML("made-cgroup") }, 0 },
    { "200 hosts", 200, { "pack:2 core:4 pu:1" }, 0 },
    { "2,000 hosts", 2000, { "pack:2 core:8 pu:1", "pack:1 core:6 pu:2" }, 0 },
    { "10,000 hosts", 10000, { "pack:2 numa:2 core:4 pu:1" }, 0 },
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static void read_machines(const struct cluster_row *row,
                          struct dwqi_machine *machines, int *n_out)
{
    struct dwqi_error fault;

    for (*n_out = 0; *n_out < N_MACHINES && row->machines[*n_out]; ++*n_out) {
        const char *text = row->machines[*n_out];
        struct dwqi_machine *out = &machines[*n_out];

        cr_assert_eq(dwqi_discover_text(text, "h", out, &fault), DWQ_OK,
                     "%s: %s", text, fault.text);
    }
}

/* At least one core stays. */
static void take_cores(struct case_host *host, int tenths, struct dice *dice)
{
    memset(host->removed, 0, sizeof host->removed);
    for (int i = 1; i < host->machine->n_cores; i++) {
        if (dice_below(dice, 10) < tenths) {
            host->removed[i / 64] |= (uint64_t)1 << (i % 64);
        }
    }
}

static struct placement_case make_case(const struct cluster_row *row,
                                       const struct dwqi_machine *machines,
                                       int n_machines)
{
    struct placement_case c = { .n_hosts = row->n_hosts };

    c.hosts = calloc((size_t)row->n_hosts, sizeof *c.hosts);
    cr_assert_not_null(c.hosts);
    for (int h = 0; h < c.n_hosts; h++) {
        c.hosts[h].machine = &machines[h % n_machines];
    }
    return c;
}

static bool is_wrong(const struct placement_case *c)
{
    return case_verdict(c).text[0] != '\0';
}

static void report(struct placement_case *c, const char *name, uint64_t seed)
{
    struct verdict verdict;

    fprintf(stderr, "%s, seed %llu: %s\nshrinking\n", name,
            (unsigned long long)seed, case_verdict(c).text);
    case_shrink(c, is_wrong);
    verdict = case_verdict(c);
    case_print(c, stderr);
    cr_assert_fail("%s, seed %llu, shrunk above: %s", name,
                   (unsigned long long)seed, verdict.text);
}

static int setting(const char *name, int otherwise)
{
    const char *text = getenv(name);

    return text ? atoi(text) : otherwise;
}

struct counts {
    long placed, most, plans, refused;
    long small,
        least; /* cases whose least parts are known; that have no more */
};

static void run_case(struct placement_case *c, const struct cluster_row *row,
                     uint64_t seed, struct counts *counts)
{
    struct dice dice = { .state = seed };
    struct verdict verdict;

    for (int h = 0; h < c->n_hosts && row->taken > 0; h++) {
        take_cores(&c->hosts[h], row->taken, &dice);
    }
    case_random(c, &dice);
    verdict = case_verdict(c);
    if (verdict.text[0] != '\0') {
        report(c, row->name, seed);
    }
    counts->plans += verdict.n_groups > 0;
    counts->refused += verdict.n_groups == 0;
    counts->small += verdict.least > 0;
    counts->least += verdict.least > 0 && verdict.parts == verdict.least;
    if (verdict.parts != verdict.least && getenv("DWQ_PLACER_VERBOSE")) {
        fprintf(stderr, "parts: %ld, not %ld\n", verdict.parts, verdict.least);
        case_print(c, stderr);
    }
    verdict.most = c->n_hosts <= 4 ? search_most(c) : -1;
    if (verdict.most > 0) {
        counts->most += verdict.most;
        counts->placed +=
            verdict.n_groups < verdict.most ? verdict.n_groups : verdict.most;
        if (verdict.n_groups < verdict.most && getenv("DWQ_PLACER_VERBOSE")) {
            fprintf(stderr, "%d of %d groups\n", verdict.n_groups,
                    verdict.most);
            case_print(c, stderr);
        }
    }
}

static void run_row(const struct cluster_row *row, struct counts *counts)
{
    struct dwqi_machine machines[N_MACHINES] = { { .cores = NULL } };
    int n_machines, n_cases = setting("DWQ_PLACER_CASES", 1000);
    uint64_t seed = (uint64_t)setting("DWQ_PLACER_SEED", 1) << 32;
    struct counts own = { .placed = 0 };
    struct placement_case c;

    read_machines(row, machines, &n_machines);
    c = make_case(row, machines, n_machines);
    n_cases = row->n_hosts > 1000 ? (n_cases + 99) / 100 : n_cases;
    for (int i = 0; i < n_cases; i++) {
        run_case(&c, row, seed + (uint64_t)i, &own);
    }
    fprintf(stderr, "%-26s %5ld plans, %4ld refused; exhaustive: %ld of %ld\n",
            row->name, own.plans, own.refused, own.placed, own.most);
    counts->placed += own.placed;
    counts->most += own.most;
    counts->small += own.small;
    counts->least += own.least;
    case_finish(&c);
    for (int i = 0; i < n_machines; i++) {
        dwqi_machine_finish(&machines[i]);
    }
}

Test(placer_random, holds_every_rule_and_finds_what_a_search_finds,
     .timeout = 600)
{
    struct counts counts = { .placed = 0 };

    for (size_t i = 0; i < N_ROWS; i++) {
        run_row(&rows[i], &counts);
    }
    fprintf(stderr, "groups placed: %ld of %ld that a search finds\n",
            counts.placed, counts.most);
    fprintf(stderr, "in as few parts as a search finds: %ld of %ld plans\n",
            counts.least, counts.small);
    cr_assert_gt(counts.most, setting("DWQ_PLACER_CASES", 1000));
    cr_assert_geq(counts.placed * 100, counts.most * 95);
}

/* A rule that is none: it is broken by two groups of three ranks or more. */
static bool has_two_wide_groups(const struct placement_case *c)
{
    struct dwqi_cluster cluster = case_cluster(c);
    struct dwqi_placement plan;
    struct dwqi_error why;
    int wide = 0;

    if (dwqi_place(&cluster, &c->request, &plan, &why) == DWQ_OK) {
        for (int i = 0; i < plan.n_groups; i++) {
            wide += plan.groups[i].width >= 3;
        }
        dwqi_placement_finish(&plan);
    }
    dwqi_cluster_finish(&cluster);
    return wide >= 2;
}

Test(placer_random, shrinks_a_failing_case_to_the_smallest)
{
    struct dwqi_machine machine = { .cores = NULL };
    struct dwqi_error fault;
    struct cluster_row row = { "", 40, { "" }, 0 };
    struct placement_case c;
    struct dice dice = { .state = 7 };

    cr_assert_eq(
        dwqi_discover_text("pack:2 numa:2 core:4 pu:2", "h", &machine, &fault),
        DWQ_OK);
    c = make_case(&row, &machine, 1);
    do {
        case_random(&c, &dice);
    } while (!has_two_wide_groups(&c));
    case_shrink(&c, has_two_wide_groups);
    case_print(&c, stderr);
    cr_assert_leq(c.n_hosts, 2);
    cr_assert_eq(c.n_ranks, 7); /* two groups of three, and the controller */
    cr_assert_eq(c.request.broker, DWQI_BROKER_INSIDE);
    cr_assert_eq(c.request.threads, 1);
    cr_assert_eq(c.request.max_workers, 0);
    case_finish(&c);
    dwqi_machine_finish(&machine);
}

/* Cpusets, machines, clusters, and hosts as bytes: good, cut, and changed. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/placement.h"
#include "topology/describe.h"
#include "topology/plan/hosts.h"

static struct dwqi_machine synthetic(const char *text)
{
    struct dwqi_machine machine = { .cores = NULL };
    struct dwqi_error fault;

    cr_assert_eq(dwqi_discover_text(text, "h", &machine, &fault), DWQ_OK, "%s",
                 fault.text);
    return machine;
}

static void check_cpuset_text(const char *text, int count)
{
    struct dwqi_cpuset set = { .words = NULL };
    struct dwqi_buffer out = { .data = NULL };

    cr_assert(dwqi_cpuset_parse(&set, text, strlen(text)), "%s", text);
    cr_assert_eq(dwqi_cpuset_count(&set), count, "%s", text);
    dwqi_cpuset_print(&set, &out);
    dwqi_buffer_append(&out, "", 1);
    cr_assert_str_eq((char *)out.data, text);
    dwqi_buffer_finish(&out);
    dwqi_cpuset_finish(&set);
}

Test(topology_model, reads_and_writes_cpusets)
{
    static const char *const bad[] = {
        ",",   "1,", "1-", "2-1", "1,1",   "3,2",     "1-3,3",
        "x",   " 1", "1 ", "-1",  "65536", "0-65536", "99999999999999999999",
        "1--2"
    };

    check_cpuset_text("", 0);
    check_cpuset_text("0", 1);
    check_cpuset_text("0-3,8", 5);
    check_cpuset_text("63-64,127,65535", 4);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct dwqi_cpuset set = { .words = NULL };

        cr_assert_not(dwqi_cpuset_parse(&set, bad[i], strlen(bad[i])), "%s",
                      bad[i]);
        cr_assert_null(set.words);
    }
}

Test(topology_model, keeps_equal_machines_once)
{
    struct dwqi_cluster cluster = { .hosts = NULL };
    struct dwqi_machine a = synthetic("pack:2 core:4 pu:2");
    struct dwqi_machine b = synthetic("pack:2 core:4 pu:1");
    char name[32];

    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        cr_assert_eq(
            dwqi_cluster_add_host(&cluster, name, i % 2 ? &a : &b, true),
            DWQ_OK);
    }
    cr_assert_eq(cluster.n_machines, 2);
    cr_assert_eq(dwqi_cluster_add_host(&cluster, "", &a, true), DWQ_E_ARG);
    cr_assert_eq(dwqi_cluster_add_host(&cluster, "a b", &a, true), DWQ_E_ARG);
    dwqi_machine_finish(&a);
    dwqi_machine_finish(&b);
    dwqi_cluster_finish(&cluster);
}

/* Usable is what one of a host's ranks may use. */
Test(topology_model, joins_what_the_ranks_may_use)
{
    struct dwqi_cluster cluster = { .hosts = NULL };
    struct dwqi_machine machine = synthetic("core:8 pu:2");
    struct dwqi_cpuset first = { .words = NULL }, second = { .words = NULL };

    dwqi_cpuset_parse(&first, "0-3", 3);
    dwqi_cpuset_parse(&second, "2-5,9", 5);
    for (int i = 0; i < 3; i++) {
        char name[2] = { (char)('a' + i), '\0' };

        dwqi_cluster_add_host(&cluster, name, &machine, i < 2);
        dwqi_cluster_add_rank(&cluster, i, &first);
        dwqi_cluster_add_rank(&cluster, i, i == 1 ? NULL : &second);
    }
    cr_assert_eq(dwqi_cluster_restrict(&cluster), DWQ_OK);
    cr_assert_eq(dwqi_cluster_machine(&cluster, 0)->n_cores, 4);
    cr_assert_eq(dwqi_cluster_machine(&cluster, 0)->cores[3].number, 4);
    cr_assert_eq(dwqi_cluster_machine(&cluster, 0)->cores[3].n_pus, 1);
    cr_assert_eq(dwqi_cluster_machine(&cluster, 1)->n_cores, 8, "one may all");
    cr_assert_eq(dwqi_cluster_machine(&cluster, 2)->n_cores, 8, "described");
    cr_assert_eq(cluster.n_sets, 2);
    cr_assert_eq(cluster.n_machines, 2);
    dwqi_cpuset_finish(&first);
    dwqi_cpuset_finish(&second);
    dwqi_machine_finish(&machine);
    dwqi_cluster_finish(&cluster);
}

static bool is_same_machine(const struct dwqi_machine *a,
                            const struct dwqi_machine *b)
{
    return a->n_cores == b->n_cores && a->n_pus == b->n_pus &&
           memcmp(a->cores, b->cores, (size_t)a->n_cores * sizeof *a->cores) ==
               0 &&
           memcmp(a->pus, b->pus, (size_t)a->n_pus * sizeof *a->pus) == 0;
}

static void check_round_trip(const struct dwqi_machine *machine, size_t most)
{
    struct dwqi_cluster cluster = { .hosts = NULL };
    struct dwqi_buffer bytes = { .data = NULL };
    const char *why = "";

    cr_assert_eq(dwqi_host_encode("node7", machine, false, &bytes), DWQ_OK);
    cr_assert_leq(bytes.size, most);
    cr_assert_eq(dwqi_host_decode(&cluster, bytes.data, bytes.size, &why),
                 DWQ_OK, "%s: %.*s", why, (int)bytes.size, (char *)bytes.data);
    cr_assert_str_eq(cluster.hosts[0].name, "node7");
    cr_assert_not(cluster.hosts[0].this_system);
    cr_assert(is_same_machine(machine, &cluster.machines[0]));
    dwqi_buffer_finish(&bytes);
    dwqi_cluster_finish(&cluster);
}

Test(topology_model, sends_a_host_as_few_bytes)
{
    struct dwqi_machine wide = synthetic("pack:2 numa:4 l3:2 core:8 pu:2");
    struct dwqi_machine flat = synthetic("core:128 pu:1");
    struct dwqi_machine odd = { .cores = NULL };
    int pus[3];

    check_round_trip(&wide, 500);
    check_round_trip(&flat, 60);
    for (int i = 0; i < 20; i++) { /* no two alike */
        struct dwqi_core core = { .number = i * i,
                                  .package = i % 3,
                                  .numa = i % 5,
                                  .l3 = i % 4 - 1,
                                  .n_pus = 1 + i % 3 };

        for (int k = 0; k < core.n_pus; k++) {
            pus[k] = 1000 - 40 * i + 7 * k;
        }
        cr_assert_eq(dwqi_machine_add(&odd, &core, pus), DWQ_OK);
    }
    check_round_trip(&odd, 1000);
    dwqi_machine_finish(&wide);
    dwqi_machine_finish(&flat);
    dwqi_machine_finish(&odd);
}

Test(topology_model, refuses_what_no_host_sends)
{
    static const char *const bad[] = {
        "",
        "dwq-host-2 n system 0-0/0/0/-:0+1",
        "dwq-host-1",
        "dwq-host-1 n",
        "dwq-host-1 n other 0-0/0/0/-:0+1",
        "dwq-host-1  system 0-0/0/0/-:0+1",
        "dwq-host-1 n system ",
        "dwq-host-1 n system 0/0/0/-:0+1",
        "dwq-host-1 n system 0-0/0/0/:0+1",
        "dwq-host-1 n system 0-0/0/0/-:+1",
        "dwq-host-1 n system 0-0/0/0/-:0",
        "dwq-host-1 n system 0-0/0/0/-:0+1x",
        "dwq-host-1 n system 1-0/0/0/-:0+1",
        "dwq-host-1 n system 0-1/0/0/-:0+0",   /* a thread twice */
        "dwq-host-1 n system 0-1/0/0/-:0,1+1", /* the same */
        "dwq-host-1 n system 0-0/0/0/-:1,0+1", /* out of order */
        "dwq-host-1 n system 1-1/0/0/-:0+1 0-0/0/0/-:1+1",
        "dwq-host-1 n system 0-0/0/0/-:0+1 0-0/0/0/-:1+1",
        "dwq-host-1 n system 0-65535/0/0/-:1+1", /* threads out of range */
        "dwq-host-1 n system 0-65536/0/0/-:0+1",
        "dwq-host-1 n system 0-9/0/0/-:0+65535",
        "dwq-host-1 n system 0-0/65536/0/-:0+1",
        "dwq-host-1 n system 0-0/0/0/-:99999999999+1",
    };
    struct dwqi_cluster cluster = { .hosts = NULL };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *why = NULL;

        cr_assert_eq(dwqi_host_decode(&cluster, bad[i], strlen(bad[i]), &why),
                     DWQ_E_MESSAGE, "%s", bad[i]);
        cr_assert_not_null(why, "%s", bad[i]);
    }
    cr_assert_eq(cluster.n_hosts, 0);
    dwqi_cluster_finish(&cluster);
}

/* Cut anywhere, any byte changed: refused, or a machine that obeys its rules. */
Test(topology_model, survives_bytes_that_were_changed)
{
    struct dwqi_machine machine = synthetic("pack:2 numa:2 l3:2 core:3 pu:2");
    struct dwqi_buffer bytes = { .data = NULL };
    struct dice dice = { .state = 5 };
    int read = 0;

    dwqi_host_encode("node7", &machine, true, &bytes);
    for (int i = 0; i < 20000; i++) {
        struct dwqi_cluster cluster = { .hosts = NULL };
        size_t size =
            i % 2 ? bytes.size : (size_t)dice_below(&dice, (int)bytes.size);
        unsigned char *copy = malloc(size + 1);
        const char *why;

        memcpy(copy, bytes.data, size);
        for (int k = 0; k < i % 5 && size > 0; k++) {
            copy[dice_below(&dice, (int)size)] =
                (unsigned char)"0123456789-/:,+ x\0\377"[dice_below(&dice, 19)];
        }
        read += dwqi_host_decode(&cluster, copy, size, &why) == DWQ_OK;
        dwqi_cluster_finish(&cluster);
        free(copy);
    }
    cr_assert_gt(read, 2000);
    cr_assert_lt(read, 15000);
    dwqi_buffer_finish(&bytes);
    dwqi_machine_finish(&machine);
}

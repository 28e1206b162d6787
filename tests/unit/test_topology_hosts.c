/* Texts that describe clusters, and the names of policies. */
#include <criterion/criterion.h>
#include <string.h>

#include "topology/describe.h"
#include "topology/plan/hosts.h"
#include "topology/plan/names.h"

static dwq_status_t parse(const char *text, struct dwqi_cluster *cluster,
                          struct dwqi_error *fault)
{
    *cluster = (struct dwqi_cluster){ .hosts = NULL };
    return dwqi_hosts_parse(text, cluster, fault);
}

Test(topology_hosts, reads_names_and_machines)
{
    struct dwqi_cluster cluster;
    struct dwqi_error fault;

    cr_assert_eq(parse("n[08-11,2]x, m :pack:2 numa:2 core:4 pu:2 ;; # c;x\n"
                       "fat:core:3 # the last\n",
                       &cluster, &fault),
                 DWQ_E_OPTION, "a name with a blank");
    dwqi_cluster_finish(&cluster);
    cr_assert_eq(parse("n[08-11,2]x,m:pack:2 numa:2 core:4 pu:2 ;; # c;x\n"
                       "fat:core:3 # the last\n",
                       &cluster, &fault),
                 DWQ_OK, "%s", fault.text);
    cr_assert_eq(cluster.n_hosts, 7);
    cr_assert_str_eq(cluster.hosts[0].name, "n08x");
    cr_assert_str_eq(cluster.hosts[3].name, "n11x");
    cr_assert_str_eq(cluster.hosts[4].name, "n2x");
    cr_assert_str_eq(cluster.hosts[5].name, "m");
    cr_assert_str_eq(cluster.hosts[6].name, "fat");
    cr_assert_eq(cluster.n_machines, 2);
    cr_assert_eq(cluster.machines[0].n_cores, 16);
    cr_assert_eq(cluster.machines[0].cores[9].package, 1);
    cr_assert_eq(cluster.machines[0].cores[9].numa, 2);
    cr_assert_eq(cluster.machines[0].cores[9].l3, -1);
    cr_assert_eq(cluster.machines[0].pus[19], 19);
    cr_assert_eq(dwqi_cluster_machine(&cluster, 6)->n_cores, 3);
    dwqi_cluster_finish(&cluster);
}

/* With hwloc and without it. */
Test(topology_hosts, makes_machines_of_synthetic_strings)
{
    static const char *const texts[][2] = {
        { "pack:2 numa:2 core:16 pu:2",
          " 0-15/0/0/-:0,1+2 16-31/0/1/-:32,33+2 32-47/1/2/-:64,65+2 "
          "48-63/1/3/-:96,97+2" },
        { "pack:1 core:1 pu:1", " 0-0/0/0/-:0+1" },
        { "numa:2 pack:2 core:3 pu:1",
          " 0-2/0/0/-:0+1 3-5/1/0/-:3+1 6-8/2/1/-:6+1 9-11/3/1/-:9+1" },
        { "pack:2 l3:2 core:2 pu:4",
          " 0-1/0/0/0:0,1,2,3+4 2-3/0/0/1:8,9,10,11+4 4-5/1/0/2:16,17,18,19+4 "
          "6-7/1/0/3:24,25,26,27+4" },
        { "core:6", " 0-5/0/0/-:0+1" },
        { "pu:4", " 0-3/0/0/-:0+1" },
        { "socket:2 l2:2 core:1 pu:2", " 0-1/0/0/-:0,1+2 2-3/1/0/-:4,5+2" },
        { "pack:3 numa:1 l3:1 core:5 pu:1",
          " 0-4/0/0/0:0+1 5-9/1/1/1:5+1 10-14/2/2/2:10+1" },
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct dwqi_machine machine = { .cores = NULL };
        struct dwqi_buffer text = { .data = NULL };
        struct dwqi_error fault;

        cr_assert_eq(dwqi_discover_text(texts[i][0], "h", &machine, &fault),
                     DWQ_OK, "%s", fault.text);
        dwqi_machine_print(&machine, &text);
        dwqi_buffer_append(&text, "", 1);
        cr_assert_str_eq((char *)text.data, texts[i][1]);
        dwqi_buffer_finish(&text);
        dwqi_machine_finish(&machine);
    }
}

Test(topology_hosts, quotes_what_is_wrong)
{
    static const char *const bad[][2] = {
        { "", "no hosts" },
        { " ; # only\n", "no hosts" },
        { "n", "no ':'" },
        { "n[1-2", "no ':'" },
        { ":core:2", "not a name" },
        { "a,,b:core:2", "not a name" },
        { "n[2-1]:core:2", "n[2-1]" },
        { "n[x]:core:2", "n[x]" },
        { "n[]:core:2", "n[]" },
        { "n[1-9999999]:core:2", "ranges" },
        { "n[1][2]:core:2", "brackets" },
        { "n]1[:core:2", "brackets" },
        { "a:core:2;a:core:2", "twice" },
        { "n[1-3,2]:core:2", "twice" },
        { "a:", "synthetic" },
        { "a:core", "'core'" },
        { "a:core:0", "'core:0'" },
        { "a:core:x", "'core:x'" },
        { "a:bore:2", "'bore:2'" },
        { "a:pack:2 numa:2", "synthetic" },
        { "a:core:2 core:2", "synthetic" },
        { "a:core:2 pu:2 pu:2", "synthetic" },
        { "a:pack:60000 core:60000", "60000" },
        { "a:core:60000 pu:60", "60000" },
        { "a:pack:2 pack:2 core:1", "synthetic" },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct dwqi_cluster cluster;
        struct dwqi_error fault = { .text = "" };

        cr_assert_eq(parse(bad[i][0], &cluster, &fault), DWQ_E_OPTION, "%s",
                     bad[i][0]);
        cr_assert_not_null(strstr(fault.text, bad[i][1]), "%s: %s", bad[i][0],
                           fault.text);
        dwqi_cluster_finish(&cluster);
    }
}

Test(topology_hosts, knows_the_names_of_policies)
{
    static const char *const sizes[] = { "1",         "16",
                                         "auto:core", "auto:l3",
                                         "auto:numa", "auto:package",
                                         "auto:host", "auto:3-per-host" };
    static const char *const bad[] = { "0",
                                       "-1",
                                       "",
                                       "auto:",
                                       "auto:x",
                                       "4x",
                                       "1.5",
                                       "auto:0-per-host",
                                       "auto:-per-host",
                                       "99999999999" };
    struct dwqi_size size;
    char text[64];
    int value;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        cr_assert(dwqi_size_parse(sizes[i], &size), "%s", sizes[i]);
        dwqi_size_print(&size, text, sizeof text);
        cr_assert_str_eq(text, sizes[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_not(dwqi_size_parse(bad[i], &size), "%s", bad[i]);
    }
    for (int policy = 0; policy <= DWQI_POLICY_FILL; policy++) {
        for (int i = 0; i < 2; i++) {
            const char *name = dwqi_policy_name((enum dwqi_policy)policy, i);

            cr_assert(
                dwqi_policy_parse((enum dwqi_policy)policy, name, &value));
            cr_assert_eq(value, i);
        }
    }
    cr_assert_not(dwqi_policy_parse(DWQI_POLICY_BROKER, "numa", &value));
    dwqi_policy_names(DWQI_POLICY_STRADDLE, text, sizeof text);
    cr_assert_str_eq(text, "never, if-must, freely");
}

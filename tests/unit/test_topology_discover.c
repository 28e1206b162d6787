/* hwloc's view: this machine, files, strings; binding, read back. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <sys/syscall.h>
#include <unistd.h>

#include "topology/bind.h"
#include "topology/describe.h"
#include "topology/discover.h"

#define XML(name) UNIT_DATA "/topology/" name ".xml"

/* A system that says yes and does nothing, as some cgroups do: hwloc calls this
 * one. */
static bool lies;

int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *mask)
{
    return lies ? 0 : (int)syscall(SYS_sched_setaffinity, pid, size, mask);
}

static bool is_same(const struct dwqi_machine *a, const struct dwqi_machine *b)
{
    struct dwqi_buffer x = { .data = NULL }, y = { .data = NULL };
    bool same;

    dwqi_machine_print(a, &x);
    dwqi_machine_print(b, &y);
    same = x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
    dwqi_buffer_finish(&x);
    dwqi_buffer_finish(&y);
    return same;
}

/* The plain parser and hwloc agree. */
static void check_file(const char *file, const char *expected)
{
    struct dwqi_machine machine = { .cores = NULL };
    struct dwqi_error fault;
    struct dwqi_buffer text = { .data = NULL };

    cr_assert_eq(dwqi_discover_text(file, "h", &machine, &fault), DWQ_OK, "%s",
                 fault.text);
    dwqi_machine_print(&machine, &text);
    dwqi_buffer_append(&text, "", 1);
    cr_assert_str_eq((char *)text.data, expected);
    dwqi_buffer_finish(&text);
    dwqi_machine_finish(&machine);
}

Test(topology_discover, reads_files)
{
    check_file(XML("recorded-vm"), " 0-0/0/0/0:0+1 1-1/0/0/1:1+1");
    check_file(XML("made-xeon"), " 0-11/0/0/0:0,24+1 12-23/1/1/1:12,36+1");
    check_file(XML("made-cgroup"),
               " 0-3/0/0/0:0,24+1 6-6/0/0/0:30+1 14-23/1/1/1:14+1");
}

Test(topology_discover, quotes_what_it_cannot_read)
{
    static const char *const bad[][2] = {
        { "/nowhere/x.xml", "'/nowhere/x.xml': No such file" },
        { "nowhere.xml", "No such file" },
        { __FILE__, "test_topology_discover.c" },
        { "pack:2 bore:3", "'pack:2 bore:3': not a synthetic" },
        { "pack:4", "not a synthetic" },
        { "pack:%d", "'pack:%d': only %h" },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct dwqi_machine machine = { .cores = NULL };
        struct dwqi_error fault = { .text = "" };

        cr_assert_eq(dwqi_discover_text(bad[i][0], "h", &machine, &fault),
                     DWQ_E_OPTION, "%s", bad[i][0]);
        cr_assert_not_null(strstr(fault.text, bad[i][1]), "%s: %s", bad[i][0],
                           fault.text);
        cr_assert_null(machine.cores);
    }
}

Test(topology_discover, takes_the_environment_and_the_host_name)
{
    struct dwqi_machine machine = { .cores = NULL };
    struct dwqi_error fault = { .text = "" };
    bool this_system = true;

    setenv("DWQ_TOPOLOGY", UNIT_DATA "/topology/made-%h.xml", 1);
    cr_assert_eq(dwqi_discover("xeon", &machine, &this_system, &fault), DWQ_OK,
                 "%s", fault.text);
    cr_assert_eq(machine.n_cores, 24);
    cr_assert_not(this_system);
    dwqi_machine_finish(&machine);
    cr_assert_eq(
        dwqi_discover("xeon.example.org", &machine, &this_system, &fault),
        DWQ_OK, "%s", fault.text);
    cr_assert_eq(machine.n_cores, 24);
    dwqi_machine_finish(&machine);
    cr_assert_eq(dwqi_discover("other", &machine, &this_system, &fault),
                 DWQ_E_OPTION);
    cr_assert_not_null(strstr(fault.text, "DWQ_TOPOLOGY: '"), "%s", fault.text);
    cr_assert_not_null(strstr(fault.text, "made-other.xml"));
    cr_assert_eq(
        dwqi_discover("other.example.org", &machine, &this_system, &fault),
        DWQ_E_OPTION);
    cr_assert_not_null(strstr(fault.text, "made-other.example.org.xml"));
}

Test(topology_discover, sees_this_machine_whatever_it_is_bound_to)
{
    struct dwqi_machine all = { .cores = NULL }, bound = { .cores = NULL };
    struct dwqi_cpuset allowed = { .words = NULL };
    struct dwqi_error fault = { .text = "" };
    bool this_system = false;
    cpu_set_t one;
    int pu;

    unsetenv("DWQ_TOPOLOGY");
    cr_assert_eq(dwqi_discover("h", &all, &this_system, &fault), DWQ_OK, "%s",
                 fault.text);
    cr_assert(this_system);
    cr_assert_gt(all.n_cores, 0);
    pu = all.pus[all.n_pus - 1];
    CPU_ZERO(&one);
    CPU_SET((size_t)pu, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
    cr_assert_eq(dwqi_discover("h", &bound, &this_system, &fault), DWQ_OK);
    cr_assert(is_same(&all, &bound), "core numbers do not move");
    cr_assert_eq(dwqi_discover_allowed(&allowed), DWQ_OK);
    cr_assert_eq(dwqi_cpuset_count(&allowed), 1);
    cr_assert(dwqi_cpuset_has(&allowed, pu));
    dwqi_cpuset_finish(&allowed);
    dwqi_machine_finish(&all);
    dwqi_machine_finish(&bound);
}

Test(topology_discover, binds_and_reads_back)
{
    struct dwqi_cpuset before = { .words = NULL }, after = { .words = NULL };
    struct dwqi_error fault = { .text = "" };
    int pu = 0, none = DWQI_PU_LIMIT, absent = DWQI_PU_LIMIT - 1;

    unsetenv("DWQ_TOPOLOGY");
    cr_assert_eq(dwqi_discover_allowed(&before), DWQ_OK);
    while (!dwqi_cpuset_has(&before, pu)) {
        pu++;
    }
    cr_assert_eq(dwqi_bind(&absent, 1, &fault), DWQ_E_STATE);
    cr_assert_not_null(strstr(fault.text, "not bound"), "%s", fault.text);
    cr_assert_eq(dwqi_bind(&none, 1, &fault), DWQ_E_ARG);
    cr_assert_eq(dwqi_bind(&pu, 0, &fault), DWQ_E_ARG);
    cr_assert_eq(dwqi_discover_allowed(&after), DWQ_OK);
    cr_assert(dwqi_cpuset_equal(&before, &after), "nothing was changed");
    cr_assert_eq(dwqi_bind(&pu, 1, &fault), DWQ_OK, "%s", fault.text);
    dwqi_cpuset_finish(&after);
    cr_assert_eq(dwqi_discover_allowed(&after), DWQ_OK);
    cr_assert_eq(dwqi_cpuset_count(&after), 1);
    cr_assert(dwqi_cpuset_has(&after, pu));
    dwqi_cpuset_finish(&before);
    dwqi_cpuset_finish(&after);
}

Test(topology_discover, does_not_believe_a_system_that_only_says_yes)
{
    struct dwqi_cpuset allowed = { .words = NULL };
    struct dwqi_error fault = { .text = "" };
    int pu = 0;

    unsetenv("DWQ_TOPOLOGY");
    cr_assert_eq(dwqi_discover_allowed(&allowed), DWQ_OK);
    if (dwqi_cpuset_count(&allowed) < 2) {
        cr_skip("one hardware thread: it is bound to that already");
    }
    while (!dwqi_cpuset_has(&allowed, pu)) {
        pu++;
    }
    lies = true;
    cr_assert_eq(dwqi_bind(&pu, 1, &fault), DWQ_E_STATE);
    cr_assert_not_null(strstr(fault.text, "read back"), "%s", fault.text);
    dwqi_cpuset_finish(&allowed);
}

/* hwloc says yes to binding on a machine that is not there. */
Test(topology_discover, does_not_bind_by_another_systems_topology)
{
    struct dwqi_error fault = { .text = "" };
    int pu = 0;

    setenv("DWQ_TOPOLOGY", "core:4 pu:1", 1);
    cr_assert_eq(dwqi_bind(&pu, 1, &fault), DWQ_E_STATE);
    cr_assert_not_null(strstr(fault.text, "DWQ_TOPOLOGY"), "%s", fault.text);
    unsetenv("DWQ_TOPOLOGY");
    setenv("HWLOC_SYNTHETIC", "core:4 pu:1", 1);
    cr_assert_eq(dwqi_bind(&pu, 1, &fault), DWQ_E_STATE);
    cr_assert_not_null(strstr(fault.text, "another system"), "%s", fault.text);
}

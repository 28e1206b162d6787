/* Who has a processor of its own, by masks and by quotas. */
#define _GNU_SOURCE /* sched_setaffinity */
#include <criterion/criterion.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libdwq/wait/crowd.h"
#include "tests/temporary.h"

#define ALL (~(uint64_t)0)

/* masks[n][2]: 128 processors */
static bool shares(const uint64_t *masks, int n)
{
    return dwqi_crowd_shares(masks, n, 2);
}

Test(crowd, ranks_of_one_mask_share_when_they_are_more_than_processors)
{
    uint64_t masks[4][2] = { { 7, 0 }, { 7, 0 }, { 7, 0 }, { 7, 0 } };

    cr_assert_not(shares(masks[0], 1));
    cr_assert_not(shares(masks[0], 3));
    cr_assert(shares(masks[0], 4));
}

Test(crowd, ranks_bound_to_their_own_core_share_nothing)
{
    uint64_t masks[128][2] = { { 0 } };

    for (int i = 0; i < 128; i++) {
        masks[i][i / 64] = (uint64_t)1 << i % 64;
    }
    cr_assert_not(shares(masks[0], 128));
}

Test(crowd, ranks_bound_to_one_core_of_many_share_it)
{
    uint64_t masks[3][2] = { { 4, 0 }, { ALL, ALL }, { 4, 0 } };

    cr_assert_not(shares(masks[0], 2));
    cr_assert(shares(masks[0], 3));
}

Test(crowd, a_narrow_mask_that_comes_last_gets_its_processor)
{
    uint64_t masks[3][2] = { { 7, 0 }, { 3, 0 }, { 1, 0 } };

    cr_assert_not(shares(masks[0], 3));
}

Test(crowd, masks_that_overlap_are_looked_at_together)
{
    uint64_t masks[4][2] = { { 3, 0 }, { 6, 0 }, { 5, 0 }, { 5, 0 } };

    cr_assert_not(shares(masks[0], 3));
    cr_assert(shares(masks[0], 4));
}

Test(crowd, a_rank_that_may_use_nothing_is_crowded)
{
    uint64_t masks[1][2] = { { 0, 0 } };

    cr_assert(shares(masks[0], 1));
}

/* --- Quotas --------------------------------------------------------------------- */

static char mount[TEMPORARY_SIZE];

static void write_file(const char *name, const char *text)
{
    char path[TEMPORARY_SIZE + 64];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", mount, name);
    file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    fputs(text, file);
    fclose(file);
}

static void make_folder(const char *name)
{
    char path[TEMPORARY_SIZE + 64];

    snprintf(path, sizeof path, "%s/%s", mount, name);
    cr_assert_eq(mkdir(path, 0700), 0, "%s", path);
}

static void begin_mount(void)
{
    temporary_name(mount, "crowd");
    cr_assert_not_null(mkdtemp(mount));
}

static void end_mount(void)
{
    char command[TEMPORARY_SIZE + 16];

    snprintf(command, sizeof command, "rm -r '%s'", mount);
    cr_assert_eq(system(command), 0);
}

TestSuite(crowd_quota, .init = begin_mount, .fini = end_mount);

Test(crowd_quota, is_the_least_on_the_way_up)
{
    make_folder("pod");
    make_folder("pod/box");
    write_file("pod/cpu.max", "150000 100000\n");
    write_file("pod/box/cpu.max", "max 100000\n");
    cr_assert_eq(dwqi_crowd_quota(mount, "0::/pod/box\n"), 1.5);
    write_file("pod/box/cpu.max", "50000 100000\n");
    cr_assert_eq(dwqi_crowd_quota(mount, "0::/pod/box\n"), 0.5);
    cr_assert_eq(dwqi_crowd_quota(mount, "0::/pod\n"), 1.5);
    cr_assert_eq(dwqi_crowd_quota(mount, "0::/\n"), INFINITY);
}

Test(crowd_quota, of_a_container_is_at_the_mount)
{
    write_file("cpu.max", "200000 100000\n");
    cr_assert_eq(dwqi_crowd_quota(mount, "0::/docker/0123/not/here\n"), 2);
    cr_assert_eq(dwqi_crowd_quota(mount, "0::/"), 2);
}

Test(crowd_quota, of_version_1)
{
    const char *groups = "12:pids:/a\n4:cpuset:/a\n3:cpu,cpuacct:/a\n0::/\n";

    make_folder("cpu");
    make_folder("cpu/a");
    write_file("cpu/a/cpu.cfs_quota_us", "-1\n");
    write_file("cpu/a/cpu.cfs_period_us", "100000\n");
    cr_assert_eq(dwqi_crowd_quota(mount, groups), INFINITY);
    write_file("cpu/a/cpu.cfs_quota_us", "250000\n");
    cr_assert_eq(dwqi_crowd_quota(mount, groups), 2.5);
}

Test(crowd_quota, what_cannot_be_read_is_no_bound)
{
    cr_assert_eq(dwqi_crowd_quota(mount, ""), INFINITY);
    cr_assert_eq(dwqi_crowd_quota(mount, "nonsense\n::\n:\n"), INFINITY);
    write_file("cpu.max", "");
    cr_assert_eq(dwqi_crowd_quota(mount, "0::/\n"), INFINITY);
}

/* --- This machine ------------------------------------------------------------------ */

Test(crowd, this_process_has_a_processor_and_twice_it_has_not)
{
    struct dwqi_bell_address twice[2] = { dwqi_bell_address(NULL),
                                          dwqi_bell_address(NULL) };
    struct dwqi_ringers *one = dwqi_ringers_create(twice, 1);
    struct dwqi_ringers *two = dwqi_ringers_create(twice, 2);
    cpu_set_t first;
    int processor = 0;

    sched_getaffinity(0, sizeof first, &first);
    while (!CPU_ISSET(processor, &first)) {
        processor++;
    }
    CPU_ZERO(&first);
    CPU_SET(processor, &first);
    cr_assert_eq(sched_setaffinity(0, sizeof first, &first), 0);
    cr_assert_not(dwqi_crowded(one, 0));
    cr_assert(dwqi_crowded(one, 1), "another, who may be here");
    cr_assert(dwqi_crowded(two, 0));
    twice[1].machine++;
    dwqi_ringers_destroy(two);
    two = dwqi_ringers_create(twice, 2);
    cr_assert_not(dwqi_crowded(two, 0), "that one is elsewhere");
    cr_assert(dwqi_crowded(NULL, 0), "who is here is not known");
    dwqi_ringers_destroy(one);
    dwqi_ringers_destroy(two);
}

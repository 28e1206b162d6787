/* When an allocation ends, by what the environment says. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libdwq/run/allocation.h"
#include "tests/temporary.h"

static void set(const char *limit, const char *end, const char *job)
{
    const char *const names[] = { "DWQ_TIME_LIMIT", "SLURM_JOB_END_TIME",
                                  "SLURM_JOB_ID" };
    const char *const values[] = { limit, end, job };

    for (int i = 0; i < 3; i++) {
        if (values[i]) {
            setenv(names[i], values[i], 1);
        } else {
            unsetenv(names[i]);
        }
    }
}

static struct dwqi_allocation find(double since_first)
{
    struct dwqi_allocation found;
    struct dwqi_error fault;

    cr_assert_eq(dwqi_allocation_find(since_first, &found, &fault), DWQ_OK);
    return found;
}

Test(allocation, nobody_knows)
{
    set(NULL, NULL, NULL);
    cr_expect_null(find(1).source);
    set("", "x", NULL);
    cr_expect_null(find(1).source);
}

Test(allocation, the_users_word_counts_from_the_first_run)
{
    set("20", "5", NULL);
    cr_expect_float_eq(find(0).left, 20, 1e-9);
    cr_expect_float_eq(find(12.5).left, 7.5, 1e-9);
    cr_expect_str_eq(find(0).source, "DWQ_TIME_LIMIT");
    set("none", "5", NULL);
    cr_expect(isinf(find(3).left));
    cr_expect_str_eq(find(3).source, "DWQ_TIME_LIMIT");
}

Test(allocation, what_cannot_be_read_is_named)
{
    const char *const bad[] = { "soon", "-1", "0", "nan", "20 s", "1e999" };
    struct dwqi_allocation found;
    struct dwqi_error fault;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set(bad[i], NULL, NULL);
        cr_expect_eq(dwqi_allocation_find(0, &found, &fault), DWQ_E_OPTION,
                     "%s", bad[i]);
        cr_expect(strstr(fault.text, bad[i]), "%s", fault.text);
    }
}

Test(allocation, slurm_gives_a_time)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)time(NULL) + 100);
    set(NULL, text, NULL);
    cr_expect_float_eq(find(50).left, 100, 2);
    cr_expect_str_eq(find(50).source, "SLURM_JOB_END_TIME");
}

/* A squeue that says what is in this file. */
static void make_squeue(const char *folder, const char *says)
{
    char path[TEMPORARY_SIZE + 16];
    FILE *file;

    snprintf(path, sizeof path, "%s/squeue", folder);
    file = fopen(path, "w");
    cr_assert(file);
    fprintf(file, "#!/bin/sh\n%s\n", says);
    fclose(file);
    cr_assert_eq(chmod(path, 0700), 0);
}

Test(allocation, an_older_slurm_is_asked, .timeout = 60)
{
    char folder[TEMPORARY_SIZE], path[TEMPORARY_SIZE + 4200], says[200];
    time_t end = time(NULL) + 200;
    struct tm parts;

    temporary_name(folder, "squeue");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s:%.4000s", folder, getenv("PATH"));
    setenv("PATH", path, 1);
    localtime_r(&end, &parts);
    strftime(says, sizeof says,
             "test \"$*\" = '-h -j 17 -o %%e' && echo %Y-%m-%dT%H:%M:%S",
             &parts);
    make_squeue(folder, says);
    set(NULL, NULL, "17");
    cr_expect_float_eq(find(0).left, 200, 3);
    cr_expect_str_eq(find(0).source, "squeue");

    make_squeue(folder, "echo UNLIMITED");
    cr_expect_null(find(0).source);
    make_squeue(folder, "exit 1");
    cr_expect_null(find(0).source);
    make_squeue(folder, "exec sleep 30"); /* it has 2 seconds */
    cr_expect_null(find(0).source);
    set(NULL, NULL, "17; echo 2099-01-01T00:00:00");
    cr_expect_null(find(0).source);
    make_squeue(folder, "");
    snprintf(path, sizeof path, "%s/squeue", folder);
    unlink(path);
    rmdir(folder);
}

static void expect_limits(double left, double margin, double grace,
                          double limit, double awaited, double gone)
{
    struct dwqi_allocation_limits l =
        dwqi_allocation_limits(left, margin, grace);

    cr_expect_float_eq(l.limit, limit, 1e-9, "%g: limit %g", left, l.limit);
    cr_expect_float_eq(l.grace, awaited, 1e-9, "%g: grace %g", left, l.grace);
    cr_expect_float_eq(l.gone, gone, 1e-9, "%g: gone %g", left, l.gone);
    cr_expect_leq(l.limit, l.gone);
}

Test(allocation, limits_are_before_its_end)
{
    expect_limits(1000, 0, 0, 970, 15, 995);
    expect_limits(20, 0, 0, 15, 2.5, 20 - 5. / 6);
    expect_limits(20, 6, 0, 14, 3, 19);
    expect_limits(20, 6, 1, 14, 1, 19);
    expect_limits(20, 6, 100, 14, 3, 19);
    expect_limits(20, 30, 0, 1e-3, 10, 20 - 20. / 6);
    expect_limits(-5, 0, 0, 1e-3, 1e-3, 1e-3);
}

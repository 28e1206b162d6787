#define _XOPEN_SOURCE 700 /* mkdtemp */
/* Two programs in a job: dwq-worker (DWQ_TEST_WORKER is its path), which has all of its
 * options from the other. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"
#include "tests/mpi/told_rows.h"
#include "tests/temporary.h"

#define TOLD "its options, as it was told: "

static struct launched start(const char *argument, int ranks,
                             const char *others)
{
    /* dwq-worker starts where this process did. */
    const char *const there[] = { "-wdir", getenv("DWQ_TEST_PROGRAMS"), NULL };

    return launch_scenario(&(struct launch){ .program = "told",
                                             .argument = argument,
                                             .ranks = ranks,
                                             .others = others,
                                             .launcher = there });
}

/* Whether a line has these texts, with "..." between, in this order. */
static bool line_has(const char *line, size_t size, const char *texts)
{
    char *text = strndup(line, size), *at = text;

    while (at && *texts) {
        const char *end = strstr(texts, "...");
        size_t length = end ? (size_t)(end - texts) : strlen(texts);
        char *part = strndup(texts, length);

        at = strstr(at, part);
        free(part);
        texts += length + (end ? 3 : 0);
    }
    free(text);
    return at != NULL;
}

static void expect_told(const struct told_row *row, const char *output)
{
    int n = 0;

    for (const char *at = output; (at = strstr(at, TOLD)) != NULL; n++) {
        size_t size = strcspn(at, "\n");

        cr_expect(line_has(at, size, row->says), "%s: not '%s' in\n%.*s",
                  row->name, row->says, (int)size, at);
        at += size;
    }
    cr_expect_eq(n, row->n_told, "%s: told to %d ranks", row->name, n);
}

static void expect_row(const struct told_row *row)
{
    struct launched job;

    if (row->topology) {
        setenv("DWQ_TOPOLOGY", row->topology, 1);
    }
    job = start(row->name, row->ranks,
                row->own_ranks ? NULL : getenv("DWQ_TEST_WORKER"));
    cr_expect(!job.timed_out && job.status == 0, "%s: status %d\n%s", row->name,
              job.status, job.output);
    expect_told(row, job.output);
    cr_expect(!row->own_ranks || !strstr(job.output, "is ignored"), "%s",
              job.output);
    free(job.output);
    unsetenv("DWQ_TOPOLOGY");
}

Test(told, dwq_worker_takes_every_data_option, .timeout = 600)
{
    unsetenv("DWQ_MODULE_PATH");
    launch_spawns();
    for (int i = 0; i < n_told_rows; i++) {
        expect_row(&told_rows[i]);
    }
}

/* --- Refused ------------------------------------------------------------------ */

static void expect_refusal(const char *row, int ranks, const char *others,
                           const char *says)
{
    struct launched job = start(row, ranks, others);

    cr_expect(!job.timed_out && job.status != 0, "%s: status %d\n%s", says,
              job.status, job.output);
    cr_expect(strstr(job.output, says), "not '%s' in\n%s", says, job.output);
    free(job.output);
}

Test(told, dwq_workers_alone_are_refused, .timeout = 400)
{
    for (int ranks = 0; ranks <= 3; ranks++) {
        struct launched job;

        launch(&(struct launch){ .program = getenv("DWQ_TEST_WORKER"),
                                 .ranks = ranks },
               &job);
        cr_expect(!job.timed_out && job.status == 1 &&
                      strstr(job.output, "every rank of this job is a "
                                         "dwq-worker"),
                  "status %d\n%s", job.status, job.output);
        free(job.output);
    }
}

Test(told, a_dwq_worker_is_no_controller, .timeout = 400)
{
    setenv("DWQ_CONTROLLER_RANK", "-1", 1);
    expect_refusal("one_rank_each", 3, getenv("DWQ_TEST_WORKER"),
                   "rank 2 would be the controller, and is a dwq-worker");
    setenv("DWQ_CONTROLLER_RANK", "3", 1);
    expect_refusal("one_rank_each", 3, getenv("DWQ_TEST_WORKER"),
                   "DWQ_CONTROLLER_RANK is 3, but the job has ranks 0 to 2");
}

Test(told, a_function_for_arguments_is_not_in_dwq_worker, .timeout = 400)
{
    launch_spawns();
    setenv("DWQ_TEST_FUNCTION", "1", 1);
    expect_refusal("spawned_by_dwq_worker", 3, getenv("DWQ_TEST_WORKER"),
                   "option spawn_args_function is a function of another "
                   "program");
}

/* A dwq-worker that says it runs version 9 of the library: a script of that name. */
static void make_other_version(char folder[TEMPORARY_SIZE],
                               char worker[TEMPORARY_SIZE + 16])
{
    char command[4 * 4096];

    temporary_name(folder, "dwq-told");
    cr_assert(mkdtemp(folder));
    snprintf(worker, TEMPORARY_SIZE + 16, "%s/dwq-worker", folder);
    snprintf(command, sizeof command,
             "sed 's/libdwq 0/libdwq 9/g' %s/../../libdwq.so.0 "
             ">%s/libdwq.so.0 && printf '%s' '%s' '%s' >%s && chmod +x %s",
             getenv("DWQ_TEST_PROGRAMS"), folder,
             "#!/bin/sh\nLD_LIBRARY_PATH=%s:$LD_LIBRARY_PATH exec %s \"$@\"\n",
             folder, getenv("DWQ_TEST_WORKER"), worker, worker);
    cr_assert_eq(system(command), 0);
}

Test(told, another_version_of_the_library_is_refused, .timeout = 400)
{
    char folder[TEMPORARY_SIZE], worker[TEMPORARY_SIZE + 16];
    char remove[TEMPORARY_SIZE + 16];

    make_other_version(folder, worker);
    expect_refusal("groups_by_gather", 4, worker, "runs libdwq 9");
    launch_spawns();
    setenv("DWQ_TEST_EXECUTABLE", worker, 1);
    expect_refusal("spawned_without_arguments", 3, NULL, "runs libdwq 9");
    snprintf(remove, sizeof remove, "rm -r %s", folder);
    cr_assert_eq(system(remove), 0);
}

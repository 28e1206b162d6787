/* Two programs in a job: dwq-worker (DWQ_TEST_WORKER is its path), which has all of its
 * options from the other. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"
#include "tests/mpi/told_rows.h"

#define TIMEOUT 60. /* seconds of one job; Criterion's is above */
#define TOLD "its options, as it was told: "

static struct launched start(const char *argument, int ranks,
                             const char *others)
{
    char path[4096];
    const char *folder = getenv("DWQ_TEST_PROGRAMS");
    /* dwq-worker starts where this process did. */
    const char *const there[] = { "-wdir", folder, NULL };
    struct launched job;

    snprintf(path, sizeof path, "%s/scenario_told", folder);
    launch(&(struct launch){ .program = path,
                             .argument = argument,
                             .ranks = ranks,
                             .others = others,
                             .launcher = there,
                             .timeout = TIMEOUT },
           &job);
    return job;
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

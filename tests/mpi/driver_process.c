/* Starts the scenarios of process.c: how a process and its children end. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/mpi/launch.h"
#include "tests/temporary.h"

static struct launched start(const char *scenario, int ranks)
{
    struct launched job = launch_scenario(&(struct launch){
        .program = "process",
        .argument = scenario,
        .ranks = ranks,
    });

    cr_expect(!job.timed_out, "%s on %d ranks: no end\n%s", scenario, ranks,
              job.output);
    return job;
}

/* Ends with that status; `line` is part of what is printed, or NULL: then no error of the
 * library is. */
static void expect_end(const char *scenario, int ranks, int status,
                       const char *line)
{
    struct launched job = start(scenario, ranks);

    cr_expect(job.status == status, "%s on %d ranks: status %d, not %d\n%s",
              scenario, ranks, job.status, status, job.output);
    cr_expect(line ? strstr(job.output, line) != NULL
                   : strstr(job.output, ": error: ") == NULL,
              "%s on %d ranks does not say: %s\n%s", scenario, ranks,
              line ? line : "(nothing)", job.output);
    free(job.output);
}

static void expect_success(const char *scenario, int ranks)
{
    struct launched job = start(scenario, ranks);

    cr_expect(job.status == 0, "%s on %d ranks: status %d\n%s", scenario, ranks,
              job.status, job.output);
    cr_expect(!strstr(job.output, "all ranks end now"), "%s on %d ranks:\n%s",
              scenario, ranks, job.output);
    free(job.output);
}

static void set(const char *name, int value)
{
    char text[16];

    snprintf(text, sizeof text, "%d", value);
    setenv(name, text, 1);
}

Test(process, a_forked_child_does_nothing_of_ours, .timeout = 400)
{
    expect_success("children_do_nothing_of_ours", 0);
    expect_success("children_do_nothing_of_ours", 3);
    expect_success("children_do_nothing_of_ours", 4); /* a group of 2 */
}

/* Who left is told to those that begin another run, or wait in a barrier of their own. */
static void expect_left(const char *scenario, int rank, int code, int status,
                        const char *line)
{
    set("DWQ_TEST_RANK", rank);
    set("DWQ_TEST_CODE", code);
    expect_end(scenario, 3, status, line);
}

Test(process, leaving_between_runs_with_a_code_ends_the_job_with_it,
     .timeout = 400)
{
    for (int rank = 0; rank < 3; rank++) {
        char line[100];

        snprintf(line, sizeof line,
                 "rank %d left (exit code 2) after run 1 and before run 2: all "
                 "ranks end now",
                 rank);
        expect_left("leaves_after_a_run", rank, 2, 2, line);
    }
    expect_left("leaves_before_a_run", 1, 256, 1,
                "rank 1 left (exit code 256) before its first run");
    setenv("DWQ_TEST_OTHERS", "barrier", 1);
    expect_left("leaves_after_a_run", 0, 3, 3, "rank 0 left (exit code 3)");
}

Test(process, a_rank_that_left_is_not_waited_for, .timeout = 400)
{
    expect_left("leaves_after_a_run", 0, 0, 1,
                "rank 0 left after run 1 and before run 2");
    expect_left("leaves_after_a_run", 2, 0, 1, "rank 2 left after run 1");
    expect_left("leaves_before_a_run", 1, 0, 1,
                "rank 1 left before its first run");
    setenv("DWQ_TEST_OTHERS", "duplicate", 1);
    expect_left("leaves_after_a_run", 1, 0, 1, "rank 1 left after run 1");
}

Test(process, ranks_that_leave_together_are_quiet, .timeout = 400)
{
    expect_left("leaves_after_a_run", -1, 0, 0, NULL);
    expect_left("leaves_after_a_run", -1, 3, 3, NULL);
    expect_left("leaves_before_a_run", -1, 3, 3, NULL);
    setenv("DWQ_TEST_RANK", "-1", 1);
    expect_end("leaves_after_a_run", 0, 3, NULL);
}

Test(process, finalize_between_runs_is_not_waited_for, .timeout = 400)
{
    setenv("DWQ_TEST_HOW", "finalize", 1);
    setenv("DWQ_TEST_RANK", "1", 1);
    expect_end("leaves_after_a_run", 3, 1,
               "rank 1 left after run 1 and before run 2");
}

Test(process, the_controller_leaves_in_the_middle_of_a_run, .timeout = 400)
{
    for (int ranks = 0; ranks <= 3; ranks += 3) {
        setenv("DWQ_TEST_HOW", "", 1);
        set("DWQ_TEST_CODE", 0);
        expect_end("the_controller_leaves", ranks, 1,
                   "rank 0 (controller): error: exit() in the middle of a run");
        set("DWQ_TEST_CODE", 5);
        expect_end("the_controller_leaves", ranks, 5, "exit() in");
        setenv("DWQ_TEST_HOW", "finalize", 1);
        expect_end("the_controller_leaves", ranks, 1,
                   "MPI_Finalize() in the middle of a run");
    }
}

Test(process, an_abort_does_not_wait_for_a_thread_in_a_read, .timeout = 400)
{
    for (int ranks = 0; ranks <= 2; ranks += 2) {
        char path[TEMPORARY_SIZE], text[16] = "";
        FILE *file;

        temporary_name(path, "dwq-results");
        close(mkstemp(path));
        setenv("DWQ_TEST_FILE", path, 1);
        expect_end("a_thread_sits_in_a_read", ranks, 1,
                   "the controller aborts the run");
        file = fopen(path, "r");
        cr_assert_not_null(file);
        cr_expect(fgets(text, sizeof text, file) &&
                  strcmp(text, "results") == 0);
        fclose(file);
        remove(path);
    }
}

Test(process, a_code_that_is_not_0_stays_so, .timeout = 400)
{
    static const int codes[][2] = { { 256, 1 }, { -1, 255 }, { 511, 255 } };

    for (int i = 0; i < 3; i++) {
        set("DWQ_TEST_CODE", codes[i][0]);
        expect_end("a_code_beyond_a_byte", i ? 0 : 2, codes[i][1], NULL);
    }
}

Test(process, a_run_in_a_run_is_refused, .timeout = 400)
{
    expect_success("a_run_in_a_run_is_refused", 2);
    expect_success("a_run_in_a_run_is_refused", 5);
}

Test(process, two_threads_run_two_runs, .timeout = 400)
{
    expect_success("two_threads_run_two_runs", 1);
    expect_success("two_threads_run_two_runs", 3);
}

Test(process, threads_without_a_level_are_refused, .timeout = 400)
{
    expect_success("threads_without_a_level_are_refused", 3);
}

Test(process, another_thread_asks_for_the_world, .timeout = 400)
{
    expect_success("another_thread_asks_for_the_world", 0);
    expect_success("another_thread_asks_for_the_world", 2);
}

Test(process, self_keeps_its_name_and_attributes, .timeout = 400)
{
    expect_success("self_keeps_its_name_and_attributes", 0);
    expect_success("self_keeps_its_name_and_attributes", 3);
}

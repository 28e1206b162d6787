/* Starts calls that give up (give_up.c), in every mode: a failed result where the rank
 * was caught alive; else the job ends, soon, with one line that names rank, host, task,
 * function and reason. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

/* Seconds of one job, with its start. The end itself has 10. */
#define TIMEOUT 20.

struct mode {
    const char *name;
    int ranks; /* 0: without a launcher */
};

static const struct mode alone = { "none", 0 };
static const struct mode modes[] = {
    { "none", 2 },
    { "none", 3 },
    { "none started", 3 },
    { "split", 4 },
    { "split inside sendrecv", 3 },
    { "spawn sendrecv", 2 },
    { "spawn inside started", 2 },
};
#define N_MODES (sizeof modes / sizeof modes[0])

/* The first mode to play from m on: every second one, with DWQ_TEST_SHORT every third,
 * which ones by the length of the name; with DWQ_TEST_FULL all. N_MODES: none. */
static size_t mode_from(const char *how, size_t m)
{
    size_t every = getenv("DWQ_TEST_SHORT")  ? 3
                   : getenv("DWQ_TEST_FULL") ? 1
                                             : 2;

    while (m < N_MODES && (m + strlen(how)) % every != 0) {
        m++;
    }
    return m;
}

#define FOR_EACH_MODE(how, m) \
    for (size_t m = mode_from(how, 0); m < N_MODES; m = mode_from(how, m + 1))

/* The address sanitizer's handlers of signals would speak as well. */
static void quiet_sanitizer(void)
{
    const char *options = getenv("ASAN_OPTIONS");
    char text[4096];

    if (options && !strstr(options, "handle_segv")) {
        snprintf(text, sizeof text,
                 "%s:handle_segv=0:handle_sigbus=0:handle_abort=0:"
                 "handle_sigill=0:handle_sigfpe=0",
                 options);
        setenv("ASAN_OPTIONS", text, 1);
    }
}

static struct launched play(const char *how, const struct mode *mode)
{
    char path[4096];
    const char *folder = getenv("DWQ_TEST_PROGRAMS");
    struct launched job;

    snprintf(path, sizeof path, "%s/scenario_give_up", folder ? folder : ".");
    setenv("DWQ_TEST_MODE", mode->name, 1);
    quiet_sanitizer();
    launch_spawns();
    launch(&(struct launch){ .program = path,
                             .argument = how,
                             .ranks = mode->ranks,
                             .timeout = TIMEOUT },
           &job);
    cr_expect(!job.timed_out, "%s, %s: no end\n%s", how, mode->name,
              job.output);
    return job;
}

static void expect_result(const char *how, const struct mode *mode)
{
    struct launched job = play(how, mode);

    cr_expect(job.status == 0, "%s, %s: status %d\n%s", how, mode->name,
              job.status, job.output);
    free(job.output);
}

static int count(const char *text, const char *part)
{
    int n = 0;

    for (text = strstr(text, part); text; text = strstr(text + 1, part)) {
        n++;
    }
    return n;
}

/* "libdwq: rank 1 (worker 1): error: REASON on host HOST, in task 2, function 'F'..."
 * What other ranks have not ended with a newline may stand before it. */
static bool names(const char *output, const char *who, const char *reason)
{
    const char *line = strstr(output, " on host "), *error;

    while (line && line > output && strncmp(line, "libdwq: ", 8) != 0 &&
           line[-1] != '\n') {
        line--;
    }
    error = line ? strstr(line, ": error: ") : NULL;
    return error && strncmp(line, "libdwq: ", 8) == 0 &&
           strncmp(line + 8, who, strlen(who)) == 0 &&
           strncmp(error + 9, reason, strlen(reason)) == 0 &&
           strstr(error, ", in task 2, function 'adds_up'") != NULL;
}

static void expect_line(const char *how, const struct mode *mode,
                        const char *reason)
{
    bool spawned = strncmp(mode->name, "spawn", 5) == 0;
    struct launched job = play(how, mode);

    cr_expect(job.status != 0, "%s, %s: status 0\n%s", how, mode->name,
              job.output);
    cr_expect(count(job.output, " on host ") == 1 &&
                  names(job.output, "", reason),
              "%s, %s is not named once\n%s", how, mode->name, job.output);
    cr_expect(!spawned || strstr(mode->name, "inside") ||
                  names(job.output, "group 1, rank ", reason),
              "%s, %s is not named by its group\n%s", how, mode->name,
              job.output);
    free(job.output);
}

#define CAUGHT(how)                         \
    Test(give_up, how, .timeout = 400)      \
    {                                       \
        expect_result(#how, &alone);        \
        FOR_EACH_MODE(#how, m)              \
        {                                   \
            expect_result(#how, &modes[m]); \
        }                                   \
    }

#define NAMED(how, reason)                        \
    Test(give_up, how, .timeout = 400)            \
    {                                             \
        expect_line(#how, &alone, reason);        \
        FOR_EACH_MODE(#how, m)                    \
        {                                         \
            expect_line(#how, &modes[m], reason); \
        }                                         \
    }

/* Not seen by the process itself: others have to be there. */
#define SEEN_BY_OTHERS(how, reason)               \
    Test(give_up, how, .timeout = 400)            \
    {                                             \
        FOR_EACH_MODE(#how, m)                    \
        {                                         \
            expect_line(#how, &modes[m], reason); \
        }                                         \
    }

CAUGHT(exits_with_0)
CAUGHT(exits_with_3)
CAUGHT(exits_quickly)
CAUGHT(ends_its_thread)
CAUGHT(finalizes)
NAMED(finalizes_past_us, "MPI_Finalize() in the middle of a run")
NAMED(exits_at_once, "called _exit(0)")
SEEN_BY_OTHERS(exits_unseen, "died without a word")
NAMED(aborts, "signal 6 (SIGABRT)")
NAMED(divides_by_zero, "signal 8 (SIGFPE)")
NAMED(follows_null, "signal 11 (SIGSEGV)")
NAMED(overflows_its_stack, "signal 11 (SIGSEGV)")
SEEN_BY_OTHERS(is_killed, "died without a word")
NAMED(aborts_its_group, "called MPI_Abort(0)")
NAMED(aborts_the_world, "called MPI_Abort(7)")
NAMED(speaks_wrong_mpi, "an MPI call failed: MPI_ERR_ROOT")
NAMED(exits_in_a_thread, "another thread of the call called exit(0)")
NAMED(exits_in_a_handler, "exit() in the middle of a run")

static void expect_line_in_groups(const char *how)
{
    FOR_EACH_MODE(how, m)
    {
        if (strncmp(modes[m].name, "none", 4) != 0) {
            expect_line(how, &modes[m], "called exit(3)");
        }
    }
}

Test(give_up, a_rank_that_exits_while_others_wait_for_it, .timeout = 400)
{
    expect_line_in_groups("exits_alone");
    expect_line_in_groups("exits_alone_at_the_front");
}

/* Modules that are not linked with the library. */
static void expect_result_of_module(const char *module, const char *says)
{
    static const struct mode split = { "split", 4 }, spawn = { "spawn", 2 };

    setenv("DWQ_TEST_SAYS", says, 1);
    expect_result(module, &alone);
    expect_result(module, &split);
    expect_result(module, &spawn);
}

Test(give_up, a_module_that_exits, .timeout = 400)
{
    expect_result_of_module("give_up_module", "called exit(3)");
}

Test(give_up, a_module_in_cxx_that_throws, .timeout = 400)
{
    if (getenv("ASAN_OPTIONS")) {
        cr_skip("the sanitizer of a program in C knows no C++ exceptions");
    }
    expect_result_of_module("give_up_module_cxx",
                            "threw std::runtime_error: lost atoms");
}

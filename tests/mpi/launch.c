#define _GNU_SOURCE /* memmem, prctl */
#include "tests/mpi/launch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void exec_job(const struct launch *what)
{
    char ranks[16], others[16];
    const char *args[40];
    int n = 0;

    snprintf(ranks, sizeof ranks, "%d", what->others ? 1 : what->ranks);
    snprintf(others, sizeof others, "%d", what->ranks - 1);
    if (what->ranks > 0) {
        args[n++] = "mpirun";
        args[n++] = "--oversubscribe";
        args[n++] = "-n";
        args[n++] = ranks;
        for (int i = 0; what->launcher && what->launcher[i]; i++) {
            args[n++] = what->launcher[i]; /* a handful */
        }
    }
    args[n++] = what->program;
    args[n++] = what->argument;
    if (what->others) {
        args[n++] = ":";
        args[n++] = "-n";
        args[n++] = others;
        args[n++] = what->others;
    }
    args[n] = NULL;
    unsetenv("BXFI_MAP"); /* Criterion's, for its own children */
    execvp(args[0], (char **)(void *)args);
    fprintf(stderr, "cannot start %s: %s\n", args[0], strerror(errno));
    _exit(127);
}

static pid_t start(const struct launch *what, int *output_out)
{
    int ends[2];
    pid_t pid;

    if (pipe(ends) != 0) {
        abort();
    }
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        exec_job(what);
    }
    close(ends[1]);
    *output_out = ends[0];
    return pid;
}

struct text {
    char *data;
    size_t size;
};

/* Append what comes within `seconds`; false at the end. */
static bool read_some(int from, struct text *text, double seconds)
{
    struct pollfd fd = { .fd = from, .events = POLLIN };
    char buffer[4096];
    ssize_t n;

    if (poll(&fd, 1, (int)(seconds * 1000)) <= 0) {
        return true;
    }
    n = read(from, buffer, sizeof buffer);
    if (n <= 0) {
        return false;
    }
    text->data = realloc(text->data, text->size + (size_t)n + 1);
    if (!text->data) {
        abort();
    }
    memcpy(text->data + text->size, buffer, (size_t)n);
    text->size += (size_t)n;
    text->data[text->size] = '\0';
    return true;
}

/* Ask every rank where it is (mpirun passes SIGUSR2 on), then end the job. */
static void end_job(pid_t pid, int output, struct text *text)
{
    double until = now() + 1;

    kill(pid, SIGUSR2);
    while (now() < until && read_some(output, text, 0.1)) {
    }
    kill(pid, SIGTERM);
    until = now() + 5;
    while (now() < until && waitpid(pid, NULL, WNOHANG) == 0) {
        read_some(output, text, 0.1);
    }
    kill(pid, SIGKILL);
}

static void play(const struct launch *what, struct launched *launched_out)
{
    struct launched job = { .status = 0 };
    struct text text = { .data = calloc(1, 1) };
    bool interrupted = what->interrupt_after == NULL;
    /* Builds that play little of each are those that are slow. */
    double slow = getenv("DWQ_TEST_SHORT") ? 4 : 1;
    double until = now() + slow * (what->timeout > 0 ? what->timeout : 60);
    int output, status = 0;
    pid_t pid = start(what, &output);

    while (now() < until && read_some(output, &text, 0.05)) {
        if (!interrupted && strstr(text.data, what->interrupt_after)) {
            interrupted = true;
            kill(pid, SIGINT);
        }
    }
    job.timed_out = now() >= until;
    if (job.timed_out) {
        end_job(pid, output, &text);
    }
    close(output);
    waitpid(pid, &status, 0);
    job.status =
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    job.output = text.data;
    *launched_out = job;
}

/* Open MPI 4.1 with Debian's PMIx may crash in a thread of PMIx, when a process leaves MPI
 * or the job is ended (open-mpi/ompi issue 10117, openpmix issue 2508): more often on a
 * busy machine, and where freed memory is written over (MALLOC_PERTURB_, which meson
 * sets). Nothing of ours stands in that trace. */
static bool has_pmix_crashed(const char *output)
{
    return strstr(output, "Signal: ") && strstr(output, "event_base_loop") &&
           strstr(output, "pmix") && !strstr(output, "libdwq.so");
}

void launch(const struct launch *what, struct launched *launched_out)
{
    play(what, launched_out);
    launched_out->pmix_crashed = has_pmix_crashed(launched_out->output);
    if (launched_out->pmix_crashed && !what->once) {
        fprintf(stderr, "started again, as a thread of PMIx crashed:\n%s\n",
                launched_out->output);
        free(launched_out->output);
        play(what, launched_out);
    }
}

struct launched launch_scenario(const struct launch *what)
{
    char path[4096];
    const char *folder = getenv("DWQ_TEST_PROGRAMS");
    struct launch job = *what;
    struct launched launched;

    snprintf(path, sizeof path, "%s/scenario_%s", folder ? folder : ".",
             what->program);
    job.program = path;
    launch(&job, &launched);
    return launched;
}

void launch_spawns(void)
{
    if (system("mpirun --version 2>&1 | grep -q ' 4\\.'") == 0) {
        setenv("EVENT_NOEPOLL", "1", 1);
    }
}

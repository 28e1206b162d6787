/* Jobs: started by mpirun, read to their end, ended when they take too long. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

const char *number(char text[static 24], long long value)
{
    snprintf(text, 24, "%lld", value);
    return text;
}

int scaled(const struct bench *bench, int full, int tiny)
{
    return bench->tiny ? tiny : full;
}

/* --- Signals ------------------------------------------------------------------- */

static sigset_t held_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

void jobs_hold_signals(void)
{
    sigset_t set = held_signals();

    sigprocmask(SIG_BLOCK, &set, NULL);
}

void jobs_release_signals(void)
{
    sigset_t set = held_signals();

    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* One that is ignored, as under nohup, would be pending for ever. */
static bool has_signal(int signal)
{
    struct sigaction action;
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, signal) == 1 &&
           sigaction(signal, NULL, &action) == 0 &&
           action.sa_handler != SIG_IGN;
}

static bool must_end_now(void)
{
    return has_signal(SIGTERM) || has_signal(SIGHUP);
}

bool jobs_interrupted(void)
{
    return has_signal(SIGINT) || must_end_now();
}

/* --- Starting ------------------------------------------------------------------ */

static void set_environment(const struct bench *bench, const struct job *job)
{
    /* Ranks may outnumber cores, and root is welcome. */
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    if (job->untold) {
        unsetenv("OMPI_MCA_rmaps_base_oversubscribe");
        unsetenv("OMPI_MCA_mpi_yield_when_idle");
        return;
    }
    setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
    /* Without it a bare receive costs milliseconds where ranks share cores, and
     * with it a poll costs a system call where they do not. */
    if (job->np > sysconf(_SC_NPROCESSORS_ONLN) || job->spawns) {
        setenv("OMPI_MCA_mpi_yield_when_idle", "1", 1);
    }
    if (job->spawns && bench->is_open_mpi_4) {
        setenv("EVENT_NOEPOLL", "1", 1); /* or it hangs at random */
    }
}

static void set_variables(const struct job *job)
{
    for (size_t i = 0; job->env[i]; i++) {
        char *entry = strdup(job->env[i]);
        char *value = entry ? strchr(entry, '=') : NULL;

        if (!value) {
            _exit(127);
        }
        *value++ = '\0';
        if (*value) {
            setenv(entry, value, 1);
        } else {
            unsetenv(entry);
        }
        free(entry);
    }
}

static void exec_command(const struct bench *bench, const struct job *job,
                         const char *const *command)
{
    set_environment(bench, job);
    set_variables(job);
    execvp(command[0], (char **)(void *)command);
    fprintf(stderr, "dwq-bench: cannot start %s: %s\n", command[0],
            strerror(errno));
    _exit(127);
}

static void exec_job(const struct bench *bench, const struct job *job)
{
    const char *args[ARGS_MAX + 12];
    char ranks[24], slots[48], path[4096];
    int n = 0;

    if (job->command) {
        exec_command(bench, job, job->command);
    }
    if (job->np > 0) {
        args[n++] = "mpirun";
        if (job->untold) { /* as if there were so many cores */
            snprintf(slots, sizeof slots, "localhost:%d", job->np);
            args[n++] = "--host";
            args[n++] = slots;
        } else {
            args[n++] = "--oversubscribe";
        }
        args[n++] = "--bind-to";
        args[n++] = "none";
        args[n++] = "-n";
        args[n++] = number(ranks, job->np);
    }
    if (job->side == SIDE_OURS || job->side == SIDE_OLD) {
        args[n++] = job->side == SIDE_OLD ? bench->against : bench->self;
        args[n++] = "--measure";
    } else if (job->side == SIDE_BARE) {
        snprintf(path, sizeof path, "%s/raw_mpi", bench->folder);
        args[n++] = path;
    } else {
        args[n++] = "/usr/bin/python3"; /* that of Debian's python3-mpi4py */
    }
    for (size_t i = 0; job->args[i]; i++) {
        args[n++] = job->args[i];
    }
    args[n] = NULL;
    exec_command(bench, job, args);
}

static pid_t start(const struct bench *bench, const struct job *job,
                   int *output_out)
{
    int ends[2];
    pid_t pid;

    if (pipe(ends) != 0) {
        return -1;
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* or mpirun would go on alone */
        jobs_release_signals();
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        exec_job(bench, job);
    }
    close(ends[1]);
    *output_out = ends[0];
    return pid;
}

static void add_line(struct job_result *result, const char *line)
{
    struct printed printed;
    struct printed *lines;

    if (sscanf(line, "%63s %lf", printed.name, &printed.value) != 2) {
        return;
    }
    lines = realloc(result->lines, (result->n + 1) * sizeof *lines);
    if (lines) {
        lines[result->n++] = printed;
        result->lines = lines;
    }
}

#define TICK 0.2         /* seconds from one look for signals to the next */
#define INTERRUPT_TIME 5 /* seconds */

/* Until when to read on. A terminal's SIGINT goes to mpirun, too, which gets the time
 * to end its ranks: a second signal would make it leave them. */
static double read_until(double until)
{
    if (must_end_now()) {
        return 0;
    }
    return has_signal(SIGINT) ? fmin(until, now() + INTERRUPT_TIME) : until;
}

/* All lines until the end, or the time is over: false. */
static bool read_lines(struct bench *bench, const struct job *job, int from,
                       double until, struct job_result *result)
{
    char text[4096];
    size_t used = 0;
    struct pollfd fd = { .fd = from, .events = POLLIN };

    for (;;) {
        ssize_t n;
        char *end;

        until = read_until(until);
        if (now() >= until) {
            return false;
        }
        if (poll(&fd, 1, (int)(TICK * 1000)) <= 0) {
            continue;
        }
        n = read(from, text + used, sizeof text - 1 - used);
        if (n <= 0) {
            return true;
        }
        used += (size_t)n;
        text[used] = '\0';
        while ((end = strchr(text, '\n')) != NULL) {
            *end = '\0';
            add_line(result, text);
            if (job->pass_line) {
                job->pass_line(bench, text, job->pass_arg);
            }
            used -= (size_t)(end + 1 - text);
            memmove(text, end + 1, used + 1);
        }
        used = used < sizeof text - 1 ? used : 0;
    }
}

/* SIGTERM lets mpirun end its ranks; they have process groups of their own. */
static void end_job(pid_t pid)
{
    kill(pid, SIGTERM);
    for (int i = 0; i < 50 && waitpid(pid, NULL, WNOHANG) == 0; i++) {
        usleep(100000);
    }
    kill(pid, SIGKILL);
}

void job_run(struct bench *bench, const struct job *job,
             struct job_result *result_out)
{
    struct job_result result = { .ok = false };
    double begin = now(), timeout = job->timeout > 0 ? job->timeout : 120;
    int output = -1, status = -1;
    pid_t pid = jobs_interrupted() ? -1 : start(bench, job, &output);
    bool in_time =
        pid > 0 && read_lines(bench, job, output, begin + timeout, &result);

    if (pid > 0) {
        if (!in_time) {
            end_job(pid);
        }
        close(output);
        waitpid(pid, &status, 0);
    }
    result.wall = now() - begin;
    result.ok = in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!result.ok && !jobs_interrupted()) {
        bench->n_failed_jobs++;
        progress_end(bench); /* a line of its own */
        fprintf(stderr, "dwq-bench: a job failed (%s): np %d, %s\n",
                in_time ? "its exit status" : "too long", job->np,
                job->command ? job->command[0] : job->args[0]);
    }
    *result_out = result;
}

void job_result_finish(struct job_result *result)
{
    free(result->lines);
    *result = (struct job_result){ .ok = false };
}

double job_value(const struct job_result *result, const char *name)
{
    for (size_t i = 0; i < result->n; i++) {
        if (strcmp(result->lines[i].name, name) == 0) {
            return result->lines[i].value;
        }
    }
    return strcmp(name, "wall") == 0 ? result->wall : NAN;
}

/* --- Many in turn ---------------------------------------------------------------- */

#define NAMES_MAX 8

/* The values of these lines; NAN of those that are not there. */
static void take_values(struct bench *bench, const struct job *job,
                        const char *const *names, size_t n_names,
                        double *values_out)
{
    struct job_result result;

    job_run(bench, job, &result);
    for (size_t k = 0; k < n_names; k++) {
        values_out[k] = result.ok ? job_value(&result, names[k]) : NAN;
    }
    job_result_finish(&result);
}

/* Whichever goes second finds the machine as the other left it. */
static void run_pair(struct bench *bench, const struct job *job, int round,
                     const char *const *names, size_t n_names,
                     struct samples *samples)
{
    struct job old = *job;
    double values[NAMES_MAX], old_values[NAMES_MAX];

    old.side = SIDE_OLD;
    if (round % 2 == 1) {
        take_values(bench, &old, names, n_names, old_values);
    }
    take_values(bench, job, names, n_names, values);
    if (round % 2 == 0) {
        take_values(bench, &old, names, n_names, old_values);
    }
    for (size_t k = 0; k < n_names; k++) {
        if (!isnan(values[k]) && !isnan(old_values[k])) {
            samples_add_pair(&samples[k], values[k], old_values[k]);
        }
    }
}

static void run_one(struct bench *bench, const struct job *job,
                    const char *const *names, size_t n_names,
                    struct samples *samples)
{
    double values[NAMES_MAX];

    take_values(bench, job, names, n_names, values);
    for (size_t k = 0; k < n_names; k++) {
        if (!isnan(values[k])) {
            samples_add(&samples[k], values[k]);
        }
    }
}

/* Whether some ratio is bad or good by its median, and not by its interval. */
static bool is_unclear(const struct samples *samples, size_t n)
{
    bool unclear = false;

    for (size_t i = 0; i < n; i++) {
        struct samples ratios = samples_ratios(&samples[i], 0);
        double median = samples_median(&ratios), low, high;

        samples_interval(&ratios, &low, &high);
        unclear = unclear || (median > WORSE && low <= WORSE) ||
                  (median < 1 / WORSE && high >= 1 / WORSE);
        samples_finish(&ratios);
    }
    return unclear;
}

void jobs_alternate(struct bench *bench, const struct job *jobs, size_t n_jobs,
                    const char *const *names, size_t n_names,
                    struct samples *samples)
{
    int most = (bench->against ? EXTRA_ROUNDS : 1) * bench->rounds;

    for (int round = 0; round < most && !jobs_interrupted(); round++) {
        if (round >= bench->rounds && !is_unclear(samples, n_jobs * n_names)) {
            break;
        }
        for (size_t j = 0; j < n_jobs; j++) {
            struct samples *of_job = &samples[j * n_names];

            if (!bench->against) {
                run_one(bench, &jobs[j], names, n_names, of_job);
            } else if (jobs[j].side == SIDE_OURS && !jobs[j].command) {
                run_pair(bench, &jobs[j], round, names, n_names, of_job);
            }
            progress_step(bench);
        }
    }
}

/* dwq run: mpirun with what the library needs of it, and the exit code of the controller. */
#define _GNU_SOURCE /* prctl's constants, environ */
#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libdwq/command/command.h"
#include "libdwq/command/run.h"
#include "libdwq/base/clock.h"

#define LEAVE_MAX 2.0 /* seconds that mpirun has when the verdict is there */
#define END_MAX 3.0   /* and when it was told to end */
#define MISSED_MAX 5  /* looks, of 0.2 s each where nothing comes */

/* --- What mpirun says -------------------------------------------------------------- */

/* Open MPI 4 says this of each rank that died, to nobody's use. */
static bool is_noise(const char *line, size_t size)
{
    static const char noise[] = "PMIX ERROR: BAD-PARAM in file";

    return memmem(line, size, noise, sizeof noise - 1) &&
           memmem(line, size, "pmix_event_notification.c", 25);
}

static void write_all(const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(STDERR_FILENO, bytes, size);

        if (n <= 0 && errno != EINTR) {
            return;
        }
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

/* A line that begins with '[' is kept until it has ended. */
static void pass_on(struct launcher *l, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        l->kept[l->n_kept++] = bytes[i];
        if (bytes[i] == '\n' || l->n_kept == sizeof l->kept) {
            if (!is_noise(l->kept, l->n_kept)) {
                write_all(l->kept, l->n_kept);
            }
            l->n_kept = 0;
        }
    }
    if (l->n_kept > 0 && l->kept[0] != '[') {
        write_all(l->kept, l->n_kept);
        l->n_kept = 0;
    }
}

static void read_noise(struct launcher *l)
{
    char bytes[4096];
    ssize_t n = read(l->noise, bytes, sizeof bytes);

    if (n > 0) {
        pass_on(l, bytes, (size_t)n);
    } else if (n == 0 || errno != EINTR) {
        write_all(l->kept, l->n_kept);
        l->n_kept = 0;
        close(l->noise);
        l->noise = -1;
    }
}

/* --- The job ------------------------------------------------------------------------ */

/* They come by a file, so that nobody is interrupted. -1: errno. */
static int watch_signals(sigset_t *before_out)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        sigaddset(&set, signals[i]);
    }
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, before_out);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* A group of its own, so that signals come by way of this process alone; but on a
 * terminal that it may read. */
static void become_mpirun(const struct launcher *l, int noise)
{
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &l->signals_before, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (!isatty(STDIN_FILENO)) {
        setpgid(0, 0);
    }
    dup2(noise, STDERR_FILENO);
    execvp("mpirun", l->arguments);
    fprintf(stderr, "dwq run: mpirun cannot be started: %s\n", strerror(errno));
    _exit(127);
}

static bool start(struct launcher *l)
{
    int ends[2];

    if (pipe(ends) != 0) {
        return false;
    }
    l->mpirun = fork();
    if (l->mpirun == 0) {
        close(ends[0]);
        become_mpirun(l, ends[1]);
    }
    close(ends[1]);
    l->noise = ends[0];
    return l->mpirun > 0;
}

static void tell_mpirun(struct launcher *l, int signal)
{
    kill(l->mpirun, signal);
}

/* The time by which something has to be done to mpirun, or a long one. */
static int wait_time(const struct launcher *l)
{
    double until = l->ended_at > 0 ? l->ended_at : l->killed_at, left;

    if (until <= 0) {
        return -1;
    }
    left = until - dwqi_clock_now();
    return left > 0 ? (int)(left * 1000) + 1 : 0;
}

/* First it is asked, then it is killed. */
static void press(struct launcher *l)
{
    double now = dwqi_clock_now();

    if (l->ended_at > 0 && now >= l->ended_at) {
        tell_mpirun(l, SIGKILL);
        l->ended_at = now + END_MAX;
    } else if (l->ended_at <= 0 && l->killed_at > 0 && now >= l->killed_at) {
        tell_mpirun(l, SIGTERM);
        l->ended_at = now + END_MAX;
    }
}

/* The first SIGTERM or SIGUSR1 asks the run to end: its controller gets all results. Any
 * other signal, and a second one, is mpirun's. */
static void pass_signal(struct launcher *l)
{
    struct signalfd_siginfo info;
    bool first = !l->asked;

    if (read(l->signals, &info, sizeof info) != (ssize_t)sizeof info) {
        return;
    }
    l->asked = info.ssi_signo == SIGTERM || info.ssi_signo == SIGUSR1;
    if (first && l->asked && verdict_ask_end(&l->verdict)) {
        return;
    }
    l->signal = (int)info.ssi_signo;
    tell_mpirun(l, l->signal == SIGUSR1 ? SIGTERM : l->signal);
}

/* False: no memory. *quiet_out: nothing came in that while, and nothing is left to hear. */
static bool wait_a_while(struct launcher *l, bool *quiet_out)
{
    int n = 2 + verdict_n_files(&l->verdict), time = wait_time(l);
    struct pollfd *fds = calloc((size_t)n, sizeof *fds);

    if (!fds) {
        return false;
    }
    fds[0] = (struct pollfd){ .fd = l->noise, .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = l->signals, .events = POLLIN };
    verdict_list_files(&l->verdict, fds + 2);
    /* mpirun's end is seen when its stderr ends, or soon. */
    *quiet_out = poll(fds, (nfds_t)n, time < 0 || time > 200 ? 200 : time) == 0;
    if (!*quiet_out) {
        if (fds[0].revents) {
            read_noise(l);
        }
        if (fds[1].revents) {
            pass_signal(l);
        }
        verdict_hear(&l->verdict, fds + 2);
    }
    free(fds);
    return true;
}

/* How many processes mpirun has on this host, as proc(5) has it; 0: not known. */
static int count_children(const struct launcher *l)
{
    char pattern[64];
    glob_t found;
    int n = 0, pid;

    snprintf(pattern, sizeof pattern, "/proc/%d/task/*/children",
             (int)l->mpirun);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0) {
        return 0;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *file = fopen(found.gl_pathv[i], "r");

        while (file && fscanf(file, "%d", &pid) == 1) {
            n++;
        }
        if (file) {
            fclose(file);
        }
    }
    globfree(&found);
    return n;
}

/* All ranks are on this host, as far as is known. */
static bool is_here(const struct launcher *l)
{
    return l->ranks && !l->hosts && !l->hostfile && !getenv("SLURM_JOB_ID");
}

/* One that died before it could say that it is there is missed. Some may not have been
 * started yet, but not for as long as this. */
static void look_for_missing(struct launcher *l)
{
    int n;

    if (l->verdict.state != VERDICT_STARTING) {
        return;
    }
    n = count_children(l);
    if (n == 0) {
        return;
    }
    if (l->n_children == 0 && is_here(l)) {
        l->n_children = atoi(l->ranks);
    }
    if (n > l->n_children) {
        l->n_children = n;
    }
    l->n_missed = n < l->n_children - l->verdict.n_left ? l->n_missed + 1 : 0;
    if (l->n_missed > MISSED_MAX) {
        l->verdict.state = VERDICT_BROKEN;
        l->verdict.rank = -1;
    }
}

/* From now on mpirun has a moment to end by itself. */
static void look_at_verdict(struct launcher *l)
{
    if (l->killed_at > 0 || l->verdict.state == VERDICT_BEGUN ||
        l->verdict.state <= VERDICT_STARTING) {
        return;
    }
    if (l->verdict.state == VERDICT_BROKEN) {
        char who[32] = "a rank";

        if (l->verdict.rank >= 0) {
            snprintf(who, sizeof who, "rank %d", l->verdict.rank);
        }
        fprintf(stderr,
                "dwq run: %s died before the run began: all ranks end now\n",
                who);
    }
    l->killed_at =
        dwqi_clock_now() + (l->verdict.state == VERDICT_BROKEN ? 0 : LEAVE_MAX);
}

/* mpirun's status, as wait() has it. */
static int watch_job(struct launcher *l)
{
    bool quiet = false;
    int status = 0;

    while (waitpid(l->mpirun, &status, WNOHANG) != l->mpirun) {
        if (!wait_a_while(l, &quiet)) {
            tell_mpirun(l, SIGKILL);
        }
        if (quiet) {
            look_for_missing(l);
        }
        look_at_verdict(l);
        press(l);
    }
    while (l->noise >= 0 && l->ended_at <= 0) {
        read_noise(l);
    }
    return status;
}

/* Files that MPI leaves on this host when ranks were killed: of this mpirun alone. The name
 * of a job is a number, which they have in hexadecimal digits: the last four say which one
 * of mpirun's it is, as each spawn makes another. */
static void clean(const struct launcher *l)
{
    char host[256] = "", pattern[512];
    unsigned long job = strtoul(l->verdict.job, NULL, 10);
    glob_t found;

    if (job == 0 || gethostname(host, sizeof host - 1) != 0) {
        return;
    }
    host[strcspn(host, ".")] = '\0';
    snprintf(pattern, sizeof pattern, "/dev/shm/vader_segment.%s*.%u.%lx????.*",
             host, (unsigned)geteuid(), job >> 16);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            unlink(found.gl_pathv[i]);
        }
        globfree(&found);
    }
}

static int exit_code(const struct launcher *l, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

    switch (l->verdict.state) {
    case VERDICT_GIVEN:
        return l->verdict.code;
    case VERDICT_NOBODY:
    case VERDICT_STARTING: /* no run has begun: each rank had a code of its own */
        return l->signal && code == 0 ? 128 + l->signal : code;
    default:
        return l->signal ? 128 + l->signal : code != 0 ? code : 1;
    }
}

int command_run(int argc, char **argv)
{
    struct launcher l = { .noise = -1, .verdict.listener = -1 };
    int status = run_read(&l, argc, argv);

    if (status >= 0) {
        return status;
    }
    if (!verdict_listen(&l.verdict)) {
        fprintf(stderr, "dwq run: cannot listen by TCP: %s\n", strerror(errno));
        return 1;
    }
    run_set_environment(&l);
    l.signals = watch_signals(&l.signals_before);
    if (l.signals < 0 || !start(&l)) {
        fprintf(stderr, "dwq run: mpirun cannot be started: %s\n",
                strerror(errno));
        return 1;
    }
    status = watch_job(&l);
    verdict_hear_rest(&l.verdict);
    clean(&l);
    verdict_close(&l.verdict);
    return exit_code(&l, status);
}

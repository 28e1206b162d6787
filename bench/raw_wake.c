/* What waiting cannot go below on this machine, without MPI and messages. Prints
 * "NAME VALUE" lines.
 *
 *     raw_wake TIMES SECONDS    p50 in seconds, a pause before each: a process wakes
 *                               another by a futex, which answers by a store that the
 *                               first spins for; on two cores, where there are two
 *     raw_wake sleep SECONDS    per cent of a core: sleeps of 1 ms, nothing else
 */
#define _GNU_SOURCE /* sched_setaffinity, syscall */
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct shared {
    _Atomic uint32_t rung;
    _Alignas(64) _Atomic uint32_t answered;
};

/* The i-th of the cores that this process may have. */
static void stay_on(int i)
{
    cpu_set_t all, one;

    if (sched_getaffinity(0, sizeof all, &all) != 0) {
        return;
    }
    CPU_ZERO(&one);
    for (int core = 0; core < CPU_SETSIZE; core++) {
        if (CPU_ISSET(core, &all) && i-- == 0) {
            CPU_SET(core, &one);
            sched_setaffinity(0, sizeof one, &one);
        }
    }
}

static double read_clock(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static struct timespec timespec_of(double seconds)
{
    struct timespec time = { .tv_sec = (time_t)seconds };

    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    return time;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void answer(struct shared *shared, uint32_t n)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive who asks */
    stay_on(1);
    for (uint32_t i = 1; i <= n; i++) {
        while (atomic_load(&shared->rung) < i) {
            syscall(SYS_futex, &shared->rung, FUTEX_WAIT, i - 1, NULL, NULL, 0);
        }
        atomic_store(&shared->answered, i);
    }
}

static double ring(struct shared *shared, uint32_t i)
{
    double start = now();

    atomic_store(&shared->rung, i);
    syscall(SYS_futex, &shared->rung, FUTEX_WAKE, 1, NULL, NULL, 0);
    while (atomic_load(&shared->answered) < i) {
    }
    return now() - start;
}

static void ask(struct shared *shared, double *seconds, uint32_t n,
                double pause_s)
{
    struct timespec pause = timespec_of(pause_s);

    stay_on(0);
    for (uint32_t i = 0; i < n; i++) {
        nanosleep(&pause, NULL);
        seconds[i] = ring(shared, i + 1);
    }
    qsort(seconds, n, sizeof *seconds, compare);
    printf("p50 %.9g\n", seconds[n / 2]);
}

static void sleep_and_sleep(double seconds)
{
    struct timespec step = timespec_of(1e-3);
    double begin = now(), used = read_clock(CLOCK_PROCESS_CPUTIME_ID);

    while (now() < begin + seconds) {
        nanosleep(&step, NULL);
    }
    used = read_clock(CLOCK_PROCESS_CPUTIME_ID) - used;
    printf("core_percent %.9g\n", 100 * used / (now() - begin));
}

static int wake(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 0;
    double *seconds = n > 0 ? calloc((size_t)n, sizeof *seconds) : NULL;
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child;

    if (argc != 3 || !seconds || shared == MAP_FAILED) {
        fprintf(stderr, "usage: raw_wake TIMES|sleep SECONDS\n");
        return 2;
    }
    child = fork();
    if (child < 0) {
        perror("raw_wake: fork");
        return 1;
    }
    if (child == 0) {
        answer(shared, (uint32_t)n);
    } else {
        ask(shared, seconds, (uint32_t)n, strtod(argv[2], NULL));
    }
    free(seconds);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "sleep") == 0) {
        sleep_and_sleep(strtod(argv[2], NULL));
        return 0;
    }
    return wake(argc, argv);
}

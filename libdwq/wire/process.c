#define _DEFAULT_SOURCE /* on_exit, syscall */
#include "libdwq/wire/process.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "libdwq/base/ending.h"
#include "libdwq/base/log.h"
#include "libdwq/wire/world.h"

/* The only mutable object at file scope. In a child of fork() the lock may be held for
 * ever: `owner` is looked at first. */
static struct {
    pthread_mutex_t lock;
    _Atomic pid_t owner; /* whose MPI it is; 0: nothing was started yet */
    atomic_bool forked;  /* by fork(); others know by `owner` */
    bool started;        /* MPI was started here, and has to be finished here */
    bool joined;         /* a spawned process: it has joined its broker */
    int n_runs;          /* so far */
    struct dwqi_process_run *latest; /* of those under way, of any thread */
    struct dwqi_departure *departure;
    void (*before_finish)(void);
} process = { .lock = PTHREAD_MUTEX_INITIALIZER };

bool dwqi_process_is_ours(void)
{
    pid_t owner = atomic_load(&process.owner);

    return owner == 0 || owner == getpid();
}

static void in_child(void)
{
    atomic_store(&process.forked, true);
}

/* Comes after each call, so it does without a system call. */
void dwqi_process_end_child(const char *function)
{
    if (atomic_load_explicit(&process.forked, memory_order_relaxed)) {
        dwqi_log_error(&(struct dwqi_log){ .line = NULL },
                       "a process that fork() made in function '%s' came back "
                       "from it: it has no part in the run, and ends now",
                       function);
        _exit(1);
    }
}

/* --- Runs under way ------------------------------------------------------- */

/* With the lock. */
static struct dwqi_process_run *run_of_thread(void)
{
    struct dwqi_process_run *run = process.latest;

    while (run && !pthread_equal(run->thread, pthread_self())) {
        run = run->next;
    }
    return run;
}

int dwqi_process_count_run(void)
{
    int number = 0;

    pthread_mutex_lock(&process.lock);
    if (!run_of_thread()) {
        number = ++process.n_runs;
    }
    pthread_mutex_unlock(&process.lock);
    return number;
}

int dwqi_process_n_runs(void)
{
    int n;

    pthread_mutex_lock(&process.lock);
    n = process.n_runs;
    pthread_mutex_unlock(&process.lock);
    return n;
}

void dwqi_process_enter(struct dwqi_process_run *run)
{
    pthread_mutex_lock(&process.lock);
    run->thread = pthread_self();
    run->outer = run_of_thread();
    run->next = process.latest;
    process.latest = run;
    pthread_mutex_unlock(&process.lock);
}

void dwqi_process_leave(struct dwqi_process_run *run)
{
    struct dwqi_process_run **link = &process.latest;

    pthread_mutex_lock(&process.lock);
    while (*link && *link != run) {
        link = &(*link)->next;
    }
    if (*link) {
        *link = run->next;
    }
    pthread_mutex_unlock(&process.lock);
}

struct dwqi_process_run *dwqi_process_run_of_thread(void)
{
    struct dwqi_process_run *run;

    pthread_mutex_lock(&process.lock);
    run = run_of_thread();
    pthread_mutex_unlock(&process.lock);
    return run;
}

bool dwqi_process_in_first_thread(void)
{
#ifdef SYS_gettid
    return syscall(SYS_gettid) == getpid();
#else
    return true; /* cannot be told */
#endif
}

bool dwqi_process_has_other_runs(void)
{
    bool found = false;

    pthread_mutex_lock(&process.lock);
    for (const struct dwqi_process_run *run = process.latest; run;
         run = run->next) {
        found = found || !pthread_equal(run->thread, pthread_self());
    }
    pthread_mutex_unlock(&process.lock);
    return found;
}

/* --- Start and end of the process ----------------------------------------- */

bool dwqi_process_may_finish(void)
{
    bool may;

    if (!dwqi_process_is_ours()) {
        return false;
    }
    pthread_mutex_lock(&process.lock);
    may = process.started && !process.latest;
    pthread_mutex_unlock(&process.lock);
    return may;
}

void dwqi_process_set_joined(void)
{
    pthread_mutex_lock(&process.lock);
    process.joined = true;
    pthread_mutex_unlock(&process.lock);
}

bool dwqi_process_has_joined(void)
{
    bool joined;

    pthread_mutex_lock(&process.lock);
    joined = process.joined;
    pthread_mutex_unlock(&process.lock);
    return joined;
}

struct dwqi_departure *dwqi_process_departure(void)
{
    return process.departure; /* set once, before anything else is */
}

/* One line in one write: what others say at the same time must not come between. */
static void say_words(const struct dwqi_last_words *words, const char *what)
{
    struct dwqi_log log = { .line = NULL };
    char task[512] = "";

    snprintf(log.who, sizeof log.who, "%s", words->who ? words->who : "a rank");
    if (words->function) {
        snprintf(task, sizeof task, ", in task %" PRIu64 ", function '%s'",
                 words->id, words->function);
    }
    dwqi_log_error(&log, "%s in the middle of a run%s: all ranks end now", what,
                   task);
}

bool dwqi_process_say_words(const char *what)
{
    struct dwqi_process_run *run;

    pthread_mutex_lock(&process.lock);
    run = run_of_thread();
    run = run ? run : process.latest;
    if (run) {
        say_words(&run->words, what);
    }
    pthread_mutex_unlock(&process.lock);
    return run != NULL;
}

/* In the middle of a run the others would wait for this process for ever. */
static void at_exit(int code, void *unused)
{
    (void)unused;
    if (!dwqi_process_is_ours()) {
        return;
    }
    if (dwqi_process_say_words("exit()")) {
        dwqi_mpi_abort(code != 0 ? code : 1);
    }
    process.before_finish();
    dwqi_mpi_finish(code);
}

/* SMPI loads the program once for each rank, and may unload it before the exit. */
#if defined __GLIBC__ && !defined DWQI_SMPI
static void register_exit(void)
{
    on_exit(at_exit, NULL);
}
#else
static void at_some_exit(void)
{
    at_exit(0, NULL); /* the code is not to be had */
}

static void register_exit(void)
{
    atexit(at_some_exit);
}
#endif

dwq_status_t dwqi_process_start(dwqi_process_starter *start, int thread_level,
                                void (*before_finish)(void))
{
    dwq_status_t status = DWQ_OK;

    if (!dwqi_process_is_ours()) {
        return DWQ_E_STATE;
    }
    pthread_mutex_lock(&process.lock);
    if (atomic_load(&process.owner) == 0) {
        status = start(thread_level, &process.started, &process.departure);
        if (status == DWQ_OK) {
            process.before_finish = before_finish;
            register_exit();
            pthread_atfork(NULL, NULL, in_child);
            atomic_store(&process.owner, getpid());
        }
    }
    pthread_mutex_unlock(&process.lock);
    return status;
}

#define _DEFAULT_SOURCE /* on_exit, syscall */
#include "libdwq/process/process.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
#ifdef DWQI_SMPI
#include <simgrid/actor.h>
#endif

#include "libdwq/base/clock.h"
#include "libdwq/base/ending.h"
#include "libdwq/base/error.h"
#include "libdwq/base/plain.h"
#include "libdwq/process/launcher.h"
#include "libdwq/process/lines.h"
#include "libdwq/process/mpi_process.h"

#define FAILURE_SIZE sizeof((struct dwqi_error *)NULL)->text

struct process {
    pthread_mutex_t lock;
    _Atomic pid_t owner; /* whose MPI it is; 0: nothing was started yet */
    atomic_bool forked;  /* by fork(); others know by `owner` */
    bool started;        /* MPI was started here, and has to be finished here */
    bool joined;         /* a spawned process: it has joined its broker */
    int n_runs;          /* so far */
    double first_run;    /* when it was entered; 0: not yet */
    struct dwqi_process_run *_Atomic latest; /* under way, of any thread */
    atomic_ulong n_entered;                  /* so far */
    struct dwqi_process_handle *_Atomic handles;
    struct dwqi_handlers handlers; /* of signals, meanwhile */
    struct dwqi_departure *departure;
    struct dwqi_lines *_Atomic lines;
    atomic_int launcher; /* its connection, and 1; 0: none */
    atomic_bool leads;   /* the run: see process/launcher.h */
    void (*before_finish)(void);
#ifdef DWQI_SMPI
    char failure[FAILURE_SIZE];
#endif
};

#ifndef DWQI_SMPI
/* The only mutable objects at file scope. In a child of fork() the lock may be held for
 * ever: `owner` is looked at first. */
#define IS_ALONE true
static struct process process = { .lock = PTHREAD_MUTEX_INITIALIZER };
/* A part of it that each thread has of its own. */
static _Thread_local char failure[FAILURE_SIZE];

static struct process *here(void)
{
    return &process;
}

static char *failure_here(void)
{
    return failure;
}
#else
/* Simulated ranks share one process, and run one at a time: each has its own. */
#define IS_ALONE false
static struct process *here(void)
{
    sg_actor_t rank = sg_actor_self();
    struct process *process = sg_actor_get_data(rank);

    if (!process) {
        process = calloc(1, sizeof *process);
        if (!process) {
            abort();
        }
        pthread_mutex_init(&process->lock, NULL);
        sg_actor_set_data(rank, process);
    }
    return process;
}

static char *failure_here(void)
{
    return here()->failure;
}
#endif

static struct process *lock(void)
{
    struct process *p = here();

    pthread_mutex_lock(&p->lock);
    return p;
}

static void unlock(struct process *p)
{
    pthread_mutex_unlock(&p->lock);
}

bool dwqi_process_is_ours(void)
{
    pid_t owner = atomic_load(&here()->owner);

    return owner == 0 || owner == getpid();
}

bool dwqi_process_is_child(void)
{
    return atomic_load_explicit(&here()->forked, memory_order_relaxed);
}

/* Comes after each call, so it does without a system call. */
void dwqi_process_end_child(const char *function)
{
    if (dwqi_process_is_child()) {
        dwqi_log_error(&(struct dwqi_log){ .line = NULL },
                       "a process that fork() made in function '%s' came back "
                       "from it: it has no part in the run, and ends now",
                       function);
        _exit(1);
    }
}

/* --- Runs under way ------------------------------------------------------- */

/* With the lock, or (to look only) in a handler of signals. */
static struct dwqi_process_run *run_of_thread(const struct process *p)
{
    struct dwqi_process_run *run = p->latest;

    while (run && !pthread_equal(run->thread, pthread_self())) {
        run = run->next;
    }
    return run;
}

int dwqi_process_count_run(void)
{
    struct process *p = lock();
    int number = 0;

    if (!run_of_thread(p)) {
        number = ++p->n_runs;
    }
    unlock(p);
    return number;
}

int dwqi_process_n_runs(void)
{
    struct process *p = lock();
    int n = p->n_runs;

    unlock(p);
    return n;
}

void dwqi_process_enter(struct dwqi_process_run *run)
{
    struct process *p = lock();

    run->thread = pthread_self();
    run->number = ++p->n_entered;
    p->first_run = p->first_run > 0 ? p->first_run : dwqi_clock_now();
    run->outer = run_of_thread(p);
    run->next = p->latest;
    dwqi_witness_begin(&run->witness, run->outer ? &run->outer->witness : NULL);
    if (!run->next && IS_ALONE) {
        dwqi_handlers_set(&p->handlers);
    }
    p->latest = run;
    unlock(p);
}

double dwqi_process_first_run(void)
{
    struct process *p = lock();
    double first = p->first_run;

    unlock(p);
    return first;
}

void dwqi_process_leave(struct dwqi_process_run *run)
{
    struct process *p = lock();
    struct dwqi_process_run *later = p->latest;
    bool there;

    while (later && later != run && later->next != run) {
        later = later->next;
    }
    if (later == run) {
        p->latest = run->next;
    } else if (later) {
        later->next = run->next;
    }
    there = later != NULL;
    for (later = p->latest; later; later = later->next) {
        if (later->outer == run) { /* it stays longer than what was around it */
            later->outer = run->outer;
            later->witness.outer = run->witness.outer;
        }
    }
    if (there) {
        dwqi_witness_finish(&run->witness);
    }
    if (there && !p->latest && IS_ALONE) {
        dwqi_handlers_restore(&p->handlers);
    }
    unlock(p);
}

void dwqi_process_come_back(struct dwqi_process_run *run)
{
    struct dwqi_process_run *inner = dwqi_process_run_of_thread();

    while (inner && inner != run) {
        dwqi_process_leave(inner);
        inner = dwqi_process_run_of_thread();
    }
}

struct dwqi_witness *dwqi_process_witness(void)
{
    const struct process *p = here();
    struct dwqi_process_run *latest = p->latest, *run;

    if (!latest || !dwqi_process_is_ours()) {
        return NULL;
    }
    run = run_of_thread(p);
    return run ? &run->witness : &latest->witness;
}

struct dwqi_handlers *dwqi_process_handlers(void)
{
    return &here()->handlers;
}

struct dwqi_process_run *dwqi_process_run_of_thread(void)
{
    struct process *p = lock();
    struct dwqi_process_run *run = run_of_thread(p);

    unlock(p);
    return run;
}

unsigned long dwqi_process_n_entered(void)
{
    return atomic_load_explicit(&here()->n_entered, memory_order_relaxed);
}

/* The last that this thread opened since; in a child of fork() it is the parent's. */
static struct dwqi_witness *left_open(unsigned long n)
{
    struct dwqi_process_run *run = NULL;

    if (dwqi_process_n_entered() != n && !dwqi_process_is_child()) {
        run = dwqi_process_run_of_thread();
    }
    return run && run->number > n && run->witness.close ? &run->witness : NULL;
}

bool dwqi_process_close_left(unsigned long n, const struct dwqi_log *log,
                             uint64_t id, const char *function)
{
    struct dwqi_witness *run = left_open(n);
    char who[140];

    if (!run) {
        return false;
    }
    if (id != 0) {
        dwqi_plain_format(who, sizeof who, "task %" PRIu64 ", function '%.*s'",
                          id, dwqi_plain_fit(function, 80), function);
    } else {
        snprintf(who, sizeof who, "the %s function", function);
    }
    dwqi_log_error(log,
                   "%s: it came back and left a run open that it had begun by "
                   "dwq_open_comm(). That run is closed now, and what it has "
                   "not started is cancelled: call dwq_close() before the "
                   "function returns",
                   who);
    for (; run; run = left_open(n)) {
        run->close(run->run, log->who);
    }
    return true;
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
    struct process *p = lock();
    bool found = false;

    for (const struct dwqi_process_run *run = p->latest; run; run = run->next) {
        found = found || !pthread_equal(run->thread, pthread_self());
    }
    unlock(p);
    return found;
}

/* --- Handles ------------------------------------------------------------------ */

void dwqi_process_add_handle(struct dwqi_process_handle *handle)
{
    struct process *p = lock();

    handle->next = p->handles;
    p->handles = handle;
    unlock(p);
}

/* With the lock: out of the list; whether it was there. */
static bool take_handle(struct process *p,
                        const struct dwqi_process_handle *handle)
{
    struct dwqi_process_handle *before = p->handles;

    if (before && before == handle) {
        p->handles = before->next;
        return true;
    }
    while (before && before->next != handle) {
        before = before->next;
    }
    if (before) {
        before->next = handle->next;
    }
    return before != NULL;
}

void dwqi_process_remove_handle(struct dwqi_process_handle *handle)
{
    struct process *p = lock();

    take_handle(p, handle);
    unlock(p);
}

/* The one that is used comes to the front, where it is seen without the lock: this is a
 * part of each call of the controller. */
bool dwqi_process_has_handle(const struct dwqi_process_handle *handle)
{
    struct process *p = here();
    bool there;

    if (atomic_load_explicit(&p->handles, memory_order_relaxed) == handle ||
        dwqi_process_is_child()) {
        return true;
    }
    lock();
    there = take_handle(p, handle);
    if (there) {
        struct dwqi_process_handle *front = (void *)(uintptr_t)handle;

        front->next = p->handles;
        p->handles = front;
    }
    unlock(p);
    return there;
}

/* --- Start and end of the process ----------------------------------------- */

bool dwqi_process_may_finish(void)
{
    struct process *p;
    bool may;

    if (!dwqi_process_is_ours()) {
        return false;
    }
    p = lock();
    may = p->started && !p->latest;
    unlock(p);
    return may;
}

void dwqi_process_set_joined(void)
{
    struct process *p = lock();

    p->joined = true;
    unlock(p);
}

bool dwqi_process_has_joined(void)
{
    struct process *p = lock();
    bool joined = p->joined;

    unlock(p);
    return joined;
}

struct dwqi_departure *dwqi_process_departure(void)
{
    return here()->departure; /* set once, before anything else is */
}

struct dwqi_lines *dwqi_process_lines(void)
{
    return atomic_load(&here()->lines);
}

void dwqi_process_set_lines(struct dwqi_lines *lines)
{
    atomic_store(&here()->lines, lines);
}

int dwqi_process_launcher(bool *leads_out)
{
    *leads_out = atomic_load(&here()->leads);
    return atomic_load(&here()->launcher) - 1;
}

void dwqi_process_set_launcher(int connection, bool leads)
{
    atomic_store(&here()->leads, leads);
    atomic_store(&here()->launcher, connection + 1);
}

void dwqi_process_set_failure(const char *text)
{
    snprintf(failure_here(), FAILURE_SIZE, "%s", text);
}

const char *dwqi_process_failure(void)
{
    return failure_here();
}

bool dwqi_process_say_words(const char *what)
{
    struct dwqi_witness *witness = dwqi_process_witness();
    char reason[80];

    if (witness) {
        snprintf(reason, sizeof reason, "%s in the middle of a run%s", what,
                 witness->opened ? " (no dwq_close() came)" : "");
        dwqi_witness_say(witness, reason);
    }
    return witness != NULL;
}

void dwqi_process_abort_without_handle(const char *function)
{
    dwqi_log_error(&(struct dwqi_log){ .line = NULL },
                   "%s was called with NULL, or with a handle that is no more: "
                   "all ranks end now",
                   function);
    dwqi_mpi_abort(1);
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
    here()->before_finish();
    dwqi_mpi_finish(code);
    dwqi_lines_leave(dwqi_process_lines());
    dwqi_launcher_leave(dwqi_exit_code(code));
}

#ifndef DWQI_SMPI
static void in_child(void)
{
    atomic_store(&here()->forked, true);
    dwqi_lines_in_child(dwqi_process_lines());
}

#ifndef __GLIBC__
static void at_some_exit(void)
{
    at_exit(0, NULL); /* the code is not to be had */
}
#endif

static void watch(void)
{
#ifdef __GLIBC__
    on_exit(at_exit, NULL);
#else
    atexit(at_some_exit);
#endif
    pthread_atfork(NULL, NULL, in_child);
}
#else
static void watch(void)
{
    (void)at_exit; /* of all simulated ranks at once, when they are no more */
}
#endif

dwq_status_t dwqi_process_start(dwqi_process_starter *start, int thread_level,
                                void (*before_finish)(void))
{
    struct process *p;
    dwq_status_t status = DWQ_OK;

    if (!dwqi_process_is_ours()) {
        return DWQ_E_STATE;
    }
    p = lock();
    if (atomic_load(&p->owner) == 0) {
        status = start(thread_level, &p->started, &p->departure);
        if (status == DWQ_OK) {
            p->before_finish = before_finish;
            watch();
            atomic_store(&p->owner, getpid());
        }
    }
    unlock(p);
    return status;
}

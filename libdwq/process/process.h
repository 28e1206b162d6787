/* What there is one of in a process: who started MPI, which runs are under way, how
 * many there were. It is guarded, so that threads may run at once.
 *
 * A program that holds the library twice (static and shared) has two of these. Each
 * knows the runs of its own copy, that which started MPI finalizes it, and each ends
 * the job when the process exits in the middle of one of its own runs; a run inside
 * a run of the other copy is not seen. */
#ifndef DWQI_PROCESS_PROCESS_H
#define DWQI_PROCESS_PROCESS_H

#include <dwq/status.h>
#include <pthread.h>
#include <stdbool.h>

#include "libdwq/base/log.h"
#include "libdwq/process/witness.h"

/* A run that this process is in; a part of its world. */
struct dwqi_process_run {
    struct dwqi_witness witness;    /* first: it is found by that */
    pthread_t thread;               /* that runs it */
    struct dwqi_process_run *outer; /* around it, of the same thread; or NULL */
    struct dwqi_process_run *next;  /* that began before, of any thread */
    unsigned long number;           /* in their order, of any thread */
};

/* What a user holds of the library, and may use when it is no more: it is known as long
 * as it lives. A part of it. */
struct dwqi_process_handle {
    struct dwqi_process_handle *next;
};

struct dwqi_departure; /* see departure.h */
struct dwqi_lines;     /* see lines.h */

/* Starts what the process needs, once; *started_out: it has to be finished at the end. */
typedef dwq_status_t dwqi_process_starter(
    int thread_level, bool *started_out, struct dwqi_departure **departure_out);

/* The first time `start` is called; then, at the process's exit, `before_finish`.
 * DWQ_E_STATE: this process is not ours; or what `start` returned. */
dwq_status_t dwqi_process_start(dwqi_process_starter *start, int thread_level,
                                void (*before_finish)(void));

/* False in a child that fork() made after the start: nothing of the library may be
 * done there. May be asked in a signal handler. */
bool dwqi_process_is_ours(void);
/* In a child of fork() or not; costs nothing. */
bool dwqi_process_is_child(void);
/* Ends a child that fork() made and that came back from a function of the user: it would
 * play the part of its parent. */
void dwqi_process_end_child(const char *function);

/* Count one more run: its number, from 1. 0, and not counted: this thread is in one. */
int dwqi_process_count_run(void);
int dwqi_process_n_runs(void);
void dwqi_process_enter(struct dwqi_process_run *run);
void dwqi_process_leave(struct dwqi_process_run *run);
/* This thread came back to that run by force: those in it are under way no more. */
void dwqi_process_come_back(struct dwqi_process_run *run);
/* When this process entered its first run, on dwqi_clock_now(). */
double dwqi_process_first_run(void);
/* How many were entered so far. */
unsigned long dwqi_process_n_entered(void);
/* At the end of a function of the user's that began when `n` had been entered: those that
 * it opened and did not close would keep their other ranks for ever. Each is closed, and
 * one line says it (`id`: of its task; 0: of none). Whether there were any. */
bool dwqi_process_close_left(unsigned long n, const struct dwqi_log *log,
                             uint64_t id, const char *function);
/* Of the run that this thread is in, the innermost, or else of the latest of others;
 * NULL: there is none, or this process is not ours. For handlers of signals, too. */
struct dwqi_witness *dwqi_process_witness(void);
/* Of signals, while any run is under way. */
struct dwqi_handlers *dwqi_process_handlers(void);
/* The run that this thread is in, the innermost; or NULL. */
struct dwqi_process_run *dwqi_process_run_of_thread(void);
/* Whether this is the thread that main() is in. */
bool dwqi_process_in_first_thread(void);
/* Whether another thread than this one is in a run. */
bool dwqi_process_has_other_runs(void);
/* Whether MPI has to be finished by the library, and can be: no run is under way. */
bool dwqi_process_may_finish(void);

void dwqi_process_add_handle(struct dwqi_process_handle *handle);
/* One that is not known (any more) is none the less. */
void dwqi_process_remove_handle(struct dwqi_process_handle *handle);
/* Whether it is known. In a child of fork() nobody can tell: true. */
bool dwqi_process_has_handle(const struct dwqi_process_handle *handle);

/* A spawned process joins its broker once. */
void dwqi_process_set_joined(void);
bool dwqi_process_has_joined(void);

struct dwqi_departure *dwqi_process_departure(void); /* or NULL */
/* To the other processes of a job that outlives the death of some; NULL: none. For
 * handlers of signals, too. Once set they stay. */
struct dwqi_lines *dwqi_process_lines(void);
void dwqi_process_set_lines(struct dwqi_lines *lines);

/* The connection to `dwq run` (-1: none), and whether this process is the controller's. */
int dwqi_process_launcher(bool *leads_out);
void dwqi_process_set_launcher(int connection, bool leads);

/* Why the last run of this thread did not begin, as the user may ask; "" at first. */
void dwqi_process_set_failure(const char *text);
const char *dwqi_process_failure(void);

/* The user's call of `function` ends the job by a handle that is NULL, or no more: so it
 * ends all the same, with code 1. */
_Noreturn void dwqi_process_abort_without_handle(const char *function);

/* If a run is under way: say who ends it by `what` ("exit()"), and in which call: of
 * this thread's run, or else the latest. False: there is none. */
bool dwqi_process_say_words(const char *what);

#endif

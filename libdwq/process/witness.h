/* How a process ends in the middle of a run, and what it says then: one line on
 * stderr with its rank, host, task, function, and the reason. Of all ranks of a host
 * the first that has something to say says it; the others are silent.
 *
 * A code that gives up in a call, by exit(), MPI_Finalize() or a C++ exception, is
 * caught alive: it leaves to the executor (dwqi_witness_give_up), and its call is a
 * failed one. What cannot be caught (a signal, MPI_Abort(), _exit()) is said. What
 * nobody in the process sees (SIGKILL) is said by another rank of its host, when the
 * launcher tells that one to end. */
#ifndef DWQI_PROCESS_WITNESS_H
#define DWQI_PROCESS_WITNESS_H

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "libdwq/base/last_words.h"
#include "libdwq/process/board.h"

#define DWQI_N_WITNESS_SIGNALS 16

/* Where a call is left to, and why. Lies on the stack of what made the call. */
struct dwqi_way_out {
    sigjmp_buf back;
    struct dwqi_way_out *outer; /* a call may make others */
    uint64_t outer_id;
    char outer_function[sizeof((struct dwqi_last_words *)NULL)->function];
    int code;
    char text[256];
};

/* Of one run of this process. */
struct dwqi_witness {
    struct dwqi_witness *outer;    /* of the run around this one */
    struct dwqi_board *board;      /* or NULL */
    struct dwqi_last_words *words; /* on the board, or: */
    struct dwqi_last_words own;
    _Atomic bool is_said; /* where there is no board */
    bool opened;          /* by dwq_open(): the program has to close it */
    /* For it, as a failure, and `who` warns; or NULL: not on this rank. */
    void (*close)(void *run, const char *who);
    void *run;
    struct dwqi_way_out
        *_Atomic way; /* of the innermost call; NULL: none runs */
    pthread_t thread; /* of the run and its calls */
    sigset_t blocked; /* there, when the run began */
    bool is_alone;    /* no other rank of the run looks at the board */
    /* That knows what others run, while its function does; or NULL. */
    const struct dwq_controller *_Atomic controller;

    /* The call that was given up last, and why. */
    struct dwqi_last_words given_up;
    char why_given_up[256];
};

/* What handles signals, while any run goes on in the process. */
struct dwqi_handlers {
    struct sigaction old[DWQI_N_WITNESS_SIGNALS];
    bool watched[DWQI_N_WITNESS_SIGNALS];
    pthread_t thread; /* of the first run */
    void *stack;      /* for handlers, should its own be full; or NULL */
    stack_t old_stack;
};

void dwqi_witness_begin(struct dwqi_witness *witness,
                        struct dwqi_witness *outer);
void dwqi_witness_finish(struct dwqi_witness *witness);
/* Who this process is, as it says it. */
void dwqi_witness_set_who(struct dwqi_witness *witness, const char *who);
/* Takes the board; the words go there. */
void dwqi_witness_set_board(struct dwqi_witness *witness,
                            struct dwqi_board *board);

/* Around a call, on the run's thread. A call that was left by force comes back a second
 * time from sigsetjmp(way->back, 0). */
void dwqi_witness_enter_call(struct dwqi_witness *witness,
                             struct dwqi_way_out *way, uint64_t id,
                             const char *function);
void dwqi_witness_leave_call(struct dwqi_witness *witness,
                             struct dwqi_way_out *way);
/* The call was left by force: keep why. */
void dwqi_witness_keep(struct dwqi_witness *witness,
                       const struct dwqi_way_out *way);

/* If a call runs: leave it with that code and text, and do not come back; but not out of
 * a handler of a signal, where the program may mean to end. From another thread than
 * the call's that cannot be: says so, and ends the process. */
void dwqi_witness_give_up(int code, const char *text);

/* Whether it is this process's to say why the run ends; whoever asks has to. */
bool dwqi_witness_claim(struct dwqi_witness *witness);
/* Who ends the run has said why: nobody of this host says more. */
void dwqi_witness_hush(void);
/* Say the reason, if nobody has said one. For handlers of signals, too. */
bool dwqi_witness_say(struct dwqi_witness *witness, const char *reason);
/* Say that others have not come back from the call that was given up last. */
void dwqi_witness_say_stuck(struct dwqi_witness *witness);
/* The same where the controller's process is gone. */
void dwqi_witness_say_orphaned(struct dwqi_witness *witness);
/* Told to end: say who of this host has died without a word, if one has. */
bool dwqi_witness_say_dead(struct dwqi_witness *witness);
/* The run ends as somebody is late: say who of this host is stopped; or else, if calls
 * are what is late, who is in one. */
void dwqi_witness_say_late(bool in_calls);
/* The process ends now, without any of its own handlers. */
_Noreturn void dwqi_witness_exit_now(int code);

/* Those of the program come back, and come after ours. (witness_signals.c) */
void dwqi_handlers_set(struct dwqi_handlers *handlers);
void dwqi_handlers_restore(struct dwqi_handlers *handlers);
/* Whether it is the default action, or a handler of ours that stands before it. */
bool dwqi_handlers_is_default(const struct dwqi_handlers *handlers, int signal,
                              const struct sigaction *action);

#endif

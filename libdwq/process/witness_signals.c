/* A signal that ends the process is said first. Then comes what was there before. */
#define _XOPEN_SOURCE 700 /* sigaltstack */
#include <stdlib.h>
#include <unistd.h>

#include "libdwq/base/line.h"
#include "libdwq/process/lines.h"
#include "libdwq/process/process.h"

/* `fault`: the program's own handler, too, comes second (MPI's prints the stack). */
static const struct witness_signal {
    int signal;
    const char *name;
    bool fault;
} signals[] = {
    { SIGSEGV, "SIGSEGV", true },  { SIGBUS, "SIGBUS", true },
    { SIGFPE, "SIGFPE", true },    { SIGILL, "SIGILL", true },
    { SIGABRT, "SIGABRT", true },  { SIGSYS, "SIGSYS", true },
    { SIGTRAP, "SIGTRAP", false }, { SIGXCPU, "SIGXCPU", false },
    { SIGXFSZ, "SIGXFSZ", false }, { SIGPIPE, "SIGPIPE", false },
    { SIGALRM, "SIGALRM", false }, { SIGHUP, "SIGHUP", false },
    { SIGQUIT, "SIGQUIT", false }, { SIGUSR1, "SIGUSR1", false },
    { SIGUSR2, "SIGUSR2", false }, { SIGTERM, "SIGTERM", true },
};
_Static_assert(sizeof signals / sizeof signals[0] == DWQI_N_WITNESS_SIGNALS,
               "as many places");

#define STACK_SIZE ((size_t)64 * 1024)

static int index_of(int signal)
{
    int i = 0;

    while (signals[i].signal != signal) {
        i++;
    }
    return i;
}

/* A launcher tells all ranks when one of them has died; a rank may tell itself. */
static void say_it(struct dwqi_witness *witness,
                   const struct witness_signal *what, const siginfo_t *info)
{
    struct dwqi_line line = { .used = 0 };

    if (what->signal == SIGTERM && info->si_pid != getpid()) {
        witness->words->told = 1;
        dwqi_witness_say_dead(witness);
        return;
    }
    dwqi_line_add(&line, "signal ");
    dwqi_line_add_number(&line, (uint64_t)what->signal);
    dwqi_line_add(&line, " (");
    dwqi_line_add(&line, what->name);
    dwqi_line_add(&line, ")");
    line.text[line.used] = '\0';
    dwqi_witness_say(witness, line.text);
}

/* SIGPIPE is of a peer that died. SIGUSR1 says that the job ends soon: all ranks get it,
 * and the controller's ends the run. */
static bool is_survived(int signal)
{
    struct dwqi_lines *lines = dwqi_process_lines();

    if (signal == SIGUSR1) {
        dwqi_lines_end(lines);
    }
    return lines && (signal == SIGPIPE || signal == SIGUSR1);
}

/* What was there before finds all as it was: a fault happens again, a signal that was
 * sent is sent again. In a forked child there is nothing to say. */
static void on_signal(int signal, siginfo_t *info, void *context)
{
    struct dwqi_witness *witness = dwqi_process_witness();
    int i = index_of(signal);

    (void)context;
    if (is_survived(signal)) {
        return;
    }
    if (witness) {
        say_it(witness, &signals[i], info);
    }
    sigaction(signal, &dwqi_process_handlers()->old[i], NULL);
    if (info->si_code <= 0) {
        raise(signal);
    }
}

static bool is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == on_signal;
}

static bool is_handler(const struct sigaction *action, void (*handler)(int))
{
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == handler;
}

bool dwqi_handlers_is_default(const struct dwqi_handlers *handlers, int signal,
                              const struct sigaction *action)
{
    return is_handler(action, SIG_DFL) ||
           (is_ours(action) &&
            is_handler(&handlers->old[index_of(signal)], SIG_DFL));
}

static void take_stack(struct dwqi_handlers *handlers)
{
    stack_t stack = { .ss_size = STACK_SIZE };

    if (sigaltstack(NULL, &handlers->old_stack) == 0 &&
        (handlers->old_stack.ss_flags & SS_DISABLE)) {
        handlers->stack = malloc(STACK_SIZE);
        stack.ss_sp = handlers->stack;
        if (handlers->stack && sigaltstack(&stack, NULL) != 0) {
            free(handlers->stack);
            handlers->stack = NULL;
        }
    }
}

/* The user may have set another since; and a thread that is not this one keeps it. */
static void give_stack(struct dwqi_handlers *handlers)
{
    stack_t now;

    if (handlers->stack && pthread_equal(handlers->thread, pthread_self()) &&
        sigaltstack(NULL, &now) == 0) {
        if (now.ss_sp == handlers->stack) {
            sigaltstack(&handlers->old_stack, NULL);
        }
        free(handlers->stack);
    }
    handlers->stack = NULL;
}

void dwqi_handlers_set(struct dwqi_handlers *handlers)
{
    struct sigaction action = { .sa_sigaction = on_signal,
                                .sa_flags = SA_SIGINFO | SA_ONSTACK };

    sigemptyset(&action.sa_mask);
    handlers->thread = pthread_self();
    take_stack(handlers);
    for (int i = 0; i < DWQI_N_WITNESS_SIGNALS; i++) {
        struct sigaction *old = &handlers->old[i];

        handlers->watched[i] = sigaction(signals[i].signal, NULL, old) == 0 &&
                               !is_handler(old, SIG_IGN) &&
                               (signals[i].fault || is_handler(old, SIG_DFL)) &&
                               sigaction(signals[i].signal, &action, NULL) == 0;
    }
}

/* A handler that the program set since then stays. */
void dwqi_handlers_restore(struct dwqi_handlers *handlers)
{
    for (int i = 0; i < DWQI_N_WITNESS_SIGNALS; i++) {
        struct sigaction action;

        if (handlers->watched[i] &&
            sigaction(signals[i].signal, NULL, &action) == 0 &&
            is_ours(&action)) {
            sigaction(signals[i].signal, &handlers->old[i], NULL);
        }
    }
    give_stack(handlers);
}

#include "libdwq/run/interrupt.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libdwq/process/lines.h"
#include "libdwq/process/process.h"
#include "libdwq/queue/controller.h"

static const int signals[] = { SIGINT, SIGTERM };

/* A launcher that ends its job hears what its ranks say more often when they live
 * a moment longer. */
static const struct timespec moment = { .tv_nsec = 200 * 1000 * 1000 };

/* A launcher that tells a rank to end may do so as another one ended: that is said. */
static void say_told(void)
{
    struct dwqi_witness *witness = dwqi_process_witness();
    struct dwqi_line line = { .used = 0 };
    ssize_t ignored;

    if (witness &&
        (dwqi_witness_say_dead(witness) || !dwqi_witness_claim(witness))) {
        return;
    }
    dwqi_line_add(&line,
                  "libdwq: error: told to end (SIGTERM): the controller ends, "
                  "and all ranks with it");
    if (witness && witness->controller &&
        pthread_equal(witness->thread, pthread_self())) {
        dwqi_controller_add_running(witness->controller, &line);
    }
    line.text[line.used++] = '\n';
    ignored = write(STDERR_FILENO, line.text, line.used);
    (void)ignored;
}

static void say_signal(int signal)
{
    static const char interrupted[] =
        "libdwq: error: interrupted by a signal: the controller ends, and all "
        "ranks with it\n";
    ssize_t ignored = 0;

    if (signal == SIGINT) {
        ignored = write(STDERR_FILENO, interrupted, sizeof interrupted - 1);
    } else {
        say_told();
    }
    (void)ignored;
    nanosleep(&moment, NULL);
}

/* Says it, and lets the signal do what it does by default: end this process,
 * and by that (the launcher sees to it) the job. A child of fork() just ends. */
static void on_signal(int signal)
{
    if (signal == SIGTERM && dwqi_lines_is_hub(dwqi_process_lines())) {
        dwqi_lines_end(
            dwqi_process_lines()); /* the second one ends the process */
        return;
    }
    if (dwqi_process_is_ours()) {
        say_signal(signal);
    }
    raise(signal); /* SA_RESETHAND: now the default action */
}

void dwqi_interrupt_watch(struct dwqi_interrupt *interrupt)
{
    memset(interrupt, 0, sizeof *interrupt);
    for (int i = 0; i < 2; i++) {
        struct sigaction action = { .sa_handler = on_signal,
                                    .sa_flags = SA_RESETHAND };

        sigemptyset(&action.sa_mask);
        if (sigaction(signals[i], NULL, &interrupt->old[i]) == 0 &&
            dwqi_handlers_is_default(dwqi_process_handlers(), signals[i],
                                     &interrupt->old[i])) {
            interrupt->watched[i] = sigaction(signals[i], &action, NULL) == 0;
        }
    }
}

/* A handler that the program set since then stays. */
void dwqi_interrupt_restore(const struct dwqi_interrupt *interrupt)
{
    struct sigaction now;

    for (int i = 0; i < 2; i++) {
        if (interrupt->watched[i] && sigaction(signals[i], NULL, &now) == 0 &&
            now.sa_handler == on_signal) {
            sigaction(signals[i], &interrupt->old[i], NULL);
        }
    }
}

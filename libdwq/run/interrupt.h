/* A run that is ended by SIGINT or SIGTERM says so. Only where the program has
 * not set a handler of its own; what was there comes back. */
#ifndef DWQI_RUN_INTERRUPT_H
#define DWQI_RUN_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

struct dwqi_interrupt {
    struct sigaction old[2];
    bool watched[2];
};

void dwqi_interrupt_watch(struct dwqi_interrupt *interrupt);
void dwqi_interrupt_restore(const struct dwqi_interrupt *interrupt);

#endif

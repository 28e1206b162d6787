/* Where the controller's process says how the job ends: process/launcher.h. */
#ifndef DWQI_COMMAND_VERDICT_H
#define DWQI_COMMAND_VERDICT_H

#include <stdbool.h>

#include "libdwq/process/launcher.h"

enum verdict_state {
    VERDICT_NOBODY,  /* no controller has come so far */
    VERDICT_AWAITED, /* it lives */
    VERDICT_GIVEN,
    VERDICT_LOST /* it is gone, and said nothing */
};

struct verdict {
    enum verdict_state state;
    int code; /* GIVEN */
    char job[48];
    int listener;
    int controller; /* its connection; -1: none */
    uint64_t secret;
    char address[256]; /* for DWQI_LAUNCHER_ENV */
};

/* False: nobody can be listened to, as errno says. */
bool verdict_listen(struct verdict *verdict);
/* What there is to hear now: of the listener, or of the controller's connection. */
void verdict_hear(struct verdict *verdict);
/* mpirun has ended: what the controller said before. */
void verdict_hear_rest(struct verdict *verdict);
void verdict_close(struct verdict *verdict);

#endif

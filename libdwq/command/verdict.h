/* What the processes of the job say: process/launcher.h. */
#ifndef DWQI_COMMAND_VERDICT_H
#define DWQI_COMMAND_VERDICT_H

#include <poll.h>
#include <stdbool.h>

#include "libdwq/process/launcher.h"

enum verdict_state {
    VERDICT_NOBODY, /* no process has come so far: the program may know nothing of it */
    VERDICT_STARTING,
    VERDICT_BROKEN, /* a process died meanwhile: nothing will come of it */
    VERDICT_BEGUN,  /* the controller lives, and its run deals with deaths */
    VERDICT_GIVEN,
    VERDICT_LOST /* the controller is gone, and said nothing */
};

struct guest {
    int socket;
    int rank;
    bool leads; /* it is the controller's process */
};

struct verdict {
    enum verdict_state state;
    int code;   /* GIVEN */
    int rank;   /* BROKEN: of the process that died; -1: not known */
    int n_left; /* processes that ended as they should, before the run */
    char job[44];
    int listener;
    struct guest *guests; /* [n_guests] */
    int n_guests, room;
    uint64_t secret;
    char address[256]; /* for DWQI_LAUNCHER_ENV */
};

/* False: nobody can be listened to, as errno says. */
bool verdict_listen(struct verdict *verdict);
/* What there is to look at: written to fds, which has room for verdict_n_files(). */
int verdict_n_files(const struct verdict *verdict);
void verdict_list_files(const struct verdict *verdict, struct pollfd *fds);
/* What came of looking at them. */
void verdict_hear(struct verdict *verdict, const struct pollfd *fds);
/* To the controller: the run is to end now. False: there is none that could hear it. */
bool verdict_ask_end(const struct verdict *verdict);
/* mpirun has ended: what was said before. */
void verdict_hear_rest(struct verdict *verdict);
void verdict_close(struct verdict *verdict);

#endif

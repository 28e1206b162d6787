/* Lines between the processes of a job that outlives the death of some: a connection of
 * TCP from each to one of them, the hub, the controller's. The kernel closes the line of a
 * process that dies, however it dies, and answers for one that computes, or is stopped; so
 * a death is heard at once on all hosts, and nobody has to beat a drum. A host that is
 * gone, or cut off, answers no more: its lines break after DWQI_LINE_SILENCE seconds.
 *
 *     each                      hub
 *       | HELLO who, worker      |     the secret of the job
 *       |----------------------->|
 *       |                WELCOME |     another secret: this is the hub
 *       |<-----------------------|
 *       | WORKER number          |     of the run that begins; 0: none
 *       |----------------------->|
 *       | WORDS why              |     it is about to die
 *       |----------------------->|
 *       |         DEATH, or KILL |     somebody died; die: your worker is lost
 *       |<-----------------------|
 *       |                   STOP |     which of your tasks is to stop; or every one
 *       |<-----------------------|
 *       | LEAVE            LEAVE |     what comes of the line is no death
 *       |<---------------------->|
 *
 * When a process dies that is of a worker, the hub kills the others of that worker, which
 * may wait for it in MPI for ever. When the hub dies all end. Linux only. */
#ifndef DWQI_PROCESS_LINES_H
#define DWQI_PROCESS_LINES_H

#include <dwq/status.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "libdwq/base/error.h"

#define DWQI_LINE_SILENCE 3 /* seconds */
#define DWQI_HUB_ADDRESSES 8

struct dwqi_lines; /* of this process: the hub's, or one */

/* Where the hub is, as others are told. */
struct dwqi_hub_address {
    uint64_t secrets[2];
    int32_t port;
    uint32_t n;
    uint32_t
        ip[DWQI_HUB_ADDRESSES]; /* IPv4, as on the wire; loopback is the last */
};
_Static_assert(sizeof(struct dwqi_hub_address) == 56, "wire struct");

/* A process that died, and was not killed for another one. */
struct dwqi_death {
    int worker; /* of the run; 0: none */
    int rank;   /* of the job; -1: a spawned one */
    char why[256];
};

/* The hub. NULL: why not is in *error. */
struct dwqi_lines *dwqi_lines_listen(struct dwqi_hub_address *address_out,
                                     struct dwqi_error *error);
/* One of the others. `who` is copied: "rank 3 (worker 3) on host n1". NULL: as above. */
struct dwqi_lines *dwqi_lines_connect(const struct dwqi_hub_address *address,
                                      int rank, int worker, const char *who,
                                      struct dwqi_error *error);
bool dwqi_lines_is_hub(const struct dwqi_lines *lines);
/* Where the hub is: for processes that come later. Not NULL. */
const struct dwqi_hub_address *dwqi_lines_address(
    const struct dwqi_lines *lines);
/* In a child of fork(): the line is its parent's alone. */
void dwqi_lines_in_child(struct dwqi_lines *lines);
/* What becomes of this process is no death from now on; of the hub: and of nobody. */
void dwqi_lines_leave(struct dwqi_lines *lines);
/* Whether anybody has died so far. In any thread; NULL: false. */
bool dwqi_lines_know_deaths(const struct dwqi_lines *lines);

/* This process is of that worker from now on (0: of none). */
void dwqi_lines_set_worker(struct dwqi_lines *lines, int worker);
/* Why this process is about to die. For handlers of signals, too. False: it is the hub,
 * or there are no lines, and nobody was told. */
bool dwqi_lines_say(struct dwqi_lines *lines, const char *why, int size);

/* Where this process keeps which of its tasks is to stop (item/transport.h); NULL: nowhere. */
void dwqi_lines_set_stop(struct dwqi_lines *lines, _Atomic uint64_t *where);

/* Of the hub. The ranks of that worker hear which task is to stop. */
void dwqi_lines_stop(struct dwqi_lines *lines, int worker, uint64_t id);
/* The run is to end: all ranks hear that their tasks are to stop, and take_end() answers
 * true once. For handlers of signals, too. */
void dwqi_lines_end(struct dwqi_lines *lines);
bool dwqi_lines_take_end(struct dwqi_lines *lines);
/* `dwq run` may say so, by that connection; when it is gone all end. */
void dwqi_lines_hear_launcher(struct dwqi_lines *lines, int connection);

/* Of the hub. `wake` is called in another thread when somebody has died, until it is set
 * anew (NULL: nobody is told). A death before it was first set is the end of the job; and
 * one while it is NULL and a run is under way. */
void dwqi_lines_set_wake(struct dwqi_lines *lines, void (*wake)(void *arg),
                         void *arg);
/* The next death, first died first; false: no more. */
bool dwqi_lines_take_death(struct dwqi_lines *lines,
                           struct dwqi_death *death_out);
/* It is not waited for any longer: all its processes die, and that is no news. */
void dwqi_lines_kill_worker(struct dwqi_lines *lines, int worker);

#endif

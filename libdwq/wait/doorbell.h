/* How a sleeping rank is woken by another one of its host: a futex word of its
 * own, in memory that the others map. MPI has no wake-up.
 *
 *     sleeper:  arm, poll once more, wait           (or disarm)
 *     sender:   send, ring
 *
 * Either the poll sees the message or the sender sees the armed word. Nothing
 * relies on it: a ring that is lost costs the bound of the wait. A rank has one
 * bell, whatever it waits for, and ringers for each communicator it sends on.
 *
 * Whether a peer can ring is tried by it, never concluded: it maps the memory when
 * the ringers are made (later, too, when that failed), and counts itself there. So a
 * rank sees by itself whether all can wake it, and sleeps long only then.
 *
 * The memory has no name in any file system, so nothing is left of a job that
 * was killed. Without Linux, or with DWQ_DOORBELL=0 in the environment, there
 * is no bell, and a NULL bell and NULL ringers do nothing. */
#ifndef DWQI_WAIT_DOORBELL_H
#define DWQI_WAIT_DOORBELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dwqi_bell;
struct dwqi_desk;
struct dwqi_ringers;

/* Where a rank and its bell are, as others are told. */
struct dwqi_bell_address {
    uint64_t machine; /* one kernel; 0: not known */
    uint64_t host;    /* and one user and process namespace; 0: not known */
    uint64_t node;    /* one host name */
    uint64_t secret;  /* stands in the memory, too */
    int32_t process;
    int32_t file; /* -1: there is no bell */
};
_Static_assert(sizeof(struct dwqi_bell_address) == 40, "wire struct");

/* NULL when there cannot be one, or it is not wanted. */
struct dwqi_bell *dwqi_bell_create(void);
void dwqi_bell_destroy(struct dwqi_bell *bell);
struct dwqi_bell_address dwqi_bell_address(const struct dwqi_bell *bell);

/* n more ringers are made for it. */
void dwqi_bell_expect(struct dwqi_bell *bell, int n);
/* Whether all that were can ring. */
bool dwqi_bell_is_reached(const struct dwqi_bell *bell);

/* In the memory of the bell, zero at first (item/transport.h). NULL: there is no bell. */
struct dwqi_desk *dwqi_bell_desk(struct dwqi_bell *bell);

/* Before the last poll. */
void dwqi_bell_arm(struct dwqi_bell *bell);
/* Up to `seconds`, or until the bell has been rung since it was armed. */
void dwqi_bell_wait(struct dwqi_bell *bell, double seconds);
/* Awake again: nobody needs to ring. */
void dwqi_bell_disarm(struct dwqi_bell *bell);

/* For the peers with these addresses (copied). NULL: out of memory. */
struct dwqi_ringers *dwqi_ringers_create(
    const struct dwqi_bell_address *addresses, int n);
void dwqi_ringers_destroy(struct dwqi_ringers *ringers);
/* As they were given. */
const struct dwqi_bell_address *dwqi_ringers_addresses(
    const struct dwqi_ringers *ringers, int *n_out);
/* The peers never sleep: a ring need not look. */
void dwqi_ringers_never_ring(struct dwqi_ringers *ringers);
/* Of a controller: wait until somebody has asked since it was asked n times (the answer: how
 * often now), or a signal comes; ask. */
uint32_t dwqi_desk_await(struct dwqi_desk *desk, uint32_t n);
void dwqi_desk_ask(struct dwqi_desk *desk);
/* That of a peer's bell; NULL: it is not mapped. */
struct dwqi_desk *dwqi_ringers_desk(struct dwqi_ringers *ringers, int peer);
/* After a send: wake the peer if it sleeps. */
void dwqi_ringers_ring(struct dwqi_ringers *ringers, int peer);

#endif

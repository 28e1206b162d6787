/* The inside of the simulated transport, for its two files. */
#ifndef TESTS_SIM_TRANSPORT_SIM_PRIVATE_H
#define TESTS_SIM_TRANSPORT_SIM_PRIVATE_H

#include "libdwq/base/heap.h"
#include "tests/sim/transport_sim.h"
#define uthash_malloc(size) dwqi_sim_memory(size)
#include <uthash.h>

/* A message under way, or in an inbox. A large body stays with its sender until
 * it arrives, so that one who touches it too early is found out. */
struct parcel {
    struct dwqi_message message;
    struct dwqi_extent *parts; /* what was not copied yet, or NULL */
    size_t n_parts;
    bool noisy; /* it will be corrupted */
    struct parcel *next, *prev;
};

enum event_kind {
    EVENT_ARRIVAL,
    EVENT_WAKE,
    EVENT_RELEASE,
    EVENT_CALL
};

struct event {
    double time;
    uint64_t sequence; /* of two at one time the earlier made comes first */
    enum event_kind kind;
    int endpoint;
    struct parcel *parcel;   /* of an arrival */
    void (*call)(void *arg); /* EVENT_CALL; or the release of a large body: some
                               * time after it has arrived its sender knows */
    void *arg;
    int sender;
    double sent; /* when, on the sender's clock */
    size_t place;
};

/* When the last message of a pair arrives: the next comes no earlier. Those with
 * endpoint 0, most of all, are with the other endpoint. */
struct pair {
    uint64_t key; /* from, to */
    double last;
    UT_hash_handle hh;
};

struct endpoint {
    struct dwqi_transport base;
    struct dwqi_sim *sim;
    int number;
    int offset; /* endpoint that is its peer 0 */
    int host;   /* whose clock and step it shares: its own number, mostly */
    int n_moving;
    void *desk_memory; /* of its desk; NULL: nobody asked for it */
    double clock;
    double last_to_0, last_from_0; /* see struct pair */
    struct parcel *inbox;
    bool waking;   /* an EVENT_WAKE is there */
    bool dead;     /* nothing that comes to it is received */
    bool released; /* since the last pause: that ends a pause, too */
    dwq_status_t (*step)(void *arg);
    void *step_arg;
};

struct dwqi_sim {
    struct dwqi_sim_config config;
    uint64_t random;
    double clock;
    uint64_t sequence;
    struct dwqi_heap events;
    struct pair *pairs;
    bool stuck;
    uint64_t n_sent, n_corrupted;
    size_t n_unreleased; /* large bodies whose sender may not touch them */
    dwq_status_t error;
    struct endpoint endpoints[];
};

struct event *dwqi_sim_add_event(struct dwqi_sim *sim, enum event_kind kind,
                                 int endpoint, double time);
void dwqi_sim_free_parcel(struct parcel *parcel);
double *dwqi_sim_last_of_pair(struct dwqi_sim *sim, int from, int to);

#endif

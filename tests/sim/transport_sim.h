/* Many endpoints in one process on virtual time. Messages between two endpoints
 * keep their order; between different pairs they overtake each other as the
 * seed has it. Endpoint 0 is driven by its caller (the controller and the user's
 * code); the others are stepped whenever something came for them. The same seed
 * gives the same run. */
#ifndef TESTS_SIM_TRANSPORT_SIM_H
#define TESTS_SIM_TRANSPORT_SIM_H

#include "libdwq/item/transport.h"

struct dwqi_sim;

struct dwqi_sim_config {
    int n_endpoints;
    uint64_t seed;
    double mean_delay; /* seconds a message is under way, exponential */
    double long_delay; /* seconds; some messages take up to this much more */
    double long_share; /* 0..1: which share of them */
    double corrupt;    /* 0..1: which share of those with a body (EXIT and BYE
                        * have none) has noise in one place */
    bool far;          /* they share no memory for claims */
    int corrupt_below; /* only between endpoints below this; 0: between all */
};

/* Of the simulation itself, cleared, for free(). A test may have one allocation of those
 * that it simulates fail, which this one is not: it tries again. */
void *dwqi_sim_memory(size_t size);

/* NULL: no memory. */
struct dwqi_sim *dwqi_sim_create(const struct dwqi_sim_config *config);
void dwqi_sim_destroy(struct dwqi_sim *sim);

/* Owned by the simulation; close does nothing. */
struct dwqi_transport *dwqi_sim_endpoint(struct dwqi_sim *sim, int endpoint);

/* Peer p of this endpoint is endpoint base + p. */
void dwqi_sim_set_base(struct dwqi_sim *sim, int endpoint, int base);
/* The endpoint belongs to the process of `host`: one clock, one step. */
void dwqi_sim_join(struct dwqi_sim *sim, int endpoint, int host);

/* From time `start` on, `step` is called when there may be something to do: it
 * answers DWQ_OK (call again), DWQ_E_AGAIN (when something comes), or an error
 * (never again). */
void dwqi_sim_set_step(struct dwqi_sim *sim, int endpoint,
                       dwq_status_t (*step)(void *arg), void *arg,
                       double start);

/* Let time pass at one endpoint: its user's code computes. */
void dwqi_sim_advance(struct dwqi_sim *sim, int endpoint, double seconds);
double dwqi_sim_now(const struct dwqi_sim *sim, int endpoint);

/* It is dead from now on: no step, and what comes to it is lost. */
void dwqi_sim_kill(struct dwqi_sim *sim, int endpoint);
/* Endpoint 0 hears of the death so many seconds later, behind all that the dead had
 * sent. */
void dwqi_sim_tell_death(struct dwqi_sim *sim, int endpoint, double delay);
/* At a time, call this, and step the endpoint. */
void dwqi_sim_call(struct dwqi_sim *sim, int endpoint, double time,
                   void (*call)(void *arg), void *arg);
/* Let everybody but endpoint 0 go on until nothing is under way; false: that was
 * not so after `most` events. */
bool dwqi_sim_drain(struct dwqi_sim *sim, uint64_t most);
/* Transfers that dwqi_moving() told of and that did not end. */
int dwqi_sim_n_moving(const struct dwqi_sim *sim, int endpoint);

/* Endpoint 0 waited without a bound while nothing was under way. */
bool dwqi_sim_is_stuck(const struct dwqi_sim *sim);
/* Messages sent so far, and those of them that were corrupted. */
uint64_t dwqi_sim_n_sent(const struct dwqi_sim *sim);
uint64_t dwqi_sim_n_corrupted(const struct dwqi_sim *sim);
/* Large bodies under way whose memory is still the transport's. */
size_t dwqi_sim_n_unreleased(const struct dwqi_sim *sim);
/* The first error that a step answered, or DWQ_OK. */
dwq_status_t dwqi_sim_error(const struct dwqi_sim *sim);

/* Numbers from a seed: splitmix64 (Steele, Lea, Flood 2014). */
uint64_t dwqi_random(uint64_t *state);
double dwqi_random_unit(uint64_t *state); /* [0, 1) */
/* Put noise in place of one of the 64-byte blocks. A single changed byte could make one
 * sound message into another (the id of one task into that of the next), which nobody
 * without a checksum can see, and MPI does not do. */
void dwqi_random_noise(uint64_t *state, unsigned char *bytes, size_t size);

#endif

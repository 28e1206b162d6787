/* The collectives of one group on virtual time. Ranks are as nasty as MPI allows:
 * the root of a broadcast may be done before others begin it, or only after all of
 * them are; the memory of a receiver holds noise until it is done; that of a sender
 * is read as late as may be. The same seed gives the same run. */
#ifndef TESTS_SIM_COLL_SIM_H
#define TESTS_SIM_COLL_SIM_H

#include "libdwq/item/coll.h"
#include "tests/sim/transport_sim.h"

struct dwqi_coll_sim;

struct dwqi_coll_sim_config {
    struct dwqi_sim *sim; /* borrowed */
    int first;            /* endpoint of rank 0; the others follow */
    int n_ranks;
    uint64_t seed;
    double mean_delay;  /* seconds, exponential */
    double eager;       /* 0..1: share of small transfers whose sender does not
                        * wait for the receiver */
    size_t max;         /* bytes of one collective */
    size_t gatherv_max; /* of one gatherv; 0: max */
};

/* NULL: no memory. */
struct dwqi_coll_sim *dwqi_coll_sim_create(
    const struct dwqi_coll_sim_config *config);
void dwqi_coll_sim_destroy(struct dwqi_coll_sim *group);

/* Owned by the group; close does nothing. */
struct dwqi_coll *dwqi_coll_sim_rank(struct dwqi_coll_sim *group, int rank);

/* What the ranks did that MPI does not allow: other collectives in another order,
 * sizes that do not match, two at a time. NULL: nothing. */
const char *dwqi_coll_sim_fault(const struct dwqi_coll_sim *group);
/* Collectives that some rank has begun and not every rank has finished. */
size_t dwqi_coll_sim_n_open(const struct dwqi_coll_sim *group);
/* Those begun so far. */
uint64_t dwqi_coll_sim_n_begun(const struct dwqi_coll_sim *group);

#endif

/* Results on their way to the controller. While the user's thread computes there, nobody
 * receives them, and MPI has room for some hundreds of messages, which a broker needs for
 * its group as well. So a worker that shares memory with the controller counts what was
 * heard, and keeps the rest here, in order, until the controller listens. */
#ifndef DWQI_WORKERS_RESULTS_H
#define DWQI_WORKERS_RESULTS_H

#include "libdwq/item/transport.h"
#include "workers/runner.h"

struct dwqi_kept_result;

#define DWQI_LARGE_MAX 64

struct dwqi_results {
    struct dwqi_transport *transport; /* borrowed */
    int controller;                   /* a peer */
    struct dwqi_desk *desk; /* this rank's; NULL: none, or not looked for yet */
    struct dwqi_kept_result *kept; /* oldest first */
    size_t n_kept_bytes;
    bool
        is_moving; /* a large one of these was sent, and may not have left yet */
    uint32_t n_sent;
    uint32_t n_heard; /* of these, as last seen */
    /* Of those that were not heard, the large ones, oldest first: each has further
     * messages, for its bodies; and the number of all these. */
    struct {
        uint32_t number, n_bodies;
    } large[DWQI_LARGE_MAX];
    int n_large;
    uint32_t n_bodies;
};

/* The report is released in every case; `next_in` as in dwqi_outgoing. DWQ_OK, DWQ_E_NOMEM,
 * DWQ_E_MPI. */
dwq_status_t dwqi_results_send(struct dwqi_results *results,
                               const struct dwqi_report *report,
                               double next_in);
/* What is kept leaves, as far as there is room, or `all` of it: then it has left. */
dwq_status_t dwqi_results_push(struct dwqi_results *results, bool all);
/* Whether no more tasks should come before some of what is kept has left. */
bool dwqi_results_are_many(const struct dwqi_results *results);
/* Before a call whose task came in a message: what moves only while this rank polls has
 * left. DWQ_OK, DWQ_E_MPI. */
dwq_status_t dwqi_results_settle(struct dwqi_results *results);
/* When to push again, at the latest, on the transport's clock; 0: nothing is kept. */
double dwqi_results_look_again(const struct dwqi_results *results);
void dwqi_results_finish(struct dwqi_results *results);

#endif

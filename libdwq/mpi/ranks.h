/* A set of ranks over a communicator of the library's, as one of them has it: the world of
 * a run, or a group with its broker. What they do together at the start and the end of a run
 * is here; all of it is collective, over the same ranks in the same order, and waits
 * cheaply. */
#ifndef DWQI_MPI_RANKS_H
#define DWQI_MPI_RANKS_H

#include <dwq/status.h>
#include <stddef.h>

#include "libdwq/base/log.h"
#include "libdwq/item/gathered.h"

struct dwqi_ranks;

/* Not collective. */
int dwqi_ranks_rank(const struct dwqi_ranks *ranks);
int dwqi_ranks_size(const struct dwqi_ranks *ranks);

/* The least of all values. DWQ_OK, DWQ_E_MPI. */
dwq_status_t dwqi_ranks_min(struct dwqi_ranks *ranks, int value, int *min_out);
/* `size` bytes of the root's to all. DWQ_OK, DWQ_E_ARG: too many, DWQ_E_MPI. */
dwq_status_t dwqi_ranks_bcast(struct dwqi_ranks *ranks, int root, void *data,
                              size_t size);
/* DWQ_E_TIME_LIMIT: somebody did not come until then (INFINITY: it waits), and only
 * the end of the job is left. */
dwq_status_t dwqi_ranks_barrier(struct dwqi_ranks *ranks, double until);
/* The bytes of every rank on every rank; they may give different numbers of bytes. The
 * same on all: DWQ_OK; DWQ_E_ARG: more than 2 GiB in all; DWQ_E_NOMEM, which is logged
 * by those that have no memory (`log`: unless NULL); DWQ_E_MPI. */
dwq_status_t dwqi_ranks_gather_all(struct dwqi_ranks *ranks, const void *mine,
                                   size_t size, const struct dwqi_log *log,
                                   struct dwqi_gathered *out);

#endif

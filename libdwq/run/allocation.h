/* When the allocation ends that this job runs in, by what its environment says, and what
 * follows from that for a run. */
#ifndef DWQI_RUN_ALLOCATION_H
#define DWQI_RUN_ALLOCATION_H

#include "libdwq/base/error.h"

struct dwqi_allocation {
    double left;        /* seconds; INFINITY: no end */
    const char *source; /* who says so; NULL: nobody knows of an end */
};

/**
 * @param since_first  Seconds since this program's first run began.
 *
 * @return DWQ_OK; DWQ_E_OPTION: a variable that cannot be read
 */
dwq_status_t dwqi_allocation_find(double since_first,
                                  struct dwqi_allocation *allocation_out,
                                  struct dwqi_error *fault);

/* All in seconds from now. */
struct dwqi_allocation_limits {
    double limit; /* running calls are asked to stop */
    double grace; /* for which they are awaited then */
    double gone;  /* the job is ended, whatever still goes on */
};

/* With so many seconds left; margin 0: the usual one; grace 0: as long as can be. */
struct dwqi_allocation_limits dwqi_allocation_limits(double left, double margin,
                                                     double grace);

#endif

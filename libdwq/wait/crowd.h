/* Whether ranks of one machine share processors. What counts is what each may use
 * (affinity mask, cpuset, quota of its container), never what the machine has. */
#ifndef DWQI_WAIT_CROWD_H
#define DWQI_WAIT_CROWD_H

#include "libdwq/wait/doorbell.h"

/**
 * Whether there are too few processors for each rank of this machine to have one of its
 * own, of those that compete with this rank for any. Looks at the ranks' masks as they
 * are now, without a word to them. What is not known counts as crowded.
 *
 * @param ringers   Tell who they are. NULL: not known.
 * @param n_others  More ranks of the job, which may be here, too.
 */
bool dwqi_crowded(const struct dwqi_ringers *ringers, int n_others);

/* Have MPI's own waits yield, in the user's collectives, too: they cost milliseconds
 * where ranks share processors. The user's setting of MPI wins. */
void dwqi_crowd_yield(void);

/* --- Parts, for their tests ------------------------------------------------- */

/* Whether n processes cannot have a processor each. masks[n][n_words]: bit p of a
 * mask is processor p. Out of memory: true. */
bool dwqi_crowd_shares(const uint64_t *masks, int n, int n_words);

/* Processors' worth of time that a process gets by cgroup version 1 or 2: the least on
 * the way up from its own groups. INFINITY: no bound.
 * mount: /sys/fs/cgroup; groups: the text of /proc/self/cgroup. */
double dwqi_crowd_quota(const char *mount, const char *groups);

#endif

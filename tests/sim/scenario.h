/* One run of the real controller and the real workers or groups on the simulated
 * transport, all of it drawn from a seed, and checked to the end. */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

struct scenario_outcome {
    bool verbose;
    bool ok;
    char fault[256]; /* what was wrong, when not ok */
    uint64_t n_tasks;
    uint64_t n_messages;
    uint64_t n_corrupted;
    uint64_t n_by_status[32]; /* results, by -status */
    long n_allocations; /* of the run, without what comes before and after */
    bool gave_up;       /* a rank had no memory to go on */
    uint64_t n_killed;  /* workers */
};

/* How a run differs from others of its seed. */
struct scenario_way {
    bool verbose; /* the library's log lines go to stderr */
    bool kills;   /* some workers die, at any time */
    long
        fails; /* number of the allocation that gets no memory, from 1; 0: none */
};

typedef void scenario_fn(uint64_t seed, const struct scenario_way *way,
                         struct scenario_outcome *outcome_out);

/* For the log, with the outcome: a line in which the library blames itself is a fault. */
void scenario_line(const char *line, void *outcome);

scenario_fn scenario_run;        /* workers of one rank */
scenario_fn scenario_groups_run; /* groups behind brokers */

#endif

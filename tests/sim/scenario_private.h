/* The inside of a scenario of workers of one rank, for its two files. */
#ifndef TESTS_SIM_SCENARIO_PRIVATE_H
#define TESTS_SIM_SCENARIO_PRIVATE_H

#include "libdwq/queue/controller.h"
#include "tests/sim/memory.h"
#include "tests/sim/scenario.h"
#include "tests/sim/transport_sim.h"
#include "workers/serve.h"
#include "workers/solo.h"

#define MAX_WORKERS 12
#define EVENTS_MAX 10000000
#define BIG \
    ((size_t)70 * 1024 / sizeof(double)) /* elements: a body of its own */

struct scenario;

struct sim_worker {
    struct scenario *s;
    int number;
    double slowness; /* times the duration of each call */
    bool withdraws;  /* its initializer fails */
    bool begun;
    bool dead;
    struct dwqi_registry *registry;
    struct dwqi_executor *executor;
    struct dwqi_solo solo;
    struct dwqi_role *server;
};

/* What the test knows of a task it submitted. */
struct known {
    uint64_t id;
    double x;
    bool fails, unknown, borrowed, cancelled;
    int bound; /* worker, or 0 */
    int n_run; /* how often its function was entered */
    bool collected;
};

struct scenario {
    uint64_t random;
    struct dwqi_sim *sim;
    struct dwqi_log log;
    int n_workers;
    struct sim_worker workers[MAX_WORKERS + 1];
    dwq_controller_t *controller;
    struct known *known;
    size_t n_known, n_max, n_collected;
    double time_limit, grace;
    double *big; /* an array to borrow */
    uint64_t
        fates; /* random numbers of their own: a seed is the same without */
    bool kills;
    bool cancels_all; /* at the end: nothing is tried again */
    int n_killed, retries;
    struct scenario_outcome *out;
    bool gave_up; /* the controller had no memory to go on */
};

/* A rank had no memory to go on: the job has ended. */
bool scenario_has_given_up(const struct scenario *s);
/* The first one counts. */
void scenario_fault(struct scenario *s, const char *format, ...)
    DWQ_PRINTF(2, 3);
/* A result of a task, taken: checked, and cleared. */
void scenario_collected(struct scenario *s, dwq_result_t *r);

#endif

/* A controller and its workers on the simulated transport, for tests of situations that
 * are made on purpose. */
#ifndef TESTS_SIM_BENCH_H
#define TESTS_SIM_BENCH_H

#include "libdwq/queue/controller.h"
#include "tests/sim/transport_sim.h"
#include "workers/serve.h"
#include "workers/solo.h"

#define MAX_WORKERS 4

struct bench;

struct bench_worker {
    struct bench *b;
    int number;
    bool begun;
    int n_run;
    double first_start; /* of a call named "watched", or -1 */
    struct dwqi_registry *registry;
    struct dwqi_executor *executor;
    struct dwqi_solo solo;
    struct dwqi_role *server;
};

struct bench {
    struct dwqi_sim *sim;
    struct dwqi_log log;
    int n_workers;
    dwq_controller_t *c;
    struct bench_worker workers[MAX_WORKERS + 1];
};

/* Functions of the workers: run(seconds) takes that much virtual time, and gives the
 * worker's number; watched(seconds) notes its start, too. */

/* far: the controller shares no memory with its workers. */
void set_up_as(struct bench *b, int n_workers, int held_max, double corrupt,
               double time_limit, bool time_est_seconds, bool far);
void set_up(struct bench *b, int n_workers, int held_max, double corrupt);
/* It serves from now on, if something stood in the place of its step. */
void make_step(struct bench *b, int number);
void tear_down(struct bench *b);
uint64_t submit(struct bench *b, const char *function, double seconds,
                double time_est);
/* 50 calls of run() of 1 us, estimate 1, and their results: its time is known. */
void learn(struct bench *b);
int collect(struct bench *b, dwq_status_t status);
double now(struct bench *b);
unsigned long long reported(struct bench *b, const char *line, int which);

#endif

/* What runs that are placed are checked for, and the scenarios of option `bind`. */
#ifndef TESTS_MPI_PLACES_H
#define TESTS_MPI_PLACES_H

#include "tests/mpi/scenario.h"

/* Hardware threads that this process may use. */
int n_allowed(void);
int first_allowed(void);
/* "where"() gives host, rank of the job (-1: spawned), threads it may use,
 * the first of them. */
extern const dwq_function_t places_functions[];

/* Submit, wait, and check that it went well. */
void ask(dwq_controller_t *c, const dwq_task_t *task, dwq_result_t *result);
/* Each worker's ranks are where the plan says; threads > 0: and may use so many. */
void check_places(dwq_controller_t *c, int threads);
/* A controller function that checks no more than that. */
int check_only_places(dwq_controller_t *c, void *arg);
/* Of group after group. */
void expect_widths(const dwq_plan_t *plan, const int *widths, int n);
/* dwq_run() with the functions above, which must answer DWQ_OK. */
void play(dwq_options_t options,
          int (*controller)(dwq_controller_t *c, void *arg));

/* Counts the lines of the log that have this text. */
struct heard {
    const char *text;
    int n;
};
void listen_for(const char *line, void *arg);
/* Of all ranks of the job. */
int total(int n);

/* places_bind.c */
void a_crowded_host_is_planned_in_rank_order(void);
void no_binding_to_a_described_topology_but_one_warning(void);
void ranks_bind_themselves_and_let_go(void);
void spawned_ranks_bind_themselves(void);

#endif

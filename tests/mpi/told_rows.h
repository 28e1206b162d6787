/* Runs in which every data option has another value than its default, and what each
 * rank of dwq-worker then says and sees. `scenario_told ROW` is the program, and
 * driver_told.c starts it beside dwq-worker. */
#ifndef TESTS_MPI_TOLD_ROWS_H
#define TESTS_MPI_TOLD_ROWS_H

#include <dwq/dwq.h>

#define TOLD_N 7 /* of run_args */

struct told_row {
    const char *name;
    int ranks;            /* of the job */
    bool own_ranks;       /* all of them the program's; dwq-worker is spawned */
    const char *topology; /* DWQ_TOPOLOGY */
    int n_workers;
    int n_ranks;   /* of each group */
    int n_told;    /* ranks of dwq-worker */
    bool broker;   /* a broker beside each group sends n */
    int connected; /* of each rank */
    dwq_options_t options;
    const char *says; /* in the order of the options, with "..." for any text */
};

extern const struct told_row told_rows[];
extern const int n_told_rows;

#endif

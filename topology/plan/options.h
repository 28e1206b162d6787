/* What dwq-plan was asked for. */
#ifndef DWQI_TOPOLOGY_PLAN_OPTIONS_H
#define DWQI_TOPOLOGY_PLAN_OPTIONS_H

#include <stdio.h>

#include "topology/placer.h"
#include "topology/plan/hosts.h"
#include "topology/plan/names.h"

#define PLAN_RANKS_LIMIT 4096 /* on each host */

struct plan_options {
    struct dwqi_place_request request;
    const char *hosts;  /* NULL: this machine */
    const char *file;   /* the same in a file */
    int ranks_per_host; /* 0: one per core or set of threads */
    int controller;     /* negative: the last rank */
    enum plan_format format;
    const char *svg_file;      /* beside what is printed; NULL: none */
    int compare, help, shares; /* 0 or 1 */
    unsigned given;            /* bits: see dwqi_plan_is_given() */
};

/* Whether an argument said so: in a job the environment may choose what none did. */
bool dwqi_plan_is_given(const struct plan_options *options, const void *field);

/* false: fault_out says which argument, and why. */
bool dwqi_plan_options_read(int argc, char **argv,
                            struct plan_options *options_out,
                            struct dwqi_error *fault_out);
void dwqi_plan_options_help(FILE *out);

/* plan_compare.c: the placer and consecutive blocks, over a set of clusters.
 * The exit code. */
int dwqi_plan_compare(const struct plan_options *options);
/* The same for one cluster. */
int dwqi_plan_compare_one(struct plan_options *options,
                          const struct dwqi_cluster *cluster);
/* One rank per core (or set of threads), or ranks_per_host, on each host. */
dwq_status_t dwqi_plan_add_ranks(const struct plan_options *options,
                                 struct dwqi_cluster *cluster,
                                 const struct dwqi_cpuset *allowed);
/* negative: counted from the last rank. */
int dwqi_plan_controller(const struct plan_options *options, int n_ranks);

/* plan_main.c: what is asked for on stdout and in the file for SVG; the exit code. */
int dwqi_plan_show(const struct plan_options *options,
                   const struct dwqi_cluster *cluster,
                   const struct dwqi_placement *plan);

/* plan_job.c: whether a launcher started this process; silent: as another rank of a
 * job than the first, which says what needs no job. Before MPI is started. */
bool dwqi_plan_launched(bool *silent_out);
/* The plan of this job, if it has several ranks (false: it has not), which all have
 * to call this; the exit code of each. */
bool dwqi_plan_job(const struct plan_options *options, int *code_out);

#endif

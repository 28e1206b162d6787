/* Cases for the placer: small descriptions that can be made at random, checked
 * against the rules by code that shares nothing with the placer, compared with an
 * exhaustive search, shrunk, and printed. */
#ifndef TESTS_UNIT_PLACEMENT_H
#define TESTS_UNIT_PLACEMENT_H

#include <stdio.h>

#include "topology/placer.h"

#define CASE_CORES 256 /* of a host, at most */

struct case_host {
    const struct dwqi_machine *machine; /* borrowed; cores are 0, 1, ... */
    uint64_t removed[CASE_CORES / 64];  /* by number: may not be used */
};

struct case_rank {
    int host;
    int low, high; /* cores [low, high) of the machine; low < 0: all */
    int step;      /* only each step-th of them */
};

struct placement_case {
    int n_hosts, n_ranks;
    struct case_host *hosts;
    struct case_rank *ranks;
    struct dwqi_place_request request;
};

void case_finish(struct placement_case *c);
struct placement_case case_copy(const struct placement_case *c);
void case_print(const struct placement_case *c, FILE *out);
/* The cluster of the case; release with dwqi_cluster_finish(). */
struct dwqi_cluster case_cluster(const struct placement_case *c);

/* A generator of its own, so that a seed gives the same everywhere. */
struct dice {
    uint64_t state;
};
int dice_below(struct dice *dice, int n);
/* Ranks on the hosts, bound in some way, and a request. */
void case_random(struct placement_case *c, struct dice *dice);

struct verdict {
    char text[256];    /* "" when every rule holds */
    int n_groups;      /* placed */
    int most;          /* found by exhaustive search; -1: not looked for */
    long parts, least; /* weights of the groups' parts; 0: not looked for */
};

/* Every rule, on one plan. */
void check_plan(const struct dwqi_cluster *cluster,
                const struct dwqi_place_request *request,
                const struct dwqi_placement *plan, struct verdict *verdict);
/* Places the case twice and checks. */
struct verdict case_verdict(const struct placement_case *c);
/* The most groups that any plan within the rules has; -1: the case is too large
 * or of another kind. */
int search_most(const struct placement_case *c);

/* The smallest case found for which `fails` still answers true. */
void case_shrink(struct placement_case *c,
                 bool (*fails)(const struct placement_case *c));

#endif

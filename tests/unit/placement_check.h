/* The parts of the checker: see placement.h. */
#ifndef TESTS_UNIT_PLACEMENT_CHECK_H
#define TESTS_UNIT_PLACEMENT_CHECK_H

#include "tests/unit/placement.h"

struct check {
    const struct dwqi_cluster *cluster;
    const struct dwqi_place_request *request;
    const struct dwqi_placement *plan;
    struct verdict *verdict;
    int *first; /* by host: of its cores in the arrays below */
    int *owner; /* by core: group + 1, -1: the controller's own, 0: nobody */
    unsigned char *pu_used; /* by thread, as cores are counted */
    int *first_pu, n_pus;
    int *role; /* by world rank: 0: none, 1: in use, 2: idle */
};

/* The first broken rule counts. */
void broken(struct check *k, const char *format, ...) DWQ_PRINTF(2, 3);
const struct dwqi_machine *machine_at(const struct check *k, int host);
int index_of(const struct dwqi_machine *machine, int number);
bool spawns(const struct check *k);
int threads_of(const struct check *k);
bool may_use(const struct check *k, int rank, int pu);
int part_of(const struct dwqi_core *core, enum dwqi_domain kind);
/* How many parts of a kind the members' cores are in. */
int count_parts(const struct check *k, const struct dwqi_placed_group *group,
                enum dwqi_domain kind);
bool spans_hosts(const struct check *k, const struct dwqi_placed_group *group);
bool has_bound_ranks(const struct check *k);
int ranks_beside_controller(const struct check *k, int host);
/* placement_least.c: what the plan's groups weigh by the parts that they are in, and
 * the least that as many can weigh; both 0: the case is too large or of another
 * kind. */
void find_least(const struct check *k, long *parts_out, long *least_out);
/* placement_parts.c */
void check_parts(struct check *k, int number);
/* placement_straddle.c */
void check_straddle(struct check *k, int number);

#endif

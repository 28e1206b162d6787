/* A described cluster, and the plan for a request: checked against every rule. */
#ifndef TESTS_UNIT_PLACER_FIXTURE_H
#define TESTS_UNIT_PLACER_FIXTURE_H

#include <criterion/criterion.h>

#include "tests/unit/placement.h"
#include "topology/plan/hosts.h"

struct fixture {
    struct dwqi_cluster cluster;
    struct dwqi_placement plan;
    struct dwqi_error why;
    dwq_status_t status;
};

/* Hosts as in hosts.h, with so many ranks on each that may use all of it. */
static inline struct fixture make(const char *hosts, int ranks_per_host)
{
    struct fixture f = { .status = DWQ_E_STATE };
    struct dwqi_error fault;

    cr_assert_eq(dwqi_hosts_parse(hosts, &f.cluster, &fault), DWQ_OK, "%s",
                 fault.text);
    for (int h = 0; h < f.cluster.n_hosts; h++) {
        for (int i = 0; i < ranks_per_host; i++) {
            cr_assert_eq(dwqi_cluster_add_rank(&f.cluster, h, NULL), DWQ_OK);
        }
    }
    return f;
}

/* Places, and checks every rule. */
static inline void place(struct fixture *f, struct dwqi_place_request request)
{
    struct verdict verdict = { .most = -1 };

    if (request.grouping == DWQ_GROUPING_NONE) {
        request.grouping = DWQ_GROUPING_SPLIT;
    }
    f->status = dwqi_place(&f->cluster, &request, &f->plan, &f->why);
    if (f->status == DWQ_OK) {
        check_plan(&f->cluster, &request, &f->plan, &verdict);
    }
    cr_assert_str_eq(verdict.text, "");
}

static inline void finish(struct fixture *f)
{
    if (f->status == DWQ_OK) {
        dwqi_placement_finish(&f->plan);
    }
    dwqi_cluster_finish(&f->cluster);
}

static inline struct dwqi_size fixed(int n)
{
    return (struct dwqi_size){ .kind = DWQI_SIZE_FIXED, .n = n };
}

static inline struct dwqi_size by(enum dwqi_domain domain)
{
    return (struct dwqi_size){ .kind = DWQI_SIZE_DOMAIN, .domain = domain };
}

static inline const struct dwqi_seat *seat(const struct fixture *f, int group,
                                           int i)
{
    return &f->plan.seats[f->plan.groups[group].first_seat + i];
}

static inline int core(const struct fixture *f, const struct dwqi_seat *seat)
{
    cr_assert_gt(seat->n_cores, 0);
    return f->plan.cores[seat->first_core];
}

#endif

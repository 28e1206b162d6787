/* Whether a group is in several parts of a host and would fit into one. */
#include <string.h>

#include "tests/unit/placement_check.h"
#include "topology/plan/names.h"

/* Ranks of the host that could be members in these cores: a matching (Kuhn), one
 * core each, or a count where ranks have several cores. */
struct matching {
    const struct check *check;
    int host;
    int n_cores, cores[CASE_CORES]; /* indices */
    int rank_at[CASE_CORES];
    bool seen[CASE_CORES];
};

static bool may_sit(const struct matching *m, int rank, int index)
{
    const struct dwqi_machine *machine = machine_at(m->check, m->host);
    const struct dwqi_core *core = &machine->cores[index];

    for (int t = 0; t < core->n_pus; t++) {
        if (may_use(m->check, rank, machine->pus[core->first_pu + t])) {
            return true;
        }
    }
    return false;
}

static bool find_seat(struct matching *m, int rank)
{
    for (int i = 0; i < m->n_cores; i++) {
        if (m->seen[i] || !may_sit(m, rank, m->cores[i])) {
            continue;
        }
        m->seen[i] = true;
        if (m->rank_at[i] < 0 || find_seat(m, m->rank_at[i])) {
            m->rank_at[i] = rank;
            return true;
        }
    }
    return false;
}

bool has_bound_ranks(const struct check *k)
{
    for (int r = 0; r < k->cluster->n_ranks; r++) {
        if (k->cluster->ranks[r].set >= 0) {
            return true;
        }
    }
    return false;
}

static bool is_member(const struct check *k,
                      const struct dwqi_placed_group *group, int rank)
{
    for (int i = 0; i < group->width; i++) {
        if (k->plan->seats[group->first_seat + i].rank == rank) {
            return true;
        }
    }
    return false;
}

/* Of a group that is all of what one part has: its own ranks. */
static int seatable(struct matching *m, const struct dwqi_placed_group *group)
{
    bool own = m->check->request->size.kind == DWQI_SIZE_DOMAIN;
    int count = 0, n_ranks = m->check->cluster->n_ranks;

    for (int i = 0; i < m->n_cores; i++) {
        m->rank_at[i] = -1;
    }
    for (int r = 0; r < n_ranks; r++) {
        if (m->check->cluster->ranks[r].host == m->host &&
            r != m->check->request->controller &&
            (!own || is_member(m->check, group, r))) {
            memset(m->seen, 0, sizeof m->seen);
            count += find_seat(m, r);
        }
    }
    return count;
}

/* Whether `width` ranks fit into one part of the kind on that host, when only
 * the controller is there; within the part that the group was asked for. */
static bool fits_in_one(const struct check *k, int host, enum dwqi_domain kind,
                        const struct dwqi_placed_group *group,
                        const struct dwqi_core *here)
{
    enum dwqi_domain asked = k->request->size.kind == DWQI_SIZE_DOMAIN
                                 ? k->request->size.domain
                                 : DWQI_DOMAIN_HOST;
    int width = group->width;
    const struct dwqi_machine *machine = machine_at(k, host);

    for (int i = 0; i < machine->n_cores; i++) {
        struct matching m = { .check = k, .host = host };
        int part = part_of(&machine->cores[i], kind);

        for (int p = 0; p < machine->n_cores && m.n_cores < CASE_CORES; p++) {
            if (part_of(&machine->cores[p], kind) == part &&
                part_of(&machine->cores[p], asked) == part_of(here, asked) &&
                k->owner[k->first[host] + p] != -1) {
                m.cores[m.n_cores++] = p;
            }
        }
        if (m.n_cores / threads_of(k) >= width &&
            (spawns(k) || seatable(&m, group) >= width)) {
            return true;
        }
    }
    return false;
}

int ranks_beside_controller(const struct check *k, int host)
{
    int count = 0;

    for (int r = 0; r < k->cluster->n_ranks; r++) {
        count +=
            k->cluster->ranks[r].host == host && r != k->request->controller;
    }
    return count;
}

/* Bound ranks of several threads, or a broker that is bound or needs a spare
 * thread in its group's part: too hard to say what fits. */
static bool knows_what_fits(const struct check *k)
{
    bool by_part = k->request->size.kind == DWQI_SIZE_DOMAIN;

    if ((by_part && k->request->broker == DWQI_BROKER_THREAD) ||
        (spawns(k) && k->request->broker == DWQI_BROKER_INSIDE &&
         has_bound_ranks(k))) { /* the group has to be where its broker is */
        return false;
    }
    return !has_bound_ranks(k) ||
           (threads_of(k) == 1 &&
            !(by_part && k->request->broker == DWQI_BROKER_BESIDE));
}

static bool has_spare_everywhere(const struct check *k)
{
    for (int h = 0; h < k->cluster->n_hosts; h++) {
        const struct dwqi_machine *machine = machine_at(k, h);

        for (int i = 0; i < machine->n_cores; i++) {
            if (machine->cores[i].n_pus < 2) {
                return false;
            }
        }
    }
    return true;
}

static bool has_own_core(const struct check *k, int host)
{
    for (int i = 0; i < machine_at(k, host)->n_cores; i++) {
        if (k->owner[k->first[host] + i] != -1) {
            return true;
        }
    }
    return false;
}

/* Brokers of groups to be spawned are where the launcher put them: whether one
 * is on another host than its group would be. (The ranks of a split job that
 * make a group on several hosts make one on a host, and its broker.) */
static bool has_broker_for(const struct check *k, int host)
{
    if (!spawns(k) || k->cluster->n_ranks == 0) {
        return true;
    }
    for (int r = 0; r < k->cluster->n_ranks; r++) {
        int home = k->cluster->ranks[r].host;

        if (r != k->request->controller && home != host &&
            k->cluster->ranks[r].set < 0 && has_own_core(k, home)) {
            return true;
        }
    }
    return false;
}

static bool fits_on_host(const struct check *k, int host,
                         const struct dwqi_placed_group *group)
{
    int extra = k->request->broker != DWQI_BROKER_INSIDE;
    int n = ranks_beside_controller(k, host);

    if (k->plan->oversubscribed[host]) {
        return !spawns(k) && n >= group->width + extra;
    }
    return (spawns(k) || n >= group->width) && has_broker_for(k, host) &&
           fits_in_one(k, host, DWQI_DOMAIN_HOST, group,
                       machine_at(k, host)->cores);
}

/* A broker that is no member may be on any host; where it needs a spare thread,
 * that host has to have one. One that is a member is where its group is. */
static void check_hosts_straddled(struct check *k, int number)
{
    const struct dwqi_placed_group *group = &k->plan->groups[number];

    if (k->request->straddle == DWQI_STRADDLE_NEVER ||
        k->request->size.kind != DWQI_SIZE_FIXED) {
        broken(k, "group %d is on several hosts", number + 1);
    }
    if ((k->request->broker == DWQI_BROKER_THREAD &&
         !has_spare_everywhere(k)) ||
        (spawns(k) && k->request->broker == DWQI_BROKER_INSIDE)) {
        return;
    }
    for (int h = 0; h < k->cluster->n_hosts; h++) {
        if (fits_on_host(k, h, group)) {
            broken(k, "group %d is on several hosts and fits on host %d",
                   number + 1, h);
        }
    }
}

static const struct dwqi_core *first_core(const struct check *k,
                                          const struct dwqi_placed_group *group)
{
    const struct dwqi_seat *seat = &k->plan->seats[group->first_seat];
    const struct dwqi_machine *machine = machine_at(k, seat->host);

    return &machine->cores[index_of(machine, k->plan->cores[seat->first_core])];
}

void check_straddle(struct check *k, int number)
{
    const struct dwqi_placed_group *group = &k->plan->groups[number];
    int host = k->plan->seats[group->first_seat].host;
    static const enum dwqi_domain kinds[] = { DWQI_DOMAIN_NUMA,
                                              DWQI_DOMAIN_PACKAGE };

    if (k->request->straddle == DWQI_STRADDLE_FREELY || group->oversubscribed ||
        !knows_what_fits(k)) {
        return;
    }
    if (spans_hosts(k, group)) {
        check_hosts_straddled(k, number);
        return;
    }
    for (int i = 0; i < 2; i++) {
        if (count_parts(k, group, kinds[i]) <= 1) {
            continue;
        }
        if (k->request->straddle == DWQI_STRADDLE_NEVER &&
            k->request->size.kind != DWQI_SIZE_DOMAIN) {
            broken(k, "group %d straddles", number + 1);
        }
        if (fits_in_one(k, host, kinds[i], group, first_core(k, group))) {
            broken(k, "group %d straddles %ss and fits into one", number + 1,
                   dwqi_policy_name(DWQI_POLICY_DOMAIN, (int)kinds[i]));
        }
    }
}

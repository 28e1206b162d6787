/* Whether a group is in more parts than it has to be: parts of a kind hold what it
 * has there, and what nobody has. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/placement_check.h"
#include "topology/plan/names.h"

#define N_KINDS 3
#define MOST_HOSTS 32 /* the search looks at all of them for each group */

/* Cores that could be the group's, and those that are, of one part. */
struct part {
    int key
        [N_KINDS]; /* its own number last, behind those of the parts around it */
    int own, room;
};

static int compare_rooms(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    return (x->room < y->room) - (x->room > y->room);
}

/* More of these parts than hold all that the group has in them. */
static bool is_scattered(struct part *parts, int n_parts)
{
    int n_cores = 0, n_used = 0, least = 0;

    for (int i = 0; i < n_parts; i++) {
        n_cores += parts[i].own;
        n_used += parts[i].own > 0;
    }
    qsort(parts, (size_t)n_parts, sizeof *parts, compare_rooms);
    for (; least < n_parts && n_cores > 0; least++) {
        n_cores -= parts[least].room;
    }
    return n_used > least;
}

static int count_kind(const struct dwqi_machine *machine, enum dwqi_domain kind)
{
    int n = 0;

    for (int i = 0; i < machine->n_cores; i++) {
        int k = 0;

        while (k < i && part_of(&machine->cores[k], kind) !=
                            part_of(&machine->cores[i], kind)) {
            k++;
        }
        n += k == i;
    }
    return n;
}

/* From the outside to the inside: the more parts, the further in. */
static void order_kinds(const struct dwqi_machine *machine,
                        enum dwqi_domain *kinds)
{
    enum dwqi_domain package = DWQI_DOMAIN_PACKAGE, numa = DWQI_DOMAIN_NUMA;
    bool turned = count_kind(machine, numa) < count_kind(machine, package);

    kinds[0] = turned ? numa : package;
    kinds[1] = turned ? package : numa;
    kinds[2] = DWQI_DOMAIN_L3;
}

/* Its broker's core is one of the group's, and holds no member. */
static bool is_brokers(const struct check *k, int number, int host, int core)
{
    const struct dwqi_seat *broker = &k->plan->groups[number].broker;

    return k->request->broker == DWQI_BROKER_BESIDE && broker->host == host &&
           broker->n_cores > 0 && k->plan->cores[broker->first_core] == core;
}

/* The parts of one kind inside each part around them. */
static void check_kind(struct check *k, int number, int host, int depth,
                       const enum dwqi_domain *kinds)
{
    const struct dwqi_machine *machine = machine_at(k, host);
    struct part *parts = calloc((size_t)machine->n_cores, sizeof *parts);
    int n = 0, from = 0;

    for (int i = 0; i < machine->n_cores; i++) {
        int owner = k->owner[k->first[host] + i], at = 0;
        int key[N_KINDS] = { 0 };

        for (int d = 0; d <= depth; d++) {
            key[d] = part_of(&machine->cores[i], kinds[d]);
        }
        while (at < n && memcmp(parts[at].key, key, sizeof key) != 0) {
            at++;
        }
        n += at == n;
        memcpy(parts[at].key, key, sizeof key);
        if (!is_brokers(k, number, host, machine->cores[i].number)) {
            parts[at].own += owner == number + 1;
            parts[at].room += owner == number + 1 || owner == 0;
        }
    }
    for (int i = 1; i <= n; i++) { /* those inside one part are neighbours */
        if (i == n || memcmp(parts[i].key, parts[from].key,
                             (size_t)depth * sizeof(int)) != 0) {
            if (is_scattered(parts + from, i - from)) {
                broken(k, "group %d is in a %s of host %d too many", number + 1,
                       dwqi_policy_name(DWQI_POLICY_DOMAIN, (int)kinds[depth]),
                       host);
            }
            from = i;
        }
    }
    free(parts);
}

static int idle_ranks(const struct check *k, int host)
{
    int n = 0;

    for (int i = 0; i < k->plan->n_idle; i++) {
        n += k->cluster->ranks[k->plan->idle[i].rank].host == host;
    }
    return n;
}

/* Members that it has on a host, or could have. */
static struct part host_part(const struct check *k,
                             const struct dwqi_placed_group *group, int host)
{
    struct part part = { .own = 0 };
    int idle = 0, n_ranks = idle_ranks(k, host);

    for (int s = 0; s < group->width; s++) {
        part.own += k->plan->seats[group->first_seat + s].host == host;
    }
    for (int i = 0; i < machine_at(k, host)->n_cores; i++) {
        idle += k->owner[k->first[host] + i] == 0;
    }
    idle /= threads_of(k);
    part.room = k->plan->oversubscribed[host] ? 0
                : spawns(k) || idle < n_ranks ? idle
                                              : n_ranks;
    part.room += part.own;
    return part;
}

static void check_hosts(struct check *k, int number)
{
    const struct dwqi_placed_group *group = &k->plan->groups[number];
    int n_hosts = k->cluster->n_hosts;
    struct part *parts = calloc((size_t)n_hosts, sizeof *parts);

    for (int h = 0; h < n_hosts; h++) {
        parts[h] = host_part(k, group, h);
    }
    if (is_scattered(parts, n_hosts)) {
        broken(k, "group %d is on a host too many", number + 1);
    }
    free(parts);
}

/* Of ranks that may sit anywhere; a broker of a group to be spawned, or on a
 * thread, says where the group has to be. */
void check_parts(struct check *k, int number)
{
    const struct dwqi_placed_group *group = &k->plan->groups[number];
    const struct dwqi_seat *seats = k->plan->seats + group->first_seat;

    if (group->oversubscribed || has_bound_ranks(k) ||
        k->plan->n_on_threads > 0 || k->request->broker == DWQI_BROKER_THREAD) {
        return;
    }
    for (int s = 0; s < group->width; s++) {
        enum dwqi_domain kinds[N_KINDS];

        if (s == 0 || seats[s].host != seats[s - 1].host) {
            order_kinds(machine_at(k, seats[s].host), kinds);
            for (int d = 0; d < N_KINDS; d++) {
                check_kind(k, number, seats[s].host, d, kinds);
            }
        }
    }
    if (spans_hosts(k, group) && !spawns(k) &&
        k->cluster->n_hosts <= MOST_HOSTS) {
        check_hosts(k, number);
    }
}

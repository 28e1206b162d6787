/* The rules, each looked at by itself and on the plan alone. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/placement_check.h"
#include "topology/plan/names.h"

void broken(struct check *k, const char *format, ...)
{
    va_list args;

    if (k->verdict->text[0] == '\0') {
        va_start(args, format);
        vsnprintf(k->verdict->text, sizeof k->verdict->text, format, args);
        va_end(args);
    }
}

const struct dwqi_machine *machine_at(const struct check *k, int host)
{
    return dwqi_cluster_machine(k->cluster, host);
}

int index_of(const struct dwqi_machine *machine, int number)
{
    for (int i = 0; i < machine->n_cores; i++) {
        if (machine->cores[i].number == number) {
            return i;
        }
    }
    return -1;
}

bool spawns(const struct check *k)
{
    return k->request->grouping == DWQ_GROUPING_SPAWN;
}

int threads_of(const struct check *k)
{
    return k->request->threads > 0 ? k->request->threads : 1;
}

bool may_use(const struct check *k, int rank, int pu)
{
    int set = rank >= 0 && rank < k->cluster->n_ranks
                  ? k->cluster->ranks[rank].set
                  : -1;

    return set < 0 || dwqi_cpuset_has(&k->cluster->sets[set], pu);
}

/* --- Seats -------------------------------------------------------------- */

static void check_rank(struct check *k, const struct dwqi_seat *seat)
{
    if (seat->rank < 0) {
        if (!spawns(k)) {
            broken(k, "a seat without a rank in a split");
        }
        return;
    }
    if (k->cluster->n_ranks == 0) {
        return;
    }
    if (seat->rank >= k->cluster->n_ranks || k->role[seat->rank] != 0) {
        broken(k, "rank %d sits twice, or is none", seat->rank);
        return;
    }
    k->role[seat->rank] = 1;
    if (k->cluster->ranks[seat->rank].host != seat->host) {
        broken(k, "rank %d was moved to another host", seat->rank);
    }
}

static bool belongs_to(const struct check *k, const struct dwqi_seat *seat,
                       int pu)
{
    const struct dwqi_machine *machine = machine_at(k, seat->host);

    for (int i = 0; i < seat->n_cores; i++) {
        int index = index_of(machine, k->plan->cores[seat->first_core + i]);

        for (int t = 0; index >= 0 && t < machine->cores[index].n_pus; t++) {
            if (machine->pus[machine->cores[index].first_pu + t] == pu) {
                k->pu_used[k->first_pu[seat->host] +
                           machine->cores[index].first_pu + t]++;
                return true;
            }
        }
    }
    return false;
}

/* The threads are those of its cores, allowed, and nobody else's. */
static void check_pus(struct check *k, const struct dwqi_seat *seat)
{
    if (seat->n_pus < seat->n_cores) {
        broken(k, "rank %d: %d threads for %d cores", seat->rank, seat->n_pus,
               seat->n_cores);
    }
    for (int i = 0; i < seat->n_pus; i++) {
        int pu = k->plan->pus[seat->first_pu + i];

        if (!belongs_to(k, seat, pu)) {
            broken(k, "rank %d: thread %d is not of its cores", seat->rank, pu);
        }
        if (!may_use(k, seat->rank, pu)) {
            broken(k, "rank %d may not use thread %d", seat->rank, pu);
        }
    }
}

/* owner 0: a lent thread, the core is another's. */
static void check_seat(struct check *k, const struct dwqi_seat *seat, int owner)
{
    const struct dwqi_machine *machine = machine_at(k, seat->host);

    check_rank(k, seat);
    if (k->plan->oversubscribed[seat->host] && seat->n_cores > 0) {
        broken(k, "rank %d is bound on an oversubscribed host", seat->rank);
    }
    for (int i = 0; i < seat->n_cores; i++) {
        int number = k->plan->cores[seat->first_core + i];
        int index = index_of(machine, number);
        int *at = &k->owner[k->first[seat->host] + (index < 0 ? 0 : index)];

        if (k->plan->on_threads[seat->host]) {
            continue; /* hardware threads are looked at one by one */
        }
        if (index < 0) {
            broken(k, "core %d of host %d may not be used", number, seat->host);
        } else if (owner != 0 && *at != 0) {
            broken(k, "core %d of host %d is given twice (%d, %d)", number,
                   seat->host, *at, owner);
        } else if (owner != 0) {
            *at = owner;
        }
    }
    check_pus(k, seat);
}

static void check_broker(struct check *k, int number)
{
    const struct dwqi_placed_group *group = &k->plan->groups[number];
    const struct dwqi_seat *broker = &group->broker;
    const struct dwqi_seat *first = &k->plan->seats[group->first_seat];
    bool bound = !k->plan->oversubscribed[broker->host];

    switch (k->request->broker) {
    case DWQI_BROKER_INSIDE:
        if (memcmp(broker, first, sizeof *first) != 0) {
            broken(k, "group %d: its broker is not its first rank", number + 1);
        }
        if (k->cluster->n_ranks > 0 && broker->rank < 0) {
            broken(k, "group %d: no broker", number + 1);
        }
        return;
    case DWQI_BROKER_BESIDE:
        check_seat(k, broker, number + 1);
        if (bound && broker->n_cores != 1) {
            broken(k, "group %d: its broker has no core", number + 1);
        }
        return;
    case DWQI_BROKER_THREAD:
        check_seat(k, broker, 0);
        if (bound && (broker->n_cores != 1 || broker->n_pus != 1)) {
            broken(k, "group %d: its broker has no thread", number + 1);
        }
        return;
    }
}

/* A core that it may use is left. */
static bool has_idle_core(const struct check *k, int rank, int host)
{
    const struct dwqi_machine *machine = machine_at(k, host);

    for (int i = 0; i < machine->n_cores; i++) {
        const struct dwqi_core *core = &machine->cores[i];

        for (int t = 0; t < core->n_pus && k->owner[k->first[host] + i] == 0;
             t++) {
            if (may_use(k, rank, machine->pus[core->first_pu + t])) {
                return true;
            }
        }
    }
    return false;
}

/* After the groups. */
static void check_sharing(struct check *k)
{
    const struct dwqi_seat *seat = &k->plan->controller;
    int host = seat->host;
    bool crowded = !spawns(k) && ranks_beside_controller(k, host) >=
                                     machine_at(k, host)->n_cores;

    if (k->plan->controller_shares && !k->request->controller_shares &&
        !crowded) {
        broken(k, "the controller shares a core and was not to");
    }
    if (k->plan->controller_shares && !k->plan->on_threads[host] &&
        has_idle_core(k, seat->rank, host)) {
        broken(k, "the controller shares a core, and one is idle");
    }
    if (k->plan->controller_costs > 0 &&
        (k->plan->controller_shares || k->request->controller_shares)) {
        broken(k, "the controller costs a group and shares a core");
    }
}

static void check_controller(struct check *k)
{
    const struct dwqi_seat *seat = &k->plan->controller;
    bool own = !k->plan->controller_on_thread && !k->plan->controller_shares;

    check_seat(k, seat, own ? -1 : 0);
    for (int i = 0; i < k->n_pus && k->plan->controller_shares; i++) {
        k->pu_used[i] = 0; /* they are others', too */
    }
    if (!k->plan->oversubscribed[seat->host] &&
        machine_at(k, seat->host)->n_cores > 0 && seat->n_cores != 1) {
        broken(k, "the controller has %d cores", seat->n_cores);
    }
    if (k->plan->controller_on_thread && seat->n_pus != 1) {
        broken(k, "the controller has more than a thread");
    }
    if (k->cluster->n_ranks > 0 && seat->rank != k->request->controller) {
        broken(k, "the controller is not the rank that was asked for");
    }
}

static void check_group_seats(struct check *k, int number)
{
    const struct dwqi_placed_group *group = &k->plan->groups[number];
    const struct dwqi_seat *seats = k->plan->seats + group->first_seat;

    if (group->width < 1) {
        broken(k, "group %d is empty", number + 1);
    }
    for (int i = 0; i < group->width; i++) {
        bool bound = !k->plan->oversubscribed[seats[i].host];

        check_seat(k, &seats[i], number + 1);
        if (bound && seats[i].n_cores != threads_of(k)) {
            broken(k, "group %d: a rank with %d cores", number + 1,
                   seats[i].n_cores);
        }
        if (!bound && !group->oversubscribed) {
            broken(k, "group %d is not marked oversubscribed", number + 1);
        }
    }
    check_broker(k, number);
}

/* --- Sizes -------------------------------------------------------------- */

int part_of(const struct dwqi_core *core, enum dwqi_domain kind)
{
    return kind == DWQI_DOMAIN_L3        ? core->l3
           : kind == DWQI_DOMAIN_NUMA    ? core->numa
           : kind == DWQI_DOMAIN_PACKAGE ? core->package
           : kind == DWQI_DOMAIN_CORE    ? core->number
                                         : 0;
}

/* How many parts of a kind the members' cores are in. */
int count_parts(const struct check *k, const struct dwqi_placed_group *group,
                enum dwqi_domain kind)
{
    int seen[CASE_CORES], n = 0;

    for (int s = 0; s < group->width; s++) {
        const struct dwqi_seat *seat = &k->plan->seats[group->first_seat + s];
        const struct dwqi_machine *machine = machine_at(k, seat->host);

        for (int i = 0; i < seat->n_cores && n < CASE_CORES; i++) {
            int index = index_of(machine, k->plan->cores[seat->first_core + i]);
            int part = part_of(&machine->cores[index], kind), at = 0;

            while (at < n && seen[at] != part) {
                at++;
            }
            seen[at] = part;
            n += at == n;
        }
    }
    return n;
}

bool spans_hosts(const struct check *k, const struct dwqi_placed_group *group)
{
    const struct dwqi_seat *seats = k->plan->seats + group->first_seat;

    for (int s = 1; s < group->width; s++) {
        if (seats[s].host != seats[0].host) {
            return true;
        }
    }
    return false;
}

static void check_size(struct check *k, int number)
{
    const struct dwqi_placed_group *group = &k->plan->groups[number];
    const struct dwqi_size *size = &k->request->size;

    if (size->kind == DWQI_SIZE_FIXED && group->width != size->n) {
        broken(k, "group %d has %d ranks", number + 1, group->width);
    }
    if (size->kind == DWQI_SIZE_DOMAIN && !group->oversubscribed &&
        (spans_hosts(k, group) || count_parts(k, group, size->domain) != 1)) {
        broken(k, "group %d is in more than its %s", number + 1,
               dwqi_policy_name(DWQI_POLICY_DOMAIN, (int)size->domain));
    }
}

static void check_per_host(struct check *k)
{
    int *counts = calloc((size_t)k->cluster->n_hosts, sizeof *counts);

    for (int i = 0; i < k->plan->n_groups && counts; i++) {
        int host = k->plan->seats[k->plan->groups[i].first_seat].host;

        if (++counts[host] > k->request->size.n &&
            k->request->size.kind == DWQI_SIZE_PER_HOST) {
            broken(k, "more groups on host %d than asked for", host);
        }
    }
    free(counts);
}

/* --- The whole ---------------------------------------------------------- */

static void check_idle(struct check *k)
{
    for (int i = 0; i < k->plan->n_idle; i++) {
        int rank = k->plan->idle[i].rank;

        if (rank < 0 || rank >= k->cluster->n_ranks || k->role[rank] != 0) {
            broken(k, "rank %d is idle and is not", rank);
            return;
        }
        k->role[rank] = 2;
    }
    for (int r = 0; r < k->cluster->n_ranks; r++) {
        if (k->role[r] == 0) {
            broken(k, "rank %d is nowhere", r);
        }
    }
}

static void check_threads_apart(struct check *k, int n_pus)
{
    for (int i = 0; i < n_pus; i++) {
        if (k->pu_used[i] > 1) {
            broken(k, "a hardware thread is given twice");
        }
    }
}

static int lowest_rank(const struct check *k, int number)
{
    const struct dwqi_placed_group *group = &k->plan->groups[number];
    int lowest = group->broker.rank;

    for (int i = 0; i < group->width; i++) {
        int rank = k->plan->seats[group->first_seat + i].rank;

        if (rank >= 0 && (lowest < 0 || rank < lowest)) {
            lowest = rank;
        }
    }
    return lowest;
}

static void check_order(struct check *k)
{
    for (int i = 1; i < k->plan->n_groups && k->cluster->n_ranks > 0; i++) {
        if (lowest_rank(k, i) < lowest_rank(k, i - 1)) {
            broken(k, "group %d has a lower rank than the one before", i + 1);
        }
    }
}

/* A host is oversubscribed only with more ranks than cores (or, with spawn, with
 * brokers whose groups found no core). */
static void check_oversubscribed(struct check *k)
{
    for (int h = 0; h < k->cluster->n_hosts && !spawns(k); h++) {
        int n = ranks_beside_controller(k, h);

        n += k->cluster->ranks[k->request->controller].host == h;
        if (k->plan->oversubscribed[h] && n <= machine_at(k, h)->n_cores) {
            broken(k, "host %d is called oversubscribed", h);
        }
    }
}

/* Idle cores of the NUMA node and package of this one. */
static int idle_cores_near(const struct check *k, int host,
                           const struct dwqi_core *core)
{
    const struct dwqi_machine *machine = machine_at(k, host);
    int count = 0;

    for (int i = 0; i < machine->n_cores; i++) {
        count += machine->cores[i].numa == core->numa &&
                 machine->cores[i].package == core->package &&
                 k->owner[k->first[host] + i] == 0;
    }
    return count;
}

/* What is idle would not make one more group inside a NUMA node: of hosts whose
 * ranks are not bound. */
static void check_nothing_wasted(struct check *k)
{
    int n = k->request->size.n,
        extra = k->request->broker != DWQI_BROKER_INSIDE;
    int beside = k->request->broker == DWQI_BROKER_BESIDE;

    if (spawns(k) || has_bound_ranks(k) ||
        k->request->size.kind != DWQI_SIZE_FIXED ||
        k->request->broker == DWQI_BROKER_THREAD ||
        (k->request->max_workers > 0 &&
         k->plan->n_groups >= k->request->max_workers)) {
        return;
    }
    for (int h = 0; h < k->cluster->n_hosts; h++) {
        const struct dwqi_machine *machine = machine_at(k, h);
        int idle = 0;

        for (int i = 0; i < k->plan->n_idle; i++) {
            idle += k->cluster->ranks[k->plan->idle[i].rank].host == h;
        }
        for (int i = 0; i < machine->n_cores && idle >= n + extra &&
                        !k->plan->oversubscribed[h];
             i++) {
            if (idle_cores_near(k, h, &machine->cores[i]) >=
                n * threads_of(k) + beside) {
                broken(k, "one more group fits on host %d", h);
            }
        }
    }
}

static int count_cores(struct check *k)
{
    int n_cores = 0, n_pus = 0;

    for (int h = 0; h < k->cluster->n_hosts; h++) {
        k->first[h] = n_cores;
        k->first_pu[h] = n_pus;
        n_cores += machine_at(k, h)->n_cores;
        n_pus += machine_at(k, h)->n_pus;
    }
    k->owner = calloc((size_t)n_cores + 1, sizeof *k->owner);
    k->pu_used = calloc((size_t)n_pus + 1, 1);
    return n_pus;
}

void check_plan(const struct dwqi_cluster *cluster,
                const struct dwqi_place_request *request,
                const struct dwqi_placement *plan, struct verdict *verdict)
{
    struct check k = {
        .cluster = cluster, .request = request, .plan = plan, .verdict = verdict
    };
    int n_pus;

    k.first = calloc((size_t)cluster->n_hosts + 1, sizeof *k.first);
    k.first_pu = calloc((size_t)cluster->n_hosts + 1, sizeof *k.first_pu);
    k.role = calloc((size_t)cluster->n_ranks + 1, sizeof *k.role);
    if (!k.first || !k.first_pu || !k.role) {
        abort();
    }
    n_pus = k.n_pus = count_cores(&k);
    check_controller(&k);
    for (int i = 0; i < plan->n_groups; i++) {
        check_group_seats(&k, i);
    }
    check_sharing(&k);
    check_threads_apart(&k, n_pus);
    for (int i = 0; i < plan->n_groups && verdict->text[0] == '\0'; i++) {
        check_size(&k, i);
        check_straddle(&k, i);
        check_parts(&k, i);
    }
    if (request->max_workers > 0 && plan->n_groups > request->max_workers) {
        broken(&k, "more groups than max_workers");
    }
    check_per_host(&k);
    check_idle(&k);
    check_order(&k);
    check_oversubscribed(&k);
    check_nothing_wasted(&k);
    find_least(&k, &verdict->parts, &verdict->least);
    free(k.first);
    free(k.first_pu);
    free(k.role);
    free(k.owner);
    free(k.pu_used);
}

/* --- Refusals ----------------------------------------------------------- */

/* Ranks of a group that the host could have, beside the controller. */
static int room_on(const struct check *k, int host)
{
    int home = k->cluster->n_ranks > 0
                   ? k->cluster->ranks[k->request->controller].host
                   : 0;
    int n = machine_at(k, host)->n_cores - (host == home);
    int n_ranks = ranks_beside_controller(k, host);

    return !spawns(k) && n_ranks < n ? n_ranks : n;
}

/* A group of a size that the ranks and cores of the cluster make: where it may
 * straddle hosts, it can be made. */
static void check_refused(struct check *k)
{
    bool beside = k->request->broker == DWQI_BROKER_BESIDE, has_broker;
    int room = 0;

    if (k->request->size.kind != DWQI_SIZE_FIXED || threads_of(k) != 1 ||
        k->request->straddle == DWQI_STRADDLE_NEVER ||
        k->request->broker == DWQI_BROKER_THREAD || has_bound_ranks(k)) {
        return;
    }
    has_broker = !spawns(k) || k->cluster->n_ranks == 0;
    for (int h = 0; h < k->cluster->n_hosts; h++) {
        room += room_on(k, h);
        has_broker = has_broker ||
                     (ranks_beside_controller(k, h) > 0 && room_on(k, h) > 0);
    }
    if (has_broker && room >= k->request->size.n + beside) {
        broken(k, "refused, and there is room for %d ranks", room);
    }
}

/* --- A case ------------------------------------------------------------- */

static bool same(const void *a, const void *b, int n, size_t size)
{
    return n == 0 || memcmp(a, b, (size_t)n * size) == 0;
}

static bool is_same_plan(const struct dwqi_placement *a,
                         const struct dwqi_placement *b)
{
    if (a->n_groups != b->n_groups || a->n_seats != b->n_seats ||
        a->n_idle != b->n_idle || a->n_cores != b->n_cores ||
        a->n_pus != b->n_pus) {
        return false;
    }
    for (int i = 0; i < a->n_groups; i++) {
        if (a->groups[i].first_seat != b->groups[i].first_seat ||
            a->groups[i].width != b->groups[i].width) {
            return false;
        }
    }
    return same(a->seats, b->seats, a->n_seats, sizeof *a->seats) &&
           same(a->cores, b->cores, a->n_cores, sizeof *a->cores) &&
           same(a->pus, b->pus, a->n_pus, sizeof *a->pus);
}

struct verdict case_verdict(const struct placement_case *c)
{
    struct verdict verdict = { .most = -1 };
    struct dwqi_cluster cluster = case_cluster(c);
    struct dwqi_placement plan, again;
    struct dwqi_error why = { .code = DWQI_PART_NONE };
    dwq_status_t status = dwqi_place(&cluster, &c->request, &plan, &why);

    if (status == DWQ_OK) {
        verdict.n_groups = plan.n_groups;
        check_plan(&cluster, &c->request, &plan, &verdict);
        if (dwqi_place(&cluster, &c->request, &again, &why) != DWQ_OK ||
            !is_same_plan(&plan, &again)) {
            snprintf(verdict.text, sizeof verdict.text,
                     "the same input gives another plan");
        }
        dwqi_placement_finish(&again);
        dwqi_placement_finish(&plan);
    } else if (status != DWQ_E_OPTION || why.code == DWQI_PART_NONE ||
               why.text[0] == '\0') {
        snprintf(verdict.text, sizeof verdict.text, "%s without a reason",
                 dwq_status_name(status));
    } else {
        check_refused(&(struct check){
            .cluster = &cluster, .request = &c->request, .verdict = &verdict });
    }
    dwqi_cluster_finish(&cluster);
    return verdict;
}

#include "libdwq/run/plan_place.h"

#include <stdlib.h>
#include <string.h>

struct making {
    struct dwqi_plan plan;
    const struct dwqi_cluster *cluster;
    const struct dwqi_placement *placement;
    int n_ranks; /* of the groups so far */
};

/* malloc(n * size), also for n = 0. */
static void *room(int n, size_t size)
{
    return calloc((size_t)n + 1, size);
}

static dwq_status_t allocate(struct making *m)
{
    struct dwqi_plan *plan = &m->plan;
    const struct dwqi_placement *placement = m->placement;

    plan->groups = room(placement->n_groups, sizeof *plan->groups);
    plan->idle = room(placement->n_idle, sizeof *plan->idle);
    plan->ranks = room(placement->n_seats, sizeof *plan->ranks);
    plan->seats = room(placement->n_seats, sizeof *plan->seats);
    plan->cores = room(placement->n_cores, sizeof *plan->cores);
    plan->group_of = room(plan->request.size, sizeof *plan->group_of);
    plan->place_of = room(plan->request.size, sizeof *plan->place_of);
    if (!plan->groups || !plan->idle || !plan->ranks || !plan->seats ||
        !plan->cores || !plan->group_of || !plan->place_of) {
        return DWQ_E_NOMEM;
    }
    if (placement->n_cores > 0) {
        memcpy(plan->cores, placement->cores,
               (size_t)placement->n_cores * sizeof *plan->cores);
    }
    return DWQ_OK;
}

static const char *host_name(const struct making *m, int host)
{
    return m->cluster->hosts[host].name;
}

/* "node1", or "node1,node2" for ranks on several. NULL: no memory. */
static char *names_of(const struct making *m, const struct dwqi_seat *seats,
                      int n)
{
    size_t size = 1;
    char *text, *end;

    for (int i = 0; i < n; i++) {
        size += strlen(host_name(m, seats[i].host)) + 1;
    }
    text = malloc(size);
    if (!text) {
        return NULL;
    }
    end = text;
    *end = '\0';
    for (int i = 0; i < n; i++) {
        bool again = false;

        for (int j = i - 1; j >= 0 && !again; j--) {
            again = seats[j].host == seats[i].host;
        }
        if (!again) {
            end += snprintf(end, size - (size_t)(end - text), "%s%s",
                            i > 0 ? "," : "", host_name(m, seats[i].host));
        }
    }
    return text;
}

/* The ranks of the job among a group's have their places: the broker's is 0. */
static void place_ranks(struct making *m, int number, int broker,
                        const int *ranks, int width, bool beside)
{
    struct dwqi_plan *plan = &m->plan;

    for (int i = 0; i < width; i++) {
        if (ranks[i] >= 0) {
            plan->group_of[ranks[i]] = number;
            plan->place_of[ranks[i]] = i + beside;
        }
    }
    plan->group_of[broker] = number;
    plan->place_of[broker] = 0;
}

static dwq_status_t add_group(struct making *m, int number)
{
    const struct dwqi_placed_group *placed = &m->placement->groups[number - 1];
    const struct dwqi_seat *from = m->placement->seats + placed->first_seat;
    int *ranks = m->plan.ranks + m->n_ranks, width = placed->width;
    dwq_plan_seat_t *seats = m->plan.seats + m->n_ranks;
    bool beside = m->placement->broker != DWQI_BROKER_INSIDE;
    dwq_plan_group_t group = { .id = number,
                               .broker = placed->broker.rank,
                               .broker_is_worker = !beside,
                               .n_ranks = width,
                               .ranks = ranks,
                               .host = names_of(m, from, width),
                               .seats = seats,
                               .oversubscribed = placed->oversubscribed };

    for (int i = 0; i < width; i++) {
        ranks[i] = from[i].rank;
        seats[i] =
            (dwq_plan_seat_t){ host_name(m, from[i].host), from[i].n_cores,
                               m->plan.cores + from[i].first_core };
        group.n_cores += from[i].n_cores;
    }
    place_ranks(m, number, group.broker, ranks, width, beside);
    m->n_ranks += width;
    m->plan.groups[number - 1] = group;
    m->plan.shown.n_groups = number; /* what has to be released */
    return group.host ? DWQ_OK : DWQ_E_NOMEM;
}

static void add_idle(struct making *m)
{
    for (int i = 0; i < m->placement->n_idle; i++) {
        m->plan.idle[i] =
            (dwq_plan_idle_t){ m->placement->idle[i].rank,
                               dwqi_idle_text(m->placement->idle[i].why) };
    }
}

dwq_status_t dwqi_plan_placed(const struct dwqi_plan_request *request,
                              const struct dwqi_cluster *cluster,
                              const struct dwqi_placement *placement,
                              struct dwqi_plan *plan_out)
{
    struct making m = { .plan = { .request = *request },
                        .cluster = cluster,
                        .placement = placement };
    dwq_status_t status = allocate(&m);

    for (int n = 1; n <= placement->n_groups && status == DWQ_OK; n++) {
        status = add_group(&m, n);
    }
    if (status != DWQ_OK) {
        dwqi_plan_finish(&m.plan);
        return status;
    }
    add_idle(&m);
    m.plan.shown = (dwq_plan_t){ .size = request->size,
                                 .controller = request->controller,
                                 .n_groups = placement->n_groups,
                                 .groups = m.plan.groups,
                                 .n_idle = placement->n_idle,
                                 .idle = m.plan.idle };
    *plan_out = m.plan;
    return DWQ_OK;
}

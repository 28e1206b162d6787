#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topology/plan/draw.h"
#include "topology/text.h"

static void add_numbers(struct dwqi_buffer *text, const int *numbers, int n)
{
    if (n == 0) {
        dwqi_text_add(text, "-");
    } else {
        dwqi_text_add_ranges(text, numbers, n);
    }
}

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

/* The numbers in order, as ranges. */
static void add_sorted(struct dwqi_buffer *text, int *numbers, int n)
{
    int kept = 0;

    qsort(numbers, (size_t)n, sizeof *numbers, compare_ints);
    for (int i = 0; i < n; i++) { /* two threads of a core */
        if (kept == 0 || numbers[i] != numbers[kept - 1]) {
            numbers[kept++] = numbers[i];
        }
    }
    add_numbers(text, numbers, kept);
}

static void pad(struct dwqi_buffer *text, size_t from, size_t width)
{
    size_t size = text->size - from;

    dwqi_text_add(text, "%*s", size < width ? (int)(width - size) + 2 : 2, "");
}

/* "n01 0-7, n02 0-3" */
static void add_places(struct dwqi_buffer *text,
                       const struct dwqi_cluster *cluster,
                       const struct dwqi_placement *plan,
                       const struct dwqi_seat *seats, int width, int *scratch)
{
    for (int i = 0; i < width;) {
        int host = seats[i].host, n = 0;

        dwqi_text_add(text, "%s%s ", i > 0 ? ", " : "",
                      cluster->hosts[host].name);
        for (; i < width && seats[i].host == host; i++) {
            for (int k = 0; k < seats[i].n_cores; k++) {
                scratch[n++] = plan->cores[seats[i].first_core + k];
            }
        }
        if (n == 0) {
            dwqi_text_add(text, "not bound");
        } else {
            add_sorted(text, scratch, n);
        }
    }
}

static void add_ranks(struct dwqi_buffer *text, const struct dwqi_seat *seats,
                      int width, int *scratch)
{
    int n = 0;

    for (int i = 0; i < width; i++) {
        if (seats[i].rank >= 0) {
            scratch[n++] = seats[i].rank;
        }
    }
    if (n > 0) {
        add_sorted(text, scratch, n);
    }
    if (n < width) {
        dwqi_text_add(text, n > 0 ? "+%d new" : "%d new", width - n);
    }
}

static void add_broker(struct dwqi_buffer *text,
                       const struct dwqi_cluster *cluster,
                       const struct dwqi_placement *plan,
                       const struct dwqi_placed_group *group)
{
    const struct dwqi_seat *seat = &group->broker;

    if (plan->broker == DWQI_BROKER_INSIDE) {
        dwqi_text_add(text, "its first rank");
        return;
    }
    dwqi_text_add(text, seat->rank < 0 ? "new" : "%d", seat->rank);
    if (seat->host != plan->seats[group->first_seat].host) {
        dwqi_text_add(text, " on %s", cluster->hosts[seat->host].name);
    }
    if (seat->n_cores > 0 &&
        (plan->broker == DWQI_BROKER_THREAD || plan->on_threads[seat->host])) {
        dwqi_text_add(text, " thread %d", plan->pus[seat->first_pu]);
    } else if (seat->n_cores > 0) {
        dwqi_text_add(text, " core %d", plan->cores[seat->first_core]);
    }
}

static void add_row(struct dwqi_buffer *text,
                    const struct dwqi_cluster *cluster,
                    const struct dwqi_placement *plan, int number, int *scratch)
{
    const struct dwqi_placed_group *group = &plan->groups[number];
    const struct dwqi_seat *seats = plan->seats + group->first_seat;
    size_t from;

    dwqi_text_add(text, "%5d  %5d  ", number + 1, group->width);
    from = text->size;
    add_ranks(text, seats, group->width, scratch);
    pad(text, from, 16);
    from = text->size;
    add_broker(text, cluster, plan, group);
    pad(text, from, 16);
    add_places(text, cluster, plan, seats, group->width, scratch);
    dwqi_text_add(text, "\n");
}

static void add_controller(struct dwqi_buffer *text,
                           const struct dwqi_cluster *cluster,
                           const struct dwqi_placement *plan)
{
    const struct dwqi_seat *seat = &plan->controller;

    dwqi_text_add(text, "controller: ");
    if (seat->rank >= 0) {
        dwqi_text_add(text, "rank %d, ", seat->rank);
    }
    dwqi_text_add(text, "%s", cluster->hosts[seat->host].name);
    if (seat->n_cores == 0) {
        dwqi_text_add(text, ", not bound");
    } else if (plan->controller_on_thread || plan->on_threads[seat->host]) {
        dwqi_text_add(text, ", thread %d of core %d", plan->pus[seat->first_pu],
                      plan->cores[seat->first_core]);
    } else {
        dwqi_text_add(text, ", core %d%s", plan->cores[seat->first_core],
                      plan->controller_shares ? ", shared" : "");
    }
    if (plan->controller_costs > 0) {
        dwqi_text_add(text,
                      "; %d group%s more if it shares one: --controller share, "
                      "option controller_shares_core",
                      plan->controller_costs,
                      plan->controller_costs == 1 ? "" : "s");
    }
    dwqi_text_add(text, "\n");
}

static void add_idle(struct dwqi_buffer *text,
                     const struct dwqi_placement *plan, int *scratch)
{
    enum {
#define NAME(name, reason) WHY_##name,
        DWQI_IDLE_LIST(NAME)
#undef NAME
        N_WHY
    };

    for (int why = 0; why < N_WHY; why++) {
        int n = 0;

        for (int i = 0; i < plan->n_idle; i++) {
            if ((int)plan->idle[i].why == why) {
                scratch[n++] = plan->idle[i].rank;
            }
        }
        if (n > 0) {
            dwqi_text_add(text, "idle: rank%s ", n == 1 ? "" : "s");
            dwqi_text_add_ranges(text, scratch, n);
            dwqi_text_add(text, ": %s\n",
                          dwqi_idle_text((enum dwqi_idle_why)why));
        }
    }
}

/* Cores that nobody has, host by host. */
static void add_idle_cores(struct dwqi_buffer *text,
                           const struct dwqi_cluster *cluster,
                           const struct dwqi_placement *plan, int *scratch)
{
    struct dwqi_cells cells;

    if (dwqi_cells_init(&cells, cluster, plan) != DWQ_OK) {
        text->failed = true;
        return;
    }
    for (int h = 0; h < cluster->n_hosts; h++) {
        int n = dwqi_cells_idle(&cells, cluster, plan, h, scratch);

        if (n > 0) {
            dwqi_text_add(text, "idle: core%s ", n == 1 ? "" : "s");
            dwqi_text_add_ranges(text, scratch, n);
            dwqi_text_add(text, " of %s: %s\n", cluster->hosts[h].name,
                          dwqi_idle_text(plan->core_idle[h]));
        }
    }
    dwqi_cells_finish(&cells);
}

/* Hosts where not each rank has a core. */
static void add_crowded(struct dwqi_buffer *text,
                        const struct dwqi_cluster *cluster,
                        const struct dwqi_placement *plan)
{
    for (int h = 0; h < cluster->n_hosts; h++) {
        const char *name = cluster->hosts[h].name;

        if (plan->oversubscribed[h]) {
            dwqi_text_add(text,
                          "oversubscribed: %s has more processes than cores; "
                          "nothing is bound there\n",
                          name);
        } else if (plan->on_threads[h]) {
            dwqi_text_add(
                text,
                "hardware threads: %s has more ranks than cores; each "
                "has a thread there\n",
                name);
        }
    }
}

void dwqi_draw_table(const struct dwqi_cluster *cluster,
                     const struct dwqi_placement *plan,
                     struct dwqi_buffer *text)
{
    size_t room = (size_t)plan->n_cores + (size_t)plan->n_seats +
                  (size_t)plan->n_idle + DWQI_CORE_LIMIT;
    int *scratch = malloc(room * sizeof *scratch);

    if (!scratch) {
        text->failed = true;
        return;
    }
    add_controller(text, cluster, plan);
    dwqi_text_add(text, "%5s  %5s  %-16s  %-16s  %s\n", "group", "width",
                  "ranks", "broker", "cores");
    for (int i = 0; i < plan->n_groups; i++) {
        add_row(text, cluster, plan, i, scratch);
    }
    add_idle(text, plan, scratch);
    add_idle_cores(text, cluster, plan, scratch);
    add_crowded(text, cluster, plan);
    free(scratch);
}

#include <stdlib.h>

#include "libdwq/base/plain.h"
#include "topology/plan/draw.h"
#include "topology/plan/names.h"
#include "topology/text.h"

/* Bytes that are no UTF-8 are taken for Latin-1. */
static void add_string(struct dwqi_buffer *text, const char *string)
{
    dwqi_buffer_append(text, "\"", 1);
    for (; *string != '\0'; string++) {
        unsigned char c = (unsigned char)*string;
        size_t size = dwqi_plain_character(string);

        if (c == '"' || c == '\\') {
            dwqi_text_add(text, "\\%c", c);
        } else if (size > 1) {
            dwqi_buffer_append(text, string, size);
            string += size - 1;
        } else if (c < ' ' || c >= 127) {
            dwqi_text_add(text, "\\u%04x", c);
        } else {
            dwqi_buffer_append(text, string, 1);
        }
    }
    dwqi_buffer_append(text, "\"", 1);
}

static void add_numbers(struct dwqi_buffer *text, const int *numbers, int n)
{
    dwqi_buffer_append(text, "[", 1);
    for (int i = 0; i < n; i++) {
        dwqi_text_add(text, i > 0 ? ",%d" : "%d", numbers[i]);
    }
    dwqi_buffer_append(text, "]", 1);
}

/* A process to be spawned has no world rank. */
static void add_rank(struct dwqi_buffer *text, int rank)
{
    dwqi_text_add(text, rank < 0 ? "null" : "%d", rank);
}

static void add_seat(struct dwqi_buffer *text,
                     const struct dwqi_cluster *cluster,
                     const struct dwqi_placement *plan,
                     const struct dwqi_seat *seat)
{
    dwqi_text_add(text, "{\"rank\":");
    add_rank(text, seat->rank);
    dwqi_text_add(text, ",\"host\":");
    add_string(text, cluster->hosts[seat->host].name);
    dwqi_text_add(text, ",\"cores\":");
    add_numbers(text, plan->cores + seat->first_core, seat->n_cores);
    dwqi_text_add(text, ",\"pus\":");
    add_numbers(text, plan->pus + seat->first_pu, seat->n_pus);
    dwqi_text_add(text, "}");
}

/* Each host once: a group's ranks of one host are neighbours in the plan, unless
 * it was cut from ranks. */
static void add_hosts(struct dwqi_buffer *text,
                      const struct dwqi_cluster *cluster,
                      const struct dwqi_seat *seats, int width)
{
    bool first = true;

    dwqi_text_add(text, "\"hosts\":[");
    for (int i = 0; i < width; i++) {
        int k = 0;

        if (i > 0 && seats[i].host == seats[i - 1].host) {
            continue;
        }
        while (k < i && seats[k].host != seats[i].host) {
            k++;
        }
        if (k == i) {
            dwqi_text_add(text, first ? "" : ",");
            add_string(text, cluster->hosts[seats[i].host].name);
            first = false;
        }
    }
    dwqi_text_add(text, "]");
}

static void add_members(struct dwqi_buffer *text,
                        const struct dwqi_cluster *cluster,
                        const struct dwqi_placement *plan,
                        const struct dwqi_seat *seats, int width)
{
    dwqi_text_add(text, ",\"ranks\":[");
    for (int i = 0; i < width; i++) {
        dwqi_text_add(text, i > 0 ? "," : "");
        add_rank(text, seats[i].rank);
    }
    dwqi_text_add(text, "],\"rank_hosts\":[");
    for (int i = 0; i < width; i++) {
        dwqi_text_add(text, i > 0 ? "," : "");
        add_string(text, cluster->hosts[seats[i].host].name);
    }
    dwqi_text_add(text, "],\"cpuset\":[");
    for (int i = 0; i < width; i++) {
        dwqi_text_add(text, i > 0 ? "," : "");
        add_numbers(text, plan->cores + seats[i].first_core, seats[i].n_cores);
    }
    dwqi_text_add(text, "],\"pus\":[");
    for (int i = 0; i < width; i++) {
        dwqi_text_add(text, i > 0 ? "," : "");
        add_numbers(text, plan->pus + seats[i].first_pu, seats[i].n_pus);
    }
    dwqi_text_add(text, "]");
}

static void add_group(struct dwqi_buffer *text,
                      const struct dwqi_cluster *cluster,
                      const struct dwqi_placement *plan, int number)
{
    const struct dwqi_placed_group *group = &plan->groups[number];
    const struct dwqi_seat *seats = plan->seats + group->first_seat;

    dwqi_text_add(text, "{\"id\":%d,\"width\":%d,", number + 1, group->width);
    add_hosts(text, cluster, seats, group->width);
    add_members(text, cluster, plan, seats, group->width);
    dwqi_text_add(text, ",\"broker\":");
    add_rank(text, group->broker.rank);
    dwqi_text_add(text, ",\"broker_seat\":");
    add_seat(text, cluster, plan, &group->broker);
    dwqi_text_add(text, ",\"oversubscribed\":%s}",
                  group->oversubscribed ? "true" : "false");
}

static void add_idle(struct dwqi_buffer *text,
                     const struct dwqi_cluster *cluster,
                     const struct dwqi_placement *plan)
{
    dwqi_text_add(text, "\"idle\":[");
    for (int i = 0; i < plan->n_idle; i++) {
        int rank = plan->idle[i].rank;

        dwqi_text_add(text, "%s\n{\"rank\":%d,\"host\":", i > 0 ? "," : "",
                      rank);
        add_string(text, cluster->hosts[cluster->ranks[rank].host].name);
        dwqi_text_add(text, ",\"reason\":\"%s\"}",
                      dwqi_idle_text(plan->idle[i].why));
    }
    dwqi_text_add(text, "]");
}

static void add_idle_cores(struct dwqi_buffer *text,
                           const struct dwqi_cluster *cluster,
                           const struct dwqi_placement *plan)
{
    int *numbers = malloc(DWQI_CORE_LIMIT * sizeof *numbers);
    struct dwqi_cells cells = { .cells = NULL };
    bool first = true;

    if (!numbers || dwqi_cells_init(&cells, cluster, plan) != DWQ_OK) {
        text->failed = true;
        free(numbers);
        return;
    }
    dwqi_text_add(text, "\"idle_cores\":[");
    for (int h = 0; h < cluster->n_hosts; h++) {
        int n = dwqi_cells_idle(&cells, cluster, plan, h, numbers);

        if (n > 0) {
            dwqi_text_add(text, "%s\n{\"host\":", first ? "" : ",");
            add_string(text, cluster->hosts[h].name);
            dwqi_text_add(text, ",\"cores\":");
            add_numbers(text, numbers, n);
            dwqi_text_add(text, ",\"reason\":\"%s\"}",
                          dwqi_idle_text(plan->core_idle[h]));
            first = false;
        }
    }
    dwqi_text_add(text, "]");
    dwqi_cells_finish(&cells);
    free(numbers);
}

static void add_marked(struct dwqi_buffer *text,
                       const struct dwqi_cluster *cluster, const bool *marked)
{
    bool first = true;

    dwqi_text_add(text, "[");
    for (int h = 0; h < cluster->n_hosts; h++) {
        if (marked[h]) {
            dwqi_text_add(text, first ? "" : ",");
            add_string(text, cluster->hosts[h].name);
            first = false;
        }
    }
    dwqi_text_add(text, "]");
}

void dwqi_draw_json(const struct dwqi_cluster *cluster,
                    const struct dwqi_placement *plan, struct dwqi_buffer *text)
{
    dwqi_text_add(text, "{\"grouping\":\"%s\",\"broker_place\":\"%s\",\n",
                  plan->grouping == DWQ_GROUPING_SPAWN ? "spawn" : "split",
                  dwqi_policy_name(DWQI_POLICY_BROKER, (int)plan->broker));
    dwqi_text_add(text, "\"controller\":");
    add_seat(text, cluster, plan, &plan->controller);
    dwqi_text_add(text,
                  ",\"controller_on_thread\":%s,\"controller_shares\":%s,"
                  "\"controller_costs\":%d,\n\"groups\":[",
                  plan->controller_on_thread ? "true" : "false",
                  plan->controller_shares ? "true" : "false",
                  plan->controller_costs);
    for (int i = 0; i < plan->n_groups; i++) {
        dwqi_text_add(text, i > 0 ? ",\n" : "\n");
        add_group(text, cluster, plan, i);
    }
    dwqi_text_add(text, "],\n");
    add_idle(text, cluster, plan);
    dwqi_text_add(text, ",\n");
    add_idle_cores(text, cluster, plan);
    dwqi_text_add(text, ",\n\"oversubscribed_hosts\":");
    add_marked(text, cluster, plan->oversubscribed);
    dwqi_text_add(text, ",\"hosts_on_threads\":");
    add_marked(text, cluster, plan->on_threads);
    dwqi_text_add(text, "}\n");
}

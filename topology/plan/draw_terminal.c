#include "topology/plan/draw.h"
#include "topology/text.h"

/* Letters and colours come again after so many groups. */
#define N_LETTERS 26
#define N_COLOURS 6

static void add_cell(struct dwqi_buffer *text, const struct dwqi_cell *cell,
                     bool colours)
{
    char letter = '.';
    int colour = 0;

    if (cell->controller) {
        letter = cell->group < 0 ? '@' : '&';
    } else if (cell->group >= 0) {
        letter = (char)((cell->broker ? 'a' : 'A') + cell->group % N_LETTERS);
    }
    if (colours && cell->group >= 0) {
        colour = 41 + cell->group % N_COLOURS;
        dwqi_text_add(text, "\033[%s%d;97m", cell->broker ? "1;4;" : "",
                      colour);
    }
    dwqi_buffer_append(text, &letter, 1);
    if (colour != 0) {
        dwqi_text_add(text, "\033[0m");
    }
}

static void add_host(struct dwqi_buffer *text,
                     const struct dwqi_cluster *cluster, int host,
                     const struct dwqi_cell *cells, bool colours)
{
    const struct dwqi_machine *machine = dwqi_cluster_machine(cluster, host);

    dwqi_text_add(text, "%s\n", cluster->hosts[host].name);
    for (int i = 0; i < machine->n_cores; i++) {
        const struct dwqi_core *core = &machine->cores[i];
        const struct dwqi_core *before = i > 0 ? core - 1 : NULL;

        if (!before || before->package != core->package ||
            before->numa != core->numa) {
            dwqi_text_add(text, "%s  package %-2d  NUMA node %-2d  ",
                          before ? "\n" : "", core->package, core->numa);
        } else if (before->l3 != core->l3) {
            dwqi_text_add(text, " ");
        }
        add_cell(text, &cells[i], colours);
    }
    dwqi_text_add(text, "\n");
}

void dwqi_draw_terminal(const struct dwqi_cluster *cluster,
                        const struct dwqi_placement *plan, bool colours,
                        struct dwqi_buffer *text)
{
    struct dwqi_cells cells;
    int n =
        cluster->n_hosts < DWQI_DRAW_HOSTS ? cluster->n_hosts : DWQI_DRAW_HOSTS;

    if (dwqi_cells_init(&cells, cluster, plan) != DWQ_OK) {
        text->failed = true;
        return;
    }
    for (int h = 0; h < n; h++) {
        add_host(text, cluster, h, cells.cells + cells.first[h], colours);
        if (plan->oversubscribed[h]) {
            dwqi_text_add(text, "  oversubscribed: nothing is bound here\n");
        }
    }
    if (n < cluster->n_hosts) {
        dwqi_text_add(text, "... and %d more hosts\n", cluster->n_hosts - n);
    }
    dwqi_text_add(text, "one letter is one core; a letter is a group (after Z "
                        "comes A again), a small one its broker\n"
                        "@ controller   & controller on a spare thread of a "
                        "group's core   . idle\n");
    dwqi_cells_finish(&cells);
}

#include <stdio.h>

#include "topology/plan/draw.h"
#include "topology/text.h"

enum { /* pixels */
    CORE = 16,
    GAP = 6,
    LABEL = 16,
    COLUMNS = 8 /* cores side by side */
};

/* Where the next thing is drawn, and how far the picture goes. */
struct pen {
    struct dwqi_buffer *text;
    int x, y;
    int right, bottom;
};

static void add_escaped(struct dwqi_buffer *text, const char *string)
{
    for (; *string != '\0'; string++) {
        unsigned char c = (unsigned char)*string;

        if (c == '<' || c == '>' || c == '&' || c == '"' || c >= 127) {
            dwqi_text_add(text, "&#%d;", c);
        } else {
            dwqi_buffer_append(text, string, 1);
        }
    }
}

static void add_box(struct pen *pen, int x, int y, int width, int height,
                    const char *kind, const char *label)
{
    dwqi_text_add(pen->text,
                  "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" "
                  "height=\"%d\"/>\n<text x=\"%d\" y=\"%d\">",
                  kind, x, y, width, height, x + 4, y + 12);
    add_escaped(pen->text, label);
    dwqi_text_add(pen->text, "</text>\n");
    pen->right = x + width > pen->right ? x + width : pen->right;
    pen->bottom = y + height > pen->bottom ? y + height : pen->bottom;
}

static void add_title(struct dwqi_buffer *text, const struct dwqi_cell *cell,
                      const struct dwqi_core *core)
{
    dwqi_text_add(text, "<title>core %d", core->number);
    if (cell->group >= 0) {
        dwqi_text_add(text, ", group %d", cell->group + 1);
    }
    if (cell->rank >= 0) {
        dwqi_text_add(text, ", rank %d", cell->rank);
    }
    dwqi_text_add(text, "%s%s</title>", cell->broker ? ", broker" : "",
                  cell->controller  ? ", controller"
                  : cell->group < 0 ? ", idle"
                                    : "");
}

/* A group's hue is a golden angle from that of the group before. */
static void add_core(struct pen *pen, int x, int y,
                     const struct dwqi_cell *cell, const struct dwqi_core *core)
{
    dwqi_text_add(pen->text,
                  "<rect class=\"core\" x=\"%d\" y=\"%d\" width=\"%d\" "
                  "height=\"%d\" fill=\"",
                  x, y, CORE - 2, CORE - 2);
    if (cell->group >= 0) {
        dwqi_text_add(pen->text, "hsl(%d,70%%,%d%%)",
                      (int)(cell->group * 137L % 360),
                      cell->group / 8 % 2 ? 45 : 62);
    } else {
        dwqi_text_add(pen->text, cell->controller ? "#333" : "#fff");
    }
    dwqi_text_add(pen->text, "\">");
    add_title(pen->text, cell, core);
    dwqi_text_add(pen->text, "</rect>\n");
    if (cell->broker || cell->controller) {
        dwqi_text_add(pen->text,
                      "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"4\"/>\n",
                      cell->controller ? "controller" : "broker",
                      x + CORE / 2 - 1, y + CORE / 2 - 1);
    }
}

/* The cores from i on that are in the same part. */
static int run_of(const struct dwqi_machine *machine, int i, bool same_numa)
{
    int end = i;

    while (end < machine->n_cores &&
           machine->cores[end].package == machine->cores[i].package &&
           (!same_numa || machine->cores[end].numa == machine->cores[i].numa)) {
        end++;
    }
    return end;
}

static int numa_width(int n_cores)
{
    return (n_cores < COLUMNS ? (n_cores < 5 ? 5 : n_cores) : COLUMNS) * CORE +
           2 * GAP;
}

static int numa_height(int n_cores)
{
    return (n_cores + COLUMNS - 1) / COLUMNS * CORE + LABEL + GAP;
}

static void add_numa(struct pen *pen, const struct dwqi_machine *machine,
                     const struct dwqi_cell *cells, int first, int end,
                     int height)
{
    char label[32];

    snprintf(label, sizeof label, "NUMA %d", machine->cores[first].numa);
    add_box(pen, pen->x, pen->y, numa_width(end - first), height, "numa",
            label);
    for (int i = first; i < end; i++) {
        add_core(pen, pen->x + GAP + (i - first) % COLUMNS * CORE,
                 pen->y + LABEL + (i - first) / COLUMNS * CORE, &cells[i],
                 &machine->cores[i]);
    }
    pen->x += numa_width(end - first) + GAP;
}

/* The tallest NUMA node of the machine sets the height of all. */
static int tallest(const struct dwqi_machine *machine)
{
    int height = numa_height(1);

    for (int i = 0; i < machine->n_cores;) {
        int end = run_of(machine, i, true);

        height = numa_height(end - i) > height ? numa_height(end - i) : height;
        i = end;
    }
    return height;
}

static void add_package(struct pen *pen, const struct dwqi_machine *machine,
                        const struct dwqi_cell *cells, int first, int end,
                        int height)
{
    int x = pen->x, y = pen->y, width = GAP;
    char label[32];

    for (int i = first; i < end;) {
        int next = run_of(machine, i, true);

        width += numa_width(next - i) + GAP;
        i = next;
    }
    snprintf(label, sizeof label, "package %d", machine->cores[first].package);
    add_box(pen, x, y, width, height + LABEL + GAP, "package", label);
    pen->x = x + GAP;
    pen->y = y + LABEL;
    for (int i = first; i < end;) {
        int next = run_of(machine, i, true);

        add_numa(pen, machine, cells, i, next, height);
        i = next;
    }
    pen->x = x + width + GAP;
    pen->y = y;
}

static int packages_width(const struct dwqi_machine *machine)
{
    int width = GAP;

    for (int i = 0; i < machine->n_cores;) {
        int end = run_of(machine, i, false);

        width += 2 * GAP;
        while (i < end) {
            int next = run_of(machine, i, true);

            width += numa_width(next - i) + GAP;
            i = next;
        }
    }
    return width < 160 ? 160 : width;
}

static void add_host(struct pen *pen, const struct dwqi_cluster *cluster,
                     int host, const struct dwqi_cell *cells)
{
    const struct dwqi_machine *machine = dwqi_cluster_machine(cluster, host);
    int height = tallest(machine), y = pen->y;
    int host_height = height + 2 * LABEL + 3 * GAP;

    add_box(pen, GAP, y, packages_width(machine), host_height, "host",
            cluster->hosts[host].name);
    pen->x = 2 * GAP;
    pen->y = y + LABEL + GAP / 2;
    for (int i = 0; i < machine->n_cores;) {
        int end = run_of(machine, i, false);

        add_package(pen, machine, cells, i, end, height);
        i = end;
    }
    pen->y = y + host_height + GAP;
}

static void add_legend(struct pen *pen, const struct dwqi_cluster *cluster,
                       int n_drawn)
{
    dwqi_text_add(pen->text,
                  "<text x=\"%d\" y=\"%d\">a box is a core, a colour a group; "
                  "white dot: broker, red dot: controller, white box: "
                  "idle</text>\n",
                  GAP, pen->y + 12);
    pen->bottom = pen->y + LABEL;
    pen->right = pen->right < 520 ? 520 : pen->right;
    if (n_drawn < cluster->n_hosts) {
        dwqi_text_add(pen->text,
                      "<text x=\"%d\" y=\"%d\">and %d more hosts</text>\n", GAP,
                      pen->y + 12 + LABEL, cluster->n_hosts - n_drawn);
        pen->bottom += LABEL;
    }
}

/* The size comes first in the file and is known last. */
static void add_head(struct dwqi_buffer *text, const struct pen *pen)
{
    dwqi_text_add(text,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
                  "height=\"%d\">\n",
                  pen->right + GAP, pen->bottom + GAP);
    dwqi_text_add(text, "<style>text{font:11px sans-serif;fill:#222}"
                        "rect{stroke:#555}.host{fill:#f4f4f4}"
                        ".package{fill:#e6ebf2}.numa{fill:#d5deea}"
                        ".core{stroke:#777}.broker{fill:#fff;stroke:#000}"
                        ".controller{fill:#d00;stroke:#fff}</style>\n"
                        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\" "
                        "stroke=\"none\"/>\n");
}

void dwqi_draw_svg(const struct dwqi_cluster *cluster,
                   const struct dwqi_placement *plan, struct dwqi_buffer *text)
{
    struct dwqi_buffer body = { .data = NULL };
    struct pen pen = { .text = &body, .y = GAP };
    struct dwqi_cells cells;
    int n =
        cluster->n_hosts < DWQI_DRAW_HOSTS ? cluster->n_hosts : DWQI_DRAW_HOSTS;

    if (dwqi_cells_init(&cells, cluster, plan) != DWQ_OK) {
        text->failed = true;
        return;
    }
    for (int h = 0; h < n; h++) {
        add_host(&pen, cluster, h, cells.cells + cells.first[h]);
    }
    add_legend(&pen, cluster, n);
    add_head(text, &pen);
    dwqi_buffer_append(text, body.data, body.size);
    dwqi_text_add(text, "</svg>\n");
    text->failed = text->failed || body.failed;
    dwqi_buffer_finish(&body);
    dwqi_cells_finish(&cells);
}

/* Draws panels in a grid. Everything is in pixels of the SVG, y downwards; a
 * panel's origin is its top left corner. Densities that are not above 0 have no
 * logarithm, and leave a gap. */
#include "examples/spectrum_plot.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Layout, pixels. */
#define PANEL_WIDTH 300
#define PANEL_HEIGHT 190
#define GAP_X 22
#define GAP_Y 42
#define LEFT 84
#define RIGHT 24
#define TOP 124
#define BOTTOM 62
#define MAX_COLUMNS 4
#define MIN_WIDTH 640 /* for the title and the legend */

#define MAX_DECADES 12 /* below the highest density; the rest is cut off */

/* The axes, in log10. */
struct axes {
    double x_min;
    double x_max;
    double y_min;
    double y_max;
};

/* What fell into one column of pixels of a line. */
struct column {
    int place; /* half pixels; -1: none yet */
    double first;
    double last;
    double top;
    double bottom;
};

static const struct {
    const char *colour;
    double width;
} styles[PLOT_LINES] = {
    { "#9fa9b5", 0.8 },
    { "#0072b2", 1.1 },
    { "#d55e00", 1.7 },
};

/* Bytes of the UTF-8 character here; 0 for what XML might not take: control
 * characters, stray bytes, and lead bytes that would need a closer look. */
static int utf8_length(const unsigned char *text)
{
    int n = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : 3;

    if (text[0] < 0x20 || text[0] == 0x7f ||
        (text[0] >= 0x80 && text[0] < 0xc2) || text[0] == 0xe0 ||
        text[0] > 0xec) {
        return 0;
    }
    for (int i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

static void put_text(const char *text, FILE *out)
{
    while (*text) {
        int n = utf8_length((const unsigned char *)text);

        if (n == 0) {
            fputc('?', out);
        } else if (strchr("&<>\"", *text)) {
            fprintf(out, "&#%d;", *text);
        } else {
            fprintf(out, "%.*s", n, text);
        }
        text += n > 0 ? n : 1;
    }
}

static void put_label(double x, double y, const char *attributes,
                      const char *text, FILE *out)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
    put_text(text, out);
    fputs("</text>\n", out);
}

static size_t n_columns(const struct plot *plot)
{
    size_t n = 1;

    while (n < MAX_COLUMNS && n * n < plot->n_panels) {
        n++;
    }
    return n;
}

static void widen(struct axes *axes, const struct plot_line *line)
{
    for (size_t k = 1; k < line->n; k++) {
        double x = log10((double)k * line->width);

        if (!(line->density[k] > 0)) {
            continue;
        }
        axes->x_min = fmin(axes->x_min, x);
        axes->x_max = fmax(axes->x_max, x);
        axes->y_min = fmin(axes->y_min, log10(line->density[k]));
        axes->y_max = fmax(axes->y_max, log10(line->density[k]));
    }
}

/* Whole decades of density. */
static struct axes find_axes(const struct plot *plot)
{
    struct axes axes = { INFINITY, -INFINITY, INFINITY, -INFINITY };

    for (size_t i = 0; i < plot->n_panels; i++) {
        for (int j = 0; j < PLOT_LINES; j++) {
            widen(&axes, &plot->panels[i].lines[j]);
        }
    }
    if (!(axes.x_min < axes.x_max)) { /* nothing to draw */
        return (struct axes){ 1, 4, -10, 0 };
    }
    axes.x_min = fmax(axes.x_min, axes.x_max - MAX_DECADES);
    axes.y_max = ceil(axes.y_max + 1e-9);
    axes.y_min = fmax(floor(axes.y_min), axes.y_max - MAX_DECADES);
    return axes;
}

static double place_x(const struct axes *axes, double x)
{
    return PANEL_WIDTH * (x - axes->x_min) / (axes->x_max - axes->x_min);
}

static double place_y(const struct axes *axes, double y)
{
    return PANEL_HEIGHT * (axes->y_max - y) / (axes->y_max - axes->y_min);
}

/* A column as up to four points, from where the line enters to where it
 * leaves: it looks the same, and the file stays small. */
static void put_column(const struct column *column, char *pen, FILE *out)
{
    const double points[] = { column->first, column->top, column->bottom,
                              column->last };

    if (column->place < 0) {
        return;
    }
    for (int i = 0; i < 4; i++) {
        if (i > 0 && points[i] == points[i - 1]) {
            continue;
        }
        fprintf(out, "%c%.1f %.1f", *pen, column->place / 2., points[i]);
        *pen = 'L';
    }
}

static void put_line(const struct plot_line *line, const struct axes *axes,
                     int style, FILE *out)
{
    struct column column = { .place = -1 };
    char pen = 'M';

    fprintf(out, "<path class=\"l%d\" d=\"", style);
    for (size_t k = 1; k < line->n; k++) {
        double x = place_x(axes, log10((double)k * line->width));
        double y;

        if (!(line->density[k] > 0) || x < 0) {
            put_column(&column, &pen, out);
            column.place = -1;
            pen = 'M';
            continue;
        }
        y = place_y(axes, log10(line->density[k]));
        y = fmin(y, 2 * PANEL_HEIGHT); /* far below is cut off anyway */
        if ((int)(2 * x) != column.place) {
            put_column(&column, &pen, out);
            column = (struct column){ (int)(2 * x), y, y, y, y };
        }
        column.last = y;
        column.top = fmin(column.top, y);
        column.bottom = fmax(column.bottom, y);
    }
    put_column(&column, &pen, out);
    fputs("\"/>\n", out);
}

static void put_grid_x(const struct axes *axes, bool labels, FILE *out)
{
    for (int decade = (int)floor(axes->x_min); decade <= axes->x_max;
         decade++) {
        for (int digit = 1; digit < 10; digit++) {
            double x = decade + log10(digit);
            char text[32];

            if (x < axes->x_min || x > axes->x_max) {
                continue;
            }
            fprintf(out, "<path class=\"%s\" d=\"M%.1f 0V%d\"/>\n",
                    digit == 1 ? "major" : "minor", place_x(axes, x),
                    PANEL_HEIGHT);
            if (labels && digit == 1) {
                snprintf(text, sizeof text, decade < 3 ? "%g" : "%gk",
                         pow(10, decade < 3 ? decade : decade - 3));
                put_label(place_x(axes, x), PANEL_HEIGHT + 17,
                          "text-anchor=\"middle\"", text, out);
            }
        }
    }
}

static void put_grid_y(const struct axes *axes, bool labels, FILE *out)
{
    int step = axes->y_max - axes->y_min > 6 ? 2 : 1;

    for (int y = (int)axes->y_max; y >= axes->y_min; y -= step) {
        double place = place_y(axes, y);

        fprintf(out, "<path class=\"major\" d=\"M0 %.1fH%d\"/>\n", place,
                PANEL_WIDTH);
        if (labels) {
            fprintf(out,
                    "<text x=\"-7\" y=\"%.1f\" text-anchor=\"end\">10<tspan "
                    "dy=\"-5\" font-size=\"9\">%s%d</tspan></text>\n",
                    place + 4, y < 0 ? "&#8722;" : "", y < 0 ? -y : y);
        }
    }
}

static void put_panel(const struct plot *plot, size_t i,
                      const struct axes *axes, FILE *out)
{
    const struct plot_panel *panel = &plot->panels[i];
    size_t columns = n_columns(plot);
    bool empty = true;

    fprintf(out, "<g transform=\"translate(%zu,%zu)\">\n",
            LEFT + i % columns * (PANEL_WIDTH + GAP_X),
            TOP + i / columns * (PANEL_HEIGHT + GAP_Y));
    put_grid_x(axes, i + columns >= plot->n_panels, out);
    put_grid_y(axes, i % columns == 0, out);
    fputs("<g clip-path=\"url(#panel)\">\n", out);
    for (int j = 0; j < PLOT_LINES; j++) {
        if (panel->lines[j].n > 1) {
            put_line(&panel->lines[j], axes, j, out);
            empty = false;
        }
    }
    fputs("</g>\n", out);
    fprintf(out, "<rect class=\"frame\" width=\"%d\" height=\"%d\"/>\n",
            PANEL_WIDTH, PANEL_HEIGHT);
    put_label(0, -8, "font-weight=\"bold\"", panel->title, out);
    if (empty && panel->note) {
        put_label(PANEL_WIDTH / 2., PANEL_HEIGHT / 2.,
                  "text-anchor=\"middle\" fill=\"#a00\"", panel->note, out);
    }
    fputs("</g>\n", out);
}

static void put_head(const struct plot *plot, size_t width, size_t height,
                     FILE *out)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" "
            "height=\"%zu\" viewBox=\"0 0 %zu %zu\" font-family=\"Helvetica, "
            "Arial, sans-serif\" font-size=\"12\" fill=\"#222\">\n"
            "<style>\npath{fill:none;stroke-linejoin:round}\n"
            ".major{stroke:#d8d8d8}\n.minor{stroke:#efefef}\n"
            ".frame{fill:none;stroke:#666}\n",
            width, height, width, height);
    for (int j = 0; j < PLOT_LINES; j++) {
        fprintf(out, ".l%d{stroke:%s;stroke-width:%.1f}\n", j, styles[j].colour,
                styles[j].width);
    }
    fprintf(out,
            "</style>\n<clipPath id=\"panel\"><rect width=\"%d\" "
            "height=\"%d\"/></clipPath>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            PANEL_WIDTH, PANEL_HEIGHT);
    put_label(LEFT, 34, "font-size=\"20\" font-weight=\"bold\"", plot->title,
              out);
    put_label(LEFT, 56, "fill=\"#555\"", plot->subtitle, out);
    for (int j = 0; j < PLOT_LINES; j++) {
        int x = LEFT + 190 * j;

        fprintf(out, "<path class=\"l%d\" d=\"M%d 78h26\"/>\n", j, x);
        put_label(x + 33, 82, "", plot->names[j], out);
    }
}

static void put_plot(const struct plot *plot, FILE *out)
{
    struct axes axes = find_axes(plot);
    size_t columns = n_columns(plot);
    size_t rows = (plot->n_panels + columns - 1) / columns;
    size_t width = columns * (PANEL_WIDTH + GAP_X) - GAP_X;
    size_t height = rows * (PANEL_HEIGHT + GAP_Y) - GAP_Y;
    size_t whole = LEFT + width + RIGHT;
    char attributes[96];

    put_head(plot, whole < MIN_WIDTH ? MIN_WIDTH : whole, TOP + height + BOTTOM,
             out);
    for (size_t i = 0; i < plot->n_panels; i++) {
        put_panel(plot, i, &axes, out);
    }
    put_label(LEFT + width / 2., TOP + height + 44.,
              "text-anchor=\"middle\" font-size=\"14\"", plot->x_label, out);
    snprintf(attributes, sizeof attributes,
             "text-anchor=\"middle\" font-size=\"14\" "
             "transform=\"rotate(-90 26 %.1f)\"",
             TOP + height / 2.);
    put_label(26, TOP + height / 2., attributes, plot->y_label, out);
    fputs("</svg>\n", out);
}

int plot_write(const struct plot *plot, const char *path)
{
    FILE *out = fopen(path, "w");
    int bad;

    if (!out) {
        return -1;
    }
    put_plot(plot, out);
    bad = ferror(out);
    return fclose(out) != 0 || bad ? -1 : 0;
}

/* The plot of the spectrum example: an SVG with a panel per recording, all on
 * the same logarithmic axes, and in each panel a line per window length. */
#ifndef EXAMPLES_SPECTRUM_PLOT_H
#define EXAMPLES_SPECTRUM_PLOT_H

#include <stddef.h>

#define PLOT_LINES 3 /* in a panel; drawn in this order, the last on top */

struct plot_line {
    const double *density; /* borrowed; units^2/Hz, from frequency 0; or NULL */
    size_t n;              /* densities; 0: no line */
    double width;          /* Hz between two of them, > 0 */
};

struct plot_panel {
    const char *title; /* borrowed */
    const char *note;  /* borrowed; said in an empty panel */
    struct plot_line lines[PLOT_LINES];
};

struct plot {
    const char *title;
    const char *subtitle;
    const char *x_label;
    const char *y_label;
    const char *names[PLOT_LINES]; /* for the legend */
    const struct plot_panel *panels;
    size_t n_panels;
};

/** Write the plot as a file. @return 0, or -1 with errno. */
int plot_write(const struct plot *plot, const char *path);

#endif

/* The numbers of the heat example: the temperature of a rectangular plate whose
 * edges are kept at given temperatures,
 *
 *     du/dt = a (d2u/dx2 + d2u/dy2),   u given at the edges and at time 0,
 *
 * by the explicit five-point scheme: forward in time, centred in space,
 *
 *     u'(i,j) = u(i,j) + mu_x (u(i,j-1) - 2 u(i,j) + u(i,j+1))
 *                      + mu_y (u(i-1,j) - 2 u(i,j) + u(i+1,j)),
 *     mu_x = a dt / dx^2,   mu_y = a dt / dy^2,
 *
 * which is stable exactly when mu_x + mu_y <= 1/2, and then obeys the maximum
 * principle: K. W. Morton, D. F. Mayers, "Numerical Solution of Partial
 * Differential Equations", 2nd edition, Cambridge University Press (2005),
 * section 3.1. (The bound for one dimension is from R. Courant, K. Friedrichs,
 * H. Lewy, Math. Ann. 100 (1928) 32-74.)
 *
 * The rows of the plate are cut into strips. A strip has a row of a neighbour, or
 * of the plate's edge, on each side: its halo. Each point is computed from the
 * same numbers by the same operations whatever the cut, and nothing is summed over
 * strips: that is why any number of strips gives the same bits. */
#ifndef EXAMPLES_HEAT_PLATE_H
#define EXAMPLES_HEAT_PLATE_H

#include <stdbool.h>
#include <stddef.h>

#define HEAT_MU_MAX 0.45        /* of mu_x + mu_y: some distance from 1/2 */
#define HEAT_SIDE_MAX (1 << 20) /* rows, and columns */

/* Points inside the plate; those of the edges come in addition. Point (row,
 * column) lies at y = (row + 1) height / (rows + 1), and x likewise. */
struct heat_plate {
    size_t rows;
    size_t columns;
    double height;      /* m */
    double width;       /* m */
    double diffusivity; /* m^2/s */
    double duration;    /* s: from time 0 to the end */
};

/* A temperature at a place: at the edges, and at time 0 everywhere. */
struct heat_start {
    double (*temperature)(double x, double y);
};

/* Rows first .. first + rows - 1 of a plate. */
struct heat_strip {
    size_t first;
    size_t rows;
    size_t columns;
    double mu_x;
    double mu_y;
    double *now;  /* rows + 2 by columns + 2 points: with halo and edges */
    double *next; /* the same, for the step; its edges are equal */
};

/** False for a plate without points, with more than HEAT_SIDE_MAX in a row or a
 * column, or with a size that is not positive. */
bool heat_plate_is_valid(const struct heat_plate *plate);

/** The fewest steps of equal length that keep mu_x + mu_y <= HEAT_MU_MAX. */
double heat_steps(const struct heat_plate *plate);

/** What a solution costs: updates of a point. */
double heat_cost(const struct heat_plate *plate);

/** The rows of one of n strips: earlier ones get what is left over, and with more
 * strips than rows the last ones get none. */
void heat_share(size_t rows, int n, int index, size_t *first_out,
                size_t *rows_out);

/**
 * A strip at time 0.
 *
 * @param first, rows  Which rows of the plate; rows > 0.
 * @param start        Temperatures at time 0 and at the edges.
 *
 * @return false without memory; heat_strip_finish() is harmless then
 */
bool heat_strip_init(struct heat_strip *strip, const struct heat_plate *plate,
                     size_t first, size_t rows, const struct heat_start *start);
void heat_strip_finish(struct heat_strip *strip);

/** A row, edges included (columns + 2 points): 0 and rows + 1 are the halo. */
double *heat_strip_row(const struct heat_strip *strip, size_t row);

/** One step of time. Each halo has to be that of the time before the step; one that
 * is the plate's edge stays by itself. */
void heat_strip_step(struct heat_strip *strip);

/** The points inside the plate: rows x columns. */
void heat_strip_copy(const struct heat_strip *strip, double *field_out);

#endif

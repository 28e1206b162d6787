/* The scheme on a strip of rows. Pure: who exchanges halos is somebody else. */
#include "examples/heat_plate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool heat_plate_is_valid(const struct heat_plate *plate)
{
    return plate->rows > 0 && plate->rows <= HEAT_SIDE_MAX &&
           plate->columns > 0 && plate->columns <= HEAT_SIDE_MAX &&
           plate->height > 0 && plate->width > 0 && plate->diffusivity > 0 &&
           plate->duration > 0 && isfinite(heat_cost(plate));
}

/* a / dx^2 + a / dy^2, in 1/s, and its two parts. */
static double rate(const struct heat_plate *plate, double *x_out, double *y_out)
{
    double dx = plate->width / (double)(plate->columns + 1);
    double dy = plate->height / (double)(plate->rows + 1);

    *x_out = plate->diffusivity / (dx * dx);
    *y_out = plate->diffusivity / (dy * dy);
    return *x_out + *y_out;
}

double heat_steps(const struct heat_plate *plate)
{
    double x, y;

    return ceil(plate->duration * rate(plate, &x, &y) / HEAT_MU_MAX);
}

double heat_cost(const struct heat_plate *plate)
{
    return heat_steps(plate) * (double)plate->rows * (double)plate->columns;
}

void heat_share(size_t rows, int n, int index, size_t *first_out,
                size_t *rows_out)
{
    size_t share = rows / (size_t)n;
    size_t left_over = rows % (size_t)n;
    size_t i = (size_t)index;

    *first_out = i * share + (i < left_over ? i : left_over);
    *rows_out = share + (i < left_over);
}

bool heat_strip_init(struct heat_strip *strip, const struct heat_plate *plate,
                     size_t first, size_t rows, const struct heat_start *start)
{
    size_t n = (rows + 2) * (plate->columns + 2);
    double dt = plate->duration / heat_steps(plate);
    double dx = plate->width / (double)(plate->columns + 1);
    double dy = plate->height / (double)(plate->rows + 1);
    double *point;

    *strip = (struct heat_strip){ .first = first,
                                  .rows = rows,
                                  .columns = plate->columns,
                                  .now = malloc(n * sizeof *strip->now),
                                  .next = malloc(n * sizeof *strip->next) };
    if (!strip->now || !strip->next) {
        return false;
    }
    rate(plate, &strip->mu_x, &strip->mu_y);
    strip->mu_x *= dt;
    strip->mu_y *= dt;
    point = strip->now;
    for (size_t i = 0; i < rows + 2; i++) {
        for (size_t j = 0; j < plate->columns + 2; j++) {
            *point++ =
                start->temperature((double)j * dx, (double)(first + i) * dy);
        }
    }
    memcpy(strip->next, strip->now, n * sizeof *strip->now);
    return true;
}

void heat_strip_finish(struct heat_strip *strip)
{
    free(strip->now);
    free(strip->next);
    *strip = (struct heat_strip){ 0 };
}

double *heat_strip_row(const struct heat_strip *strip, size_t row)
{
    return strip->now + row * (strip->columns + 2);
}

/* One row: `u` and the rows above and below it, edges included. */
static void step_row(const struct heat_strip *strip, const double *above,
                     const double *u, const double *below, double *next)
{
    const double mu_x = strip->mu_x;
    const double mu_y = strip->mu_y;

    for (size_t j = 1; j <= strip->columns; j++) {
        next[j] = u[j] + mu_x * (u[j - 1] - 2 * u[j] + u[j + 1]) +
                  mu_y * (above[j] - 2 * u[j] + below[j]);
    }
}

void heat_strip_step(struct heat_strip *strip)
{
    size_t width = strip->columns + 2;
    double *now = strip->now;

    for (size_t i = 1; i <= strip->rows; i++) {
        const double *u = now + i * width;

        step_row(strip, u - width, u, u + width, strip->next + i * width);
    }
    strip->now = strip->next;
    strip->next = now;
}

void heat_strip_copy(const struct heat_strip *strip, double *field_out)
{
    for (size_t i = 0; i < strip->rows; i++) {
        memcpy(field_out + i * strip->columns, heat_strip_row(strip, i + 1) + 1,
               strip->columns * sizeof *field_out);
    }
}

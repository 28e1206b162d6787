/* The numbers of the heat example: solutions that are known, and cuts into strips. */
#include "examples/heat_picture.h"
#include "examples/heat_plate.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/temporary.h"

#define PI 3.14159265358979323846
#define WIDTH 0.3
#define HEIGHT 0.2

/* A mode of the plate with cold edges: it only shrinks. */
static double mode(double x, double y)
{
    return sin(2 * PI * x / WIDTH) * sin(PI * y / HEIGHT);
}

static double slope(double x, double y)
{
    return 3 + 5 * x - 7 * y;
}

static double spot(double x, double y)
{
    return x < 0.2 && y < 0.1 ? 100 + x : y;
}

static const struct heat_start start_mode = { mode };
static const struct heat_start start_slope = { slope };
static const struct heat_start start_spot = { spot };

static struct heat_plate make_plate(size_t rows, size_t columns)
{
    return (struct heat_plate){ .rows = rows,
                                .columns = columns,
                                .height = HEIGHT,
                                .width = WIDTH,
                                .diffusivity = 1e-4,
                                .duration = 10 };
}

/* As n ranks would, in lockstep: exchange halos, then step. */
static double *solve(const struct heat_plate *plate,
                     const struct heat_start *start, int n)
{
    double *field = malloc(plate->rows * plate->columns * sizeof *field);
    struct heat_strip *strips = calloc((size_t)n, sizeof *strips);
    size_t bytes = (plate->columns + 2) * sizeof *field;
    int n_used = 0;

    cr_assert(field && strips);
    for (int i = 0; i < n; i++) {
        size_t first, rows;

        heat_share(plate->rows, n, i, &first, &rows);
        if (rows > 0) {
            cr_assert(
                heat_strip_init(&strips[n_used++], plate, first, rows, start));
        }
    }
    for (double step = heat_steps(plate); step > 0; step--) {
        for (int i = 1; i < n_used; i++) {
            struct heat_strip *a = &strips[i - 1], *b = &strips[i];

            memcpy(heat_strip_row(b, 0), heat_strip_row(a, a->rows), bytes);
            memcpy(heat_strip_row(a, a->rows + 1), heat_strip_row(b, 1), bytes);
        }
        for (int i = 0; i < n_used; i++) {
            heat_strip_step(&strips[i]);
        }
    }
    for (int i = 0; i < n_used; i++) {
        heat_strip_copy(&strips[i], field + strips[i].first * plate->columns);
        heat_strip_finish(&strips[i]);
    }
    free(strips);
    return field;
}

/* The largest difference to factor * start, in the points. */
static double distance(const struct heat_plate *plate, const double *field,
                       const struct heat_start *start, double factor)
{
    double most = 0;

    for (size_t i = 0; i < plate->rows * plate->columns; i++) {
        size_t row = i / plate->columns + 1, column = i % plate->columns + 1;
        double x = WIDTH * (double)column / (double)(plate->columns + 1);
        double y = HEIGHT * (double)row / (double)(plate->rows + 1);

        most = fmax(most, fabs(field[i] - factor * start->temperature(x, y)));
    }
    return most;
}

/* A mode is an eigenvector of the scheme: each step multiplies it by
 * 1 - 4 mu_x sin^2(k_x dx / 2) - 4 mu_y sin^2(k_y dy / 2). */
Test(heat, a_mode_shrinks_as_the_scheme_says)
{
    struct heat_plate plate = make_plate(19, 35);
    double *field = solve(&plate, &start_mode, 1);
    double steps = heat_steps(&plate);
    double dt = plate.duration / steps;
    double mu_x = plate.diffusivity * dt / pow(WIDTH / 36, 2);
    double mu_y = plate.diffusivity * dt / pow(HEIGHT / 20, 2);
    double factor = 1 - 4 * mu_x * pow(sin(2 * PI / 36 / 2), 2) -
                    4 * mu_y * pow(sin(PI / 20 / 2), 2);

    cr_assert(steps > 20);
    cr_assert_lt(distance(&plate, field, &start_mode, pow(factor, steps)),
                 1e-13);
    free(field);
}

/* exp(-a (k_x^2 + k_y^2) t); the error is of order dx^2 + dy^2 (and dt, which is
 * of that order, too): a quarter with twice the points. */
Test(heat, the_analytic_solution_is_approached_with_second_order)
{
    double k2 = pow(2 * PI / WIDTH, 2) + pow(PI / HEIGHT, 2);
    double before = 0;

    for (size_t n = 8; n <= 64; n *= 2) {
        struct heat_plate plate = make_plate(2 * n - 1, 3 * n - 1);
        double *field = solve(&plate, &start_mode, 1);
        double exact = exp(-plate.diffusivity * k2 * plate.duration);
        double error = distance(&plate, field, &start_mode, exact);

        cr_assert_lt(error, 0.7 / (double)(n * n), "%zu: %g", n, error);
        cr_assert(n == 8 || fabs(before / error - 4) < 0.3, "%zu: %g to %g", n,
                  before, error);
        before = error;
        free(field);
    }
}

/* Linear in x and y: nothing flows, so the edges hold and nothing changes. */
Test(heat, a_steady_field_stays)
{
    struct heat_plate plate = make_plate(14, 9);
    double *field = solve(&plate, &start_slope, 3);

    cr_assert_lt(distance(&plate, field, &start_slope, 1), 1e-12);
    free(field);
}

/* With mu_x + mu_y <= 1/2 a new value is a mean of old ones. */
Test(heat, no_point_leaves_the_range_of_the_start)
{
    struct heat_plate plate = make_plate(23, 31);
    double *field = solve(&plate, &start_spot, 1);

    for (size_t i = 0; i < plate.rows * plate.columns; i++) {
        cr_assert(field[i] >= 0 && field[i] <= 100.2, "%g", field[i]);
    }
    free(field);
}

Test(heat, the_steps_are_the_fewest_that_are_stable)
{
    struct heat_plate plate = make_plate(19, 29); /* dx = dy = 1 cm */
    double dt = plate.duration / heat_steps(&plate);

    cr_assert_leq(2 * plate.diffusivity * dt / 1e-4, HEAT_MU_MAX + 1e-12);
    dt = plate.duration / (heat_steps(&plate) - 1);
    cr_assert_gt(2 * plate.diffusivity * dt / 1e-4, HEAT_MU_MAX);
    cr_assert_float_eq(heat_cost(&plate), heat_steps(&plate) * 19 * 29, 1e-6);
}

Test(heat, strips_of_any_number_of_ranks_give_the_same_bits)
{
    struct heat_plate plate = make_plate(13, 22);
    size_t size = plate.rows * plate.columns * sizeof(double);
    double *whole = solve(&plate, &start_spot, 1);

    for (int n = 2; n <= 16; n++) { /* more than there are rows, too */
        double *field = solve(&plate, &start_spot, n);

        cr_assert_eq(memcmp(field, whole, size), 0, "%d strips", n);
        free(field);
    }
    free(whole);
}

Test(heat, shares_are_even_and_leave_nothing_out)
{
    for (size_t rows = 1; rows <= 20; rows++) {
        for (int n = 1; n <= 22; n++) {
            size_t next = 0, before = rows;

            for (int i = 0; i < n; i++) {
                size_t first, share;

                heat_share(rows, n, i, &first, &share);
                cr_assert_eq(first, next);
                cr_assert(share <= before && share + 1 >= rows / (size_t)n);
                cr_assert(i == 0 || before - share <= 1);
                before = share;
                next = first + share;
            }
            cr_assert_eq(next, rows);
        }
    }
}

Test(heat, plates_that_are_none_are_refused)
{
    struct heat_plate good = make_plate(1, 1);
    struct heat_plate bad[] = { good, good, good, good, good, good };

    cr_assert(heat_plate_is_valid(&good));
    bad[0].rows = 0;
    bad[1].columns = (size_t)HEAT_SIDE_MAX + 1;
    bad[2].width = -1;
    bad[3].height = NAN;
    bad[4].diffusivity = 0;
    bad[5].duration = INFINITY;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_not(heat_plate_is_valid(&bad[i]), "plate %zu", i);
    }
}

/* Checks that a reader of PNG would make: 2 x 1 points of 300 pixels a side. */
Test(heat, the_picture_is_a_png_file)
{
    static const unsigned char start[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
                                         "\0\0\2\x58\0\0\1\x2c\x08\x03\0\0\0";
    static const unsigned char end[] = "\0\0\0\0IEND\xae\x42\x60\x82";
    char path[TEMPORARY_SIZE];
    unsigned char *bytes = malloc(300000);
    int descriptor;
    FILE *file;
    size_t n;

    temporary_name(path, "test_heat");
    descriptor = mkstemp(path);
    cr_assert(bytes && descriptor >= 0);
    cr_assert_eq(heat_picture_write(path, (double[]){ 0, 100 }, 1, 2, 0, 100),
                 0);
    file = fdopen(descriptor, "rb");
    n = fread(bytes, 1, 300000, file);
    fclose(file);
    unlink(path);
    cr_assert_eq(memcmp(bytes, start, sizeof start - 1), 0);
    cr_assert_eq(memcmp(bytes + n - sizeof end + 1, end, sizeof end - 1), 0);
    /* signature, IHDR, 256 colours, IDAT with 3 stored blocks, IEND */
    cr_assert_eq(n, 8 + 25 + 12 + 768 + 12 + 300 * 601 + 3 * 5 + 6 + 12);
    cr_assert_lt(
        heat_picture_write("/nowhere/x.png", (double[]){ 0 }, 1, 1, 0, 1), 0);
    free(bytes);
}

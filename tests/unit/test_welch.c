/* The numbers of the spectrum example: signals whose spectrum is known. */
#include "examples/spectrum_welch.h"

#include <criterion/criterion.h>

#include <complex.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RATE 8000.
#define PI 3.14159265358979323846

/* Evenly distributed in -0.5..0.5, the same in each run (xorshift). */
static double *make_noise(size_t n)
{
    double *noise = malloc(n * sizeof *noise);
    uint64_t state = 0x9e3779b97f4a7c15u;

    cr_assert_not_null(noise);
    for (size_t i = 0; i < n; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise[i] = (double)(state >> 11) / 9007199254740992. - 0.5;
    }
    return noise;
}

static double *make_sine(size_t n, double amplitude, double frequency)
{
    double *sine = malloc(n * sizeof *sine);

    cr_assert_not_null(sine);
    for (size_t i = 0; i < n; i++) {
        sine[i] = amplitude * sin(2 * PI * frequency * (double)i / RATE);
    }
    return sine;
}

static double *make_density(const double *samples, size_t n, size_t window,
                            size_t *n_segments_out, double *mean_square_out)
{
    struct welch *welch = welch_create(window);
    double *density = malloc(welch_bins(window) * sizeof *density);

    cr_assert(welch && density);
    *n_segments_out =
        welch_density(welch, samples, n, RATE, density, mean_square_out);
    welch_destroy(welch);
    return density;
}

Test(welch, segments_overlap_by_half)
{
    cr_assert_eq(welch_segments(64, 64), 1);
    cr_assert_eq(welch_segments(95, 64), 1);
    cr_assert_eq(welch_segments(96, 64), 2);
    cr_assert_eq(welch_segments(1000, 64), 30);
    cr_assert_eq(welch_segments(13, 9), 1); /* odd: starts are 5 apart */
    cr_assert_eq(welch_segments(14, 9), 2);
    cr_assert_eq(welch_bins(64), 33);
    cr_assert_eq(welch_bins(9), 5);
    cr_assert_eq(welch_blocks(WELCH_BLOCK), 1);
    cr_assert_eq(welch_blocks(WELCH_BLOCK + 1), 2);
}

Test(welch, window_longer_than_recording_is_an_error)
{
    double samples[63] = { 1 };
    double density[33] = { 7 };
    double mean_square = 7;
    struct welch *welch = welch_create(64);

    cr_assert_not_null(welch);
    cr_assert_eq(welch_segments(63, 64), 0);
    cr_assert_eq(welch_density(welch, samples, 63, RATE, density, &mean_square),
                 0);
    cr_assert(density[0] == 7 && mean_square == 7, "nothing was written");
    welch_destroy(welch);
    cr_assert_null(welch_create(WELCH_MIN_WINDOW - 1));
    cr_assert_null(welch_create((size_t)WELCH_MAX_WINDOW + 1));
    cr_assert_eq(welch_segments(63, 0), 0);
}

/* Amplitude a has the power a^2/2, and at a bin's centre the density
 * power / (1.5 bins): 1.5 is the noise bandwidth of Hann's window. */
Test(welch, sine_has_its_power_at_its_frequency)
{
    static const size_t windows[] = { 64, 96, 250, 1000, 1024 };

    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        double width = RATE / (double)windows[i];
        double frequency = 17 * width;
        double *sine = make_sine(20000, 3, frequency);
        double mean_square;
        size_t n_segments;
        double *density =
            make_density(sine, 20000, windows[i], &n_segments, &mean_square);
        struct welch_summary summary =
            welch_summarize(density, windows[i], RATE);

        cr_assert_float_eq(summary.peak_frequency, frequency, 1e-9);
        cr_assert_float_eq(summary.power, 4.5, 1e-9);
        cr_assert_float_eq(summary.peak_density, 4.5 / (1.5 * width), 1e-9);
        free(density);
        free(sine);
    }
}

/* Variance 1/12, spread evenly over 0..RATE/2, at every frequency but the
 * outermost two on each side (the mean, and no factor 2). */
Test(welch, white_noise_has_a_flat_density)
{
    const size_t n = 1 << 20;
    double *noise = make_noise(n);
    double mean_square;
    size_t n_segments;
    double *density = make_density(noise, n, 64, &n_segments, &mean_square);
    double expected = 1 / 12. / (RATE / 2);

    for (size_t k = 2; k < 31; k++) {
        cr_assert_float_eq(density[k], expected, 0.03 * expected,
                           "%zu: %g, not %g", k, density[k], expected);
    }
    cr_assert_float_eq(density[0], expected / 2, 0.03 * expected);
    cr_assert_float_eq(density[32], expected / 2, 0.03 * expected);
    free(density);
    free(noise);
}

Test(welch, parseval_for_even_and_odd_windows)
{
    static const size_t windows[] = { 4, 5, 64, 99, 1000, 2187 };
    double *noise = make_noise(5000);

    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        double mean_square;
        size_t n_segments;
        double *density =
            make_density(noise, 5000, windows[i], &n_segments, &mean_square);
        struct welch_summary summary =
            welch_summarize(density, windows[i], RATE);

        cr_assert_float_eq(summary.power, mean_square, 1e-12);
        free(density);
    }
    free(noise);
}

/* One frequency by the definitions in the header, without FFTW or blocks. */
static double slow_density(const double *samples, size_t n, size_t window,
                           size_t k)
{
    size_t step = (window + 1) / 2;
    size_t n_segments = 0;
    double energy = 0;
    double sum = 0;

    for (size_t start = 0; start + window <= n; start += step) {
        double complex x = 0;

        energy = 0;
        for (size_t j = 0; j < window; j++) {
            double w = pow(sin(PI * (double)j / (double)window), 2);

            x += samples[start + j] * w *
                 cexp(-2 * PI * I * (double)(j * k) / (double)window);
            energy += w * w;
        }
        sum += pow(cabs(x), 2);
        n_segments++;
    }
    return (k == 0 || 2 * k == window ? 1 : 2) * sum /
           ((double)n_segments * RATE * energy);
}

Test(welch, agrees_with_the_definition)
{
    static const size_t windows[] = { 16, 21, 96 };
    double *noise = make_noise(3000);

    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        double mean_square;
        size_t n_segments;
        double *density =
            make_density(noise, 3000, windows[i], &n_segments, &mean_square);

        for (size_t k = 0; k < welch_bins(windows[i]); k++) {
            double expected = slow_density(noise, 3000, windows[i], k);

            cr_assert_float_eq(density[k], expected, 1e-9 * expected);
        }
        free(density);
    }
    free(noise);
}

/* As three ranks would: each computes its blocks, in any order, and one adds all
 * of them in order. */
Test(welch, blocks_of_three_ranks_give_the_same_bits)
{
    enum {
        WINDOW = 96,
        N = 10000,
        BINS = WINDOW / 2 + 1
    };
    double *noise = make_noise(N);
    double mean_square, joined_square;
    double joined[BINS];
    size_t n_segments;
    double *whole = make_density(noise, N, WINDOW, &n_segments, &mean_square);
    size_t n_blocks = welch_blocks(n_segments);
    size_t size = welch_part_size(WINDOW);
    double *parts = malloc(n_blocks * size * sizeof *parts);

    cr_assert(parts && n_blocks > 6);
    for (size_t rank = 3; rank-- > 0;) { /* the last one first */
        struct welch *welch = welch_create(WINDOW);
        size_t end = rank < 2 ? (rank + 1) * 3 : n_blocks;

        for (size_t block = rank * 3; block < end; block++) {
            welch_part(welch, noise, N, block, parts + block * size);
        }
        if (rank == 0) {
            welch_join(welch, parts, n_segments, RATE, joined, &joined_square);
        }
        welch_destroy(welch);
    }
    cr_assert_eq(memcmp(joined, whole, sizeof joined), 0);
    cr_assert(joined_square == mean_square);
    free(parts);
    free(whole);
    free(noise);
}

Test(welch, the_mean_is_removed)
{
    double samples[] = { 3, 5, 3, 5 };

    cr_assert_float_eq(welch_remove_mean(samples, 4), 1, 1e-15);
    cr_assert_float_eq(samples[0], -1, 1e-15);
    cr_assert_float_eq(samples[3], 1, 1e-15);
}

/* Pure numbers: samples in, densities out. Owns FFTW's plan and its buffers.
 * The plan is FFTW_ESTIMATE and its buffers come from FFTW, so that the same
 * samples give the same bits in each process. */
#include "examples/spectrum_welch.h"

#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <stdlib.h>

struct welch {
    size_t window;          /* samples */
    double energy;          /* S_2, sum of the squares of the taper */
    double *taper;          /* window values */
    double *segment;        /* window values, in */
    fftw_complex *spectrum; /* welch_bins(window) values, out */
    fftw_plan plan;
};

size_t welch_bins(size_t window)
{
    return window / 2 + 1;
}

/* From the start of one segment to the next: half a window, rounded up. */
static size_t hop(size_t window)
{
    return window - window / 2;
}

size_t welch_segments(size_t n_samples, size_t window)
{
    if (window < WELCH_MIN_WINDOW || window > n_samples) {
        return 0;
    }
    return (n_samples - window) / hop(window) + 1;
}

size_t welch_blocks(size_t n_segments)
{
    return n_segments / WELCH_BLOCK + (n_segments % WELCH_BLOCK > 0);
}

/* Hann's window, periodic in `window` samples as a DFT wants it. */
static void fill_taper(struct welch *welch)
{
    const double turn = 8 * atan(1);

    welch->energy = 0;
    for (size_t j = 0; j < welch->window; j++) {
        double phase = turn * (double)j / (double)welch->window;

        welch->taper[j] = 0.5 * (1 - cos(phase));
        welch->energy += welch->taper[j] * welch->taper[j];
    }
}

struct welch *welch_create(size_t window)
{
    struct welch *welch;

    if (window < WELCH_MIN_WINDOW || window > WELCH_MAX_WINDOW) {
        return NULL;
    }
    welch = calloc(1, sizeof *welch);
    if (!welch) {
        return NULL;
    }
    welch->window = window;
    welch->taper = malloc(window * sizeof *welch->taper);
    welch->segment = fftw_alloc_real(window);
    welch->spectrum = fftw_alloc_complex(welch_bins(window));
    if (!welch->taper || !welch->segment || !welch->spectrum) {
        goto fail;
    }
    welch->plan = fftw_plan_dft_r2c_1d((int)window, welch->segment,
                                       welch->spectrum, FFTW_ESTIMATE);
    if (!welch->plan) {
        goto fail;
    }
    fill_taper(welch);
    return welch;

fail:
    welch_destroy(welch);
    return NULL;
}

void welch_destroy(struct welch *welch)
{
    if (!welch) {
        return;
    }
    if (welch->plan) {
        fftw_destroy_plan(welch->plan);
    }
    fftw_free(welch->spectrum);
    fftw_free(welch->segment);
    free(welch->taper);
    free(welch);
}

double welch_remove_mean(double *samples, size_t n_samples)
{
    double mean = 0;
    double square = 0;

    for (size_t i = 0; i < n_samples; i++) {
        mean += samples[i] / (double)n_samples;
    }
    for (size_t i = 0; i < n_samples; i++) {
        samples[i] -= mean;
        square += samples[i] * samples[i] / (double)n_samples;
    }
    return square;
}

/* Fills welch->segment, and gives the sum of its squares. */
static double load_segment(struct welch *welch, const double *samples)
{
    double energy = 0;

    for (size_t j = 0; j < welch->window; j++) {
        welch->segment[j] = samples[j] * welch->taper[j];
        energy += welch->segment[j] * welch->segment[j];
    }
    return energy;
}

size_t welch_part_size(size_t window)
{
    return welch_bins(window) + 1;
}

void welch_part(struct welch *welch, const double *samples, size_t n_samples,
                size_t block, double *part_out)
{
    size_t n_segments = welch_segments(n_samples, welch->window);
    size_t first = block * WELCH_BLOCK;
    size_t rest = first < n_segments ? n_segments - first : 0;
    size_t n = rest < WELCH_BLOCK ? rest : WELCH_BLOCK;
    size_t bins = welch_bins(welch->window);

    for (size_t k = 0; k <= bins; k++) {
        part_out[k] = 0;
    }
    for (size_t i = first; i < first + n; i++) {
        part_out[bins] += load_segment(welch, samples + i * hop(welch->window));
        fftw_execute(welch->plan);
        for (size_t k = 0; k < bins; k++) {
            double re = creal(welch->spectrum[k]);
            double im = cimag(welch->spectrum[k]);

            part_out[k] += re * re + im * im;
        }
    }
}

/* Sums over n_segments become densities, in place. */
static void scale(const struct welch *welch, size_t n_segments, double rate,
                  double *sums)
{
    size_t bins = welch_bins(welch->window);
    double factor = 2 / (rate * welch->energy * (double)n_segments);

    for (size_t k = 0; k < bins; k++) {
        sums[k] *= factor;
    }
    sums[0] /= 2;
    if (welch->window % 2 == 0) {
        sums[bins - 1] /= 2;
    }
}

void welch_join(const struct welch *welch, const double *parts,
                size_t n_segments, double rate, double *density_out,
                double *mean_square_out)
{
    size_t bins = welch_bins(welch->window);
    double energy = 0;

    for (size_t k = 0; k < bins; k++) {
        density_out[k] = 0;
    }
    for (size_t block = 0; block < welch_blocks(n_segments); block++) {
        for (size_t k = 0; k < bins; k++) {
            density_out[k] += parts[k];
        }
        energy += parts[bins];
        parts += bins + 1;
    }
    scale(welch, n_segments, rate, density_out);
    *mean_square_out = energy / (welch->energy * (double)n_segments);
}

size_t welch_density(struct welch *welch, const double *samples,
                     size_t n_samples, double rate, double *density_out,
                     double *mean_square_out)
{
    size_t size = welch_part_size(welch->window);
    size_t n_segments = welch_segments(n_samples, welch->window);
    size_t n_blocks = welch_blocks(n_segments);
    double *parts =
        n_blocks > 0 ? calloc(n_blocks, size * sizeof *parts) : NULL;

    if (!parts) {
        return 0;
    }
    for (size_t block = 0; block < n_blocks; block++) {
        welch_part(welch, samples, n_samples, block, parts + block * size);
    }
    welch_join(welch, parts, n_segments, rate, density_out, mean_square_out);
    free(parts);
    return n_segments;
}

struct welch_summary welch_summarize(const double *density, size_t window,
                                     double rate)
{
    double width = rate / (double)window; /* Hz between two frequencies */
    size_t bins = welch_bins(window);
    size_t peak = 1;
    double sum = density[0];

    for (size_t k = 1; k < bins; k++) {
        sum += density[k];
        peak = density[k] > density[peak] ? k : peak;
    }
    return (struct welch_summary){ .peak_frequency = (double)peak * width,
                                   .peak_density = density[peak],
                                   .power = sum * width };
}

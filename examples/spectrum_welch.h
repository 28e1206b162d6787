/* The power spectral density of a recording by Welch's method: the mean of the
 * modified periodograms of segments that overlap by half.
 *
 * P. D. Welch, "The use of fast Fourier transform for the estimation of power
 * spectra", IEEE Trans. Audio Electroacoust. AU-15 (1967) 70-73.
 * G. Heinzel, A. Ruediger, R. Schilling, "Spectrum and spectral density
 * estimation by the discrete Fourier transform (DFT)", Max-Planck-Institut fuer
 * Gravitationsphysik (2002). The one-sided density is
 *
 *     PSD(f_k) = 2 |X_k|^2 / (f_s S_2),   S_2 = sum of w_j^2
 *
 * in units^2/Hz; X_k is the DFT of the windowed segment, f_k = k f_s / N.
 * Frequency 0 and, for even N, f_s/2 stand for themselves only: no factor 2.
 *
 * The mean of the whole recording is subtracted first (welch_remove_mean()),
 * and not that of each segment: it would take from short windows what is slower
 * than they are, and the power would depend on the window's length.
 *
 * Segments are summed in blocks, and blocks in order: whoever computes a block,
 * the sum is the same to the last bit. */
#ifndef EXAMPLES_SPECTRUM_WELCH_H
#define EXAMPLES_SPECTRUM_WELCH_H

#include <stddef.h>

#define WELCH_BLOCK 16     /* segments in a block; the last may have fewer */
#define WELCH_MIN_WINDOW 4 /* samples */
#define WELCH_MAX_WINDOW (1 << 26)

struct welch; /* window and transform for one window length */

/* What a spectrum says in a few numbers. `units` are those of the samples. */
struct welch_summary {
    double peak_frequency; /* Hz; frequency 0 does not count */
    double peak_density;   /* units^2/Hz */
    double power;          /* units^2: the integral of the density */
};

/** Frequencies 0, f_s/N, ... up to f_s/2. */
size_t welch_bins(size_t window);
/** Segments of a recording; 0 when the window is longer than it, or bad. */
size_t welch_segments(size_t n_samples, size_t window);
size_t welch_blocks(size_t n_segments);

/** @param window  WELCH_MIN_WINDOW..WELCH_MAX_WINDOW samples.
 *  @return NULL for another length, or without memory. */
struct welch *welch_create(size_t window);
void welch_destroy(struct welch *welch);

/** Subtract the mean, in place. @return The mean square of what is left. */
double welch_remove_mean(double *samples, size_t n_samples);

/** Doubles of a part: what is known of one block. */
size_t welch_part_size(size_t window);

/**
 * One block: the sum of |X_k|^2 over its segments, for each frequency, and then
 * the sum of the windowed samples' squares.
 *
 * @param samples   Borrowed; n_samples of them, the whole recording.
 * @param block     0..welch_blocks(welch_segments(n_samples, window)) - 1.
 * @param part_out  welch_part_size(window) doubles, overwritten.
 */
void welch_part(struct welch *welch, const double *samples, size_t n_samples,
                size_t block, double *part_out);

/** The parts of all blocks of n_segments, in order, become what welch_density()
 * gives. */
void welch_join(const struct welch *welch, const double *parts,
                size_t n_segments, double rate, double *density_out,
                double *mean_square_out);

/**
 * All blocks: the density, and the mean square that it must integrate to.
 *
 * @param rate             Samples per second.
 * @param density_out      welch_bins(window) densities, units^2/Hz.
 * @param mean_square_out  units^2, of the windowed segments, divided by that of
 *                         the window; from the samples, not from the density.
 *
 * @return The number of segments; 0 when the window is longer than the
 *         recording or without memory: nothing was written.
 */
size_t welch_density(struct welch *welch, const double *samples,
                     size_t n_samples, double rate, double *density_out,
                     double *mean_square_out);

struct welch_summary welch_summarize(const double *density, size_t window,
                                     double rate);

#endif

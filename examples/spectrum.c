/* Spectra of recordings, one call for each recording and window length: the
 * controller's side, and the function that workers run. Results are collected
 * in the order of the calls, so the table does not depend on the ranks. */
#include "examples/spectrum_plot.h"
#include "examples/spectrum_welch.h"

#include <dwq/dwq.h>

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_RECORDINGS "/usr/share/sounds/alsa/*.wav"
#define DEFAULT_OUTPUT "spectrum.svg"
#define CHUNK 4096 /* frames that are read at once */
#define N_WINDOWS (sizeof windows / sizeof *windows)

/* Half an octave apart. */
static const int windows[] = {
    64,   96,   128,  192,  256,  384,  512,   768,   1024,
    1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384,
};

static const int plotted[PLOT_LINES] = { 16384, 2048, 256 };

static const char usage[] =
    "usage: spectrum [-h] [-o FILE] [RECORDING...]\n"
    "Estimates power spectral densities by Welch's method with 17 window\n"
    "lengths; prints a table and a report, and plots the spectra.\n"
    "  -o FILE    where to plot, default " DEFAULT_OUTPUT "\n"
    "  -h         this text\n"
    "  RECORDING  what libsndfile reads; by default\n"
    "             " DEFAULT_RECORDINGS "\n";

/* What the command line says; every rank has it, the controller acts on it. */
struct settings {
    bool help;
    bool bad;
    const char *output;
    char **paths; /* n_paths of them */
    size_t n_paths;
};

/* One for each recording and window length. */
struct call {
    uint64_t id;
    int window;
    dwq_result_t result;
};

/* What a call returns: these values, in this order. */
struct spectrum {
    struct welch_summary summary;
    int64_t n_segments;
    double mean_square; /* FS^2, of all samples, less their mean */
    double rate;        /* samples per second */
    dwq_array_t density;
};

/* --- On a worker -------------------------------------------------------- */

struct recording {
    double *samples; /* -1..1, the mean of the channels */
    size_t n_samples;
    double rate; /* samples per second */
};

/* Appends the mean of the channels; false for a sample that is no number. */
static bool append(struct recording *recording, const double *frames,
                   size_t n_frames, int n_channels)
{
    for (size_t i = 0; i < n_frames; i++) {
        double sum = 0;

        for (int c = 0; c < n_channels; c++) {
            sum += frames[i * (size_t)n_channels + (size_t)c];
        }
        if (!isfinite(sum)) {
            return false;
        }
        recording->samples[recording->n_samples++] = sum / n_channels;
    }
    return true;
}

/* Reads until the end: the length in a file's header may be wrong. Gives NULL,
 * or why not. */
static const char *read_samples(SNDFILE *file, int n_channels,
                                struct recording *recording)
{
    double *frames = malloc((size_t)n_channels * CHUNK * sizeof *frames);
    size_t capacity = 0;
    const char *reason = "out of memory";

    while (frames) {
        sf_count_t n = sf_readf_double(file, frames, CHUNK);

        if (n <= 0) {
            reason = sf_error(file) ? sf_strerror(file) : NULL;
            break;
        }
        if (recording->n_samples + (size_t)n > capacity) {
            double *samples;

            capacity = 2 * capacity + CHUNK;
            samples = realloc(recording->samples, capacity * sizeof *samples);
            if (!samples) {
                break;
            }
            recording->samples = samples;
        }
        if (!append(recording, frames, (size_t)n, n_channels)) {
            reason = "a sample is not a number";
            break;
        }
    }
    free(frames);
    return reason;
}

/* 0, or the code of the failed call. The caller frees the samples, always. */
static int read_recording(dwq_call_t *call, const char *path,
                          struct recording *recording)
{
    SF_INFO info = { 0 };
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    const char *reason;
    int code = 0;

    if (!file) {
        return dwq_call_fail(call, 2, "%s: %s", path, sf_strerror(NULL));
    }
    recording->rate = info.samplerate;
    reason = info.samplerate > 0 ? read_samples(file, info.channels, recording)
                                 : "no sample rate";
    if (reason) {
        code = dwq_call_fail(call, 2, "%s: %s", path, reason);
    }
    sf_close(file);
    return code;
}

static int estimate(dwq_call_t *call, struct recording *recording,
                    size_t window)
{
    size_t bins = welch_bins(window);
    struct welch *welch = welch_create(window);
    dwq_array_t density = dwq_call_alloc(call, DWQ_DOUBLE, 1, &bins);
    struct welch_summary summary;
    double mean_square;
    double windowed; /* mean square of the samples as the segments weigh them */
    size_t n_segments;

    if (!welch || !density.data) {
        welch_destroy(welch);
        return dwq_call_fail(call, 3, "out of memory");
    }
    mean_square = welch_remove_mean(recording->samples, recording->n_samples);
    n_segments = welch_density(welch, recording->samples, recording->n_samples,
                               recording->rate, density.data, &windowed);
    welch_destroy(welch);
    if (n_segments == 0) {
        return dwq_call_fail(call, 3, "out of memory");
    }
    summary = welch_summarize(density.data, window, recording->rate);
    /* Parseval's theorem, exact up to rounding. */
    if (!(fabs(summary.power - windowed) <= 1e-9 * windowed)) {
        return dwq_call_fail(call, 4, "power %g is not the mean square %g",
                             summary.power, windowed);
    }
    return dwq_call_return(call, DWQ_VALUES(summary.peak_frequency,
                                            summary.peak_density, summary.power,
                                            n_segments, mean_square,
                                            recording->rate, density));
}

/* spectrum(path, window) */
static int spectrum(dwq_call_t *call, void *arg)
{
    struct recording recording = { 0 };
    const char *path;
    int window;
    int code;

    (void)arg;
    if (!dwq_arg(call, 0, &path) || !dwq_arg(call, 1, &window) ||
        window < WELCH_MIN_WINDOW || window > WELCH_MAX_WINDOW) {
        return dwq_call_fail(call, 1, "spectrum(path, window)");
    }
    code = read_recording(call, path, &recording);
    if (code == 0 && recording.n_samples < (size_t)window) {
        code = dwq_call_fail(call, 2, "%s: only %zu samples", path,
                             recording.n_samples);
    }
    if (code == 0) {
        code = estimate(call, &recording, (size_t)window);
    }
    free(recording.samples);
    return code;
}

/* --- On the controller -------------------------------------------------- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Frames by the header; 0 when it cannot be read. */
static double recording_length(const char *path)
{
    SF_INFO info = { 0 };
    SNDFILE *file = sf_open(path, SFM_READ, &info);

    if (!file) {
        return 0;
    }
    sf_close(file);
    return (double)info.frames;
}

/* A transform costs n log2 n, and segments together have 2 n samples: about
 * 10 ns each. A recording that cannot be read costs next to nothing. */
static double expected_time(double n_samples, int window)
{
    return 1e-8 * (n_samples + 1) * log2(window);
}

static dwq_status_t submit(dwq_controller_t *controller,
                           const struct settings *settings, struct call *calls)
{
    for (size_t i = 0; i < settings->n_paths; i++) {
        double n_samples = recording_length(settings->paths[i]);

        for (size_t j = 0; j < N_WINDOWS; j++) {
            struct call *call = &calls[i * N_WINDOWS + j];
            dwq_status_t status;

            call->window = windows[j];
            status = dwq_controller_submit_call(
                controller,
                &(dwq_task_t){ .function = "spectrum",
                               DWQ_ARGS(settings->paths[i], windows[j]),
                               .time_est =
                                   expected_time(n_samples, windows[j]) },
                &call->id);
            if (status != DWQ_OK) {
                return status;
            }
        }
    }
    return DWQ_OK;
}

static bool get_spectrum(const dwq_result_t *result, struct spectrum *out)
{
    struct spectrum s;

    if (result->status != DWQ_OK ||
        !dwq_result_get(result, 0, 0, &s.summary.peak_frequency) ||
        !dwq_result_get(result, 0, 1, &s.summary.peak_density) ||
        !dwq_result_get(result, 0, 2, &s.summary.power) ||
        !dwq_result_get(result, 0, 3, &s.n_segments) ||
        !dwq_result_get(result, 0, 4, &s.mean_square) ||
        !dwq_result_get(result, 0, 5, &s.rate) ||
        !dwq_result_get(result, 0, 6, &s.density)) {
        return false;
    }
    *out = s;
    return true;
}

/* False for a failed call. */
static bool print_row(const char *path, const struct call *call)
{
    struct spectrum s;

    printf("%-20s %6d ", base_name(path), call->window);
    if (!get_spectrum(&call->result, &s)) {
        printf("failed: %s\n", call->result.message);
        return false;
    }
    printf("%8" PRId64 " %9.1f %14.5e %12.5e %12.5e\n", s.n_segments,
           s.summary.peak_frequency, s.summary.peak_density, s.summary.power,
           s.mean_square);
    return true;
}

/* Collects in the order of the calls, whatever finishes first. */
static dwq_status_t collect(dwq_controller_t *controller,
                            const struct settings *settings, struct call *calls,
                            size_t *n_failed_out)
{
    size_t n_calls = settings->n_paths * N_WINDOWS;
    size_t n_failed = 0;

    printf("FS is full scale. The power is the integral of the density; it is "
           "near the mean\nsquare of the samples, which segments at the ends "
           "weigh less.\n\n%-20s %6s %8s %9s %14s %12s %12s\n",
           "recording", "window", "segments", "peak (Hz)", "peak (FS^2/Hz)",
           "power (FS^2)", "mean square");
    for (size_t i = 0; i < n_calls; i++) {
        dwq_status_t status = dwq_controller_get_result(controller, calls[i].id,
                                                        &calls[i].result);

        if (status != DWQ_OK) {
            return status;
        }
        n_failed += !print_row(settings->paths[i / N_WINDOWS], &calls[i]);
    }
    printf("\n%zu calls, %zu failed\n", n_calls, n_failed);
    *n_failed_out = n_failed;
    return DWQ_OK;
}

static struct plot_panel make_panel(const char *path, const struct call *calls)
{
    struct plot_panel panel = { .title = base_name(path),
                                .note = "no spectrum" };

    for (int i = 0; i < PLOT_LINES; i++) {
        for (size_t j = 0; j < N_WINDOWS; j++) {
            struct spectrum s;

            if (calls[j].window == plotted[i] &&
                get_spectrum(&calls[j].result, &s)) {
                panel.lines[i] =
                    (struct plot_line){ .density = s.density.data,
                                        .n = dwq_array_count(&s.density),
                                        .width = s.rate / plotted[i] };
            }
        }
    }
    return panel;
}

static int draw(const struct settings *settings, const struct call *calls)
{
    struct plot_panel *panels = calloc(settings->n_paths, sizeof *panels);
    struct plot plot = {
        .title = "Power spectral density of recordings",
        .subtitle = "Welch's method, Hann window, segments overlap by half; "
                    "FS is full scale",
        .x_label = "Frequency (Hz)",
        .y_label = "Power spectral density (FS\302\262/Hz)",
        .names = { "window: 16384 samples", "2048 samples", "256 samples" },
        .panels = panels,
        .n_panels = settings->n_paths,
    };
    int status;

    if (!panels) {
        return -1;
    }
    for (size_t i = 0; i < settings->n_paths; i++) {
        panels[i] = make_panel(settings->paths[i], calls + i * N_WINDOWS);
    }
    status = plot_write(&plot, settings->output);
    free(panels);
    if (status != 0) {
        fprintf(stderr, "spectrum: %s: %s\n", settings->output,
                strerror(errno));
        return -1;
    }
    printf("plot: %s\n", settings->output);
    return 0;
}

/* 0 only when every call succeeded and the plot was written. */
static int run(dwq_controller_t *controller, const struct settings *settings)
{
    size_t n_calls = settings->n_paths * N_WINDOWS;
    struct call *calls = calloc(n_calls, sizeof *calls);
    size_t n_failed;
    int code = 1;

    if (!calls || submit(controller, settings, calls) != DWQ_OK ||
        collect(controller, settings, calls, &n_failed) != DWQ_OK) {
        fputs("spectrum: the run failed\n", stderr);
        goto done;
    }
    if (draw(settings, calls) == 0 && n_failed == 0) {
        code = 0;
    }
    printf("\nreport\n");
    if (dwq_controller_info(controller, stdout) != DWQ_OK) {
        code = 1;
    }

done:
    for (size_t i = 0; calls && i < n_calls; i++) {
        dwq_result_clear(&calls[i].result);
    }
    free(calls);
    return code;
}

static int controller(dwq_controller_t *controller, void *arg)
{
    struct settings settings = *(const struct settings *)arg;
    glob_t found;
    int code;

    if (settings.help || settings.bad) {
        fputs(usage, settings.help ? stdout : stderr);
        return settings.help ? 0 : 2;
    }
    if (settings.n_paths > 0) {
        return run(controller, &settings);
    }
    if (glob(DEFAULT_RECORDINGS, 0, NULL, &found) != 0) {
        fputs("spectrum: no " DEFAULT_RECORDINGS " (Debian: alsa-utils)\n",
              stderr);
        return 1;
    }
    settings.paths = found.gl_pathv;
    settings.n_paths = found.gl_pathc;
    code = run(controller, &settings);
    globfree(&found);
    return code;
}

int main(int argc, char **argv)
{
    static const dwq_function_t functions[] = {
        { .name = "spectrum", .function = spectrum },
        { .name = NULL },
    };
    struct settings settings = { .output = DEFAULT_OUTPUT };
    int option;

    opterr = 0; /* one process says it, by its usage */
    while ((option = getopt(argc, argv, "ho:")) != -1) {
        switch (option) {
        case 'h':
            settings.help = true;
            break;
        case 'o':
            settings.output = optarg;
            break;
        default:
            settings.bad = true;
        }
    }
    settings.paths = argv + optind;
    settings.n_paths = (size_t)(argc - optind);
    return dwq_main(argc, argv,
                    &(dwq_options_t){ .controller = controller,
                                      .functions = functions,
                                      .arg = &settings });
}

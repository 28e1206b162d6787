/* Spectra of recordings, one call for each recording and window length, run by a
 * rank or by a group of ranks: the controller's side. Results are collected in the
 * order of the calls, so the table does not depend on the ranks. */
#include "examples/group_options.h"
#include "examples/spectrum_call.h"
#include "examples/spectrum_plot.h"

#include <dwq/dwq.h>

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_RECORDINGS "/usr/share/sounds/alsa/*.wav"
#define DEFAULT_OUTPUT "spectrum.svg"
#define N_WINDOWS (sizeof windows / sizeof *windows)

/* Half an octave apart. */
static const int windows[] = {
    64,   96,   128,  192,  256,  384,  512,   768,   1024,
    1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384,
};

static const int plotted[PLOT_LINES] = { 16384, 2048, 256 };

static const char usage[] =
    "usage: spectrum [-h] [-o FILE] [GROUPS...] [RECORDING...]\n"
    "Estimates power spectral densities by Welch's method with 17 window\n"
    "lengths; prints a table and a report, and plots the spectra.\n"
    "  -o, --output FILE   where to plot, default " DEFAULT_OUTPUT
    "\n" GROUP_USAGE "  -h, --help          this text\n"
    "  RECORDING           what libsndfile reads; by default\n"
    "                      " DEFAULT_RECORDINGS "\n";

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

/* False for a failed call. */
static bool print_row(const char *path, const struct call *call)
{
    struct spectrum s;

    printf("%-20s %6d ", base_name(path), call->window);
    if (!spectrum_get(&call->result, &s)) {
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
                spectrum_get(&calls[j].result, &s)) {
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

static void parse(int argc, char **argv, struct settings *settings,
                  dwq_options_t *options)
{
    static const struct option known[] = {
        { "help", no_argument, NULL, 'h' },
        { "output", required_argument, NULL, 'o' },
        GROUP_OPTIONS,
        { NULL, 0, NULL, 0 },
    };
    int option;

    opterr = 0; /* one process says it, by its usage */
    while ((option = getopt_long(argc, argv, "ho:", known, NULL)) != -1) {
        switch (option) {
        case 'h':
            settings->help = true;
            break;
        case 'o':
            settings->output = optarg;
            break;
        default:
            settings->bad |= !group_option(option, optarg, options);
        }
    }
    settings->paths = argv + optind;
    settings->n_paths = (size_t)(argc - optind);
}

int main(int argc, char **argv)
{
    static const dwq_function_t functions[] = {
        { .name = "spectrum", .function = spectrum_call },
        { .name = NULL },
    };
    struct settings settings = { .output = DEFAULT_OUTPUT };
    dwq_options_t options = { .controller = controller,
                              .functions = functions,
                              .arg = &settings };

    parse(argc, argv, &settings, &options);
    return dwq_main(argc, argv, &options);
}

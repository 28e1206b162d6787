/* Reads a recording, and estimates its spectrum: each rank of the group sums its
 * blocks of segments, and rank 0 adds all blocks in order, as one rank would. */
#include "examples/spectrum_call.h"

#if WITH_MPI
#include <dwq/mpi.h>
#endif

#include <math.h>
#include <sndfile.h>
#include <stdlib.h>

#define CHUNK 4096 /* frames that are read at once */

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

/* What a rank needs, all of it before the first message between the ranks. */
struct work {
    struct recording recording;
    double mean_square; /* of the samples, less their mean */
    struct welch *welch;
    size_t window;
    size_t n_segments;
    size_t n_blocks;     /* of all ranks */
    size_t share;        /* blocks of a rank; the last ranks may have fewer */
    double *parts;       /* share parts, of this rank */
    double *all;         /* of all ranks, in order; rank 0 only */
    dwq_array_t density; /* rank 0 only */
};

/* 0, or the code of the failed call. To be released in any case. */
static int prepare(dwq_call_t *call, const char *path, size_t window,
                   struct work *work)
{
    struct recording *recording = &work->recording;
    size_t n_ranks = (size_t)dwq_call_size(call);
    size_t bins = welch_bins(window);
    size_t size = welch_part_size(window) * sizeof *work->parts;
    int code = read_recording(call, path, recording);

    if (code != 0) {
        return code;
    }
    work->window = window;
    work->n_segments = welch_segments(recording->n_samples, window);
    if (work->n_segments == 0) {
        return dwq_call_fail(call, 2, "%s: only %zu samples", path,
                             recording->n_samples);
    }
    work->n_blocks = welch_blocks(work->n_segments);
    work->share = (work->n_blocks + n_ranks - 1) / n_ranks;
    work->welch = welch_create(window);
    work->parts = calloc(work->share, size);
    if (dwq_call_rank(call) == 0) {
        work->all =
            n_ranks == 1 ? work->parts : calloc(work->share * n_ranks, size);
        work->density = dwq_call_alloc(call, DWQ_DOUBLE, 1, &bins);
    }
    if (!work->welch || !work->parts ||
        (dwq_call_rank(call) == 0 && (!work->all || !work->density.data))) {
        return dwq_call_fail(call, 3, "out of memory");
    }
    work->mean_square =
        welch_remove_mean(recording->samples, recording->n_samples);
    return 0;
}

static void release(struct work *work)
{
    if (work->all != work->parts) {
        free(work->all);
    }
    free(work->parts);
    welch_destroy(work->welch);
    free(work->recording.samples);
}

/* This rank's blocks; none where the ranks before have them all. */
static void sum_blocks(const dwq_call_t *call, struct work *work)
{
    size_t first = (size_t)dwq_call_rank(call) * work->share;
    size_t end = first + work->share;
    double *part = work->parts;

    end = end < work->n_blocks ? end : work->n_blocks;
    for (size_t block = first; block < end; block++) {
        welch_part(work->welch, work->recording.samples,
                   work->recording.n_samples, block, part);
        part += welch_part_size(work->window);
    }
}

#if WITH_MPI

/* All parts to rank 0, in order. Counted in parts: their numbers may be many. */
static bool gather(const dwq_call_t *call, struct work *work)
{
    MPI_Comm comm = dwq_call_comm(call); /* this group's, and nobody else's */
    int share = (int)work->share;
    MPI_Datatype part;
    int error;

    if (dwq_call_size(call) == 1) {
        return true;
    }
    MPI_Type_contiguous((int)welch_part_size(work->window), MPI_DOUBLE, &part);
    MPI_Type_commit(&part);
    error =
        MPI_Gather(work->parts, share, part, work->all, share, part, 0, comm);
    MPI_Type_free(&part);
    return error == MPI_SUCCESS;
}

#else

static bool gather(const dwq_call_t *call, struct work *work)
{
    (void)call;
    (void)work;
    return true;
}

#endif

/* On rank 0: parts become the spectrum. */
static int finish(dwq_call_t *call, const struct work *work)
{
    struct welch_summary summary;
    double windowed; /* mean square of the samples as the segments weigh them */

    welch_join(work->welch, work->all, work->n_segments, work->recording.rate,
               work->density.data, &windowed);
    summary =
        welch_summarize(work->density.data, work->window, work->recording.rate);
    /* Parseval's theorem, exact up to rounding. */
    if (!(fabs(summary.power - windowed) <= 1e-9 * windowed)) {
        return dwq_call_fail(call, 4, "power %g is not the mean square %g",
                             summary.power, windowed);
    }
    return dwq_call_return(
        call, DWQ_VALUES(summary.peak_frequency, summary.peak_density,
                         summary.power, work->n_segments, work->mean_square,
                         work->recording.rate, work->density));
}

static int estimate(dwq_call_t *call, struct work *work)
{
    sum_blocks(call, work);
    if (!gather(call, work)) {
        return dwq_call_fail(call, 5, "the parts could not be gathered");
    }
    return dwq_call_rank(call) == 0 ? finish(call, work) : 0;
}

int spectrum_call(dwq_call_t *call, void *arg)
{
    struct work work = { 0 };
    const char *path;
    int window;
    int code;

    (void)arg;
    if (!dwq_arg(call, 0, &path) || !dwq_arg(call, 1, &window) ||
        window < WELCH_MIN_WINDOW || window > WELCH_MAX_WINDOW) {
        return dwq_call_fail(call, 1, "spectrum(path, window)");
    }
    code = prepare(call, path, (size_t)window, &work);
    /* No rank may wait for the parts of one that has given up. */
    if (dwq_call_agree(call, code == 0)) {
        code = estimate(call, &work);
    }
    release(&work);
    return code;
}

bool spectrum_get(const dwq_result_t *result, struct spectrum *out)
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

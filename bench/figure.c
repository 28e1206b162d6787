/* Figures: summaries, bars, one JSON line each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/resource.h>

#include "bench/bench.h"
#include "bench/json.h"
#include "bench/table.h"

static void draw(const struct bench *bench);

static struct summary summary_of(const struct samples *samples)
{
    return (struct summary){
        .n = samples->n,
        .median = samples_median(samples),
        .p25 = samples_percentile(samples, 0.25),
        .p75 = samples_percentile(samples, 0.75),
    };
}

void figure_side(struct figure *figure, enum side side,
                 const struct samples *samples)
{
    figure->sides[side] = summary_of(samples);
    if (side == SIDE_OURS && samples->old) {
        struct samples old = { .values = samples->old, .n = samples->n };
        struct samples ratios = samples_ratios(samples, figure->offset);

        figure->sides[SIDE_OLD] = summary_of(&old);
        figure->ratio = samples_median(&ratios);
        samples_interval(&ratios, &figure->low, &figure->high);
        samples_finish(&ratios);
    }
}

void figure_ratio(struct figure *figure, enum side theirs, enum bar_kind kind,
                  double bar)
{
    const struct summary *ours = &figure->sides[SIDE_OURS];
    const struct summary *other = &figure->sides[theirs];

    figure->value = ours->n && other->n ? ours->median / other->median : NAN;
    snprintf(figure->value_unit, sizeof figure->value_unit, "x %s",
             theirs == SIDE_BARE ? "bare" : "peer");
    figure->bar_kind = kind;
    figure->bar = bar;
}

void figure_absolute(struct figure *figure, enum bar_kind kind, double bar)
{
    const struct summary *ours = &figure->sides[SIDE_OURS];

    figure->value = ours->n ? ours->median : NAN;
    memcpy(figure->value_unit, figure->unit, sizeof figure->value_unit);
    figure->bar_kind = kind;
    figure->bar = bar;
}

bool figure_is_compared(const struct figure *figure)
{
    return figure->sides[SIDE_OLD].n > 0;
}

static bool is_beyond(const struct figure *figure, double value)
{
    /* Written so that NAN is a miss. */
    return (figure->bar_kind == BAR_AT_LEAST && !(value >= figure->bar)) ||
           (figure->bar_kind == BAR_AT_MOST && !(value <= figure->bar));
}

bool figure_missed(const struct figure *figure)
{
    double best = figure->bar_kind == BAR_AT_LEAST ? figure->high : figure->low;

    return is_beyond(figure, figure->value) &&
           (!figure_is_compared(figure) || is_beyond(figure, best));
}

const char *figure_verdict(const struct figure *figure)
{
    if (figure->bar_kind == BAR_NONE) {
        return "";
    }
    if (isnan(figure->value)) {
        return "not measured";
    }
    return figure_missed(figure)              ? "missed"
           : is_beyond(figure, figure->value) ? "unclear"
                                              : "met";
}

/* Of a rate more is better, of all else less. */
static void hold_against_old(struct figure *figure)
{
    bool is_rate = strstr(figure->unit, "/s") != NULL;

    figure->value = figure->ratio;
    figure->bar_kind = is_rate ? BAR_AT_LEAST : BAR_AT_MOST;
    figure->bar = is_rate ? 2 - WORSE : WORSE;
    snprintf(figure->value_unit, sizeof figure->value_unit, "x old");
    figure->note[0] = '\0';
    if (figure->offset > 0) {
        snprintf(figure->note, sizeof figure->note,
                 "new/old after %g B more of each", figure->offset);
    }
}

static bool has_any(const struct figure *figure)
{
    bool any = false;

    for (int side = 0; side < SIDE_COUNT; side++) {
        any = any || figure->sides[side].n > 0;
    }
    return any;
}

void figure_measured(struct bench *bench, struct figure *figure)
{
    figure->oversubscribed = figure->ranks > bench->cores;
    if (bench->against) {
        hold_against_old(figure);
    }
    if (bench->against ? !figure_is_compared(figure)
                       : jobs_interrupted() && !has_any(figure)) {
        return;
    }
    progress_end(bench);
    if (bench->json != stdout) {
        table_print_line(figure, stdout);
    }
    figure_report(bench, figure);
    draw(bench);
}

void figure_report(struct bench *bench, const struct figure *figure)
{
    if (bench->n_figures == bench->capacity) {
        size_t capacity = bench->capacity ? 2 * bench->capacity : 32;
        struct figure *figures =
            realloc(bench->figures, capacity * sizeof *figures);

        if (!figures) {
            fprintf(stderr, "dwq-bench: out of memory\n");
            exit(2);
        }
        bench->figures = figures;
        bench->capacity = capacity;
    }
    bench->figures[bench->n_figures] = *figure;
    figure = &bench->figures[bench->n_figures++];
    if (bench->json) {
        json_write_figure(bench->json, figure);
    }
}

/* --- Progress ------------------------------------------------------------ */

#define BAR_WIDTH 30

static void draw(const struct bench *bench)
{
    char bar[BAR_WIDTH + 1];
    int full =
        bench->n_steps > 0 ? BAR_WIDTH * bench->step / bench->n_steps : 0;

    if (!bench->on_terminal) {
        return;
    }
    full = full > BAR_WIDTH ? BAR_WIDTH : full;
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)full);
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\033[K%-16s [%s] %d/%d", bench->doing, bar, bench->step,
            bench->n_steps);
}

void progress_begin(struct bench *bench, const char *doing, int n_steps)
{
    bench->doing = doing;
    bench->step = 0;
    bench->n_steps = n_steps;
    draw(bench);
}

void progress_step(struct bench *bench)
{
    bench->step++;
    draw(bench);
}

void progress_end(struct bench *bench)
{
    if (bench->on_terminal) {
        fprintf(stderr, "\r\033[K");
    }
}

/* --- In a measuring job -------------------------------------------------- */

double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double resident_bytes(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    long size = 0, resident = 0;

    if (!statm || fscanf(statm, "%ld %ld", &size, &resident) != 2) {
        resident = 0;
    }
    if (statm) {
        fclose(statm);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

double processor_time(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

#include "bench/table.h"

#include <math.h>
#include <string.h>

#define VERDICT_MAX 80
#define RANKS_MAX 16
#define SPREAD_MAX (2 * QUANTITY_MAX + 4)

static const char *scaled_quantity(char *text, double value, double step,
                                   const char *const *prefixes, size_t n,
                                   const char *unit)
{
    size_t i = 0;

    while (i + 1 < n && fabs(value) >= step) {
        value /= step;
        i++;
    }
    snprintf(text, QUANTITY_MAX, "%.3g %s%s", value, prefixes[i], unit);
    return text;
}

const char *quantity(char text[static QUANTITY_MAX], double value,
                     const char *unit)
{
    static const char *const thousands[] = { "", "k", "M", "G" };
    static const char *const binary[] = { "", "Ki", "Mi", "Gi" };
    static const char *const small[] = { "n", "u", "m", "" };

    if (!isfinite(value)) {
        snprintf(text, QUANTITY_MAX, "-");
    } else if (strcmp(unit, "s") == 0) {
        scaled_quantity(text, value * 1e9, 1000, small, 4, unit);
    } else if (unit[0] == 'B') {
        scaled_quantity(text, value, 1024, binary, 4, unit);
    } else if (strncmp(unit, "calls", 5) == 0) {
        scaled_quantity(text, value, 1000, thousands, 4, unit);
    } else {
        snprintf(text, QUANTITY_MAX, "%.3g %s", value, unit);
    }
    return text;
}

/* "" of one that is of nobody. */
static const char *value_text(char text[static QUANTITY_MAX],
                              const struct figure *figure)
{
    text[0] = '\0';
    return figure->sides[SIDE_OURS].n == 0 && figure->bar_kind == BAR_NONE
               ? text
               : quantity(text, figure->value, figure->value_unit);
}

static const char *bar_text(char text[static VERDICT_MAX],
                            const struct figure *figure)
{
    char bar[QUANTITY_MAX];

    text[0] = '\0';
    if (figure->bar_kind != BAR_NONE) {
        snprintf(text, VERDICT_MAX, "%s %s",
                 figure->bar_kind == BAR_AT_LEAST ? ">=" : "<=",
                 quantity(bar, figure->bar, figure->value_unit));
    }
    return text;
}

/* "5*" where they share cores, "" without MPI. */
static const char *ranks_text(char text[static RANKS_MAX],
                              const struct figure *figure)
{
    text[0] = '\0';
    if (figure->ranks > 0) {
        snprintf(text, RANKS_MAX, "%d%s", figure->ranks,
                 figure->oversubscribed ? "*" : "");
    }
    return text;
}

/* The quartiles of a side, "" of one job. */
static const char *spread_text(char text[static SPREAD_MAX],
                               const struct figure *figure, enum side side)
{
    const struct summary *s = &figure->sides[side];
    char low[QUANTITY_MAX], high[QUANTITY_MAX];

    text[0] = '\0';
    if (s->n > 1) {
        snprintf(text, SPREAD_MAX, "%s - %s",
                 quantity(low, s->p25, figure->unit),
                 quantity(high, s->p75, figure->unit));
    }
    return text;
}

static const struct question *question_of(const struct figure *figure)
{
    for (size_t i = 0; questions[i]; i++) {
        if (strcmp(questions[i]->name, figure->question) == 0) {
            return questions[i];
        }
    }
    return NULL;
}

static bool begins_question(const struct bench *bench, size_t i)
{
    return i == 0 || strcmp(bench->figures[i].question,
                            bench->figures[i - 1].question) != 0;
}

static const char *title_of(const struct figure *figure)
{
    const struct question *question = question_of(figure);

    return question ? question->title : figure->question;
}

static const char *side_text(char text[static QUANTITY_MAX],
                             const struct figure *figure, enum side side)
{
    if (figure->sides[side].n == 0) {
        text[0] = '\0';
        return text;
    }
    return quantity(text, figure->sides[side].median, figure->unit);
}

/* "0.98 - 1.03", of a figure beside an older build. */
static const char *interval_text(char text[static SPREAD_MAX],
                                 const struct figure *f)
{
    snprintf(text, SPREAD_MAX, "%.3f - %.3f", f->low, f->high);
    return text;
}

void table_print_line(const struct figure *f, FILE *out)
{
    bool compared = figure_is_compared(f);
    enum side side = f->sides[SIDE_OURS].n > 0 ? SIDE_OURS : SIDE_BARE;
    char own[QUANTITY_MAX], old[QUANTITY_MAX], value[QUANTITY_MAX];
    char spread[SPREAD_MAX], bar[VERDICT_MAX];

    if (compared) {
        interval_text(spread, f);
    } else {
        spread_text(spread, f, side);
    }
    fprintf(out, "%s: %s: %s%s%s (%s), %s%s%s%s%s\n", f->question, f->name,
            side_text(own, f, side), compared ? ", old " : "",
            compared ? side_text(old, f, SIDE_OLD) : "", spread,
            value_text(value, f), f->bar_kind == BAR_NONE ? "" : ", ",
            bar_text(bar, f), f->bar_kind == BAR_NONE ? "" : ": ",
            figure_verdict(f));
    fflush(out);
}

void facts_print(const struct facts *f, FILE *out)
{
    fprintf(out,
            "%s, %s\n%d cores; *: more ranks than cores, which share them; "
            "load %.2f at the start\n%s; %s, %s\n%s\n",
            f->cpu, f->kernel, f->cores, f->load, f->mpi, f->library,
            f->compiler, f->date);
}

/* Met, missed, and not measured of those that have a bar. */
static void print_sum(const struct bench *bench, FILE *out)
{
    size_t n_bars = 0, n_missed = 0, n_unknown = 0, n_unclear = 0;

    for (size_t i = 0; i < bench->n_figures; i++) {
        n_bars += bench->figures[i].bar_kind != BAR_NONE;
        n_missed += figure_missed(&bench->figures[i]);
        n_unknown += bench->figures[i].bar_kind != BAR_NONE &&
                     isnan(bench->figures[i].value);
        n_unclear += strcmp(figure_verdict(&bench->figures[i]), "unclear") == 0;
    }
    fprintf(out, "%zu figures, %zu with a bar: %zu met, %zu missed",
            bench->n_figures, n_bars, n_bars - n_missed - n_unclear,
            n_missed - n_unknown);
    if (n_unknown > 0) {
        fprintf(out, ", %zu not measured", n_unknown);
    }
    if (n_unclear > 0) {
        fprintf(out, ", %zu unclear", n_unclear);
    }
    fputc('\n', out);
    if (bench->incomplete[0]) {
        fprintf(out, "NOT COMPLETE: %s\n", bench->incomplete);
    }
}

/* Said once for the figures in a row that share it, below the last. */
static bool ends_note(const struct bench *bench, size_t i)
{
    return bench->figures[i].note[0] &&
           (i + 1 == bench->n_figures || begins_question(bench, i + 1) ||
            strcmp(bench->figures[i].note, bench->figures[i + 1].note) != 0);
}

/* Ours of both builds, and what comes of their rounds. */
static void print_compared(const struct figure *f, bool first, FILE *out)
{
    char own[QUANTITY_MAX], old[QUANTITY_MAX], spread[SPREAD_MAX];
    char bar[VERDICT_MAX];

    if (first) {
        fprintf(out, "\n%s: %s\n  %-62s %6s %14s %14s %8s %-17s %-13s %s\n",
                f->question, title_of(f), "", "rounds", "old", "new", "new/old",
                "interval", "bar", "verdict");
    }
    fprintf(out, "  %-62s %6zu %14s %14s %8.3f %-17s %-13s %s\n", f->name,
            f->sides[SIDE_OLD].n, side_text(old, f, SIDE_OLD),
            side_text(own, f, SIDE_OURS), f->value, interval_text(spread, f),
            bar_text(bar, f), figure_verdict(f));
}

static void print_figure(const struct figure *f, bool first, FILE *out)
{
    char sides[SIDE_COUNT][QUANTITY_MAX], value[QUANTITY_MAX];
    char bar[VERDICT_MAX], ranks[RANKS_MAX], spread[SPREAD_MAX];

    if (first) {
        fprintf(out,
                "\n%s: %s\n  %-46s %6s %14s %-27s %14s %14s  %-18s %-16s %s\n",
                f->question, title_of(f), "", "ranks", "ours", "25 % - 75 %",
                "bare", "peer", "value", "bar", "verdict");
    }
    fprintf(out, "  %-46s %6s %14s %-27s %14s %14s  %-18s %-16s %s\n", f->name,
            ranks_text(ranks, f), side_text(sides[0], f, SIDE_OURS),
            spread_text(spread, f, SIDE_OURS),
            side_text(sides[1], f, SIDE_BARE),
            side_text(sides[2], f, SIDE_PEER), value_text(value, f),
            bar_text(bar, f), figure_verdict(f));
}

void table_print(const struct bench *bench, const struct facts *facts,
                 FILE *out)
{
    facts_print(facts, out);
    for (size_t i = 0; i < bench->n_figures; i++) {
        const struct figure *f = &bench->figures[i];
        bool first = begins_question(bench, i);

        if (figure_is_compared(f)) {
            print_compared(f, first, out);
        } else {
            print_figure(f, first, out);
        }
        if (ends_note(bench, i)) {
            fprintf(out, "    (%s)\n", f->note);
        }
    }
    fprintf(out, "\n");
    print_sum(bench, out);
}

#include "bench/json.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const side_names[SIDE_COUNT] = { "ours", "bare", "peer",
                                                    "old" };
static const char *const bar_names[] = { "none", "at least", "at most" };

#define LINE_SIZE 4096

/* --- Writing ------------------------------------------------------------- */

/* Bytes of the UTF-8 character at `text`; 0: it is none. */
static size_t character_size(const char *text)
{
    unsigned char first = (unsigned char)*text;
    size_t n = first < 0x80                    ? 1
               : first >= 0xc2 && first < 0xe0 ? 2
               : first >= 0xe0 && first < 0xf0 ? 3
               : first >= 0xf0 && first < 0xf5 ? 4
                                               : 0;

    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if (n >
        1) { /* neither longer than need be, nor half a pair, nor too large */
        unsigned char second = (unsigned char)text[1];

        if ((first == 0xe0 && second < 0xa0) ||
            (first == 0xed && second > 0x9f) ||
            (first == 0xf0 && second < 0x90) ||
            (first == 0xf4 && second > 0x8f)) {
            return 0;
        }
    }
    return n;
}

/* Commands and their parameters may be any bytes, and texts are cut. */
static void write_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, "\"%s\": \"", key);
    while (*text) {
        size_t n = character_size(text);

        if (n == 0 || (unsigned char)*text < ' ') {
            fputc(n == 0 ? '?' : ' ', out);
            n = 1;
        } else {
            fprintf(out, "%s%.*s", *text == '"' || *text == '\\' ? "\\" : "",
                    (int)n, text);
        }
        text += n;
    }
    fputc('"', out);
}

/* JSON has no word for what is not a number but null. */
static void write_number(FILE *out, const char *key, double value)
{
    if (isfinite(value)) {
        fprintf(out, "\"%s\": %.9g", key, value);
    } else {
        fprintf(out, "\"%s\": null", key);
    }
}

void json_write_facts(FILE *out, const struct facts *facts)
{
    fprintf(out, "{");
    write_text(out, "host", facts->host);
    fprintf(out, ", ");
    write_text(out, "cpu", facts->cpu);
    fprintf(out, ", \"cores\": %d, ", facts->cores);
    write_number(out, "load", facts->load);
    fprintf(out, ", ");
    write_text(out, "kernel", facts->kernel);
    fprintf(out, ", ");
    write_text(out, "mpi", facts->mpi);
    fprintf(out, ", ");
    write_text(out, "library", facts->library);
    fprintf(out, ", ");
    write_text(out, "compiler", facts->compiler);
    fprintf(out, ", ");
    write_text(out, "date", facts->date);
    fprintf(out, "}\n");
    fflush(out);
}

void json_write_figure(FILE *out, const struct figure *f)
{
    fprintf(out, "{");
    write_text(out, "question", f->question);
    fprintf(out, ", ");
    write_text(out, "name", f->name);
    fprintf(out, ", ");
    write_text(out, "unit", f->unit);
    fprintf(out, ", \"ranks\": %d, \"oversubscribed\": %s", f->ranks,
            f->oversubscribed ? "true" : "false");
    for (int side = 0; side < SIDE_COUNT; side++) {
        const struct summary *s = &f->sides[side];

        if (s->n > 0) {
            fprintf(out, ", \"%s\": {\"n\": %zu, ", side_names[side], s->n);
            write_number(out, "median", s->median);
            fprintf(out, ", ");
            write_number(out, "p25", s->p25);
            fprintf(out, ", ");
            write_number(out, "p75", s->p75);
            fprintf(out, "}");
        }
    }
    fprintf(out, ", ");
    write_number(out, "x", f->x);
    fprintf(out, ", ");
    write_text(out, "series", f->series);
    fprintf(out, ", ");
    write_number(out, "value", f->value);
    if (figure_is_compared(f)) {
        fprintf(out, ", ");
        write_number(out, "low", f->low);
        fprintf(out, ", ");
        write_number(out, "high", f->high);
    }
    fprintf(out, ", ");
    write_text(out, "value_unit", f->value_unit);
    fprintf(out, ", ");
    write_text(out, "bar_kind", bar_names[f->bar_kind]);
    fprintf(out, ", ");
    write_number(out, "bar", f->bar);
    fprintf(out, ", ");
    write_text(out, "verdict", figure_verdict(f));
    fprintf(out, ", ");
    write_text(out, "note", f->note);
    fprintf(out, "}\n");
    fflush(out);
}

void json_write_end(FILE *out, const char *incomplete)
{
    fprintf(out, "{\"complete\": %s", incomplete[0] ? "false, " : "true");
    if (incomplete[0]) {
        write_text(out, "why", incomplete);
    }
    fprintf(out, "}\n");
    fflush(out);
}

/* --- Reading ------------------------------------------------------------- */

/* What stands behind "key": in an object, or NULL. */
static const char *find(const char *object, const char *key)
{
    char wanted[TEXT_MAX];
    const char *at;

    snprintf(wanted, sizeof wanted, "\"%s\": ", key);
    at = strstr(object, wanted);
    return at ? at + strlen(wanted) : NULL;
}

static void read_text(const char *object, const char *key, char *text_out,
                      size_t size)
{
    const char *at = find(object, key);
    size_t n = 0;

    text_out[0] = '\0';
    if (!at || *at != '"') {
        return;
    }
    for (at++; *at && *at != '"' && n + 1 < size; at++) {
        if (*at == '\\' && at[1]) {
            at++;
        }
        text_out[n++] = *at;
    }
    text_out[n] = '\0';
}

static double read_number(const char *object, const char *key)
{
    const char *at = find(object, key);
    char *end;
    double value;

    if (!at) {
        return NAN;
    }
    value = strtod(at, &end);
    return end == at ? NAN : value;
}

/* 0 if it is none: a file may hold anything. */
static int read_count(const char *object, const char *key)
{
    double value = read_number(object, key);

    return value >= 0 && value <= INT_MAX ? (int)value : 0;
}

static void read_facts(const char *line, struct facts *f)
{
    read_text(line, "host", f->host, sizeof f->host);
    read_text(line, "cpu", f->cpu, sizeof f->cpu);
    read_text(line, "kernel", f->kernel, sizeof f->kernel);
    read_text(line, "mpi", f->mpi, sizeof f->mpi);
    read_text(line, "library", f->library, sizeof f->library);
    read_text(line, "compiler", f->compiler, sizeof f->compiler);
    read_text(line, "date", f->date, sizeof f->date);
    f->cores = read_count(line, "cores");
    f->load = read_number(line, "load");
}

static struct figure read_figure(const char *line)
{
    struct figure f = { .bar_kind = BAR_NONE };
    char kind[TEXT_MAX];

    read_text(line, "question", f.question, sizeof f.question);
    read_text(line, "name", f.name, sizeof f.name);
    read_text(line, "unit", f.unit, sizeof f.unit);
    read_text(line, "series", f.series, sizeof f.series);
    read_text(line, "value_unit", f.value_unit, sizeof f.value_unit);
    read_text(line, "note", f.note, sizeof f.note);
    read_text(line, "bar_kind", kind, sizeof kind);
    for (int side = 0; side < SIDE_COUNT; side++) {
        const char *object = find(line, side_names[side]);

        if (object) {
            f.sides[side] = (struct summary){
                .n = (size_t)read_count(object, "n"),
                .median = read_number(object, "median"),
                .p25 = read_number(object, "p25"),
                .p75 = read_number(object, "p75"),
            };
        }
    }
    f.ranks = read_count(line, "ranks");
    f.oversubscribed = find(line, "oversubscribed") &&
                       strncmp(find(line, "oversubscribed"), "true", 4) == 0;
    f.x = read_number(line, "x");
    f.value = read_number(line, "value");
    f.low = read_number(line, "low");
    f.high = read_number(line, "high");
    f.bar = read_number(line, "bar");
    for (int k = 0; k <= BAR_AT_MOST; k++) {
        if (strcmp(kind, bar_names[k]) == 0) {
            f.bar_kind = (enum bar_kind)k;
        }
    }
    /* Those of few rounds are infinite, for which JSON has no word. */
    f.low = isnan(f.low) ? -INFINITY : f.low;
    f.high = isnan(f.high) ? INFINITY : f.high;
    return f;
}

bool json_read(struct bench *bench, const char *path, struct facts *facts_out)
{
    FILE *in = fopen(path, "r");
    char line[LINE_SIZE];
    size_t before = bench->n_figures;

    if (!in) {
        return false;
    }
    snprintf(bench->incomplete, sizeof bench->incomplete,
             "no last line says that it is");
    while (fgets(line, sizeof line, in)) {
        if (find(line, "question")) {
            struct figure figure = read_figure(line);

            figure_report(bench, &figure);
        } else if (find(line, "cores")) {
            read_facts(line, facts_out);
        } else if (find(line, "complete")) {
            read_text(line, "why", bench->incomplete, sizeof bench->incomplete);
        }
    }
    fclose(in);
    return bench->n_figures > before;
}

#include "bench/json.h"

#include <math.h>
#include <string.h>

static const char *const side_names[SIDE_COUNT] = { "ours", "bare", "peer",
                                                    "old" };
static const char *const bar_names[] = { "none", "at least", "at most" };

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
static void write_text(FILE *out, const char *before, const char *key,
                       const char *text)
{
    fprintf(out, "%s\"%s\": \"", before, key);
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
        fprintf(out, ", \"%s\": %.9g", key, value);
    } else {
        fprintf(out, ", \"%s\": null", key);
    }
}

void json_write_facts(FILE *out, const struct facts *facts)
{
    write_text(out, "{", "host", facts->host);
    write_text(out, ", ", "cpu", facts->cpu);
    write_number(out, "cores", facts->cores);
    write_number(out, "load", facts->load);
    write_text(out, ", ", "kernel", facts->kernel);
    write_text(out, ", ", "mpi", facts->mpi);
    write_text(out, ", ", "library", facts->library);
    write_text(out, ", ", "compiler", facts->compiler);
    write_text(out, ", ", "date", facts->date);
    fprintf(out, "}\n");
    fflush(out);
}

static void write_side(FILE *out, const char *name, const struct summary *side)
{
    if (side->n > 0) {
        fprintf(out, ", \"%s\": {\"n\": %zu", name, side->n);
        write_number(out, "median", side->median);
        write_number(out, "p25", side->p25);
        write_number(out, "p75", side->p75);
        fputc('}', out);
    }
}

void json_write_figure(FILE *out, const struct figure *f)
{
    write_text(out, "{", "question", f->question);
    write_text(out, ", ", "name", f->name);
    write_text(out, ", ", "unit", f->unit);
    fprintf(out, ", \"ranks\": %d, \"oversubscribed\": %s", f->ranks,
            f->oversubscribed ? "true" : "false");
    for (int side = 0; side < SIDE_COUNT; side++) {
        write_side(out, side_names[side], &f->sides[side]);
    }
    write_number(out, "x", f->x);
    write_text(out, ", ", "series", f->series);
    write_number(out, "value", f->value);
    if (figure_is_compared(f)) {
        write_number(out, "low", f->low);
        write_number(out, "high", f->high);
    }
    write_text(out, ", ", "value_unit", f->value_unit);
    write_text(out, ", ", "bar_kind", bar_names[f->bar_kind]);
    write_number(out, "bar", f->bar);
    write_text(out, ", ", "verdict", figure_verdict(f));
    write_text(out, ", ", "note", f->note);
    fprintf(out, "}\n");
    fflush(out);
}

void json_write_end(FILE *out, const char *incomplete)
{
    fprintf(out, "{\"complete\": %s", incomplete[0] ? "false" : "true");
    if (incomplete[0]) {
        write_text(out, ", ", "why", incomplete);
    }
    fprintf(out, "}\n");
    fflush(out);
}

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

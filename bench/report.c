#include "bench/report.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/table.h"

#define CURVES_MAX 16

/* --- Plots ------------------------------------------------------------------- */

static bool in_plot(const struct figure *figure, const char *question)
{
    return isfinite(figure->x) && strcmp(figure->question, question) == 0;
}

/* The curves of a question, in order of appearance. */
static size_t find_series(const struct bench *bench, const char *question,
                          const char **series_out)
{
    size_t n = 0;

    for (size_t i = 0; i < bench->n_figures; i++) {
        const struct figure *f = &bench->figures[i];
        bool known = !in_plot(f, question);

        for (size_t k = 0; k < n && !known; k++) {
            known = strcmp(series_out[k], f->series) == 0;
        }
        if (!known && n < CURVES_MAX) {
            series_out[n++] = f->series;
        }
    }
    return n;
}

static bool has_side(const struct bench *bench, const char *question,
                     const char *series, enum side side)
{
    for (size_t i = 0; i < bench->n_figures; i++) {
        const struct figure *f = &bench->figures[i];

        if (in_plot(f, question) && strcmp(f->series, series) == 0 &&
            f->sides[side].n > 0) {
            return true;
        }
    }
    return false;
}

/* As gnuplot reads it between single quotes. */
static void write_quoted(FILE *out, const char *text)
{
    for (; *text; text++) {
        fputs(*text == '\'' ? "''" : (char[]){ *text, '\0' }, out);
    }
}

/* One curve as a block of data: x, median, quartiles. */
static void write_curve(FILE *out, const struct bench *bench,
                        const char *question, const char *series,
                        enum side side)
{
    for (size_t i = 0; i < bench->n_figures; i++) {
        const struct figure *f = &bench->figures[i];
        const struct summary *s = &f->sides[side];

        if (in_plot(f, question) && strcmp(f->series, series) == 0 &&
            s->n > 0) {
            fprintf(out, "%.9g %.9g %.9g %.9g\n", f->x, s->median, s->p25,
                    s->p75);
        }
    }
    fprintf(out, "e\n");
}

static void write_plot(FILE *out, const struct bench *bench,
                       const struct question *question, const char *path)
{
    static const char *const sides[] = { "ours", "bare", "peer" };
    const char *series[CURVES_MAX];
    size_t n = find_series(bench, question->name, series);
    const char *comma = "";

    fprintf(out,
            "set terminal svg size 760,440 font 'sans,12' background 'white'\n"
            "set xlabel '%s'\nset ylabel '%s'\n"
            "set key outside right noenhanced\nset grid\n%s%sset output '",
            question->x_label, question->y_label,
            question->log_x ? "set logscale x 2\n" : "",
            question->log_y ? "set logscale y\nset format y '%.1s%c'\n" : "");
    write_quoted(out, path);
    fputs("'\nplot ", out);
    for (size_t i = 0; i < n; i++) {
        for (int side = 0; side < SIDE_COUNT; side++) {
            if (has_side(bench, question->name, series[i], (enum side)side)) {
                fprintf(out,
                        "%s'-' using 1:2:3:4 with yerrorlines lw 2 pt %d dt %d "
                        "lc %zu title '",
                        comma, 7 - side, side + 1, i + 1);
                write_quoted(out, series[i]);
                fprintf(out, ": %s'", sides[side]);
                comma = ", ";
            }
        }
    }
    fprintf(out, "\n");
    for (size_t i = 0; i < n; i++) {
        for (int side = 0; side < SIDE_COUNT; side++) {
            if (has_side(bench, question->name, series[i], (enum side)side)) {
                write_curve(out, bench, question->name, series[i],
                            (enum side)side);
            }
        }
    }
}

/* false: nothing to draw, or no gnuplot. */
static bool plot(const struct bench *bench, const struct question *question,
                 const char *folder)
{
    const char *series[CURVES_MAX];
    char path[4096];
    struct stat file;
    void (*before)(int);
    FILE *gnuplot;
    bool drawn;

    if (!question->x_label || find_series(bench, question->name, series) == 0) {
        return false;
    }
    snprintf(path, sizeof path, "%s/%s.svg", folder, question->name);
    gnuplot = popen("gnuplot 2>/dev/null", "w");
    if (!gnuplot) {
        return false;
    }
    before = signal(SIGPIPE, SIG_IGN); /* it may not be installed */
    write_plot(gnuplot, bench, question, path);
    drawn = pclose(gnuplot) == 0;
    signal(SIGPIPE, before);
    drawn = drawn && stat(path, &file) == 0 && file.st_size > 0;
    if (!drawn) {
        fprintf(stderr, "dwq-bench: no plot of %s: is gnuplot installed?\n",
                question->name);
    }
    return drawn;
}

/* --- The page ------------------------------------------------------------------ */

static void write_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

static void write_cell(FILE *out, const char *text)
{
    fputs("<td>", out);
    write_escaped(out, text);
    fputs("</td>", out);
}

static void write_row(FILE *out, const struct figure *f)
{
    char text[SPREAD_MAX];

    _Static_assert(SPREAD_MAX >= VERDICT_MAX && SPREAD_MAX >= QUANTITY_MAX &&
                       SPREAD_MAX >= RANKS_MAX,
                   "room for each");

    fprintf(out, "<tr class=\"%s\">", figure_verdict(f));
    write_cell(out, f->name);
    write_cell(out, ranks_text(text, f));
    for (int side = 0; side < SIDE_COUNT; side++) {
        write_cell(out, f->sides[side].n > 0
                            ? quantity(text, f->sides[side].median, f->unit)
                            : "");
        if (side == SIDE_OURS) {
            write_cell(out, spread_text(text, f, SIDE_OURS));
        }
    }
    write_cell(out, value_text(text, f));
    write_cell(out, bar_text(text, f));
    write_cell(out, figure_verdict(f));
    write_cell(out, f->note);
    fputs("</tr>\n", out);
}

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<title>dwq-bench</title><style>\n"
    "body { font: 15px/1.4 sans-serif; max-width: 72em; margin: 2em auto; "
    "padding: 0 1em }\n"
    "table { border-collapse: collapse } th, td { text-align: left; "
    "padding: .15em .7em; border-bottom: 1px solid #ddd }\n"
    ".met td:nth-child(9) { color: #060 } .missed td:nth-child(9) "
    "{ color: #b00; font-weight: bold }\n"
    "img { max-width: 100% }\n</style></head><body>\n<h1>dwq-bench</h1>\n";

static void write_question(FILE *out, const struct bench *bench,
                           const struct question *question, const char *folder)
{
    bool any = false;

    for (size_t i = 0; i < bench->n_figures; i++) {
        const struct figure *f = &bench->figures[i];

        if (strcmp(f->question, question->name) != 0) {
            continue;
        }
        if (!any) {
            fputs("<h2>", out);
            write_escaped(out, question->title);
            fputs("</h2>\n<table><tr><th></th><th>ranks</th><th>ours</th>"
                  "<th>25 % - 75 %</th><th>bare</th>"
                  "<th>peer</th><th>value</th><th>bar</th><th>verdict</th>"
                  "<th></th></tr>\n",
                  out);
        }
        any = true;
        write_row(out, f);
    }
    if (any) {
        fputs("</table>\n", out);
        if (plot(bench, question, folder)) {
            fprintf(out, "<p><img src=\"%s.svg\" alt=\"%s\"></p>\n",
                    question->name, question->name);
        }
    }
}

static bool close_written(FILE *out)
{
    bool ok = !ferror(out);

    return fclose(out) == 0 && ok;
}

bool report_can_write_readme(const char *path)
{
    FILE *out = fopen(path, "a");

    return out && fclose(out) == 0;
}

bool report_can_write(const char *folder)
{
    char path[4096];

    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return false;
    }
    snprintf(path, sizeof path, "%s/index.html", folder);
    return report_can_write_readme(path);
}

bool report_write(const struct bench *bench, const struct facts *facts,
                  const char *folder)
{
    char path[4096];
    FILE *out;

    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return false;
    }
    snprintf(path, sizeof path, "%s/index.html", folder);
    out = fopen(path, "w");
    if (!out) {
        return false;
    }
    fputs(page_head, out);
    fputs("<p>", out);
    write_escaped(out, facts->cpu);
    fprintf(out,
            ", %d cores; *: more ranks than cores, which share them; load %.2f "
            "at the start. ",
            facts->cores, facts->load);
    write_escaped(out, facts->kernel);
    fputs(". ", out);
    write_escaped(out, facts->mpi);
    fputs("; ", out);
    write_escaped(out, facts->library);
    fputs(", ", out);
    write_escaped(out, facts->compiler);
    fputs(". ", out);
    write_escaped(out, facts->date);
    fputs(". Medians; plots have quartiles.</p>\n", out);
    for (size_t i = 0; questions[i]; i++) {
        write_question(out, bench, questions[i], folder);
    }
    fputs("</body></html>\n", out);
    return close_written(out);
}

/* --- README.md --------------------------------------------------------------- */

/* What was found behind a question's bars where they were missed, on two cores of a
 * virtual machine; no figures, as those are the run's. */
static const struct {
    const char *question, *part; /* of a figure's name; "": any */
    const char *text;
} reasons[] = {
    { "throughput", "beside batches",
      "The bare loop sends 32 numbers as one message and knows beforehand that "
      "all "
      "are alike. Here each call has a name, an id, an estimate, values with "
      "types, a "
      "place in the queue, in the map of ids and in the statistics, and a "
      "result of "
      "its own; a profile shows the controller's time spread over these." },
    { "throughput", "one in flight",
      "With many ranks on few cores most of the time is switching between "
      "them, on "
      "both sides; results come one by one from many workers, and are handled "
      "one by "
      "one." },
    { "roundtrip", "np=2",
      "What is left beside MPI is the work of a call once (a name, an id, "
      "values with "
      "types, the queue, the statistics), and the loops around the polls." },
    { "roundtrip", "in turn",
      "The smallest sum of estimates wins, so single calls go round, and each "
      "finds a "
      "worker that has waited for a while, as the others do. A poll that finds "
      "nothing "
      "gives the core away; the profile of every rank is mostly context "
      "switches." },
    { "roundtrip", "quiet",
      "A core that was idle for a second has to be woken by the hypervisor: "
      "one futex wake and one store, without any message, take what the last "
      "row says. And caches are cold: bare ranks that spin all the time need "
      "many times their hot round trip, too (beside it in the table). More "
      "yields before the sleep change nothing." },
    { "roundtrip", "as between hosts",
      "The worker sleeps for at most idle_wait (1 ms), half of it in the mean, "
      "and the controller, which waits for it, in steps that double meanwhile. "
      "Shorter sleeps cost more of a core: see idle." },
    { "bounds", "a run",
      "Before the roles start, all ranks compare their options, agree that "
      "none refuses them, find out who shares a host and make the "
      "communicators of the library and of the user; each is a collective "
      "or more, where the bare ranks have one duplicate, one split and one "
      "barrier. It is milliseconds, once in a run." },
    { "groups", "",
      "Each rank that polls in vain gives the core away, and non-blocking "
      "collectives "
      "poll more often than blocking ones that spin inside MPI. A rank looks "
      "at what "
      "is rarely there only now and then (dwqi_glance)." },
    { "payload", "no CMA",
      "Fragments go through a ring that both sides poll, and fresh pages are "
      "dear in "
      "a virtual machine; medians vary more between runs than with CMA." },
    { "idle", "between hosts",
      "A sleep of at most idle_wait (1 ms) is about a thousand wakes a second, "
      "and each costs what a wake costs on the machine "
      "(`build/bench/raw_wake sleep 10` does nothing but sleep so)." },
    { "workers", "", "See where the curve bends, below." },
};

static bool is_missed(const struct bench *bench, const char *question,
                      const char *part)
{
    for (size_t i = 0; i < bench->n_figures; i++) {
        const struct figure *f = &bench->figures[i];

        if (strcmp(f->question, question) == 0 && strstr(f->name, part) &&
            figure_missed(f) && !isnan(f->value)) {
            return true;
        }
    }
    return false;
}

static void write_reasons(const struct bench *bench, FILE *out)
{
    const char *title = "\n## Where a bar is missed\n\n"
                        "What was found on a virtual machine of two cores:\n\n";

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (is_missed(bench, reasons[i].question, reasons[i].part)) {
            fprintf(out, "%s- **%s%s%s.** %s\n", title, reasons[i].question,
                    reasons[i].part[0] ? ", " : "", reasons[i].part,
                    reasons[i].text);
            title = "";
        }
    }
}

static const char curve_text[] =
    "- **The controller with many workers.** From ten to ten thousand workers "
    "the state that a call touches (worker, task, message) leaves the caches: "
    "the profile is cache misses where the controller first touches the "
    "worker and the task of a result, and in the heap of workers. The cost of "
    "a call grows with that, not with the number of "
    "workers itself.\n"
    "- **The controller with short calls.** W workers with calls of T seconds "
    "finish W / T calls a second, and each costs the controller c: it is busy "
    "for W c / T of the time, and the curve of the efficiency bends where that "
    "comes near 1. Groups divide W by their ranks, as the broker of each "
    "handles what its ranks say.\n"
    "- **What follows.** A tree of brokers: inner brokers, each with the "
    "workers of some hosts, get tasks by the hundred and give results back by "
    "the hundred. The root then has a message per hundred calls, each queue "
    "stays in cache, and the workers that the root can feed multiply by what "
    "an inner broker takes at a time; it costs a hop more for each call, and "
    "the root knows loads only as of the last message. Up to the bend, one "
    "controller is better.\n";

static double value_of(const struct bench *bench, const char *question,
                       const char *part)
{
    for (size_t i = 0; i < bench->n_figures; i++) {
        const struct figure *f = &bench->figures[i];

        if (strcmp(f->question, question) == 0 && strstr(f->name, part)) {
            return f->value;
        }
    }
    return NAN;
}

/* The design that follows from the figures past this machine, where they are. */
static void write_curve_text(const struct bench *bench, FILE *out)
{
    double cost = value_of(bench, "scale", "processor time per call");

    if (isnan(cost) && isnan(value_of(bench, "workers", "10000 workers"))) {
        return;
    }
    fprintf(out, "\n## Where the curve bends\n\n%s", curve_text);
    if (cost > 0) {
        fprintf(out,
                "\nWith the cost of a call in this run, T / c workers:\n\n"
                "| calls of | 10 ms | 100 ms | 1 s |\n|---|---|---|---|\n"
                "| workers | %.0f | %.0f | %.0f |\n",
                0.01 / cost, 0.1 / cost, 1 / cost);
    }
}

bool report_write_readme(const struct bench *bench, const struct facts *facts,
                         const char *path)
{
    FILE *out = fopen(path, "w");

    if (!out) {
        return false;
    }
    fputs(
        "# bench\n\n"
        "`dwq-bench` measures the library beside the same work in bare MPI\n"
        "(`raw_mpi.c`) and, where python3-mpi4py is installed, in\n"
        "mpi4py.futures. Jobs of all sides alternate; a figure is a median,\n"
        "a value a ratio of medians, and 25 % - 75 % are the quartiles of\n"
        "ours. It exits 1 where a bar is missed, 2 where something failed.\n\n"
        "    build/bench/dwq-bench                      # everything\n"
        "    build/bench/dwq-bench throughput idle      # some questions\n"
        "    build/bench/dwq-bench --json new.json --report page\n"
        "    build/bench/dwq-bench --compare old.json\n"
        "    build/bench/dwq-bench --sweep './prog {n}' n=1,2,4 --repeats 5\n"
        "    build/bench/dwq-bench --sweep-function module:name n=1,2,4\n"
        "    build/bench/dwq-bench --from new.json --readme bench/README.md\n"
        "\n"
        "`sh bench/scale.sh` needs SimGrid (libsimgrid-dev): it builds the\n"
        "library for simulated ranks (`-Dmpi=smpi`) in build-smpi/ and asks\n"
        "`dwq-bench --smpi build-smpi scale`: 20 equal calls per group on 16\n"
        "to 1,024 hosts of 8 ranks, where each message that the controller\n"
        "sends or receives costs it half the processor time that a call costs\n"
        "it here at np = 5. Without `--smpi` only that cost is measured, and\n"
        "bars that were not measured count as missed.\n\n"
        "`--readme` wrote this page. The run it is of:\n\n",
        out);
    table_print_markdown(bench, facts, out);
    write_reasons(bench, out);
    write_curve_text(bench, out);
    return close_written(out);
}

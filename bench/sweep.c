#include "bench/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cases.h"
#include "bench/cores.h"
#include "bench/environment.h"
#include "bench/table.h"

#define RUNS_MAX 10000000

/* What came of one combination. */
struct outcome {
    struct samples seconds, processor, memory;
    bool reported;
    int n_failed;
    char why[NOTE_MAX]; /* the first of them */
};

struct sweep {
    struct cases cases;
    struct outcome *outcomes; /* cases.n */
    int repeats;
    int n_failed;
    const char *what; /* the command or the function */
};

/* Its parameters; of none, what is run. */
static void name_case(const struct sweep *sweep, size_t number, char *text_out,
                      size_t size)
{
    cases_text(&sweep->cases, number, sweep->cases.n_parameters, text_out,
               size);
    if (sweep->cases.n_parameters == 0) {
        snprintf(text_out, size, "%.*s", TEXT_MAX, sweep->what);
    }
}

/* --- The table ------------------------------------------------------------------------- */

static void print_case(const struct sweep *sweep, size_t number)
{
    const struct outcome *o = &sweep->outcomes[number];
    char name[NOTE_MAX], text[5][QUANTITY_MAX];

    name_case(sweep, number, name, sizeof name);
    printf("%-32s %12s %12s %12s %12s %10s %4zu %6d%s%s\n", name,
           quantity(text[0], samples_median(&o->seconds), "s"),
           quantity(text[1], samples_percentile(&o->seconds, 0.25), "s"),
           quantity(text[2], samples_percentile(&o->seconds, 0.75), "s"),
           quantity(text[3], samples_median(&o->processor), "s"),
           quantity(text[4], samples_median(&o->memory), "B"), o->seconds.n,
           o->n_failed, o->n_failed > 0 ? "  " : "", o->why);
}

static void print_cases(const struct sweep *sweep, const struct facts *facts)
{
    facts_print(facts, stdout);
    printf("\n%-32s %12s %12s %12s %12s %10s %4s %6s\n", "", "median", "p25",
           "p75", "processor", "memory", "runs", "failed");
    for (size_t i = 0; i < sweep->cases.n; i++) {
        print_case(sweep, i);
    }
}

/* --- Figures --------------------------------------------------------------------------- */

static void report_samples(struct bench *bench, struct figure figure,
                           const char *what, const char *unit,
                           const struct samples *samples)
{
    size_t used = strlen(figure.name);

    snprintf(figure.name + used, sizeof figure.name - used, "%s", what);
    snprintf(figure.unit, sizeof figure.unit, "%s", unit);
    figure_side(&figure, SIDE_OURS, samples);
    figure_absolute(&figure, BAR_NONE, 0);
    figure_report(bench, &figure);
}

/* The first parameter that is a number is the x of the plot. */
static void report_case(struct bench *bench, struct sweep *sweep, size_t number)
{
    const struct cases *cases = &sweep->cases;
    struct outcome *o = &sweep->outcomes[number];
    struct figure figure = { .question = "sweep", .x = NAN };
    size_t x = cases_numeric(cases);

    if (o->reported) {
        return;
    }
    o->reported = true;
    name_case(sweep, number, figure.name, sizeof figure.name);
    if (o->n_failed > 0) {
        snprintf(figure.note, sizeof figure.note, "%d failed: %.160s",
                 o->n_failed, o->why);
    }
    if (x < cases->n_parameters) {
        char others[TEXT_MAX];

        cases_text(cases, number, x, others, sizeof others);
        snprintf(figure.series, sizeof figure.series, "%.27s%s%.27s", others,
                 others[0] ? ", by " : "by ", cases->parameters[x].name);
        figure.x = strtod(cases_value(cases, number, x), NULL);
    }
    report_samples(bench, figure, "", "s", &o->seconds);
    figure.x = NAN;
    if (o->processor.n > 0) {
        report_samples(bench, figure, ", processor time", "s", &o->processor);
        report_samples(bench, figure, ", memory", "B", &o->memory);
    }
}

static bool is_done(const struct sweep *sweep, size_t number)
{
    const struct outcome *o = &sweep->outcomes[number];

    return (int)o->seconds.n + o->n_failed == sweep->repeats;
}

/* Of the last run of a combination: its line, and its figures to the file. */
static void report_when_done(struct bench *bench, struct sweep *sweep,
                             size_t number)
{
    if (is_done(sweep, number)) {
        progress_end(bench);
        if (bench->json != stdout) {
            print_case(sweep, number);
            fflush(stdout);
        }
        report_case(bench, sweep, number);
    }
}

/* --- What the job prints ------------------------------------------------------------ */

static void take_run(struct bench *bench, struct sweep *sweep, const char *text)
{
    size_t number;
    double seconds, processor, memory;

    if (sscanf(text, "%zu %lf %lf %lf", &number, &seconds, &processor,
               &memory) == 4 &&
        number < sweep->cases.n) {
        struct outcome *o = &sweep->outcomes[number];

        samples_add(&o->seconds, seconds);
        if (processor >= 0 && memory >= 0) {
            samples_add(&o->processor, processor);
            samples_add(&o->memory, memory);
        }
        report_when_done(bench, sweep, number);
    }
}

static void take_failure(struct bench *bench, struct sweep *sweep,
                         const char *text)
{
    size_t number;
    int used = 0;

    if (sscanf(text, "%zu %n", &number, &used) == 1 &&
        number < sweep->cases.n) {
        struct outcome *o = &sweep->outcomes[number];

        if (o->n_failed++ == 0) {
            snprintf(o->why, sizeof o->why, "%.*s", NOTE_MAX - 1, text + used);
        }
        sweep->n_failed++;
        report_when_done(bench, sweep, number);
    }
}

/* What stands behind the word, or NULL: the line begins with another one. */
static const char *behind(const char *line, const char *word)
{
    size_t length = strlen(word);

    return strncmp(line, word, length) == 0 && line[length] == ' '
               ? line + length + 1
               : NULL;
}

/* What functions print goes to the user; it may not end its line. */
static void pass_line(struct bench *bench, const char *line, void *arg)
{
    const char *own = strstr(line, SWEEP_PREFIX);
    int n_before = own ? (int)(own - line) : 0;
    const char *ran = behind(line + n_before, SWEEP_RAN);
    const char *failed = behind(line + n_before, SWEEP_FAILED);

    if (ran) {
        take_run(bench, arg, ran);
    } else if (failed) {
        take_failure(bench, arg, failed);
    } else if (!behind(line + n_before, SWEEP_WARM)) {
        progress_end(bench);
        fprintf(stderr, "%s\n", line);
        return;
    }
    if (n_before > 0) {
        progress_end(bench);
        fprintf(stderr, "%.*s\n", n_before, line);
    }
    progress_step(bench);
}

/* --- Running ---------------------------------------------------------------------------- */

static bool check(const struct sweep *sweep,
                  const struct sweep_options *options)
{
    int cores = cores_count();

    if (options->jobs > cores) {
        fprintf(stderr, "dwq-bench: --jobs %d, but %d core%s\n", options->jobs,
                cores, cores > 1 ? "s" : "");
        return false;
    }
    if ((double)(options->repeats + options->warmups) * (double)sweep->cases.n >
        RUNS_MAX) {
        fprintf(stderr, "dwq-bench: more than %d runs\n", RUNS_MAX);
        return false;
    }
    if (options->command && options->function) {
        fprintf(stderr, "dwq-bench: a command or a function\n");
        return false;
    }
    if (options->function &&
        (!strchr(options->function, ':') || options->function[0] == ':' ||
         !strchr(options->function, ':')[1])) {
        fprintf(stderr, "dwq-bench: '%s' is not MODULE:NAME\n",
                options->function);
        return false;
    }
    return options->function ||
           cases_check_command(&sweep->cases, options->command);
}

/* cases_read() cuts what it reads: the job gets copies. */
static bool copy_all(char **parameters, int n, const char **copies_out)
{
    for (int i = 0; i < n; i++) {
        copies_out[i] = strdup(parameters[i]);
        if (!copies_out[i]) {
            return false;
        }
    }
    return true;
}

static void free_all(const char **copies, int n)
{
    for (int i = 0; i < n; i++) {
        free((char *)copies[i]);
    }
}

/* A result may be lost among what functions print. */
static bool is_complete(const struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->cases.n; i++) {
        if (!is_done(sweep, i)) {
            fprintf(stderr, "dwq-bench: results of the sweep are missing\n");
            return false;
        }
    }
    return true;
}

static int run_job(struct bench *bench, struct sweep *sweep,
                   const char *const *parameters, int n,
                   const struct sweep_options *options)
{
    char repeats[24], warmups[24];
    struct job job = {
        .np = options->jobs + 1,
        .side = SIDE_OURS,
        .args = { "sweep", options->command ? "command" : "function",
                  number(repeats, options->repeats),
                  number(warmups, options->warmups),
                  options->command ? options->command : options->function },
        .pass_line = pass_line,
        .pass_arg = sweep,
        .timeout = 1e9
    };
    struct job_result result;
    bool ok;

    for (int i = 0; i < n; i++) {
        job.args[5 + i] = parameters[i];
    }
    environment_save();
    progress_begin(bench, "sweep",
                   (options->repeats + options->warmups) * (int)sweep->cases.n);
    job_run(bench, &job, &result);
    progress_end(bench);
    ok = result.ok && is_complete(sweep);
    job_result_finish(&result);
    return !ok ? 2 : sweep->n_failed > 0;
}

bool sweep_check(char **parameters, int n, const struct sweep_options *options)
{
    const char *copies[PARAMETERS_MAX] = { NULL };
    struct sweep sweep = { .outcomes = NULL };
    bool good = n <= PARAMETERS_MAX;

    if (!good) {
        fprintf(stderr, "dwq-bench: more than %d parameters\n", PARAMETERS_MAX);
        return false;
    }
    good = copy_all(parameters, n, copies) &&
           cases_read(&sweep.cases, (char **)copies, n) &&
           check(&sweep, options);
    cases_finish(&sweep.cases);
    free_all(copies, n);
    return good;
}

static void sweep_finish(struct sweep *sweep)
{
    for (size_t i = 0; sweep->outcomes && i < sweep->cases.n; i++) {
        samples_finish(&sweep->outcomes[i].seconds);
        samples_finish(&sweep->outcomes[i].processor);
        samples_finish(&sweep->outcomes[i].memory);
    }
    free(sweep->outcomes);
    cases_finish(&sweep->cases);
}

int sweep_run(struct bench *bench, const struct facts *facts, char **parameters,
              int n, const struct sweep_options *options)
{
    const char *copies[PARAMETERS_MAX] = { NULL };
    struct sweep sweep = { .repeats = options->repeats,
                           .what = options->command ? options->command
                                                    : options->function };
    int code = 2;

    if (copy_all(parameters, n, copies) &&
        cases_read(&sweep.cases, parameters, n)) {
        sweep.outcomes = calloc(sweep.cases.n, sizeof *sweep.outcomes);
    }
    if (sweep.outcomes) {
        code = run_job(bench, &sweep, copies, n, options);
        for (size_t i = 0; i < sweep.cases.n; i++) {
            report_case(bench, &sweep, i);
        }
        if (bench->json != stdout) {
            print_cases(&sweep, facts);
        }
    }
    sweep_finish(&sweep);
    free_all(copies, n);
    return code;
}

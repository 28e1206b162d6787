/* dwq-bench: asks the questions, prints what came of them. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/environment.h"
#include "bench/facts.h"
#include "bench/json.h"
#include "bench/questions.h"
#include "bench/report.h"
#include "bench/sweep.h"
#include "bench/table.h"

const struct question *const questions[] = {
    &question_throughput, &question_roundtrip, &question_crowded,
    &question_payload,    &question_idle,      &question_balance,
    &question_memory,     &question_queue,     &question_bounds,
    &question_groups,     &question_placer,    &question_workers,
    &question_scale,      &question_sweep,     NULL,
};

/* Who has a use for an option. */
enum audience {
    FOR_ALL,
    FOR_QUESTIONS,
    FOR_SWEEPS,
    AUDIENCES
};

struct command {
    const char *report, *readme, *compare, *json, *from;
    struct sweep_options sweep;
    int sweep_code;
    bool measuring;
    const char *only[AUDIENCES]; /* the last option that is of use to these */
    char **names;                /* of questions, or parameters of the sweep */
    int n_names;
};

static const char usage_text[] =
    "usage: dwq-bench [OPTION...] [QUESTION...]\n"
    "       dwq-bench --sweep COMMAND [OPTION...] [NAME=V,V,...]...\n"
    "       dwq-bench --sweep-function MODULE:NAME [OPTION...] "
    "[NAME=V,V,...]...\n"
    "\n"
    "  --rounds N      jobs of each side per figure (5)\n"
    "  --tiny          counts so small that only the form is right\n"
    "  --json FILE     one line per figure ('-': instead of the table)\n"
    "  --from FILE     figures of an earlier run instead of a new one\n"
    "  --compare FILE  beside the figures of an earlier run\n"
    "  --report DIR    one page with plots\n"
    "  --readme FILE   the page for people who read the source\n"
    "  --no-peers      without mpi4py.futures\n"
    "  --smpi DIR      a build with -Dmpi=smpi, for question scale\n"
    "\nof a sweep:\n"
    "  --sweep COMMAND time a command of your own, given to sh: {NAME} stands\n"
    "                  for each value, as it is ('{NAME}' in quotes for one\n"
    "                  with blanks)\n"
    "  --sweep-function MODULE:NAME\n"
    "                  the same of a function of a module that workers find "
    "by\n"
    "                  DWQ_MODULE_PATH; it gets the values by name\n"
    "  --repeats N     times each combination (5)\n"
    "  --warmups N     times before that, not counted (1)\n"
    "  --jobs N        at once, each alone on its share of the cores (1)\n"
    "\nquestions:\n";

static int usage(FILE *out, int code)
{
    fputs(usage_text, out);
    for (size_t i = 0; questions[i]; i++) {
        if (questions[i]->ask) {
            fprintf(out, "  %-12s %s\n", questions[i]->name,
                    questions[i]->title);
        }
    }
    return code;
}

static const struct question *find_question(const char *name)
{
    for (size_t i = 0; questions[i]; i++) {
        if (questions[i]->ask && strcmp(questions[i]->name, name) == 0) {
            return questions[i];
        }
    }
    return NULL;
}

static bool is_sweep(const struct command *command)
{
    return command->sweep.command || command->sweep.function;
}

/* --- The command line -------------------------------------------------------- */

static bool read_count(const char *text, int least, int *out)
{
    char *end;
    long value = text ? strtol(text, &end, 10) : 0;

    if (!text || !*text || *end || value < least || value > 1000000) {
        return false;
    }
    *out = (int)value;
    return true;
}

static int read_flag(const char *word, struct command *command,
                     struct bench *bench)
{
    if (strcmp(word, "--tiny") == 0) {
        bench->tiny = true;
    } else if (strcmp(word, "--no-peers") == 0) {
        bench->has_mpi4py = false;
    } else {
        return 0;
    }
    command->only[FOR_QUESTIONS] = word;
    return 1;
}

/* An option and its value at argv; how many words it took, 0 if it is none. */
static int read_option(char **argv, struct command *command,
                       struct bench *bench)
{
    struct sweep_options *sweep = &command->sweep;
    const struct {
        const char *name;
        const char **text;
        int *count;
        enum audience audience;
    } options[] = {
        { "--report", &command->report, NULL, FOR_ALL },
        { "--readme", &command->readme, NULL, FOR_ALL },
        { "--compare", &command->compare, NULL, FOR_ALL },
        { "--json", &command->json, NULL, FOR_ALL },
        { "--from", &command->from, NULL, FOR_QUESTIONS },
        { "--sweep", &sweep->command, NULL, FOR_ALL },
        { "--sweep-function", &sweep->function, NULL, FOR_ALL },
        { "--smpi", &bench->smpi, NULL, FOR_QUESTIONS },
        { "--rounds", NULL, &bench->rounds, FOR_QUESTIONS },
        { "--repeats", NULL, &sweep->repeats, FOR_SWEEPS },
        { "--jobs", NULL, &sweep->jobs, FOR_SWEEPS },
        { "--warmups", NULL, &sweep->warmups, FOR_SWEEPS },
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(argv[0], options[i].name) == 0 && argv[1]) {
            command->only[options[i].audience] = argv[0];
            if (options[i].text) {
                *options[i].text = argv[1];
                return 2;
            }
            /* A user's command may take too long to be run for nothing. */
            int least = options[i].count == &sweep->warmups ? 0 : 1;

            return read_count(argv[1], least, options[i].count) ? 2 : 0;
        }
    }
    return read_flag(argv[0], command, bench);
}

static bool is_of_use(const struct command *command)
{
    const char *useless =
        command->only[is_sweep(command) ? FOR_QUESTIONS : FOR_SWEEPS];

    if (useless) {
        fprintf(stderr, "dwq-bench: %s is of no use %s a sweep\n", useless,
                is_sweep(command) ? "to" : "without");
    }
    return !useless;
}

static bool read_command(char **argv, struct command *command,
                         struct bench *bench)
{
    while (*argv) {
        int n = read_option(argv, command, bench);

        if (n == 0 && argv[0][0] == '-') {
            fprintf(stderr, "dwq-bench: no option '%s', or not with '%s'\n",
                    argv[0], argv[1] ? argv[1] : "");
            return false;
        }
        if (n == 0) {
            command->names[command->n_names++] = argv[0];
        }
        argv += n > 0 ? n : 1;
    }
    for (int i = 0; i < command->n_names && !is_sweep(command); i++) {
        if (!find_question(command->names[i])) {
            fprintf(stderr, "dwq-bench: no question '%s'\n", command->names[i]);
            return false;
        }
    }
    return true;
}

/* --- Running ------------------------------------------------------------------ */

static bool is_wanted(const struct command *command, const char *name)
{
    for (int i = 0; i < command->n_names; i++) {
        if (strcmp(command->names[i], name) == 0) {
            return true;
        }
    }
    return command->n_names == 0;
}

/* A file that was asked for, and why it is of no use. */
static bool complain(const char *path, const char *why)
{
    fprintf(stderr, "dwq-bench: %s: %s\n", path, why);
    return false;
}

static bool open_json(const struct command *command, struct bench *bench)
{
    if (command->json) {
        bench->json = strcmp(command->json, "-") == 0
                          ? stdout
                          : fopen(command->json, "w");
        if (!bench->json) {
            return complain(command->json, strerror(errno));
        }
    }
    return true;
}

/* A line is in the file as soon as it is written: what did not fit is an error of
 * the stream. */
static bool close_json(const struct command *command, struct bench *bench)
{
    bool ok = true;

    if (bench->json && bench->json != stdout) {
        ok = !ferror(bench->json);
        ok = fclose(bench->json) == 0 && ok;
    }
    return ok || complain(command->json, "could not be written");
}

/* What is read is read before anything is written, as it may be the same file, and
 * what cannot be is said before anything is measured. */
struct before {
    struct bench old; /* of --compare */
    struct bench from;
    struct facts old_facts, from_facts;
};

static bool read_before(const struct command *command, struct before *before)
{
    *before = (struct before){ .old = { .rounds = 0 } };
    if (command->compare &&
        !json_read(&before->old, command->compare, &before->old_facts)) {
        return complain(command->compare, "no figures in it");
    }
    if (command->from &&
        !json_read(&before->from, command->from, &before->from_facts)) {
        return complain(command->from, "no figures in it");
    }
    if (command->report && !report_can_write(command->report)) {
        return complain(command->report, strerror(errno));
    }
    return !command->readme || report_can_write_readme(command->readme) ||
           complain(command->readme, strerror(errno));
}

static void find_figures(struct command *command, struct bench *bench,
                         const struct before *before, struct facts *facts_out)
{
    *facts_out = command->from ? before->from_facts : facts_find();
    if (!facts_out->mpi[0]) {
        fprintf(stderr, "dwq-bench: there is no mpirun in PATH\n");
    }
    bench->is_open_mpi_4 = strstr(facts_out->mpi, "(Open MPI) 4.") != NULL;
    if (bench->json) {
        json_write_facts(bench->json, facts_out);
    }
    for (size_t i = 0; i < before->from.n_figures; i++) {
        if (is_wanted(command, before->from.figures[i].question)) {
            figure_report(bench, &before->from.figures[i]);
        }
    }
    for (size_t i = 0; questions[i] && !command->from && !is_sweep(command);
         i++) {
        if (questions[i]->ask && is_wanted(command, questions[i]->name)) {
            questions[i]->ask(bench);
        }
    }
    if (is_sweep(command)) {
        command->sweep_code = sweep_run(bench, facts_out, command->names,
                                        command->n_names, &command->sweep);
    }
}

static bool print_all(const struct command *command, const struct bench *bench,
                      const struct before *before, const struct facts *facts)
{
    bool ok = true;

    if (bench->json != stdout && !is_sweep(command)) {
        table_print(bench, facts, stdout);
    }
    if (command->compare) {
        table_compare(&before->old, bench,
                      bench->json == stdout ? stderr : stdout);
    }
    if (command->report && !report_write(bench, facts, command->report)) {
        ok = complain(command->report, "could not be written");
    }
    if (command->readme &&
        !report_write_readme(bench, facts, command->readme)) {
        ok = complain(command->readme, "could not be written");
    }
    return ok;
}

static int ask_all(struct command *command, struct bench *bench)
{
    struct before before;
    struct facts facts = { .cores = 0 };
    size_t n_missed = 0;
    bool ok =
        read_before(command, &before) &&
        (!is_sweep(command) ||
         sweep_check(command->names, (int)command->n_names, &command->sweep)) &&
        open_json(command, bench);

    if (ok) {
        find_figures(command, bench, &before, &facts);
        ok = print_all(command, bench, &before, &facts);
        ok = close_json(command, bench) && ok;
    }
    free(before.old.figures);
    free(before.from.figures);
    for (size_t i = 0; i < bench->n_figures; i++) {
        n_missed += figure_missed(&bench->figures[i]);
    }
    if (!ok || bench->n_failed_jobs > 0) {
        return 2;
    }
    if (is_sweep(command)) {
        return command->sweep_code;
    }
    return n_missed > 0 && !bench->tiny ? 1 : 0;
}

/* On every rank of a measuring job: --measure NAME ARGUMENTS... */
static int measure(int argc, char **argv)
{
    const struct question *question = argc > 0 ? find_question(argv[0]) : NULL;

    if (argc > 0 && strcmp(argv[0], question_sweep.name) == 0) {
        question = &question_sweep;
    }
    if (!question || !question->measure) {
        return usage(stderr, 2);
    }
    return question->measure(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    struct command command = { .sweep = {
                                   .warmups = 1, .repeats = 5, .jobs = 1 } };
    struct bench bench = { .rounds = 5 };
    char self[PATH_MAX], folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    int code = 2;

    if (argc > 1 && strcmp(argv[1], "--measure") == 0) {
        return measure(argc - 2, argv + 2);
    }
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        return usage(stdout, 0);
    }
    if (length < 0) {
        return code;
    }
    jobs_hold_signals();
    environment_leave_job();
    self[length] = '\0';
    memcpy(folder, self, (size_t)length + 1);
    bench.self = self;
    bench.folder = dirname(folder);
    bench.cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    bench.on_terminal = isatty(STDERR_FILENO);
    bench.has_mpi4py = facts_has_mpi4py();
    command.names = calloc((size_t)argc, sizeof *command.names);
    if (!command.names) {
        return code;
    }
    if (!read_command(argv + 1, &command, &bench)) {
        code = usage(stderr, 2);
    } else if (is_of_use(&command)) {
        code = ask_all(&command, &bench);
    }
    free(command.names);
    free(bench.figures);
    fflush(NULL);
    jobs_release_signals();
    return code;
}

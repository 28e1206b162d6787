/* dwq-bench: asks the questions, prints what came of them. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/environment.h"
#include "bench/facts.h"
#include "bench/json.h"
#include "bench/questions.h"
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
    const char *report, *compare, *json;
    char made[PATH_MAX]; /* a file in the place of --json; "": none */
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
    "[NAME=V,V,...]...\n";

static const char what_text[] =
    "\nMeasures libdwq beside the same work in bare MPI and in mpi4py.futures, "
    "in jobs\nthat alternate; or times a command or a function of your own. "
    "Prints each figure\nwhen it has it, and a table. Without a QUESTION it "
    "asks all:\n";

static const char options_text[] =
    "options:\n"
    "  --rounds N       jobs of each side per figure (5)\n"
    "  --compare DIR    ours alone, in turn with those of an older build or "
    "prefix:\n"
    "                   is one worse by more than 5 %, and that more than "
    "noise?\n"
    "  --compare FILE   beside the figures of an earlier --json FILE "
    "(python3)\n"
    "  --json FILE      one line per figure ('-': instead of the table)\n"
    "  --report DIR     one page with plots (python3, gnuplot)\n"
    "  --no-peers       without mpi4py.futures\n"
    "  --smpi DIR       a build with -Dmpi=smpi, for question scale\n"
    "  --tiny           counts so small that only the form is right\n"
    "of a sweep, which times every combination of values:\n"
    "  --sweep COMMAND  is given to sh, {NAME} stands for each value as it is\n"
    "  --sweep-function MODULE:NAME   found by DWQ_MODULE_PATH, gets them by "
    "name\n"
    "  --repeats N      times each combination (5)\n"
    "  --warmups N      times before that, not counted (1)\n"
    "  --jobs N         at once, each alone on its share of the cores (1)\n"
    "environment:\n"
    "  PATH             has the mpirun, gnuplot and smpirun that are started\n"
    "  OMPI_MCA_*       reach all jobs; commands of a sweep get the "
    "environment as it\n"
    "                   is here, less that of an MPI job around dwq-bench\n"
    "exit status:\n"
    "  0  all bars are met, all commands succeeded    1  one is not, or did "
    "not\n"
    "  2  bad usage, or a job failed: figures are missing    130, 143  "
    "interrupted:\n"
    "     the table and files have what was measured, and say that there is "
    "more\n"
    "examples:\n"
    "  dwq-bench throughput roundtrip --json new.json\n"
    "  dwq-bench --compare ../dwq-0.1.0/build throughput memory\n"
    "  dwq-bench --sweep './prog {n} {mode}' n=1,2,4 mode=a,b --repeats 3\n";

static int help(void)
{
    printf("%s%s", usage_text, what_text);
    for (size_t i = 0; questions[i]; i++) {
        if (questions[i]->ask) {
            printf("  %-11s %s\n", questions[i]->name, questions[i]->title);
        }
    }
    fputs(options_text, stdout);
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "%sdwq-bench --help says more.\n", usage_text);
    return 2;
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
        { "--compare", &command->compare, NULL, FOR_ALL },
        { "--json", &command->json, NULL, FOR_ALL },
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

/* --compare DIR rather than FILE. */
static bool has_older_build(const struct command *command)
{
    struct stat file;

    return command->compare && stat(command->compare, &file) == 0 &&
           S_ISDIR(file.st_mode);
}

static bool is_of_use(const struct command *command)
{
    const char *useless =
        command->only[is_sweep(command) ? FOR_QUESTIONS : FOR_SWEEPS];

    if (useless) {
        fprintf(stderr, "dwq-bench: %s is of no use %s a sweep\n", useless,
                is_sweep(command) ? "to" : "without");
    }
    if (!useless && has_older_build(command) &&
        (is_sweep(command) || command->report)) {
        fprintf(stderr, "dwq-bench: an older build is of use to questions and "
                        "--json alone\n");
        return false;
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

/* Whether both builds would be measured with one library. */
static bool is_library_preset(void)
{
    const char *folders = getenv("LD_LIBRARY_PATH");

    while (folders && *folders) {
        int length = (int)strcspn(folders, ":");
        char path[PATH_MAX];

        snprintf(path, sizeof path, "%.*s/libdwq.so", length, folders);
        if (access(path, F_OK) == 0) {
            return !complain(path,
                             "LD_LIBRARY_PATH gives both builds this one");
        }
        folders += length + (folders[length] == ':');
    }
    return false;
}

static bool find_older(const char *path, struct bench *bench)
{
    static const char *const places[] = { "bench", "bin", "." };
    char program[PATH_MAX];

    for (size_t i = 0; i < 3 && !bench->against; i++) {
        snprintf(program, sizeof program, "%s/%s/dwq-bench", path, places[i]);
        bench->against =
            access(program, X_OK) == 0 ? realpath(program, NULL) : NULL;
    }
    return bench->against ? !is_library_preset()
                          : complain(path, "no dwq-bench in it");
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

/* What report.py makes of the file of this run. */
static bool needs_report(const struct command *command)
{
    return command->report || (command->compare && !has_older_build(command));
}

/* What cannot be used is said before anything is measured. */
static bool check_paths(struct command *command)
{
    const char *compare = has_older_build(command) ? NULL : command->compare;
    const char *json = command->json;

    if (compare && access(compare, R_OK) != 0) {
        return complain(compare, strerror(errno));
    }
    if (command->report &&
        ((mkdir(command->report, 0777) != 0 && errno != EEXIST) ||
         access(command->report, W_OK | X_OK) != 0)) {
        return complain(command->report, strerror(errno));
    }
    if (json && needs_report(command) &&
        (strcmp(json, "-") == 0 || (compare && strcmp(json, compare) == 0))) {
        return complain(json, "--report and --compare need a file of its own");
    }
    return true;
}

/* A file that nobody asked for, as report.py reads files. */
static bool make_file(struct command *command)
{
    const char *tmp = getenv("TMPDIR");
    int fd;

    snprintf(command->made, sizeof command->made, "%s/dwq-bench-XXXXXX",
             tmp && tmp[0] ? tmp : "/tmp");
    fd = mkstemp(command->made);
    if (fd < 0) {
        return complain(command->made, strerror(errno));
    }
    close(fd);
    command->json = command->made;
    return true;
}

static bool run_report(const struct bench *bench, const char *what,
                       const char *first, const char *second)
{
    char script[PATH_MAX];
    int status = -1;
    pid_t pid;

    snprintf(script, sizeof script, "%s/report.py", bench->folder);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        execlp("python3", "python3", script, what, first, second, (char *)NULL);
        complain("python3", strerror(errno));
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* false: it was said that it has none beside those of an older build. */
static bool ask_question(const struct question *question, struct bench *bench)
{
    size_t before = bench->n_figures;

    question->ask(bench);
    progress_end(bench);
    if (bench->against && bench->n_figures == before && !jobs_interrupted()) {
        fprintf(stderr, "dwq-bench: %s: nothing that both builds measure\n",
                question->name);
        return false;
    }
    return true;
}

static void ask_questions(const struct command *command, struct bench *bench)
{
    for (size_t i = 0; questions[i] && !jobs_interrupted(); i++) {
        if (questions[i]->ask && is_wanted(command, questions[i]->name) &&
            !ask_question(questions[i], bench) && command->n_names > 0) {
            bench->n_failed_jobs++;
        }
    }
}

static void say_if_incomplete(const struct command *command,
                              struct bench *bench)
{
    char *why = bench->incomplete;

    if (jobs_interrupted()) {
        snprintf(why, sizeof bench->incomplete, "interrupted");
    } else if (bench->n_failed_jobs > 0) {
        snprintf(why, sizeof bench->incomplete, "%d job%s failed",
                 bench->n_failed_jobs, bench->n_failed_jobs > 1 ? "s" : "");
    } else if (command->sweep_code == 2) {
        snprintf(why, sizeof bench->incomplete, "results are missing");
    }
    if (why[0]) {
        fprintf(stderr, "dwq-bench: not complete: %s\n", why);
    }
}

static void find_figures(struct command *command, struct bench *bench,
                         struct facts *facts_out)
{
    *facts_out = facts_find();
    if (!facts_out->mpi[0]) {
        fprintf(stderr, "dwq-bench: there is no mpirun in PATH\n");
    }
    bench->is_open_mpi_4 = strstr(facts_out->mpi, "(Open MPI) 4.") != NULL;
    if (bench->json) {
        json_write_facts(bench->json, facts_out);
    }
    if (is_sweep(command)) {
        command->sweep_code = sweep_run(bench, facts_out, command->names,
                                        command->n_names, &command->sweep);
    } else {
        ask_questions(command, bench);
    }
    say_if_incomplete(command, bench);
    if (bench->json) {
        json_write_end(bench->json, bench->incomplete);
    }
}

static bool make_reports(const struct command *command,
                         const struct bench *bench)
{
    bool ok = true;

    if (command->compare && !bench->against) {
        ok = run_report(bench, "compare", command->compare, command->json);
    }
    if (command->report) {
        ok = run_report(bench, "page", command->json, command->report) && ok;
    }
    return ok;
}

static int code_of(const struct command *command, const struct bench *bench)
{
    size_t n_missed = 0;

    if (bench->incomplete[0]) {
        return 2;
    }
    if (is_sweep(command)) {
        return command->sweep_code;
    }
    for (size_t i = 0; i < bench->n_figures; i++) {
        n_missed += figure_missed(&bench->figures[i]);
    }
    return n_missed > 0 && (!bench->tiny || bench->against) ? 1 : 0;
}

static int ask_all(struct command *command, struct bench *bench)
{
    struct facts facts = { .cores = 0 };
    bool ok =
        (!has_older_build(command) || find_older(command->compare, bench)) &&
        check_paths(command) &&
        (!is_sweep(command) ||
         sweep_check(command->names, (int)command->n_names, &command->sweep)) &&
        (command->json || !needs_report(command) || make_file(command)) &&
        open_json(command, bench);

    if (ok) {
        find_figures(command, bench, &facts);
        if (bench->json != stdout && !is_sweep(command)) {
            table_print(bench, &facts, stdout);
        }
        ok = close_json(command, bench) && make_reports(command, bench);
    }
    if (command->made[0]) {
        unlink(command->made);
    }
    return ok ? code_of(command, bench) : 2;
}

/* On every rank of a measuring job: --measure NAME ARGUMENTS... */
static int measure(int argc, char **argv)
{
    const struct question *question = argc > 0 ? find_question(argv[0]) : NULL;

    if (argc > 0 && strcmp(argv[0], question_sweep.name) == 0) {
        question = &question_sweep;
    }
    if (!question || !question->measure) {
        return usage();
    }
    return question->measure(argc - 1, argv + 1);
}

/* Beside this program as it was built, or where they were installed. */
static const char *folder_of_programs(const char *own)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/raw_mpi", own);
    return access(path, X_OK) == 0 ? own : DWQ_BENCH_PROGRAMS;
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
        return help();
    }
    if (length < 0) {
        return code;
    }
    jobs_hold_signals();
    environment_leave_job();
    self[length] = '\0';
    memcpy(folder, self, (size_t)length + 1);
    bench.self = self;
    bench.folder = folder_of_programs(dirname(folder));
    bench.cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    bench.on_terminal = isatty(STDERR_FILENO);
    bench.has_mpi4py = facts_has_mpi4py();
    command.names = calloc((size_t)argc, sizeof *command.names);
    if (!command.names) {
        return code;
    }
    if (!read_command(argv + 1, &command, &bench)) {
        code = usage();
    } else if (is_of_use(&command)) {
        code = ask_all(&command, &bench);
    }
    free(command.names);
    free(bench.figures);
    free(bench.against);
    fflush(NULL);
    jobs_release_signals();
    return code;
}

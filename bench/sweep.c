#define _GNU_SOURCE /* sched_setaffinity, wait4, environ */
#include "bench/sweep.h"

#include <dwq/dwq.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/table.h"

#define PARAMETERS_MAX 8
#define COMMAND_MAX 4096

struct parameter {
    char name[TEXT_MAX];
    char *values[64];
    size_t n;
};

struct sweep {
    const char *command;
    int repeats;
    struct parameter parameters[PARAMETERS_MAX];
    size_t n_parameters;
    size_t n_cases; /* combinations */
};

/* What came of one combination. */
struct outcome {
    struct samples seconds, processor, memory;
    int n_failed;
};

/* --- Parameters ------------------------------------------------------------------ */

/* NAME=V,V,...; keeps pointers into `text`, and cuts it. */
static bool read_parameter(struct sweep *sweep, char *text)
{
    struct parameter *p = &sweep->parameters[sweep->n_parameters];
    char *values = strchr(text, '='), *rest = NULL;

    if (!values || values == text || sweep->n_parameters == PARAMETERS_MAX ||
        (size_t)(values - text) >= sizeof p->name) {
        return false;
    }
    *values++ = '\0';
    snprintf(p->name, sizeof p->name, "%s", text);
    for (char *v = strtok_r(values, ",", &rest); v && p->n < 64;
         v = strtok_r(NULL, ",", &rest)) {
        p->values[p->n++] = v;
    }
    sweep->n_parameters++;
    sweep->n_cases *= p->n;
    return p->n > 0;
}

static bool read_sweep(struct sweep *sweep, const char *repeats,
                       const char *command, char **parameters, int n)
{
    *sweep = (struct sweep){ .command = command, .n_cases = 1 };
    sweep->repeats = (int)strtol(repeats, NULL, 10);
    for (int i = 0; i < n; i++) {
        if (!read_parameter(sweep, parameters[i])) {
            fprintf(stderr, "dwq-bench: '%s' is not NAME=VALUE,VALUE,...\n",
                    parameters[i]);
            return false;
        }
    }
    return sweep->repeats > 0;
}

/* The last parameter changes fastest. */
static const char *value_of(const struct sweep *sweep, size_t number, size_t p)
{
    for (size_t i = sweep->n_parameters; i-- > p + 1;) {
        number /= sweep->parameters[i].n;
    }
    return sweep->parameters[p].values[number % sweep->parameters[p].n];
}

/* The parameter whose {NAME} stands at `at`, or n_parameters. */
static size_t named_at(const struct sweep *sweep, const char *at)
{
    for (size_t p = 0; *at == '{' && p < sweep->n_parameters; p++) {
        size_t length = strlen(sweep->parameters[p].name);

        if (strncmp(at + 1, sweep->parameters[p].name, length) == 0 &&
            at[1 + length] == '}') {
            return p;
        }
    }
    return sweep->n_parameters;
}

/* The command of a combination. false: too long. */
static bool fill_command(const struct sweep *sweep, size_t number,
                         char text_out[static COMMAND_MAX])
{
    size_t used = 0;

    for (const char *at = sweep->command; *at;) {
        size_t p = named_at(sweep, at), length = 1;
        const char *from = at;

        if (p < sweep->n_parameters) {
            from = value_of(sweep, number, p);
            length = strlen(from);
            at += strlen(sweep->parameters[p].name) + 2;
        } else {
            at++;
        }
        if (used + length >= COMMAND_MAX) {
            return false;
        }
        memcpy(text_out + used, from, length);
        used += length;
    }
    text_out[used] = '\0';
    return true;
}

/* --- On a worker ------------------------------------------------------------------- */

/* The command is no rank of this job, even if it is an MPI program. */
static void forget_launcher(void)
{
    extern char **environ;

    for (size_t i = 0; environ[i];) {
        if (strncmp(environ[i], "OMPI_", 5) == 0 ||
            strncmp(environ[i], "PMIX_", 5) == 0 ||
            strncmp(environ[i], "PRTE_", 5) == 0) {
            char name[256];
            size_t length = strcspn(environ[i], "=");

            snprintf(name, sizeof name, "%.*s", (int)length, environ[i]);
            if (unsetenv(name) == 0) {
                continue;
            }
        }
        i++;
    }
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
}

/* run(command) -> seconds, processor seconds, bytes, exit status */
static int run_command(dwq_call_t *call, void *arg)
{
    const char *command;
    struct rusage usage;
    double seconds, processor;
    int status;
    pid_t pid;

    (void)arg;
    if (!dwq_arg(call, 0, &command)) {
        return dwq_call_fail(call, 1, "run(command)");
    }
    seconds = now();
    pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_RDWR);

        dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        forget_launcher();
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        return dwq_call_fail(call, 2, "the command could not be started");
    }
    seconds = now() - seconds;
    processor =
        (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
        1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return dwq_call_return(
        call,
        DWQ_VALUES(seconds, processor, usage.ru_maxrss * 1024.0,
                   (int64_t)(WIFEXITED(status) ? WEXITSTATUS(status)
                                               : 128 + WTERMSIG(status))));
}

/* Each worker has its share of the cores, for the commands that it starts. */
static int bind_worker(dwq_worker_t *worker, void *arg)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    long id = dwq_worker_id(worker) - 1;
    long share;
    dwq_world_t world;
    cpu_set_t set;

    (void)arg;
    if (dwq_world(&world) != DWQ_OK || world.n_workers < 1 ||
        world.n_workers > cores) {
        return 0;
    }
    share = cores / world.n_workers;
    CPU_ZERO(&set);
    for (long c = id * share; c < (id + 1) * share; c++) {
        CPU_SET((size_t)c, &set);
    }
    sched_setaffinity(0, sizeof set, &set);
    return 0;
}

/* --- On the controller ---------------------------------------------------------------- */

static void case_text(const struct sweep *sweep, size_t number, char *text,
                      size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t p = 0; p < sweep->n_parameters && used < size; p++) {
        used += (size_t)snprintf(text + used, size - used, "%s%s=%s",
                                 p ? " " : "", sweep->parameters[p].name,
                                 value_of(sweep, number, p));
    }
}

static void print_case(const struct sweep *sweep, size_t number,
                       const struct outcome *o)
{
    char name[256], text[5][QUANTITY_MAX];

    case_text(sweep, number, name, sizeof name);
    printf("%-32s %12s %12s %12s %12s %10s %4zu %6d\n", name,
           quantity(text[0], samples_median(&o->seconds), "s"),
           quantity(text[1], samples_percentile(&o->seconds, 0.25), "s"),
           quantity(text[2], samples_percentile(&o->seconds, 0.75), "s"),
           quantity(text[3], samples_median(&o->processor), "s"),
           quantity(text[4], samples_median(&o->memory), "B"), o->seconds.n,
           o->n_failed);
}

/* All combinations once, then all again, so that what else the machine does
 * meets them alike. The id tells the combination. */
static bool submit_all(dwq_controller_t *controller, const struct sweep *sweep)
{
    char command[COMMAND_MAX];

    for (int r = 0; r < sweep->repeats; r++) {
        for (size_t i = 0; i < sweep->n_cases; i++) {
            dwq_task_t task = { .function = "run",
                                .id = 1 + (size_t)r * sweep->n_cases + i };
            dwq_value_t value;

            if (!fill_command(sweep, i, command)) {
                fprintf(stderr, "dwq-bench: a command that is too long\n");
                return false;
            }
            value = dwq_value_string(command);
            task.args = (dwq_values_t){ 1, &value };
            if (dwq_controller_queue_call(controller, &task, NULL) != DWQ_OK) {
                return false;
            }
        }
    }
    return true;
}

static void take_result(const dwq_result_t *result, struct outcome *o)
{
    double seconds, processor, memory;
    int64_t status;

    if (!dwq_result_get(result, 0, 0, &seconds) ||
        !dwq_result_get(result, 0, 1, &processor) ||
        !dwq_result_get(result, 0, 2, &memory) ||
        !dwq_result_get(result, 0, 3, &status) || status != 0) {
        o->n_failed++;
        return;
    }
    samples_add(&o->seconds, seconds);
    samples_add(&o->processor, processor);
    samples_add(&o->memory, memory);
}

static int controller(dwq_controller_t *controller, void *arg)
{
    const struct sweep *sweep = arg;
    struct outcome *outcomes = calloc(sweep->n_cases, sizeof *outcomes);
    dwq_result_t result;
    int n_failed = 0;

    if (!outcomes || !submit_all(controller, sweep)) {
        free(outcomes);
        return 2;
    }
    while (dwq_controller_get_next_result(controller, &result) == DWQ_OK) {
        take_result(&result, &outcomes[(result.id - 1) % sweep->n_cases]);
        dwq_result_clear(&result);
        printf("progress 1\n");
        fflush(stdout);
    }
    printf("%-32s %12s %12s %12s %12s %10s %4s %6s\n", "", "median", "p25",
           "p75", "processor", "memory", "runs", "failed");
    for (size_t i = 0; i < sweep->n_cases; i++) {
        print_case(sweep, i, &outcomes[i]);
        n_failed += outcomes[i].n_failed;
        samples_finish(&outcomes[i].seconds);
        samples_finish(&outcomes[i].processor);
        samples_finish(&outcomes[i].memory);
    }
    printf("commands_failed %d\n", n_failed);
    free(outcomes);
    return 0;
}

int sweep_measure(int argc, char **argv)
{
    static const dwq_function_t functions[] = {
        { .name = "run", .function = run_command },
        { .name = NULL },
    };
    struct sweep sweep;

    if (argc < 2 || !read_sweep(&sweep, argv[0], argv[1], argv + 2, argc - 2)) {
        return 2;
    }
    return dwq_main(argc, argv,
                    &(dwq_options_t){ .controller = controller,
                                      .worker = bind_worker,
                                      .functions = functions,
                                      .prefetch = DWQ_PREFETCH_OFF,
                                      .arg = &sweep });
}

/* --- In dwq-bench ------------------------------------------------------------------------ */

/* What the job prints, but for what it says to us. */
static void pass_line(struct bench *bench, const char *line)
{
    if (strcmp(line, "progress 1") == 0) {
        progress_step(bench);
    } else if (strncmp(line, "commands_failed ", 16) != 0) {
        progress_end(bench);
        printf("%s\n", line);
    }
}

/* How many values a parameter has: one more than commas. */
static int n_values(const char *parameter)
{
    int n = 1;

    for (; *parameter; parameter++) {
        n += *parameter == ',';
    }
    return n;
}

int sweep_run(struct bench *bench, const char *command, char **parameters,
              int n, const struct sweep_options *options)
{
    struct job job = { .np = options->jobs + 1,
                       .side = SIDE_OURS,
                       .args = { "sweep" },
                       .pass_line = pass_line,
                       .timeout = 1e9 };
    struct job_result result;
    char repeats[24];
    int n_runs = options->repeats, code;

    if (n > PARAMETERS_MAX) {
        fprintf(stderr, "dwq-bench: more than %d parameters\n", PARAMETERS_MAX);
        return 2;
    }
    job.args[1] = number(repeats, options->repeats);
    job.args[2] = command;
    for (int i = 0; i < n; i++) {
        job.args[3 + i] = parameters[i];
        n_runs *= n_values(parameters[i]);
    }
    progress_begin(bench, "sweep", n_runs);
    job_run(bench, &job, &result);
    code = !result.ok ? 2 : job_value(&result, "commands_failed") > 0;
    job_result_finish(&result);
    return code;
}

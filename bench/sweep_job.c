/* The job of a sweep: command or function REPEATS WARMUPS WHAT PARAMETERS... */
#define _GNU_SOURCE /* wait4 */
#include <dwq/dwq.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/cases.h"
#include "bench/cores.h"
#include "bench/environment.h"
#include "bench/sweep.h"

struct job_sweep {
    struct cases cases;
    int repeats, warmups;
    const char *command;   /* or NULL */
    char module[TEXT_MAX]; /* and */
    const char *function;  /* ... of it */
};

/* --- On a worker ------------------------------------------------------------------- */

static void exec_command(const char *command)
{
    int nowhere = open("/dev/null", O_RDWR);

    dup2(nowhere, STDIN_FILENO);
    dup2(nowhere, STDOUT_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive its job */
    /* The command is no rank of this job, even if it is an MPI program. */
    environment_restore();
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* run(command) -> seconds, processor seconds, bytes */
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
        exec_command(command);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        return dwq_call_fail(call, 2, "the command could not be started");
    }
    seconds = now() - seconds;
    if (WIFSIGNALED(status)) {
        return dwq_call_fail(call, 3, "signal %d", WTERMSIG(status));
    }
    if (WEXITSTATUS(status) != 0) {
        return dwq_call_fail(call, 3, "exit status %d", WEXITSTATUS(status));
    }
    processor =
        (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
        1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return dwq_call_return(
        call, DWQ_VALUES(seconds, processor, usage.ru_maxrss * 1024.0));
}

/* Each worker has its share of the cores, for what it runs. */
static int bind_worker(dwq_worker_t *worker, void *arg)
{
    dwq_world_t world;

    (void)arg;
    if (dwq_world(&world) != DWQ_OK ||
        !cores_bind(dwq_worker_id(worker) - 1, world.n_workers)) {
        fprintf(stderr, "dwq-bench: a worker could not be bound\n");
        return 1;
    }
    return 0;
}

/* --- On the controller -------------------------------------------------------------- */

/* As an integer or a number if it is one, else as text. */
static dwq_value_t value_of_text(const char *text)
{
    char *end;
    long long integer;
    double number;

    errno = 0;
    integer = strtoll(text, &end, 10);
    if (*end == '\0' && errno == 0) {
        return dwq_value((int64_t)integer);
    }
    number = strtod(text, &end);
    return *end == '\0' ? dwq_value(number) : dwq_value_string(text);
}

static dwq_status_t submit_command(dwq_controller_t *controller,
                                   const struct job_sweep *sweep, size_t number,
                                   uint64_t id)
{
    char command[COMMAND_MAX];
    dwq_value_t value;
    dwq_task_t task = { .function = "run", .id = id };

    if (!cases_fill(&sweep->cases, number, sweep->command, command)) {
        return DWQ_E_ARG;
    }
    value = dwq_value_string(command);
    task.args = (dwq_values_t){ 1, &value };
    return dwq_controller_queue_call(controller, &task, NULL);
}

static dwq_status_t submit_function(dwq_controller_t *controller,
                                    const struct job_sweep *sweep,
                                    size_t number, uint64_t id)
{
    dwq_kwarg_t entries[PARAMETERS_MAX];
    dwq_task_t task = { .function = sweep->function,
                        .module = sweep->module,
                        .id = id,
                        .kwargs = { sweep->cases.n_parameters, entries } };

    for (size_t p = 0; p < sweep->cases.n_parameters; p++) {
        entries[p] = (dwq_kwarg_t){ sweep->cases.parameters[p].name,
                                    value_of_text(cases_value(&sweep->cases,
                                                              number, p)) };
    }
    return dwq_controller_queue_call(controller, &task, NULL);
}

/* All combinations once, then all again, so that what else the machine does meets
 * them alike; the first times are for warming up. The id tells the combination. */
static bool submit_all(dwq_controller_t *controller,
                       const struct job_sweep *sweep)
{
    size_t n = (size_t)(sweep->warmups + sweep->repeats) * sweep->cases.n;

    for (size_t i = 0; i < n; i++) {
        size_t number = i % sweep->cases.n;
        dwq_status_t status =
            sweep->command ? submit_command(controller, sweep, number, i + 1)
                           : submit_function(controller, sweep, number, i + 1);

        if (status != DWQ_OK) {
            fprintf(stderr, "dwq-bench: %s\n", dwq_status_text(status));
            return false;
        }
    }
    return true;
}

static void print_result(const struct job_sweep *sweep,
                         const dwq_result_t *result)
{
    size_t i = result->id - 1, number = i % sweep->cases.n;
    double seconds = result->this_time, processor = -1, memory = -1;

    if (i < (size_t)sweep->warmups * sweep->cases.n) {
        printf(SWEEP_WARM " %zu\n", number);
    } else if (result->status != DWQ_OK) {
        printf(SWEEP_FAILED " %zu %.160s\n", number,
               result->message[0] ? result->message
                                  : dwq_status_text(result->status));
    } else {
        if (sweep->command) {
            dwq_result_get(result, 0, 0, &seconds);
            dwq_result_get(result, 0, 1, &processor);
            dwq_result_get(result, 0, 2, &memory);
        }
        printf(SWEEP_RAN " %zu %.9g %.9g %.9g\n", number, seconds, processor,
               memory);
    }
    fflush(stdout);
}

static int controller(dwq_controller_t *controller, void *arg)
{
    const struct job_sweep *sweep = arg;
    dwq_result_t result;

    if (!submit_all(controller, sweep)) {
        dwq_controller_cancel(controller, 0);
        return 2;
    }
    while (dwq_controller_get_next_result(controller, &result) == DWQ_OK) {
        print_result(sweep, &result);
        dwq_result_clear(&result);
    }
    return 0;
}

/* MODULE:NAME. */
static bool read_function(struct job_sweep *sweep, const char *text)
{
    size_t length = strcspn(text, ":");

    snprintf(sweep->module, sizeof sweep->module, "%.*s", (int)length, text);
    sweep->function = text[length] ? text + length + 1 : "";
    return sweep->function[0] && length < sizeof sweep->module;
}

static int measure(int argc, char **argv)
{
    static const dwq_function_t functions[] = {
        { .name = "run", .function = run_command },
        { .name = NULL },
    };
    struct job_sweep sweep;
    int code;

    if (argc < 4) {
        return 2;
    }
    sweep = (struct job_sweep){ .repeats = atoi(argv[1]),
                                .warmups = atoi(argv[2]) };
    if (strcmp(argv[0], "command") == 0) {
        sweep.command = argv[3];
    } else if (!read_function(&sweep, argv[3])) {
        return 2;
    }
    if (!cases_read(&sweep.cases, argv + 4, argc - 4)) {
        return 2;
    }
    code = dwq_main(argc, argv,
                    &(dwq_options_t){ .controller = controller,
                                      .worker = bind_worker,
                                      .functions = functions,
                                      .prefetch = DWQ_PREFETCH_OFF,
                                      .arg = &sweep });
    cases_finish(&sweep.cases);
    return code;
}

const struct question question_sweep = {
    .name = "sweep",
    .title = "Commands or functions of a sweep",
    .measure = measure,
};

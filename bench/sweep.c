/* The job of a sweep: REPEATS WARMUPS [MODULE:NAME]. A user's own commands or
 * functions, timed: every run is a task, alone on the cores of its worker. Standard
 * input has the combinations, each a list of texts that end with NUL and an empty one:
 * the command, or the name and the value of each parameter. Prints a line for each
 * run: dwq-sweep-ran CASE SECONDS PROCESSOR BYTES, the last two -1 of functions;
 * dwq-sweep-failed CASE WHY; dwq-sweep-warm CASE. */
#define _GNU_SOURCE /* wait4, sched_setaffinity */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/calls.h"

#define PARAMETERS_MAX 8
#define SAVED "DWQ_BENCH_ENVIRONMENT"

struct sweep {
    char *text;         /* of standard input */
    const char **cases; /* their first texts */
    size_t n;           /* of them */
    size_t repeats, warmups;
    const char *function; /* NULL: commands */
    char module[64];
};

/* --- On a worker ------------------------------------------------------------------- */

/* Those that launchers set, by the beginnings of their names: all the same now. */
static void remove_all(const char *beginnings)
{
    for (const char *at = beginnings; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");

        for (size_t i = 0; environ[i];) {
            char *name = strncmp(environ[i], at, length) == 0
                             ? strndup(environ[i], strcspn(environ[i], "="))
                             : NULL;

            i += name && unsetenv(name) == 0 ? 0 : 1;
            free(name);
        }
        at += length;
    }
}

/* The user's environment, as dwq-bench found and saved it: beginnings of names, then
 * NAME=VALUE of those that have one of them. */
static void restore_environment(void)
{
    char *rest = NULL, *saved = getenv(SAVED) ? strdup(getenv(SAVED)) : NULL;
    char *beginnings = saved ? strtok_r(saved, "\x1f", &rest) : NULL;

    if (beginnings) {
        remove_all(beginnings);
        for (char *entry; (entry = strtok_r(NULL, "\x1f", &rest)) != NULL;) {
            char *value = strchr(entry, '=');

            *value++ = '\0';
            setenv(entry, value, 1);
        }
    }
    unsetenv(SAVED);
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
    free(saved);
}

static void exec_command(const char *command)
{
    int nowhere = open("/dev/null", O_RDWR);

    dup2(nowhere, STDIN_FILENO);
    dup2(nowhere, STDOUT_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive its job */
    /* The command is no rank of this job, even if it is an MPI program. */
    restore_environment();
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

/* The first hardware thread of this one's core: the core's number. */
static int core_of(int cpu)
{
    char path[96];
    int first = cpu;
    FILE *from;

    snprintf(path, sizeof path,
             "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
             cpu);
    from = fopen(path, "r");
    if (from) {
        if (fscanf(from, "%d", &first) != 1 || first < 0) {
            first = cpu;
        }
        fclose(from);
    }
    return first < CPU_SETSIZE ? first : cpu;
}

/* This process has share i of n of the cores, with all of their hardware threads. */
static bool bind_to_share(int i, int n)
{
    cpu_set_t allowed, share;
    int place[CPU_SETSIZE], n_cores = 0; /* of each core among them */

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return false;
    }
    memset(place, -1, sizeof place);
    for (int c = 0; c < CPU_SETSIZE; c++) {
        if (CPU_ISSET((size_t)c, &allowed) && place[core_of(c)] < 0) {
            place[core_of(c)] = n_cores++;
        }
    }
    CPU_ZERO(&share);
    for (int c = 0; c < CPU_SETSIZE; c++) {
        if (CPU_ISSET((size_t)c, &allowed) &&
            place[core_of(c)] / (n_cores / n) == i) {
            CPU_SET((size_t)c, &share);
        }
    }
    return sched_setaffinity(0, sizeof share, &share) == 0;
}

static int bind_worker(dwq_worker_t *worker, void *arg)
{
    dwq_world_t world;

    (void)arg;
    if (dwq_world(&world) != DWQ_OK ||
        !bind_to_share(dwq_worker_id(worker) - 1, world.n_workers)) {
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

static dwq_status_t submit(dwq_controller_t *controller,
                           const struct sweep *sweep, const char *text,
                           uint64_t id)
{
    dwq_kwarg_t entries[PARAMETERS_MAX];
    dwq_value_t command = dwq_value_string(text);
    dwq_task_t task = { .function = "run", .id = id, .args = { 1, &command } };
    size_t n = 0;

    if (sweep->function) {
        task = (dwq_task_t){ .function = sweep->function,
                             .module = sweep->module,
                             .id = id };
        while (*text && n < PARAMETERS_MAX) {
            const char *value = text + strlen(text) + 1;

            entries[n++] = (dwq_kwarg_t){ text, value_of_text(value) };
            text = value + strlen(value) + 1;
        }
        task.kwargs = (dwq_kwargs_t){ n, entries };
    }
    return dwq_controller_queue_call(controller, &task, NULL);
}

static void print_result(const struct sweep *sweep, const dwq_result_t *result)
{
    size_t i = result->id - 1, number = i % sweep->n;
    double seconds = result->this_time, processor = -1, memory = -1;

    if (i < sweep->warmups * sweep->n) {
        printf("dwq-sweep-warm %zu\n", number);
    } else if (result->status != DWQ_OK) {
        printf("dwq-sweep-failed %zu %.160s\n", number,
               result->message[0] ? result->message
                                  : dwq_status_text(result->status));
    } else {
        if (!sweep->function) {
            dwq_result_get(result, 0, 0, &seconds);
            dwq_result_get(result, 0, 1, &processor);
            dwq_result_get(result, 0, 2, &memory);
        }
        printf("dwq-sweep-ran %zu %.9g %.9g %.9g\n", number, seconds, processor,
               memory);
    }
    fflush(stdout);
}

/* What comes on standard input. */
static bool read_cases(struct sweep *sweep)
{
    size_t room = 0, size = 0, n = 1;

    while (n > 0) {
        if (size == room) {
            room = room > 0 ? 2 * room : 65536;
            sweep->text = realloc(sweep->text, room);
            sweep->cases = realloc(sweep->cases, room * sizeof *sweep->cases);
        }
        if (!sweep->text || !sweep->cases) {
            return false;
        }
        n = fread(sweep->text + size, 1, room - size, stdin);
        size += n;
    }
    for (char *at = sweep->text; at < sweep->text + size; at++) {
        sweep->cases[sweep->n++] = at;
        for (; *at; at += strlen(at) + 1) {
        }
    }
    return sweep->n > 0;
}

/* All combinations once, then all again, so that what else the machine does meets
 * them alike; the first times are for warming up. The id tells the combination. */
static int controller(dwq_controller_t *controller, void *arg)
{
    struct sweep *sweep = arg;
    dwq_status_t status = read_cases(sweep) ? DWQ_OK : DWQ_E_NOMEM;
    size_t n = (sweep->warmups + sweep->repeats) * sweep->n;
    dwq_result_t result;

    for (size_t i = 0; i < n && status == DWQ_OK; i++) {
        status = submit(controller, sweep, sweep->cases[i % sweep->n], i + 1);
    }
    if (status != DWQ_OK) {
        fprintf(stderr, "dwq-bench: %s\n", dwq_status_text(status));
        dwq_controller_cancel(controller, 0);
        return 2;
    }
    while (dwq_controller_get_next_result(controller, &result) == DWQ_OK) {
        print_result(sweep, &result);
        dwq_result_clear(&result);
    }
    return 0;
}

int measure_sweep(int argc, char **argv)
{
    static const dwq_function_t functions[] = {
        { .name = "run", .function = run_command },
        { .name = NULL },
    };
    struct sweep sweep = { .function = NULL };
    int code;

    if (argc < 2) {
        return 2;
    }
    sweep.repeats = strtoul(argv[0], NULL, 10);
    sweep.warmups = strtoul(argv[1], NULL, 10);
    if (argc > 2) {
        sweep.function = strchr(argv[2], ':') + 1;
        snprintf(sweep.module, sizeof sweep.module, "%.*s",
                 (int)strcspn(argv[2], ":"), argv[2]);
    }
    code = dwq_main(argc, argv,
                    &(dwq_options_t){ .controller = controller,
                                      .worker = bind_worker,
                                      .functions = functions,
                                      .prefetch = DWQ_PREFETCH_OFF,
                                      .arg = &sweep });
    free(sweep.text);
    free(sweep.cases);
    return code;
}

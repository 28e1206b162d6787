#define _GNU_SOURCE /* backtrace, mkstemp */
#include "tests/mpi/scenario.h"

#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static atomic_int n_failed;
static const char *now_playing = "";
static char who[80]; /* for the signal handler, which may not ask MPI */

void scenario_failed(const char *file, int line, const char *what)
{
    n_failed++;
    fprintf(stderr, "%s: %s:%d: rank %d: does not hold: %s\n", now_playing,
            file, line, world_rank(), what);
}

static void print_where(int signal)
{
    void *frames[64];
    int n = backtrace(frames, 64);

    (void)signal;
    if (write(STDERR_FILENO, who, strlen(who)) < 0) {
        return;
    }
    backtrace_symbols_fd(frames, n, STDERR_FILENO);
}

int world_rank(void)
{
    int initialized, finalized, rank = 0;

    MPI_Initialized(&initialized);
    MPI_Finalized(&finalized);
    if (initialized && !finalized) {
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    }
    return rank;
}

int world_size(void)
{
    dwq_world_t world = { .size = 0 };

    dwq_world(&world);
    return world.size;
}

void scenario_begin(void)
{
    void *warm[1];
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");

    snprintf(who, sizeof who, "--- rank %s (process %ld) is here:\n",
             rank ? rank : "0", (long)getpid());
    backtrace(warm, 1); /* loads what it needs before a signal comes */
    signal(SIGUSR2, print_where);
}

int scenario_end(void)
{
    dwq_finalize();
    return n_failed > 0;
}

int scenario_n_failed(void)
{
    return n_failed;
}

static const struct scenario *find(const struct scenario *scenarios,
                                   const char *name, size_t size)
{
    for (const struct scenario *s = scenarios; s->name; s++) {
        if (strncmp(s->name, name, size) == 0 && s->name[size] == '\0') {
            return s;
        }
    }
    return NULL;
}

int scenario_main(int argc, char **argv, const struct scenario *scenarios)
{
    /* A spawned process has the marker behind the names. */
    const char *name = argc >= 2 ? argv[1] : "";

    scenario_begin();
    do {
        size_t size = strcspn(name, ",");
        const struct scenario *scenario = find(scenarios, name, size);

        if (!scenario) {
            fprintf(stderr, "usage: %s SCENARIO[,SCENARIO...]\n", argv[0]);
            return 2;
        }
        now_playing = scenario->name;
        scenario->play();
        name += size;
    } while (*name++ == ',');
    return scenario_end();
}

/* --- Functions ---------------------------------------------------------- */

void sleep_seconds(double seconds)
{
    struct timespec pause = { .tv_sec = (time_t)seconds };

    pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
    while (nanosleep(&pause, &pause) != 0) {
    }
}

void flag_make(char *path, bool raised)
{
    int file;

    temporary_name(path, "dwq-flag");
    file = mkstemp(path);
    CHECK(file >= 0);
    close(file);
    if (!raised) {
        flag_remove(path);
    }
}

void flag_raise(const char *path)
{
    FILE *file = fopen(path, "w");

    CHECK(file && fclose(file) == 0);
}

void flag_remove(const char *path)
{
    CHECK(unlink(path) == 0);
}

long resident_kib(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file) {
        if (fscanf(file, "%ld %ld", &size, &resident) != 2) {
            resident = 0;
        }
        fclose(file);
    }
    return resident * 4;
}

static int square(dwq_call_t *call, void *arg)
{
    double x;

    (void)arg;
    if (!dwq_arg(call, 0, &x)) {
        return dwq_call_fail(call, 1, "square(x): x must be a number");
    }
    return dwq_call_return(call, DWQ_VALUES(x * x));
}

static int do_sleep(dwq_call_t *call, void *arg)
{
    double seconds = 0;

    (void)arg;
    dwq_arg(call, 0, &seconds);
    sleep_seconds(seconds);
    return dwq_call_return(call, DWQ_VALUES(seconds));
}

static int wait_for(dwq_call_t *call, void *arg)
{
    const char *path = "";
    int tries = 0;

    (void)arg;
    dwq_arg(call, 0, &path);
    while (access(path, F_OK) != 0) {
        if (tries++ == 3000) {
            return dwq_call_fail(call, 1, "%s did not come", path);
        }
        sleep_seconds(0.01);
    }
    return 0;
}

static int fail(dwq_call_t *call, void *arg)
{
    int code = 1;

    (void)arg;
    dwq_arg(call, 0, &code);
    return dwq_call_fail(call, code, "failed with %d, as asked", code);
}

static int nothing(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    return 0;
}

static int echo(dwq_call_t *call, void *arg)
{
    dwq_value_t values[8];
    size_t n = dwq_call_n_args(call);

    (void)arg;
    for (size_t i = 0; i < n && i < 8; i++) {
        values[i] = *dwq_call_arg(call, i);
    }
    return dwq_call_return(call, (dwq_values_t){ n < 8 ? n : 8, values });
}

static int sum(dwq_call_t *call, void *arg)
{
    dwq_array_t array;
    double total = 0;

    (void)arg;
    if (!dwq_arg(call, 0, &array) || array.type != DWQ_DOUBLE) {
        return dwq_call_fail(call, 2, "sum(array of double)");
    }
    for (size_t i = 0; i < dwq_array_count(&array); i++) {
        total += ((const double *)array.data)[i];
    }
    return dwq_call_return(call, DWQ_VALUES(total));
}

static int worker(dwq_call_t *call, void *arg)
{
    (void)arg;
    return dwq_call_return(call, DWQ_VALUES(world_rank()));
}

const dwq_function_t scenario_functions[] = {
    { "square", square, NULL }, { "sleep", do_sleep, NULL },
    { "fail", fail, NULL },     { "nothing", nothing, NULL },
    { "echo", echo, NULL },     { "sum", sum, NULL },
    { "worker", worker, NULL }, { "wait_for", wait_for, NULL },
    { NULL, NULL, NULL },
};

/* --- Runs --------------------------------------------------------------- */

int scenario_run_options(const dwq_options_t *options)
{
    dwq_options_t own = *options;
    int code = -1;

    if (!own.functions) {
        own.functions = scenario_functions;
    }
    CHECK(dwq_run(&own, &code) == DWQ_OK);
    return code;
}

int scenario_run(int (*controller)(dwq_controller_t *controller, void *arg))
{
    return scenario_run_options(&(dwq_options_t){ .controller = controller });
}

static uint64_t submit(dwq_controller_t *controller, const char *function,
                       double x, int worker_number)
{
    uint64_t id = 0;

    CHECK(dwq_controller_submit_call(controller,
                                     &(dwq_task_t){ .function = function,
                                                    .worker = worker_number,
                                                    DWQ_ARGS(x) },
                                     &id) == DWQ_OK);
    CHECK(id != 0);
    return id;
}

uint64_t submit_square(dwq_controller_t *controller, double x,
                       int worker_number)
{
    return submit(controller, "square", x, worker_number);
}

uint64_t submit_sleep(dwq_controller_t *controller, double seconds,
                      int worker_number)
{
    return submit(controller, "sleep", seconds, worker_number);
}

int collect_all(dwq_controller_t *controller, dwq_status_t status,
                int *n_with_status_out)
{
    dwq_result_t result;
    int n = 0;

    *n_with_status_out = 0;
    while (dwq_controller_get_next_result(controller, &result) == DWQ_OK) {
        n++;
        *n_with_status_out += result.status == status;
        dwq_result_clear(&result);
    }
    return n;
}

/* A call that gives up: `scenario_give_up HOW`, in the mode that DWQ_TEST_MODE names.
 * Three calls, the second of which does it, by default on every rank of its worker.
 * Where it was caught alive the controller checks the results, and this ends with 0. */
#define _DEFAULT_SOURCE /* syscall */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/mpi/scenario.h"

struct way {
    const char *name;
    void (*give_up)(dwq_call_t *call);
    const char *says; /* the message of the failed result; NULL: not alive */
    int code;
};

static void exits_with_0(dwq_call_t *call)
{
    (void)call;
    exit(0);
}

static void exits_with_3(dwq_call_t *call)
{
    (void)call;
    exit(3);
}

static void exits_quickly(dwq_call_t *call)
{
    (void)call;
    quick_exit(4);
}

static void ends_its_thread(dwq_call_t *call)
{
    (void)call;
    pthread_exit(NULL);
}

/* As LAMMPS does. */
static void finalizes(dwq_call_t *call)
{
    (void)call;
    MPI_Finalize();
    exit(1);
}

static void finalizes_past_us(dwq_call_t *call)
{
    (void)call;
    PMPI_Finalize();
}

static void exits_at_once(dwq_call_t *call)
{
    (void)call;
    _exit(0);
}

/* What nobody in the process can see. */
static void exits_unseen(dwq_call_t *call)
{
    (void)call;
    syscall(SYS_exit_group, 0);
}

static void aborts(dwq_call_t *call)
{
    (void)call;
    abort();
}

static void divides_by_zero(dwq_call_t *call)
{
    (void)call;
    raise(SIGFPE);
}

static void follows_null(dwq_call_t *call)
{
    (void)call;
    *(volatile int *)NULL = 1;
}

static int digs(int depth)
{
    volatile char here[4096] = { (char)depth };

    return depth > 0 ? digs(depth - 1) + here[0] : 0;
}

static void overflows_its_stack(dwq_call_t *call)
{
    (void)call;
    digs(1 << 28);
}

static void is_killed(dwq_call_t *call)
{
    (void)call;
    raise(SIGKILL);
}

static void aborts_its_group(dwq_call_t *call)
{
    MPI_Abort(dwq_call_comm(call), 0);
}

static void aborts_the_world(dwq_call_t *call)
{
    (void)call;
    MPI_Abort(MPI_COMM_WORLD, 7);
}

static void speaks_wrong_mpi(dwq_call_t *call)
{
    int x = 0;

    MPI_Bcast(&x, 1, MPI_INT, 77, dwq_call_comm(call));
}

static void *exit_thread(void *arg)
{
    (void)arg;
    exit(0);
}

static void exits_in_a_thread(dwq_call_t *call)
{
    pthread_t thread;

    (void)call;
    pthread_create(&thread, NULL, exit_thread, NULL);
    pthread_join(thread, NULL);
}

static void exit_by_signal(int signal)
{
    (void)signal;
    exit(0);
}

/* The program means to end, as by an interrupt. */
static void exits_in_a_handler(dwq_call_t *call)
{
    (void)call;
    signal(SIGUSR1, exit_by_signal);
    raise(SIGUSR1);
}

/* The others wait for it in a collective. */
static void exits_alone(dwq_call_t *call)
{
    if (dwq_call_rank(call) == dwq_call_size(call) - 1) {
        exit(3);
    }
}

static void exits_alone_at_the_front(dwq_call_t *call)
{
    if (dwq_call_rank(call) == 0) {
        exit(3);
    }
}

static const struct way ways[] = {
    { "exits_with_0", exits_with_0, "called exit(0)", -1 },
    { "exits_with_3", exits_with_3, "called exit(3)", 3 },
    { "exits_quickly", exits_quickly, "called quick_exit(4)", 4 },
    { "ends_its_thread", ends_its_thread, "called pthread_exit()", -1 },
    { "finalizes", finalizes, "called MPI_Finalize", -1 },
    { "finalizes_past_us", finalizes_past_us, NULL, 0 },
    { "exits_at_once", exits_at_once, NULL, 0 },
    { "exits_unseen", exits_unseen, NULL, 0 },
    { "aborts", aborts, NULL, 0 },
    { "divides_by_zero", divides_by_zero, NULL, 0 },
    { "follows_null", follows_null, NULL, 0 },
    { "overflows_its_stack", overflows_its_stack, NULL, 0 },
    { "is_killed", is_killed, NULL, 0 },
    { "aborts_its_group", aborts_its_group, NULL, 0 },
    { "aborts_the_world", aborts_the_world, NULL, 0 },
    { "speaks_wrong_mpi", speaks_wrong_mpi, NULL, 0 },
    { "exits_in_a_thread", exits_in_a_thread, NULL, 0 },
    { "exits_in_a_handler", exits_in_a_handler, NULL, 0 },
    { "exits_alone", exits_alone, NULL, 0 },
    { "exits_alone_at_the_front", exits_alone_at_the_front, NULL, 0 },
    { NULL, NULL, NULL, 0 },
};

static int adds_up(dwq_call_t *call, void *arg)
{
    const struct way *way = arg;
    int i = 0, sum = 0;

    dwq_arg(call, 0, &i);
    if (i == 2) {
        way->give_up(call);
    }
    MPI_Allreduce(&i, &sum, 1, MPI_INT, MPI_SUM, dwq_call_comm(call));
    return dwq_call_return(call, DWQ_VALUES(sum));
}

/* A module may use exit() and know nothing of this library. */
static void submit(dwq_controller_t *c, int i, const char *module)
{
    dwq_task_t task = { .function = i == 2 && module ? "gives_up" : "adds_up",
                        .module = i == 2 ? module : NULL,
                        .id = (uint64_t)i,
                        DWQ_ARGS(i) };

    CHECK(dwq_controller_submit_call(c, &task, NULL) == DWQ_OK);
}

static void check(const dwq_result_t *result, const struct way *way)
{
    int sum = 0;

    if (result->id == 2) {
        CHECK(result->status == DWQ_E_TASK && result->code == way->code);
        CHECK(way->says && strcmp(result->message, way->says) == 0);
    } else {
        CHECK(result->status == DWQ_OK);
        CHECK(dwq_result_get(result, 0, 0, &sum) &&
              sum == (int)result->id * result->n_ranks);
    }
}

static int controller(dwq_controller_t *c, void *arg)
{
    const struct way *way = arg;
    dwq_result_t result;
    int n = 0;

    for (int i = 1; i <= 3; i++) {
        submit(c, i, way->give_up ? NULL : way->name);
    }
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        check(&result, way);
        dwq_result_clear(&result);
        n++;
    }
    CHECK(n == 3);
    return 0;
}

static void use_mode(dwq_options_t *options)
{
    const char *mode = getenv("DWQ_TEST_MODE");

    if (!mode || strncmp(mode, "none", 4) == 0) {
        return;
    }
    options->nprocs_per_worker = 2;
    options->grouping = strncmp(mode, "spawn", 5) == 0 ? DWQ_GROUPING_SPAWN
                                                       : DWQ_GROUPING_SPLIT;
    options->broker_is_worker = strstr(mode, "inside") != NULL;
    options->collective_mode = strstr(mode, "sendrecv")
                                   ? DWQ_COLLECTIVE_SENDRECV
                                   : DWQ_COLLECTIVE_GATHER;
}

/* With "started" in the mode the program has started MPI itself. */
int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "", *mode = getenv("DWQ_TEST_MODE");
    const struct way *way = ways;
    bool starts = mode && strstr(mode, "started");
    /* Of a module that bears the name of the way. */
    const char *says = getenv("DWQ_TEST_SAYS");
    struct way of_module = { name, NULL, says,
                             says && strstr(says, "exit") ? 3 : -1 };
    dwq_function_t functions[] = { { "adds_up", adds_up, NULL },
                                   { NULL, NULL, NULL } };
    dwq_options_t options = { .controller = controller,
                              .functions = functions };
    int code = -1;

    if (starts) {
        MPI_Init(&argc, &argv);
    }
    scenario_begin();
    while (way->name && strcmp(way->name, name) != 0) {
        way++;
    }
    options.arg = way->name ? (void *)(uintptr_t)way : &of_module;
    options.spawn_args = (const char *[]){ name, NULL };
    use_mode(&options);
    CHECK(dwq_run(&options, &code) == DWQ_OK && code == 0);
    if (starts) {
        MPI_Finalize();
    }
    return scenario_end();
}

/* What dwq-bench times of this library: measure NAME ARGUMENTS..., on every rank of a
 * job. The controller prints "NAME VALUE" lines. */
#include <stdlib.h>
#include <string.h>

#include "bench/calls.h"

/* --- throughput CALLS, scale CALLS ------------------------------------------ */

static int stream(dwq_controller_t *controller, void *arg)
{
    int n = (int)arg_number(arg, 0);
    double start, used;

    stream_echo(controller, n / 10 + 1);
    start = now();
    used = processor_time();
    stream_echo(controller, n);
    printf("calls_per_s %.9g\ncall_s %.9g\n", n / (now() - start),
           (processor_time() - used) / n);
    return 0;
}

static int measure_throughput(int argc, char **argv)
{
    return run_calls(stream, argc, argv, NULL);
}

/* A message each way per call. */
static int measure_scale(int argc, char **argv)
{
    return run_calls(stream, argc, argv,
                     &(dwq_options_t){ .prefetch = DWQ_PREFETCH_OFF });
}

/* --- roundtrip CALLS SPIN PAUSE - - WORKER ----------------------------------- */

static int measure_roundtrip(int argc, char **argv)
{
    bool spin = argc > 1 && strtod(argv[1], NULL) > 0;

    return run_calls(
        time_calls, argc, argv,
        &(dwq_options_t){ .idle_wait = spin ? DWQ_IDLE_WAIT_SPIN : 0 });
}

/* --- groups CALLS RANKS PAUSE MODE KIND --------------------------------------- */

static int measure_groups(int argc, char **argv)
{
    struct args args = { argc, argv };
    bool sendrecv = argc > 3 && strcmp(argv[3], "sendrecv") == 0;
    bool spawn = argc > 4 && strcmp(argv[4], "spawn") == 0;

    return run_calls(
        time_calls, argc, argv,
        &(dwq_options_t){ .grouping =
                              spawn ? DWQ_GROUPING_SPAWN : DWQ_GROUPING_SPLIT,
                          .nprocs_per_worker = (int)arg_number(&args, 1),
                          .collective_mode = sendrecv ? DWQ_COLLECTIVE_SENDRECV
                                                      : DWQ_COLLECTIVE_GATHER,
                          .broker_is_worker = true });
}

/* --- memory FIRST LAST: growth between these calls ---------------------------- */

static int grow(dwq_controller_t *controller, void *arg)
{
    int first = (int)arg_number(arg, 0), last = (int)arg_number(arg, 1);
    double before = 0;
    int out = 0;

    for (int i = 0; i < last; i++) {
        submit_echo(controller, 0, i);
        out++;
        if (out == 1000) {
            out -= take_one(controller);
        }
        before = i == first - 1 ? resident_bytes() : before;
    }
    printf("growth %.9g\n", resident_bytes() - before);
    while (take_one(controller)) {
    }
    return 0;
}

static int measure_memory(int argc, char **argv)
{
    return run_calls(grow, argc, argv, NULL);
}

/* --- queue CALLS SECONDS (that the only worker sleeps) ------------------------- */

#define PAYLOAD 8 /* bytes of one call: its number */

static int fill_queue(dwq_controller_t *controller, void *arg)
{
    int n = (int)arg_number(arg, 0);
    dwq_task_t sleeper = { .function = "sleep", DWQ_ARGS(arg_number(arg, 1)) };
    double memory, used;

    dwq_controller_submit_call(controller, &sleeper, NULL);
    memory = resident_bytes();
    used = processor_time();
    for (int i = 0; i < n; i++) {
        dwq_task_t task = { .function = "echo", DWQ_ARGS((double)i) };

        dwq_controller_queue_call(controller, &task, NULL);
    }
    used = processor_time() - used;
    memory = resident_bytes() - memory;
    printf("submit %.9g\nbytes %.9g\n", used / n, memory / n - PAYLOAD);
    while (take_one(controller)) {
    }
    return 0;
}

static int measure_queue(int argc, char **argv)
{
    return run_calls(fill_queue, argc, argv, NULL);
}

/* --- facts --------------------------------------------------------------------- */

static int print_facts(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("libdwq %s\n", DWQ_VERSION);
#if defined __clang__
    printf("clang %s\n", __clang_version__);
#else
    printf("gcc %s\n", __VERSION__);
#endif
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*measure)(int argc, char **argv);
    } all[] = {
        { "facts", print_facts },
        { "throughput", measure_throughput },
        { "roundtrip", measure_roundtrip },
        { "payload", measure_payload },
        { "idle", measure_idle },
        { "balance", measure_balance },
        { "memory", measure_memory },
        { "modes", measure_modes },
        { "queue", measure_queue },
        { "bounds", measure_bounds },
        { "groups", measure_groups },
        { "scale", measure_scale },
        { "sweep", measure_sweep },
    };

    for (size_t i = 0; argc > 1 && i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(argv[1], all[i].name) == 0) {
            return all[i].measure(argc - 2, argv + 2);
        }
    }
    fprintf(stderr, "measure: dwq-bench starts it\n");
    return 2;
}

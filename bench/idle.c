/* What waiting costs: the controller waits for one sleeping call, all others for
 * anything. */
#include <math.h>
#include <string.h>

#include "bench/calls.h"
#include "bench/questions.h"

/* --- In the job: SECONDS ------------------------------------------------------ */

static double of_worker(dwq_controller_t *controller, int worker)
{
    dwq_task_t task = { .function = "processor_time", .worker = worker };
    dwq_result_t result;
    double seconds = NAN;

    if (dwq_controller_submit_call(controller, &task, NULL) == DWQ_OK &&
        dwq_controller_get_next_result(controller, &result) == DWQ_OK) {
        dwq_result_get(&result, 0, 0, &seconds);
        dwq_result_clear(&result);
    }
    return seconds;
}

static void wait_seconds(dwq_controller_t *controller, double seconds)
{
    dwq_task_t task = { .function = "sleep", .worker = 1, DWQ_ARGS(seconds) };

    dwq_controller_submit_call(controller, &task, NULL);
    take_one(controller);
}

static int controller(dwq_controller_t *controller, void *arg)
{
    double seconds = arg_number(arg, 0), own, begin, worst = 0;
    double before[64] = { 0 };
    int n = dwq_controller_world(controller).n_workers;

    wait_seconds(controller, 0.1);
    for (int w = 2; w <= n && w < 64; w++) {
        before[w] = of_worker(controller, w);
    }
    own = processor_time();
    begin = now();
    wait_seconds(controller, seconds);
    own = processor_time() - own;
    seconds = now() - begin;
    for (int w = 2; w <= n && w < 64; w++) {
        worst = fmax(worst, of_worker(controller, w) - before[w]);
    }
    printf("controller %.9g\nworker %.9g\n", 100 * own / seconds,
           100 * worst / seconds);
    return 0;
}

/* --- In the job, with groups: SECONDS groups ----------------------------------- */

static int one_call(dwq_controller_t *controller, void *arg)
{
    wait_seconds(controller, arg_number(arg, 0));
    return 0;
}

/* On 9 ranks: 0 waits for the call on group 1; of group 2, 4 is the broker beside the
 * group, 5 and 6 its ranks; 7 and 8 are left over. */
static const char *role_of(int rank)
{
    return rank == 0   ? "controller"
           : rank == 4 ? "broker"
           : rank == 5 ? "member"
           : rank == 7 ? "left"
                       : NULL;
}

/* The second run, MPI being up: from its start to its end. */
static int measure_groups(int argc, char **argv)
{
    struct args args = { argc, argv }, none = { 0, NULL };
    dwq_options_t options = { .controller = one_call,
                              .functions = call_functions,
                              .grouping = DWQ_GROUPING_SPLIT,
                              .nprocs_per_worker = 2,
                              .arg = &none };
    dwq_world_t world;
    double used, begin;

    if (dwq_run(&options, NULL) != DWQ_OK || dwq_world(&world) != DWQ_OK) {
        return 1;
    }
    options.arg = &args;
    used = processor_time();
    begin = now();
    if (dwq_run(&options, NULL) != DWQ_OK) {
        return 1;
    }
    if (role_of(world.rank)) {
        printf("%s %.9g\n", role_of(world.rank),
               100 * (processor_time() - used) / (now() - begin));
    }
    dwq_finalize();
    return 0;
}

static int measure(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "groups") == 0
               ? measure_groups(argc, argv)
               : run_calls(controller, argc, argv, NULL);
}

/* --- Asking -------------------------------------------------------------------- */

static void ask_roles(struct bench *bench, struct job *job, const char *what,
                      bool bell, const char *const *names, size_t n)
{
    struct samples samples[4] = { { NULL, 0, 0 } };

    job->env[0] = bell ? "DWQ_DOORBELL=" : "DWQ_DOORBELL=0";
    jobs_alternate(bench, job, 1, names, n, samples);
    for (size_t i = 0; i < n; i++) {
        struct figure figure = { .question = "idle",
                                 .unit = "% core",
                                 .x = NAN };

        snprintf(figure.name, sizeof figure.name, "%s, %s, %s", what, names[i],
                 bell ? "one host" : "as between hosts");
        figure_side(&figure, SIDE_OURS, &samples[i]);
        figure_absolute(&figure, BAR_AT_MOST, bell ? 0.5 : 2);
        snprintf(
            figure.note, sizeof figure.note,
            "a bare MPI_Recv takes 100 %%; of workers, the worst of three");
        figure_report(bench, &figure);
        samples_finish(&samples[i]);
    }
}

static void ask_how(struct bench *bench, bool bell)
{
    static const char *const plain[] = { "controller", "worker" };
    static const char *const grouped[] = { "controller", "broker", "member",
                                           "left" };
    const char *seconds = bench->tiny ? "0.2" : "10";
    struct job workers = { .np = 5, .args = { "idle", seconds } };
    struct job groups = { .np = 9, .args = { "idle", seconds, "groups" } };

    ask_roles(bench, &workers, "np=5", bell, plain, 2);
    ask_roles(bench, &groups, "np=9, groups of 2", bell, grouped, 4);
}

static void ask(struct bench *bench)
{
    int rounds = bench->rounds;

    bench->rounds = 1; /* 10 s are many waits */
    progress_begin(bench, "idle", 4);
    ask_how(bench, true);
    ask_how(bench, false);
    progress_end(bench);
    bench->rounds = rounds;
}

const struct question question_idle = {
    .name = "idle",
    .title = "Processor time of ranks that wait for 10 s",
    .ask = ask,
    .measure = measure,
};

/* What waiting costs: the controller waits for one sleeping call, all others for
 * anything. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "bench/calls.h"

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

/* --- In the job, with groups: SECONDS KIND ------------------------------------- */

/* What a rank is, and since when its time counts. */
struct own {
    struct args args;
    int worker; /* of a rank of a group */
    double used, begin;
};

static void count_from_now(struct own *own)
{
    own->used = processor_time();
    own->begin = now();
}

static int one_call(dwq_controller_t *controller, void *arg)
{
    struct own *own = arg;

    count_from_now(own);
    wait_seconds(controller, arg_number(&own->args, 0));
    return 0;
}

static int on_worker(dwq_worker_t *worker, void *arg)
{
    struct own *own = arg;

    own->worker = dwq_worker_id(worker);
    count_from_now(own);
    return 0;
}

static int on_broker(dwq_broker_t *broker, void *arg)
{
    (void)broker;
    count_from_now(arg);
    return 0;
}

struct kind {
    const char *name;
    dwq_grouping_t grouping;
    int ranks;   /* of a group */
    bool inside; /* the broker */
    /* Ranks of the world; 0: none. Group 1 has the call, group 2 waits. */
    int broker, member, left;
};

static const struct kind kinds[] = {
    { "beside", DWQ_GROUPING_SPLIT, 2, false, 4, 5, 7 },
    { "inside", DWQ_GROUPING_SPLIT, 3, true, 4, 5, 7 },
    { "spawned", DWQ_GROUPING_SPAWN, 2, false, 2, 0, 0 },
};

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static const char *role_of(const struct kind *kind, const dwq_world_t *world,
                           const struct own *own)
{
    if (world->spawned) {
        return own->worker == 2 ? "member" : NULL;
    }
    return world->rank == 0              ? "controller"
           : world->rank == kind->broker ? "broker"
           : world->rank == kind->member ? "member"
           : world->rank == kind->left   ? "left"
                                         : NULL;
}

/* The second run, MPI being up: from when the role begins (of who has none, the run)
 * to the end of the run. */
static int measure_groups(const struct kind *kind, int argc, char **argv)
{
    struct own own = { .args = { 0, NULL } };
    dwq_options_t options = { .controller = one_call,
                              .worker = on_worker,
                              .broker = on_broker,
                              .functions = call_functions,
                              .grouping = kind->grouping,
                              .nprocs_per_worker = kind->ranks,
                              .broker_is_worker = kind->inside,
                              .arg = &own };
    dwq_world_t world;
    const char *role;

    if (dwq_run(&options, NULL) != DWQ_OK || dwq_world(&world) != DWQ_OK) {
        return 1;
    }
    own.args = (struct args){ argc, argv };
    own.worker =
        0; /* who was spawned for the first run has no part in this one */
    count_from_now(&own);
    if (dwq_run(&options, NULL) != DWQ_OK) {
        return 1;
    }
    role = role_of(kind, &world, &own);
    if (role) {
        printf("%s %.9g\n", role,
               100 * (processor_time() - own.used) / (now() - own.begin));
    }
    dwq_finalize();
    return 0;
}

int measure_idle(int argc, char **argv)
{
    const struct kind *kind = argc > 1 ? find_kind(argv[1]) : NULL;

    return kind ? measure_groups(kind, argc, argv)
                : run_calls(controller, argc, argv, NULL);
}

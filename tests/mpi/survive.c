/* Runs that outlive the death of ranks. The environment says what workers are
 * (DWQ_TEST_GROUPS: plain, inside, beside, spawn; DWQ_TEST_MODE: gather, sendrecv). */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/mpi/scenario.h"

#define N_BEFORE 40 /* tasks around the one that kills */
#define RANKS 2     /* of a group */
#define BIG ((size_t)200 * 1000)

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value && *value ? value : otherwise;
}

/* --- Ways to die ------------------------------------------------------------ */

static void by_kill(void)
{
    raise(SIGKILL);
}

static void by_segv(void)
{
    raise(SIGSEGV);
}

static void by_abort(void)
{
    abort();
}

static void by_exit_at_once(void)
{
    _exit(0);
}

static void by_mpi_abort(void)
{
    MPI_Abort(MPI_COMM_WORLD, 3);
}

/* The library catches these alive; the others of the group wait for ever. */
static void by_exit(void)
{
    exit(0);
}

static void by_finalize(void)
{
    MPI_Finalize();
    exit(1);
}

static const struct way {
    const char *name;
    void (*die)(void);
} ways[] = {
    { "kill", by_kill },           { "segv", by_segv },
    { "abort", by_abort },         { "exit_at_once", by_exit_at_once },
    { "mpi_abort", by_mpi_abort }, { "exit", by_exit },
    { "finalize", by_finalize },
};

static void die(const char *name)
{
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(ways[i].name, name) == 0) {
            ways[i].die();
        }
    }
    scenario_failed(__FILE__, __LINE__, name);
}

/* --- Functions -------------------------------------------------------------- */

/* adds(x, seconds[, array]): x + rank, summed over the group. */
static int adds(dwq_call_t *call, void *arg)
{
    double x = 0, seconds = 0, sum = 0;
    dwq_array_t array;

    (void)arg;
    dwq_arg(call, 0, &x);
    dwq_arg(call, 1, &seconds);
    sleep_seconds(seconds);
    x += dwq_call_rank(call);
    if (dwq_arg(call, 2, &array)) {
        x += ((const double *)array.data)[array.shape[0] - 1];
    }
    for (int i = 0; i < 3; i++) {
        MPI_Allreduce(&x, &sum, 1, MPI_DOUBLE, MPI_SUM, dwq_call_comm(call));
    }
    return dwq_call_return(call, DWQ_VALUES(sum));
}

/* dies(way, path): while that file is there the last rank removes it, and dies; the
 * others wait for it. */
static int dies(dwq_call_t *call, void *arg)
{
    const char *way, *path;
    bool is_there;

    (void)arg;
    if (!dwq_arg(call, 0, &way) || !dwq_arg(call, 1, &path)) {
        return 1;
    }
    is_there = access(path, F_OK) == 0;
    MPI_Barrier(dwq_call_comm(call));
    if (is_there && dwq_call_rank(call) == dwq_call_size(call) - 1) {
        flag_remove(path);
        die(way);
    }
    MPI_Barrier(dwq_call_comm(call));
    return dwq_call_return(call, DWQ_VALUES(dwq_call_size(call)));
}

/* All ranks give up, and stay. */
static int give_up(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    exit(3);
}

/* until_stop(): why it was asked to. */
static int until_stop(dwq_call_t *call, void *arg)
{
    (void)arg;
    while (dwq_call_stop(call) == DWQ_STOP_NONE) {
        sleep_seconds(1e-3);
    }
    return dwq_call_return(call, DWQ_VALUES((int)dwq_call_stop(call)));
}

/* Prints the seconds from each death to its result, which no test looks at: the last rank
 * of each worker writes when it dies. */
static int dies_at(dwq_call_t *call, void *arg)
{
    const char *path;
    struct timespec now;
    FILE *file;

    (void)arg;
    if (!dwq_arg(call, 0, &path)) {
        return 1;
    }
    MPI_Barrier(dwq_call_comm(call));
    if (dwq_call_rank(call) == dwq_call_size(call) - 1) {
        file = fopen(path, "w");
        clock_gettime(CLOCK_MONOTONIC, &now);
        fprintf(file, "%ld.%09ld\n", (long)now.tv_sec, now.tv_nsec);
        fclose(file);
        raise(SIGKILL);
    }
    MPI_Barrier(dwq_call_comm(call));
    return 0;
}

static const dwq_function_t functions[] = {
    { "dies_at", dies_at, NULL }, { "until_stop", until_stop, NULL },
    { "adds", adds, NULL },       { "dies", dies, NULL },
    { "give_up", give_up, NULL }, { NULL, NULL, NULL }
};

/* --- Runs -------------------------------------------------------------------- */

static dwq_options_t options_here(void)
{
    const char *groups = setting("DWQ_TEST_GROUPS", "plain");
    dwq_options_t o = { .functions = functions };

    if (strcmp(groups, "plain") != 0) {
        o.nprocs_per_worker = RANKS;
        o.broker_is_worker = strcmp(groups, "inside") == 0;
        o.grouping = strcmp(groups, "spawn") == 0 ? DWQ_GROUPING_SPAWN
                                                  : DWQ_GROUPING_SPLIT;
        o.collective_mode =
            strcmp(setting("DWQ_TEST_MODE", "gather"), "gather") == 0
                ? DWQ_COLLECTIVE_GATHER
                : DWQ_COLLECTIVE_SENDRECV;
    }
    return o;
}

static int width_here(void)
{
    return strcmp(setting("DWQ_TEST_GROUPS", "plain"), "plain") == 0 ? 1
                                                                     : RANKS;
}

static bool is_controller; /* of this process */

/* What dies from here on costs no more than its worker. */
static void begin(void)
{
    is_controller = true;
    printf("the run has begun\n");
    fflush(stdout);
}

static void submit_adds(dwq_controller_t *c, int i, double seconds,
                        const double *big)
{
    dwq_value_t args[3] = { dwq_value_double(i), dwq_value_double(seconds) };
    dwq_task_t task = { .function = "adds", .id = 1000 + (uint64_t)i };

    if (big && i % 8 == 0) {
        args[2] = dwq_value_array(
            dwq_borrow(dwq_array(DWQ_DOUBLE, big, 1, (size_t[]){ BIG })));
    }
    task.args = (dwq_values_t){ big && i % 8 == 0 ? 3 : 2, args };
    CHECK(dwq_controller_submit_call(c, &task, NULL) == DWQ_OK);
}

static void check_sum(const dwq_result_t *r, double added)
{
    int i = (int)r->id - 1000, n = width_here();
    double sum = 0;

    CHECK(r->status == DWQ_OK);
    if (r->status != DWQ_OK) {
        printf("task %d: %s\n", i, r->message);
    }
    CHECK(dwq_result_get(r, 0, 0, &sum));
    CHECK(fabs(sum - (n * (i + added) + n * (n - 1) / 2.)) < 1e-9);
}

static void submit_dying(dwq_controller_t *c, const char *way, const char *path,
                         int retries, uint64_t id)
{
    dwq_value_t args[2] = { dwq_value_string(way), dwq_value_string(path) };

    CHECK(dwq_controller_submit_call(c,
                                     &(dwq_task_t){ .function = "dies",
                                                    .id = id,
                                                    .retries = retries,
                                                    .args = { 2, args } },
                                     NULL) == DWQ_OK);
}

/* Collect all: those of submit_adds() are right; the others are in `others`, and how many
 * there are is the answer. */
static int collect(dwq_controller_t *c, int n_adds, double added,
                   dwq_result_t *others, int room)
{
    int n = 0, n_others = 0;
    dwq_result_t r;

    while (dwq_controller_get_next_result(c, &r) == DWQ_OK) {
        if (r.id >= 1000) {
            check_sum(&r, r.id % 8 == 0 ? added : 0);
            dwq_result_clear(&r);
            n++;
        } else if (n_others < room) {
            others[n_others++] = r;
        }
    }
    CHECK(n == n_adds);
    return n_others;
}

static void play(int (*controller)(dwq_controller_t *c, void *arg))
{
    dwq_options_t o = options_here();
    int code = -1;

    o.controller = controller;
    CHECK(dwq_run(&o, &code) == DWQ_OK);
    if (is_controller) {
        CHECK(code == 17);
        printf("the run has ended\n");
        fflush(stdout);
    }
}

static int has_a_death(dwq_controller_t *c, void *arg)
{
    const char *way = setting("DWQ_TEST_WAY", "kill");
    char path[FLAG_SIZE];
    dwq_result_t r;

    (void)arg;
    is_controller = true;
    CHECK(dwq_controller_world(c).survives);
    flag_make(path, true);
    for (int i = 0; i < N_BEFORE; i++) {
        submit_adds(c, i, 1e-3, NULL);
    }
    submit_dying(c, way, path, 0, 7);
    for (int i = N_BEFORE; i < 2 * N_BEFORE; i++) {
        submit_adds(c, i, 1e-3, NULL);
    }
    CHECK(collect(c, 2 * N_BEFORE, 0, &r, 1) == 1);
    if (r.status != DWQ_OK) {
        printf("%s: %s\n", way, r.message);
    }
    CHECK(r.status == DWQ_OK);
    CHECK(r.attempts == 2);
    dwq_result_clear(&r);
    return 17;
}

static void a_death(void)
{
    play(has_a_death);
}

/* Each attempt dies, and says where. */
static int gives_up_in_time(dwq_controller_t *c, void *arg)
{
    int n = dwq_controller_world(c).n_workers;
    char path[FLAG_SIZE];
    dwq_result_t r;

    (void)arg;
    is_controller = true;
    flag_make(path, true);
    submit_dying(c, "kill", path, DWQ_RETRIES_NONE, 7);
    CHECK(collect(c, 0, 0, &r, 1) == 1);
    CHECK(r.status == DWQ_E_WORKER);
    CHECK(r.attempts == 1);
    CHECK(strstr(r.message, "attempt 1, worker ") && strstr(r.message, "rank"));
    dwq_result_clear(&r);
    for (int i = 0; n > 1 && i < N_BEFORE; i++) {
        submit_adds(c, i, 0, NULL);
    }
    CHECK(collect(c, n > 1 ? N_BEFORE : 0, 0, &r, 1) == 0);
    return 17;
}

static void without_retries(void)
{
    play(gives_up_in_time);
}

static int loses_nobody(dwq_controller_t *c, void *arg)
{
    int n = 2 * dwq_controller_world(c).n_workers;
    dwq_result_t r;

    (void)arg;
    is_controller = true;
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "give_up", .id = 7, .retries = 3 },
              NULL) == DWQ_OK);
    CHECK(collect(c, 0, 0, &r, 1) == 1);
    CHECK(r.status == DWQ_E_WORKER);
    CHECK(r.attempts == 4);
    CHECK(r.code == 3);
    CHECK(strstr(r.message, "called exit(3)"));
    dwq_result_clear(&r);
    for (int i = 0; i < n; i++) { /* all workers are there */
        CHECK(dwq_controller_submit_call(c,
                                         &(dwq_task_t){ .function = "adds",
                                                        .id = 1000,
                                                        .worker = 1 + i / 2,
                                                        DWQ_ARGS(0., 0.) },
                                         NULL) == DWQ_OK);
        CHECK(dwq_controller_get_next_result(c, &r) == DWQ_OK);
        check_sum(&r, 0);
        dwq_result_clear(&r);
    }
    return 17;
}

static void gives_up_alive(void)
{
    play(loses_nobody);
}

/* The last worker's death: what waits is over, and the controller goes on. */
static int loses_all(dwq_controller_t *c, void *arg)
{
    int n = dwq_controller_world(c).n_workers, n_lost = 0;
    char path[FLAG_SIZE];
    dwq_result_t r;

    (void)arg;
    is_controller = true;
    for (int w = 1; w <= n; w++) {
        flag_make(path, true);
        submit_dying(c, "kill", path, DWQ_RETRIES_NONE, (uint64_t)w);
        CHECK(dwq_controller_get_next_result(c, &r) == DWQ_OK);
        n_lost += r.status == DWQ_E_WORKER;
        dwq_result_clear(&r);
    }
    CHECK(n_lost == n);
    CHECK(dwq_controller_submit_call(c, &(dwq_task_t){ .function = "adds" },
                                     NULL) == DWQ_OK);
    CHECK(dwq_controller_get_next_result(c, &r) == DWQ_OK);
    CHECK(r.status == DWQ_E_WORKER);
    CHECK(r.attempts == 0);
    dwq_result_clear(&r);
    return 17;
}

static void all_workers(void)
{
    play(loses_all);
}

static int notices(dwq_controller_t *c, void *arg)
{
    char path[FLAG_SIZE];
    struct timespec now;
    dwq_result_t r;
    double died = 0;
    FILE *file;

    (void)arg;
    is_controller = true;
    for (int w = 1; w <= dwq_controller_world(c).n_workers; w++) {
        flag_make(path, true);
        CHECK(dwq_controller_submit_call(
                  c,
                  &(dwq_task_t){ .function = "dies_at",
                                 .retries = DWQ_RETRIES_NONE,
                                 DWQ_ARGS((const char *)path) },
                  NULL) == DWQ_OK);
        CHECK(dwq_controller_get_next_result(c, &r) == DWQ_OK);
        clock_gettime(CLOCK_MONOTONIC, &now);
        CHECK(r.status == DWQ_E_WORKER);
        dwq_result_clear(&r);
        file = fopen(path, "r");
        CHECK(file && fscanf(file, "%lf", &died) == 1);
        if (file) {
            fclose(file);
        }
        flag_remove(path);
        printf("noticed after %.6f s\n",
               (double)now.tv_sec + (double)now.tv_nsec * 1e-9 - died);
    }
    return 17;
}

static void how_soon(void)
{
    play(notices);
}

/* For a campaign that kills ranks from outside: DWQ_TEST_TASKS tasks, large arrays among
 * them. */
static int lasts(dwq_controller_t *c, void *arg)
{
    int n = atoi(setting("DWQ_TEST_TASKS", "200"));
    double *big = malloc(BIG * sizeof *big);
    dwq_result_t r;

    (void)arg;
    begin();
    for (size_t i = 0; i < BIG; i++) {
        big[i] = 3;
    }
    for (int i = 0; i < n; i++) {
        submit_adds(c, i, 1e-3 * (i % 5), big);
    }
    CHECK(collect(c, n, 3, &r, 0) == 0);
    free(big);
    return 17;
}

static void long_run(void)
{
    play(lasts);
}

/* --- After a run that lost ranks -------------------------------------------------- */

static void no_run_follows(void)
{
    dwq_options_t o = options_here();
    int code;

    without_retries();
    o.controller = lasts;
    CHECK(dwq_run(&o, &code) == DWQ_E_STATE);
    CHECK(strstr(dwq_controller_error(NULL), "is dead"));
    MPI_Finalize(); /* does not wait for the dead */
}

/* --- Words to running calls ------------------------------------------------------ */

static void check_stopped(const dwq_result_t *r, dwq_stop_t why)
{
    int stop = 0;

    CHECK(r->status == DWQ_OK);
    CHECK(r->n_ranks == width_here());
    for (int i = 0; i < r->n_ranks; i++) {
        CHECK(dwq_result_get(r, i, 0, &stop));
        CHECK(stop == (int)why);
    }
}

/* Each worker runs one, and as many wait, when somebody asks the run to end. */
static int is_asked_to_end(dwq_controller_t *c, void *arg)
{
    int n = dwq_controller_world(c).n_workers, n_stopped = 0, n_waiting = 0;
    dwq_counts_t counts = { .running = 0 };
    dwq_result_t r;

    (void)arg;
    is_controller = true;
    for (int i = 0; i < 2 * n; i++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "until_stop" }, NULL) ==
              DWQ_OK);
    }
    sleep_seconds(0.2);
    CHECK(dwq_controller_counts(c, &counts) == DWQ_OK);
    printf("calls are running\n");
    fflush(stdout);
    while (dwq_controller_get_next_result(c, &r) == DWQ_OK) {
        if (r.status == DWQ_OK) {
            check_stopped(&r, DWQ_STOP_END);
            n_stopped++;
        } else {
            CHECK(r.status == DWQ_E_TIME_LIMIT);
            n_waiting++;
        }
        dwq_result_clear(&r);
    }
    CHECK(n_stopped == n);
    CHECK(n_waiting == n);
    return 17;
}

static void end_when_asked(void)
{
    play(is_asked_to_end);
}

static int cancels_one(dwq_controller_t *c, void *arg)
{
    dwq_result_t r;

    (void)arg;
    is_controller = true;
    for (uint64_t i = 1; i <= 2; i++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "until_stop", .id = i },
                  NULL) == DWQ_OK);
        sleep_seconds(0.1);
        CHECK(dwq_controller_cancel(c, i) == DWQ_OK);
        CHECK(dwq_controller_get_next_result(c, &r) == DWQ_OK);
        check_stopped(&r, DWQ_STOP_CANCEL);
        dwq_result_clear(&r);
    }
    return 17;
}

static void a_cancel_by_line(void)
{
    play(cancels_one);
}

static int says_17(dwq_controller_t *c, void *arg)
{
    (void)c;
    (void)arg;
    printf("17 is given\n");
    return 17;
}

static void gives_17(void)
{
    dwq_options_t o = options_here();

    o.controller = says_17;
    exit(dwq_main(0, NULL, &o));
}

int main(int argc, char **argv)
{
#define S(name)     \
    {               \
#name, name \
    }
    static const struct scenario scenarios[] = {
        S(a_death),        S(without_retries), S(all_workers),
        S(long_run),       S(no_run_follows),  S(gives_17),
        S(how_soon),       S(end_when_asked),  S(a_cancel_by_line),
        S(gives_up_alive), { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}

/* A program that submits some tasks and looks at each result: exit code 0 where all went
 * well, and 3 where a task was lost, came twice, ran twice, or has a wrong result. What
 * there was no memory for is no result, or one that says so. Its argument is the kind of
 * run. */
#include "tests/mpi/short_run.h"

#include <stdlib.h>

#include "tests/mpi/scenario.h"

enum {
    N_TASKS = 9,
    LARGE = 20000 /* doubles: a body of its own */
};

struct seen {
    int n_submitted[N_TASKS + 1]; /* by id */
    int n_results[N_TASKS + 1];
    int n_runs[N_TASKS + 1]; /* at most, by its result */
    int width;               /* ranks of a worker */
    int n_wrong;
};

static int wrong(struct seen *seen, uint64_t id, const char *what)
{
    fprintf(stderr, "short run: task %d: %s\n", (int)id, what);
    return ++seen->n_wrong;
}

static void check_values(struct seen *seen, const dwq_result_t *result)
{
    size_t n = result->id % 3 == 0 ? LARGE : (size_t)result->id;
    dwq_array_t same, sum;
    const char *text = "";

    if (result->n_ranks != seen->width) {
        wrong(seen, result->id, "wrong number of ranks");
    }
    for (int r = 0; r < result->n_ranks; r++) {
        if (!dwq_result_get(result, r, 0, &same) || same.shape[0] != n ||
            !dwq_result_get(result, r, 1, &sum) ||
            ((const double *)sum.data)[0] != (double)n ||
            !dwq_result_get(result, r, 2, &text) ||
            strcmp(text, "a text") != 0) {
            wrong(seen, result->id, "wrong values");
        }
    }
}

static void take(struct seen *seen, dwq_result_t *result)
{
    if (result->id < 1 || result->id > N_TASKS) {
        wrong(seen, result->id, "never submitted");
        return;
    }
    seen->n_results[result->id]++;
    seen->n_runs[result->id] = seen->width;
    if (result->status == DWQ_OK) {
        check_values(seen, result);
    } else if (!strstr(result->message, "memory")) {
        wrong(seen, result->id, result->message);
    }
    dwq_result_clear(result);
}

static void submit(dwq_controller_t *c, struct seen *seen)
{
    static double ones[LARGE];
    dwq_task_t tasks[N_TASKS];
    dwq_value_t arrays[N_TASKS];
    size_t n[N_TASKS];
    dwq_status_t status;

    for (int i = 0; i < LARGE; i++) {
        ones[i] = 1;
    }
    for (int i = 0; i < N_TASKS; i++) {
        uint64_t id = (uint64_t)i + 1;

        n[i] = id % 3 == 0 ? LARGE : (size_t)id;
        arrays[i] = dwq_value(dwq_array(DWQ_DOUBLE, ones, 1, &n[i]));
        tasks[i] = (dwq_task_t){ .id = id,
                                 .function = "adds",
                                 .module = "short_run_module",
                                 .worker = i == 1,
                                 .args = { 1, &arrays[i] } };
    }
    for (int i = 0; i < 3; i++) {
        status = i ? dwq_controller_queue_call(c, &tasks[i], NULL)
                   : dwq_controller_submit_call(c, &tasks[i], NULL);
        seen->n_submitted[i + 1] = status == DWQ_OK;
        if (status != DWQ_OK && status != DWQ_E_NOMEM) {
            wrong(seen, tasks[i].id, dwq_status_text(status));
        }
    }
    status = dwq_controller_submit_multiple(c, tasks + 3, N_TASKS - 3, NULL);
    for (int i = 3; i < N_TASKS; i++) {
        seen->n_submitted[i + 1] = status == DWQ_OK;
    }
    if (status != DWQ_OK && status != DWQ_E_NOMEM) {
        wrong(seen, 4, dwq_status_text(status));
    }
}

static void collect(dwq_controller_t *c, struct seen *seen)
{
    dwq_result_t result;
    dwq_status_t status;
    int n_refused = 0;

    do {
        status = dwq_controller_get_next_result(c, &result);
        if (status == DWQ_OK) {
            take(seen, &result);
        }
        n_refused += status == DWQ_E_NOMEM;
    } while (status == DWQ_OK || (status == DWQ_E_NOMEM && n_refused < 3));
    if (status != DWQ_E_EMPTY) {
        wrong(seen, 0, dwq_status_text(status));
    }
}

/* Each rank of the worker ran it once; of a failed call not all have to. */
static void check_log(struct seen *seen)
{
    int n[N_TASKS + 1] = { 0 }, id, rank;
    const char *path = getenv(SHORT_RUN_LOG);
    FILE *log = path ? fopen(path, "r") : NULL;

    while (log && fscanf(log, "%d %d", &id, &rank) == 2) {
        n[id >= 1 && id <= N_TASKS ? id : 0]++;
    }
    if (log) {
        fclose(log);
    }
    for (id = 1; id <= N_TASKS; id++) {
        if (seen->n_results[id] != seen->n_submitted[id]) {
            wrong(seen, (uint64_t)id, "not as many results as submitted");
        }
        if (n[id] > seen->n_runs[id]) {
            wrong(seen, (uint64_t)id, "ran more often than once");
        }
    }
}

static int controls(dwq_controller_t *c, void *arg)
{
    const dwq_options_t *options = arg;
    int n = options->nprocs_per_worker;
    struct seen seen = { .width = n > 0 ? n : 1 };

    submit(c, &seen);
    collect(c, &seen);
    check_log(&seen);
    if (seen.n_wrong == 0) {
        printf("%s\n", SHORT_RUN_RIGHT);
    }
    return seen.n_wrong > 0 ? 3 : 0;
}

static const char *const some_args[] = { "spawned", "with", "these", NULL };

static const struct {
    const char *name;
    dwq_options_t options;
} kinds[] = {
    { "plain", { .worker_module = "short_run_module" } },
    { "inside", { .nprocs_per_worker = 3, .broker_is_worker = true } },
    { "beside",
      { .nprocs_per_worker = 2, .collective_mode = DWQ_COLLECTIVE_SENDRECV } },
    { "placed",
      { .nprocs_per_worker = 1,
        .grouping = DWQ_GROUPING_SPLIT,
        .broker_is_worker = true,
        .controller_shares_core = true,
        .bind = DWQ_BIND_GROUP } },
    { "spawn",
      { .nprocs_per_worker = 2,
        .grouping = DWQ_GROUPING_SPAWN,
        .spawn_args = some_args } },
    { "spawn_inside",
      { .nprocs_per_worker = 2,
        .grouping = DWQ_GROUPING_SPAWN,
        .broker_is_worker = true,
        .threads_per_rank = 1 } },
};

/* The same between open and close. */
static int open_and_close(const dwq_options_t *options)
{
    dwq_controller_t *controller;
    dwq_status_t status = dwq_open(options, &controller, NULL);
    int code = status != DWQ_OK;

    if (status == DWQ_OK && controller) {
        code = controls(controller, options->arg);
        status = dwq_close(controller, code);
        code = code ? code : status != DWQ_OK;
    }
    dwq_finalize();
    return code;
}

int main(int argc, char **argv)
{
    dwq_options_t options = kinds[0].options;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (argc > 1 && strcmp(argv[1], kinds[i].name) == 0) {
            options = kinds[i].options;
        }
    }
    options.controller = controls;
    options.arg = &options;
    options.run_args = DWQ_ENTRIES({ "n", dwq_value(7) });
    if (argc > 1 && strcmp(argv[1], "opened") == 0) {
        options.controller = NULL;
        return open_and_close(&options);
    }
    return dwq_main(argc, argv, &options);
}

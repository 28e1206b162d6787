/* The program beside dwq-worker: a row's options, and what its calls see of them. */
#include "tests/mpi/told_rows.h"

#include <stdlib.h>

#include "tests/mpi/scenario.h"

static void check_rank(const struct told_row *row, const dwq_result_t *result,
                       int r)
{
    int size = -1, level = -1, n = -1, connected = -1;

    CHECK(dwq_result_get(result, r, 0, &size) && size == row->n_ranks);
    CHECK(dwq_result_get(result, r, 1, &level) &&
          level >= row->options.thread_level);
    CHECK(dwq_result_get(result, r, 2, &n) && n == TOLD_N);
    CHECK(dwq_result_get(result, r, 3, &connected) &&
          connected == row->connected);
}

static void check_ready_data(dwq_controller_t *c, const struct told_row *row)
{
    dwq_value_t data;
    dwq_status_t status;
    int n = -1, worker;

    do {
        status = dwq_controller_get_ready_worker(c, &worker, &data);
    } while (status == DWQ_E_AGAIN);
    CHECK(status == DWQ_OK && data.kind == DWQ_KIND_LIST &&
          data.u.list.n == (size_t)row->n_ranks + 1);
    CHECK(data.kind == DWQ_KIND_LIST &&
          dwq_read_int(&data.u.list.items[row->n_ranks], &n) && n == TOLD_N);
}

static int asks(dwq_controller_t *c, void *arg)
{
    const struct told_row *row = arg;
    dwq_task_t task = { .function = "facts", .module = "told_module" };
    dwq_result_t result;

    CHECK(dwq_controller_world(c).n_workers == row->n_workers);
    for (task.worker = 1; task.worker <= row->n_workers; task.worker++) {
        CHECK(dwq_controller_submit_call(c, &task, NULL) == DWQ_OK);
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        CHECK(result.status == DWQ_OK && result.n_ranks == row->n_ranks);
        if (result.status != DWQ_OK) {
            fprintf(stderr, "%s\n", result.message);
        }
        for (int r = 0; r < result.n_ranks; r++) {
            check_rank(row, &result, r);
        }
        dwq_result_clear(&result);
    }
    if (row->broker) {
        check_ready_data(c, row);
    }
    return 0;
}

static const char *const *own_arguments(const char *const *library, void *arg)
{
    (void)arg;
    return library;
}

/* What the driver asks for beside a row. */
static void change(dwq_options_t *options)
{
    if (getenv("DWQ_TEST_EXECUTABLE")) {
        options->spawn_executable = getenv("DWQ_TEST_EXECUTABLE");
    }
    if (getenv("DWQ_TEST_FUNCTION")) {
        options->spawn_args_function = own_arguments;
    }
}

int main(int argc, char **argv)
{
    const struct told_row *row = told_rows;
    dwq_options_t options;

    scenario_begin();
    while (row < told_rows + n_told_rows &&
           strcmp(row->name, argc > 1 ? argv[1] : "") != 0) {
        row++;
    }
    CHECK(row < told_rows + n_told_rows);
    if (row == told_rows + n_told_rows) {
        return 2;
    }
    if (row->topology) {
        setenv("DWQ_TOPOLOGY", row->topology, 1);
    }
    options = row->options;
    options.controller = asks;
    options.arg = (void *)row;
    if (argc > 1) { /* a block of its own */
        CHECK(dwq_kwargs_copy(DWQ_ENTRIES({ "n", dwq_value(TOLD_N) }),
                              &options.run_args) == DWQ_OK);
    }
    change(&options);
    scenario_run_options(&options);
    dwq_kwargs_free(options.run_args);
    return scenario_end();
}

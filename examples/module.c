/* Calls functions of a module, that is, of a shared object that the workers
 * load: statistics.so, from the folder in argv[1] or in DWQ_MODULE_PATH. What
 * cannot be called is a failed result with a message, and the run goes on. */
#include <dwq/dwq.h>

#include <stdio.h>

#define N_CALLS 8

static const double heights[] = { 1.62, 1.80, 1.71, 1.93, 1.55, 1.68 };
static const int32_t counts[] = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 9 };

/* Ids in the order of the calls. */
static dwq_status_t submit_all(dwq_controller_t *controller, uint64_t *ids_out)
{
    dwq_array_t x = dwq_array(DWQ_DOUBLE, heights, 1, (size_t[]){ 6 });
    dwq_array_t table = dwq_array(DWQ_INT32, counts, 2, (size_t[]){ 3, 4 });
    const dwq_task_t tasks[N_CALLS] = {
        { .function = "mean", .module = "statistics", DWQ_ARGS(x) },
        { .function = "mean", .module = "statistics", DWQ_ARGS(table) },
        { .function = "quantile", .module = "statistics", DWQ_ARGS(x) },
        { .function = "quantile",
          .module = "statistics",
          DWQ_ARGS(x),
          DWQ_KWARGS({ "q", dwq_value(0.9) }) },
        { .function = "quantile",
          .module = "statistics",
          DWQ_ARGS(table),
          DWQ_KWARGS({ "q", dwq_value(0.25) },
                     { "method", dwq_value("lower") }) },
        { .function = "quantile",
          .module = "statistics",
          DWQ_ARGS(x),
          DWQ_KWARGS({ "q", dwq_value(1.5) }) },
        { .function = "median", .module = "statistics", DWQ_ARGS(x) },
        { .function = "mean", .module = "geometry", DWQ_ARGS(x) },
    };

    return dwq_controller_submit_multiple(controller, tasks, N_CALLS, ids_out);
}

static int controller(dwq_controller_t *controller, void *arg)
{
    static const char *const calls[N_CALLS] = {
        "statistics.mean(heights)",
        "statistics.mean(counts)",
        "statistics.quantile(heights)",
        "statistics.quantile(heights, q=0.9)",
        "statistics.quantile(counts, q=0.25, method='lower')",
        "statistics.quantile(heights, q=1.5)",
        "statistics.median(heights)",
        "geometry.mean(heights)",
    };
    uint64_t ids[N_CALLS];
    dwq_result_t result;
    double answer;

    (void)arg;
    if (submit_all(controller, ids) != DWQ_OK) {
        return 1;
    }
    for (int i = 0; i < N_CALLS; i++) {
        if (dwq_controller_get_result(controller, ids[i], &result) != DWQ_OK) {
            return 1;
        }
        if (result.status != DWQ_OK) {
            printf("%s\n    failed: %s\n", calls[i], result.message);
        } else if (dwq_result_get(&result, 0, 0, &answer)) {
            printf("%s\n    %g\n", calls[i], answer);
        }
        dwq_result_clear(&result);
    }
    return 0;
}

int main(int argc, char **argv)
{
    return dwq_main(
        argc, argv,
        &(dwq_options_t){ .controller = controller,
                          .module_path = argc > 1 ? argv[1] : NULL });
}

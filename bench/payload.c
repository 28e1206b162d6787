/* Large arrays there and back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/calls.h"

/* --- In the job: BYTES CALLS BORROW ------------------------------------------ */

static void one_call(dwq_controller_t *controller, dwq_array_t array,
                     bool borrow)
{
    dwq_task_t task = { .function = borrow ? "alloc" : "copy",
                        DWQ_ARGS(borrow ? dwq_borrow(array) : array) };
    dwq_result_t result;
    dwq_array_t back;

    if (dwq_controller_submit_call(controller, &task, NULL) != DWQ_OK ||
        dwq_controller_get_next_result(controller, &result) != DWQ_OK ||
        !dwq_result_get(&result, 0, 0, &back) ||
        dwq_array_size(&back) != dwq_array_size(&array)) {
        fprintf(stderr, "payload: no result\n");
        dwq_controller_abort(controller);
        exit(1);
    }
    dwq_result_clear(&result);
}

static int controller(dwq_controller_t *controller, void *arg)
{
    size_t size = (size_t)arg_number(arg, 0);
    int n = (int)arg_number(arg, 1);
    bool borrow = arg_number(arg, 2) > 0;
    char *data = calloc(1, size);
    dwq_array_t array = dwq_array(DWQ_UINT8, data, 1, (size_t[]){ size });
    double start = 0;

    for (int i = -n / 4 - 1; i < n; i++) {
        start = i == 0 ? now() : start;
        one_call(controller, array, borrow);
    }
    printf("bytes_per_s %.9g\n", 2 * (double)size * n / (now() - start));
    free(data);
    return 0;
}

int measure_payload(int argc, char **argv)
{
    return run_calls(controller, argc, argv, NULL);
}

/* One call of a group at a time, with an array: what the collective mode costs. */
#include <stdlib.h>
#include <string.h>

#include "bench/calls.h"

/* In the job: SHAPE BYTES RANKS CALLS MODE. SHAPE says what travels: "shared", the whole
 * array to each rank; "scattered", its rows; "returned", an array of BYTES from each
 * rank. MODE: gather, sendrecv or default. */

static int take(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    return 0;
}

static int give(dwq_call_t *call, void *arg)
{
    double bytes;
    dwq_array_t array;

    (void)arg;
    if (!dwq_arg(call, 0, &bytes)) {
        return dwq_call_fail(call, 1, "give(bytes)");
    }
    array = dwq_call_alloc(call, DWQ_UINT8, 1, (size_t[]){ (size_t)bytes });
    return dwq_call_return(call, DWQ_VALUES(array));
}

static const dwq_function_t functions[] = {
    { "take", take, NULL },
    { "give", give, NULL },
    { NULL, NULL, NULL },
};

static double one_call(dwq_controller_t *controller, const char *shape,
                       dwq_array_t array)
{
    dwq_array_t lent = dwq_borrow(array);
    dwq_task_t taken = {
        .function = "take",
        DWQ_ARGS(strcmp(shape, "scattered") == 0 ? dwq_scatter(lent) : lent)
    };
    dwq_task_t given = { .function = "give",
                         DWQ_ARGS((double)dwq_array_size(&array)) };
    double start = now();

    dwq_controller_submit_call(
        controller, strcmp(shape, "returned") == 0 ? &given : &taken, NULL);
    if (!take_one(controller)) {
        fprintf(stderr, "modes: no result\n");
        dwq_controller_abort(controller);
        exit(1);
    }
    return now() - start;
}

static int controller(dwq_controller_t *controller, void *arg)
{
    const struct args *args = arg;
    size_t bytes = (size_t)arg_number(args, 1);
    int n = (int)arg_number(args, 3);
    char *data = calloc(1, bytes + 1);
    double *seconds = calloc((size_t)n + 1, sizeof *seconds);
    dwq_array_t array = dwq_array(DWQ_UINT8, data, 1, (size_t[]){ bytes });

    for (int i = -n / 4 - 1; data && seconds && i < n; i++) {
        seconds[i < 0 ? 0 : i] = one_call(controller, args->argv[0], array);
    }
    if (data && seconds && n > 0) {
        qsort(seconds, (size_t)n, sizeof *seconds, compare_doubles);
        printf("p50 %.9g\n", seconds[n / 2]);
    }
    free(seconds);
    free(data);
    return 0;
}

int measure_modes(int argc, char **argv)
{
    struct args args = { argc, argv };
    const char *mode = argc > 4 ? argv[4] : "default";

    return dwq_main(
        0, NULL,
        &(dwq_options_t){ .controller = controller,
                          .functions = functions,
                          .arg = &args,
                          .grouping = DWQ_GROUPING_SPLIT,
                          .nprocs_per_worker = (int)arg_number(&args, 2),
                          .broker_is_worker = true,
                          .collective_mode = strcmp(mode, "gather") == 0
                                                 ? DWQ_COLLECTIVE_GATHER
                                             : strcmp(mode, "sendrecv") == 0
                                                 ? DWQ_COLLECTIVE_SENDRECV
                                                 : DWQ_COLLECTIVE_DEFAULT });
}

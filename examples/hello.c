#include <dwq/dwq.h>
#include <stdio.h>

static int square(dwq_call_t *call, void *arg)
{
    double x;

    (void)arg;
    if (!dwq_arg(call, 0, &x)) {
        return dwq_call_fail(call, 1, "square(x): x must be a number");
    }
    return dwq_call_return(call, DWQ_VALUES(x * x));
}

static int controller(dwq_controller_t *controller, void *arg)
{
    dwq_result_t result;
    double y, sum = 0;

    (void)arg;
    for (int i = 1; i <= 5; i++) {
        dwq_controller_submit_call(
            controller,
            &(dwq_task_t){ .function = "square", DWQ_ARGS((double)i) }, NULL);
    }
    while (dwq_controller_get_next_result(controller, &result) == DWQ_OK) {
        if (result.status == DWQ_OK && dwq_result_get(&result, 0, 0, &y)) {
            sum += y;
        }
        dwq_result_clear(&result);
    }
    printf("sum %g\n", sum); /* 55 */
    return dwq_controller_info(controller, stdout) == DWQ_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const dwq_function_t functions[] = {
        { .name = "square", .function = square },
        { .name = NULL },
    };

    return dwq_main(
        argc, argv,
        &(dwq_options_t){ .controller = controller, .functions = functions });
}

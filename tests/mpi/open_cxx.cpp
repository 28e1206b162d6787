// A run that is opened and closed by a program in C++.
#include <cstdio>
#include <dwq/dwq.h>

static int twice(dwq_call_t *call, void *)
{
    const dwq_value_t *given = dwq_call_arg(call, 0);
    double x = 0;

    if (!dwq_read_double(given, &x)) {
        return dwq_call_fail(call, 1, "twice(x): x must be a number");
    }
    dwq_value_t value = dwq_value_double(2 * x);
    return dwq_call_return(call, dwq_values_t{ 1, &value });
}

static double twice_of(dwq_controller_t *c, double x)
{
    dwq_value_t arg = dwq_value_double(x);
    dwq_task_t task{};
    dwq_result_t result;
    double y = -1;

    task.function = "twice";
    task.args = dwq_values_t{ 1, &arg };
    if (dwq_controller_submit_call(c, &task, nullptr) == DWQ_OK &&
        dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        dwq_read_double(dwq_result_value(&result, 0, 0), &y);
        dwq_result_clear(&result);
    }
    return y;
}

int main()
{
    const dwq_function_t functions[] = { { "twice", twice, nullptr },
                                         { nullptr, nullptr, nullptr } };
    dwq_controller_t *c = nullptr;
    dwq_options_t options{};
    bool good = true;

    options.functions = functions;
    if (dwq_open(&options, &c, nullptr) != DWQ_OK) {
        std::printf("%s\n", dwq_controller_error(nullptr));
        return 1;
    }
    for (int i = 0; c && i < 10; i++) {
        good = good && twice_of(c, i) == 2 * i;
    }
    return dwq_close(c, good ? 0 : 1) == DWQ_OK && good ? 0 : 1;
}

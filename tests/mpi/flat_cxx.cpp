// The library from C++: prints the same on any number of ranks, with groups (argument:
// ranks of each) and without.
#include <dwq/mpi.h>

#include <complex>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace
{

struct Destroy {
    void operator()(dwq_builder_t *builder) const
    {
        dwq_builder_destroy(builder);
    }
};
using Builder = std::unique_ptr<dwq_builder_t, Destroy>;

void check(bool good, const char *what)
{
    if (!good) {
        std::printf("%s: no\n", what);
        std::exit(1);
    }
}

// conjugate(x, last=text): the complex numbers of this rank, one by one, and text.
extern "C" int conjugate(dwq_call_t *call, void *arg)
{
    Builder b(dwq_builder_create(nullptr));
    int type = 0, ndim = 0;
    size_t shape[DWQ_MAX_DIMS];
    const void *data = nullptr;
    const char *last = nullptr;

    if (!dwq_value_data(dwq_call_arg(call, 0), &type, &ndim, shape, &data) ||
        !dwq_read_string(dwq_call_kwarg(call, "last"), &last) ||
        type != DWQ_COMPLEX_DOUBLE || ndim != 1) {
        return dwq_call_fail_text(call, 7, "conjugate(x, last): %d %s");
    }
    const auto *x = static_cast<const std::complex<double> *>(data);
    dwq_builder_list(b.get(), nullptr);
    for (size_t i = 0; i < shape[0]; i++) {
        dwq_builder_double(b.get(), nullptr, std::conj(x[i]).imag());
    }
    dwq_builder_end(b.get());
    dwq_builder_string(b.get(), nullptr,
                       (std::string(last) + *static_cast<char *>(arg)).c_str());
    dwq_builder_uint(b.get(), nullptr, UINT64_MAX);
    dwq_builder_bytes(b.get(), nullptr, "a\0b", 3);
    return dwq_call_return_built(call, b.get());
}

// broken(): a builder that is spoilt fails the call, another one is its return.
extern "C" int broken(dwq_call_t *call, void *)
{
    Builder bad(dwq_builder_create(nullptr)), good(dwq_builder_create(nullptr));
    bool again = false;

    dwq_builder_list(bad.get(), nullptr);
    check(dwq_call_return_built(call, bad.get()) == DWQ_E_ARG, "an open list");
    if (!dwq_read_bool(dwq_call_arg(call, 0), &again) || !again) {
        return 0;
    }
    return dwq_call_return_built(call, good.get());
}

double sum_of_parts(const dwq_result_t &result)
{
    double sum = 0;

    for (int rank = 0; rank < result.n_ranks; rank++) {
        const dwq_value_t *list = dwq_result_value(&result, rank, 0);
        uint64_t most = 0;
        dwq_bytes_t bytes = {};

        check(dwq_read_uint64(dwq_result_value(&result, rank, 2), &most) &&
                  most == UINT64_MAX,
              "uint64_t");
        check(dwq_read_bytes(dwq_result_value(&result, rank, 3), &bytes) &&
                  std::string(static_cast<const char *>(bytes.data),
                              bytes.size) == std::string("a\0b", 3),
              "bytes");
        for (size_t i = 0; i < dwq_value_n(list); i++) {
            double y = 0;

            check(dwq_read_double(dwq_value_item(list, i), &y), "an item");
            sum += y;
        }
    }
    return sum;
}

void collect(dwq_controller_t *c, dwq_status_t status, dwq_result_t *result)
{
    check(dwq_controller_get_next_result(c, result) == DWQ_OK, "a result");
    check(result->status == status, "its status");
}

extern "C" int controller(dwq_controller_t *c, void *)
{
    std::vector<std::complex<double>> x(100000, { 1, -2 }); // not a small one
    size_t n = x.size();
    dwq_result_t result;
    const char *text = "";

    {
        Builder b(dwq_builder_create("conjugate"));

        dwq_builder_array(b.get(), nullptr, DWQ_COMPLEX_DOUBLE, x.data(), 1, &n,
                          DWQ_TAKEN_BORROWED + DWQ_TAKEN_SCATTERED);
        dwq_builder_string(b.get(), "last", "en");
        check(dwq_controller_submit_call(c, dwq_builder_task(b.get()),
                                         nullptr) == DWQ_OK,
              "a submit");
    }
    collect(c, DWQ_OK, &result);
    check(dwq_read_string(dwq_result_value(&result, result.n_ranks - 1, 1),
                          &text),
          "a text");
    std::printf("conjugated %g, %s\n", sum_of_parts(result), text);
    dwq_result_clear(&result);

    // The structs are there, too.
    dwq_task_t task = {};
    task.function = "conjugate";
    check(dwq_controller_submit_call(c, &task, nullptr) == DWQ_OK, "a struct");
    collect(c, DWQ_E_TASK, &result);
    std::printf("failed %d, %s\n", result.code, result.message);
    dwq_result_clear(&result);

    for (bool again : { false, true }) {
        Builder b(dwq_builder_create("broken"));

        dwq_builder_bool(b.get(), nullptr, again);
        check(dwq_controller_submit_call(c, dwq_builder_task(b.get()),
                                         nullptr) == DWQ_OK,
              "broken");
        collect(c, again ? DWQ_OK : DWQ_E_TASK, &result);
        std::printf("broken: %s\n", result.message);
        dwq_result_clear(&result);
    }
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    char letter = 'd';
    const dwq_function_t functions[] = { { "conjugate", conjugate, &letter },
                                         { "broken", broken, nullptr },
                                         { nullptr, nullptr, nullptr } };
    dwq_options_t options = {};

    options.controller = controller;
    options.functions = functions;
    options.nprocs_per_worker = argc > 1 ? std::atoi(argv[1]) : 0;
    return dwq_main(argc, argv, &options);
}

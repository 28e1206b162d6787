// A module whose function throws what nobody catches.
#include <dwq/dwq.h>

#include <stdexcept>

static int gives_up(dwq_call_t *, void *)
{
    throw std::runtime_error("lost atoms");
}

static const dwq_function_t functions[] = { { "gives_up", gives_up, nullptr },
                                            { nullptr, nullptr, nullptr } };

extern "C" {
DWQ_API extern const dwq_module_t dwq_module;
const dwq_module_t dwq_module = { DWQ_ABI, functions, nullptr, nullptr,
                                  nullptr, nullptr,   nullptr, nullptr };
}

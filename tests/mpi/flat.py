#!/usr/bin/env python3
"""The library from Python, by ctypes: prints the same on any number of ranks. The
library is at DWQ_TEST_LIBRARY."""
import ctypes as c
import os
import sys

# With RTLD_GLOBAL, so that MPI's own parts find it.
dwq = c.CDLL(os.environ["DWQ_TEST_LIBRARY"], mode=c.RTLD_GLOBAL)
FUNCTION = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p)
for name in ("options_create", "builder_create", "builder_task",
             "result_create", "result_value", "call_arg", "value_item"):
    getattr(dwq, "dwq_" + name).restype = c.c_void_p
dwq.dwq_builder_double.argtypes = [c.c_void_p, c.c_char_p, c.c_double]


def handle(value):
    return c.c_void_p(value)


def number(value):
    x = c.c_double()
    assert dwq.dwq_read_double(handle(value), c.byref(x))
    return x.value


@FUNCTION
def square(call, arg):
    x = number(dwq.dwq_call_arg(handle(call), c.c_size_t(0)))
    built = handle(dwq.dwq_builder_create(None))
    dwq.dwq_builder_double(built, None, x * x)
    code = dwq.dwq_call_return_built(handle(call), built)
    dwq.dwq_builder_destroy(built)
    return code


@FUNCTION
def controller(control, arg):
    result = handle(dwq.dwq_result_create())
    total = 0
    for i in range(1, 6):
        built = handle(dwq.dwq_builder_create(b"square"))
        dwq.dwq_builder_double(built, None, i)
        task = handle(dwq.dwq_builder_task(built))
        assert dwq.dwq_controller_submit_call(handle(control), task, None) == 0
        dwq.dwq_builder_destroy(built)
    while dwq.dwq_controller_get_next_result(handle(control), result) == 0:
        total += number(dwq.dwq_result_value(result, 0, c.c_size_t(0)))
        dwq.dwq_result_clear(result)
    dwq.dwq_result_destroy(result)
    print("sum", total, flush=True)
    return 0


options = handle(dwq.dwq_options_create())
code = c.c_int(1)
dwq.dwq_options_add_function(options, b"square", square, None)
dwq.dwq_options_set_roles(options, controller, None, None, None)
status = dwq.dwq_run(options, c.byref(code))
dwq.dwq_options_destroy(options)
dwq.dwq_finalize()
sys.exit(status != 0 or code.value)

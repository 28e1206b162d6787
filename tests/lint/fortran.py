#!/usr/bin/env python3
"""fortran.py ROOT: dwq.f90 has each function of the headers that Fortran can use, with as
many parameters and what it returns, and no other; and each number that has a name."""
import re
import sys

HEADERS = "status result value function worker broker plan run controller flat mpi".split()
EXEMPT = {
    # name: why
    "dwq_array": "a struct of C; dwq_builder_array",
    "dwq_array_count": "a struct of C; dwq_value_data",
    "dwq_array_size": "a struct of C; dwq_value_data",
    "dwq_borrow": "a struct of C; dwq_builder_array",
    "dwq_broker_set_ready_data": "a value is a union",
    "dwq_call_alloc": "gives a struct; dwq_call_alloc_data",
    "dwq_call_fail": "any number of arguments; dwq_call_fail_text",
    "dwq_call_return": "a list of values; dwq_call_return_built",
    "dwq_controller_info": "a FILE",
    "dwq_controller_plan": "structs that name structs",
    "dwq_controller_probe_all_next_results": "an array of results",
    "dwq_controller_submit_multiple": "an array of tasks",
    "dwq_kwargs_copy": "owns lists of values; dwq_options_set_run_args",
    "dwq_kwargs_free": "as dwq_kwargs_copy",
    "dwq_main": "argc and argv",
    "dwq_read_array": "a struct of C; dwq_value_data",
    "dwq_read_bytes": "a struct of C; dwq_value_data",
    "dwq_read_value": "a value is a union",
    "dwq_scatter": "a struct of C; dwq_builder_array",
    "dwq_value_print": "a FILE",
    "dwq_values_copy": "owns lists of values",
    "dwq_values_free": "as dwq_values_copy",
    "dwq_worker_main": "argc and argv",
    "dwq_worker_set_ready_data": "a value is a union",
}
EXEMPT.update({"dwq_value_" + kind: "a value is a union; dwq_builder_*" for kind in
               "nil bool int uint double string bytes array list map self".split()})
RETURNS = {"bool": "logical(c_bool)", "void": None, "size_t": "integer(c_size_t)",
           "uint64_t": "integer(c_int64_t)", "int": "integer(c_int)",
           "MPI_Fint": "integer(c_int)", "dwq_status_t": "integer(c_int)",
           "dwq_stop_t": "integer(c_int)", "double": "real(c_double)"}


def count(parameters):
    parameters = re.sub(r"\([^()]*\)", "", parameters)  # those of function pointers
    return len([p for p in parameters.split(",") if p.strip() not in ("", "void")])


def functions_of_c(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^[ \t]*#.*", "", text.replace("\\\n", " "), flags=re.M)
    for made in re.finditer(r"DWQ_API([^;{(]*?)\b(dwq_\w+)"
                            r"\(((?:[^();{]|\([^()]*\))*)\)", text):
        given = made[1].replace("const", "").strip()
        if given.endswith("*"):
            given = "type(c_ptr)"
        else:
            given = RETURNS.get(given, "type(%s)" % given)
        yield made[2], (given, count(made[3]))


def functions_of_fortran(text):
    for made in re.finditer(r"^ *(?:(\S+) function|subroutine) (dwq_\w+)\((.*?)\) bind\(C\)",
                            text, flags=re.M):
        yield made[2], (made[1], count(made[3]))


def numbers_of_c(text):
    yield from re.findall(r"X\((DWQ_\w+), (-?\d+),", text)
    for body in re.findall(r"typedef enum dwq_(?:taken|kind|stop) \{(.*?)\}", text, flags=re.S):
        value = -1
        for name, given in re.findall(r"(DWQ_\w+)(?: = (\d+))?", re.sub(r"/\*.*?\*/", "", body)):
            value = int(given) if given else value + 1
            yield name, str(value)


def numbers_of_fortran(text):
    for body in re.findall(r"enumerator :: (.*?)\n    end enum", text, flags=re.S):
        value = -1
        for name, given in re.findall(r"(DWQ_\w+)(?: = (-?\d+))?", body):
            value = int(given) if given else value + 1
            yield name, str(value)


def differences(root):
    folder = root + "/libdwq/include/dwq/"
    text = "\n".join(open(folder + name + ".h").read() for name in HEADERS)
    fortran = open(folder + "dwq.f90").read()
    in_c, in_fortran = dict(functions_of_c(text)), dict(functions_of_fortran(fortran))
    if len(in_c) < 120 or len(in_fortran) < 80:
        yield "%d functions in the headers, %d in dwq.f90" % (len(in_c), len(in_fortran))
    for name in sorted(in_c.keys() | in_fortran.keys() | EXEMPT.keys()):
        if name in EXEMPT or name + "_f" in in_c:  # _f: with communicators of Fortran
            if name in in_fortran or name not in in_c:
                yield name + " needs no exemption"
        elif in_c.get(name) != in_fortran.get(name):
            yield "%s gives %s; in dwq.f90: %s" % (
                name, *("%s for %d parameters" % it[name] if name in it else "nothing"
                        for it in (in_c, in_fortran)))
    mine, other = dict(numbers_of_c(text)), dict(numbers_of_fortran(fortran))
    for name in sorted(mine.keys() | other.keys()):
        if mine.get(name) != other.get(name):
            yield "%s is %s; in dwq.f90: %s" % (name, mine.get(name), other.get(name))


found = list(differences(sys.argv[1]))
print("\n".join(found))
sys.exit(1 if found else 0)

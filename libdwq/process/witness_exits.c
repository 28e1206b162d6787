/* exit(), quick_exit(), pthread_exit(), _exit(), _Exit() and abort() of the whole process,
 * as the library exports them: a call of a run is left, or its end is said; everywhere
 * else they are libc's. */
#define _GNU_SOURCE /* dladdr, RTLD_NEXT, syscall */
#include <dlfcn.h>
#include <dwq/status.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libdwq/process/process.h"

void dwqi_witness_exit_now(int code)
{
#ifdef SYS_exit_group
    syscall(SYS_exit_group, code);
#endif
    for (;;) {
        raise(SIGKILL);
    }
}

#ifndef DWQI_SMPI /* a process there is many ranks */

/* Whether the code at `address` lies in a shared object whose name begins so. */
static bool lies_in(const void *address, const char *const *names)
{
    Dl_info info;
    const char *file;

    if (dladdr(address, &info) == 0 || !info.dli_fname) {
        return false;
    }
    file = strrchr(info.dli_fname, '/');
    file = file ? file + 1 : info.dli_fname;
    while (*names && strncmp(file, *names, strlen(*names)) != 0) {
        names++;
    }
    return *names != NULL;
}

/* MPI ends processes itself, when it was told to or an error is fatal. */
static bool is_mpi(const void *address)
{
    static const char *const names[] = { "libmpi",   "libopen-", "libpmix",
                                         "libprrte", "mca_",     NULL };

    return lies_in(address, names);
}

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* Comes back where no call is to be left. */
static void leave_call(const char *name, int code, const void *caller)
{
    char text[64];

    if (dwqi_process_witness() && !is_mpi(caller)) {
        snprintf(text, sizeof text, "called %s(%d)", name, code);
        dwqi_witness_give_up(code, text);
    }
}

_Noreturn DWQ_API void exit(int code)
{
    void (*next)(int);

    leave_call("exit", code, __builtin_return_address(0));
    *(void **)&next = real("exit");
    next(code);
    dwqi_witness_exit_now(code);
}

/* What the library registers for exit() is not called here. */
_Noreturn DWQ_API void quick_exit(int code)
{
    void (*next)(int);

    leave_call("quick_exit", code, __builtin_return_address(0));
    if (dwqi_process_say_words("quick_exit()") && code == 0) {
        code = 1;
    }
    *(void **)&next = real("quick_exit");
    next(code);
    dwqi_witness_exit_now(code);
}

/* Of the thread of the call: nobody would answer for the rank any more. */
_Noreturn DWQ_API void pthread_exit(void *value)
{
    struct dwqi_witness *witness = dwqi_process_witness();
    void (*next)(void *);

    if (witness && pthread_equal(witness->thread, pthread_self())) {
        dwqi_witness_give_up(0, "called pthread_exit()");
    }
    *(void **)&next = real("pthread_exit");
    next(value);
    dwqi_witness_exit_now(1);
}

/* In a run: where it was not said why, it is said, and the code is none of success. */
static void exit_at_once(int code, const void *caller)
{
    struct dwqi_witness *witness = dwqi_process_witness();
    char text[64];

    if (witness) {
        snprintf(text, sizeof text,
                 is_mpi(caller) ? "MPI ended it, with code %d"
                                : "called _exit(%d)",
                 code);
        if (dwqi_witness_say(witness, text) && code == 0) {
            code = 1;
        }
    }
    dwqi_witness_exit_now(code);
}

_Noreturn DWQ_API void _exit(int code)
{
    exit_at_once(code, __builtin_return_address(0));
    dwqi_witness_exit_now(code);
}

_Noreturn DWQ_API void _Exit(int code)
{
    exit_at_once(code, __builtin_return_address(0));
    dwqi_witness_exit_now(code);
}

/* --- C++ exceptions ------------------------------------------------------------- */

/* The library is not linked with C++: what its runtime has is found in the object that
 * aborts. An exception that nobody catches unwinds nothing before it comes here. */
static const char *const cxx[] = { "libstdc++", "libc++", NULL };
static const char *const gnu_cxx[] = { "libstdc++", NULL };

/* type_info: its table of functions, then the mangled name. */
static const char *name_of_type(void *runtime, char **demangled_out)
{
    const char *const *(*type_now)(void);
    char *(*demangle)(const char *, char *, size_t *, int *);
    const char *const *type;
    const char *name;
    int status;

    *(void **)&type_now = dlsym(runtime, "__cxa_current_exception_type");
    *(void **)&demangle = dlsym(runtime, "__cxa_demangle");
    type = type_now ? type_now() : NULL;
    if (!type) {
        return NULL;
    }
    name = type[1] + (type[1][0] == '*');
    *demangled_out = demangle ? demangle(name, NULL, NULL, &status) : NULL;
    return *demangled_out ? *demangled_out : name;
}

/* What std::exception::what() says. By the tables of functions of GCC's runtime: the
 * type that is caught answers whether an object is of it (its 5th function), and
 * what() is the 3rd of an exception. NULL: it is no std::exception, or not to be had. */
static const char *what_of(void *runtime)
{
    typedef bool do_catch(const void *caught, const void *thrown, void **object,
                          unsigned outer);
    void (*exception_now)(void **pointer_out); /* it returns a class */
    const void *(*type_now)(void);
    do_catch *const **base;
    void *object = NULL;

    *(void **)&base = dlsym(runtime, "_ZTISt9exception");
    *(void **)&type_now = dlsym(runtime, "__cxa_current_exception_type");
    *(void **)&exception_now = dlsym(runtime, "_ZSt17current_exceptionv");
    if (!base || !type_now || !exception_now) {
        return NULL;
    }
    exception_now(&object);
    if (!object || !(*base)[4](base, type_now(), &object, 1)) {
        return NULL;
    }
    return (*(const char *(***)(void *))object)[2](object);
}

static void give_up_by_exception(const void *caller)
{
    char text[240] = "called std::terminate()";
    const char *what;
    char *demangled = NULL;
    void (*end_catch)(void);
    const char *name;
    void *runtime;
    Dl_info info;

    dladdr(caller, &info);
    runtime = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    name = runtime ? name_of_type(runtime, &demangled) : NULL;
    if (name) {
        what = lies_in(caller, gnu_cxx) ? what_of(runtime) : NULL;
        snprintf(text, sizeof text, "threw %.100s%s%s", name, what ? ": " : "",
                 what ? what : "");
        *(void **)&end_catch = dlsym(runtime, "__cxa_end_catch");
        if (end_catch) {
            end_catch();
        }
    }
    free(demangled);
    dwqi_witness_give_up(0, text);
}

_Noreturn DWQ_API void abort(void)
{
    const void *caller = __builtin_return_address(0);
    void (*next)(void);

    if (dwqi_process_witness() && lies_in(caller, cxx)) {
        give_up_by_exception(caller);
    }
    *(void **)&next = real("abort");
    next();
    dwqi_witness_exit_now(134);
}

#endif

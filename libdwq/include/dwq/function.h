/* Functions that workers run, the call they get, and modules that hold them. */
#ifndef DWQ_FUNCTION_H
#define DWQ_FUNCTION_H

#include <dwq/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dwq_call dwq_call_t;
typedef struct dwq_worker dwq_worker_t;
typedef struct dwq_broker dwq_broker_t;

/* A function of a table. 0 is success; any other value is the code of a
 * failed task. `arg` is that of the table's entry; where it is NULL, that of
 * the options (module __main__) or what the module's init returned. */
typedef struct dwq_function {
    const char *name; /* NULL ends a table */
    int (*function)(dwq_call_t *call, void *arg);
    void *arg;
} dwq_function_t;

/* --- In a call: on every rank of the worker that runs it ---------------- */

/** The task's id, this rank in the group, the ranks of the group. */
DWQ_API uint64_t dwq_call_id(const dwq_call_t *call);
DWQ_API int dwq_call_rank(const dwq_call_t *call);
DWQ_API int dwq_call_size(const dwq_call_t *call);

/** Arguments: their numbers, and views that are valid until the function
 * returns: copy what is to be kept. NULL when absent. */
DWQ_API size_t dwq_call_n_args(const dwq_call_t *call);
DWQ_API dwq_kwargs_t dwq_call_kwargs(const dwq_call_t *call);
DWQ_API const dwq_value_t *dwq_call_arg(const dwq_call_t *call, size_t index);
DWQ_API const dwq_value_t *dwq_call_kwarg(const dwq_call_t *call,
                                          const char *name);

/* dwq_arg(call, 0, &x), dwq_kwarg(call, "steps", &n): read by the type of the
 * pointer. False, and the variable as it was, when the argument is absent, of
 * another kind, or does not convert exactly. */
#ifndef __cplusplus
#define dwq_arg(call, index, out) \
    (DWQ_READER(dwq_read, out)(dwq_call_arg((call), (index)), (out)))
#define dwq_kwarg(call, name, out) \
    (DWQ_READER(dwq_read, out)(dwq_call_kwarg((call), (name)), (out)))
#endif

/**
 * Set the values of this rank. They are copied, except arrays that
 * dwq_call_alloc() gave: those are taken. A second return replaces the first.
 *
 * @return 0, so that a function can end with it; else DWQ_E_ARG (a value is not
 *         valid, or an array is one that an earlier call got or allocated) or
 *         DWQ_E_NOMEM: returned from the function, it fails the task.
 */
DWQ_API int dwq_call_return(dwq_call_t *call, dwq_values_t values);

/**
 * An array of the library's, returned without a copy when it is passed to
 * dwq_call_return(); otherwise released after the call. Not cleared.
 *
 * @return The array; its type is 0 and data NULL for bad arguments or when
 *         there is no memory.
 */
DWQ_API dwq_array_t dwq_call_alloc(dwq_call_t *call, dwq_type_t type, int ndim,
                                   const size_t *shape);

/**
 * Say why this call fails. The message (of at most 511 bytes, cut between
 * characters; with a decimal point in every locale) and the code travel to the
 * controller; the caller still has to return. What the call left on
 * its communicators is not there for the next one: see dwq_call_comm().
 *
 * @return code, or -1 when that is 0.
 */
DWQ_API int dwq_call_fail(dwq_call_t *call, int code, const char *format, ...)
    DWQ_PRINTF(3, 4);

/**
 * Ask all ranks of the group whether they can go on.
 *
 * @param ok  This rank's answer.
 *
 * Roles: inside a call; collective over the group.
 * @return true only where every rank passed true.
 */
DWQ_API bool dwq_call_agree(dwq_call_t *call, bool ok);

/* --- Modules: shared objects with functions ----------------------------- */

typedef struct dwq_worker_function {
    const char *name; /* NULL ends a table */
    int (*function)(dwq_worker_t *worker, void *arg);
} dwq_worker_function_t;

typedef struct dwq_broker_function {
    const char *name; /* NULL ends a table */
    int (*function)(dwq_broker_t *broker, void *arg);
} dwq_broker_function_t;

/* What a module exports. Only `functions` is needed. A module stays loaded to the end
 * of the process: others may have pointers into it. */
typedef struct dwq_module {
    int abi; /* DWQ_ABI; first, whatever else changes */
    const dwq_function_t *functions;
    void *(*init)(void); /* at first use in a run; gives the functions' arg */
    void (*finish)(void *arg);                      /* at the end of the run */
    int (*worker)(dwq_worker_t *worker, void *arg); /* no worker_name given */
    int (*broker)(dwq_broker_t *broker, void *arg);
    const dwq_worker_function_t *workers; /* by worker_name, broker_name */
    const dwq_broker_function_t *brokers;
} dwq_module_t;

/* DWQ_MODULE(.functions = functions, .init = init); once in a shared object
 * that is called NAME.so and lies in the module path: functions of it are
 * called with module "NAME". */
#define DWQ_MODULE(...)                           \
    DWQ_API extern const dwq_module_t dwq_module; \
    const dwq_module_t dwq_module = { .abi = DWQ_ABI, __VA_ARGS__ }

#ifdef __cplusplus
}
#endif

#endif

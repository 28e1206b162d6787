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

/* --- A function that gives up ---------------------------------------------
 *
 * Codes end a process where a function should fail. In a call of a run:
 *
 * - exit(), quick_exit(), pthread_exit(), MPI_Finalize() and a C++ exception that nobody
 *   catches (std::bad_alloc, too) are caught, in the thread that runs the call. The call
 *   is a failed one
 *   (DWQ_E_TASK): its code is that of exit() (0 becomes -1) or -1, its message "called
 *   exit(3)", "called MPI_Finalize", "threw std::runtime_error: lost atoms". The run goes
 *   on if every rank of the group comes back from the call within 5 s, by giving up or
 *   otherwise. If one does not (it waits for the rank that gave up), the job ends.
 * - A signal that kills (also out of abort() and where the stack is full),
 *   MPI_Abort() on any communicator, an error of MPI where its error handler was not
 *   changed, _exit(), and exit() of another thread end the job.
 * - So does SIGKILL (as where memory is short). Nobody in the process sees it.
 *
 * In a run that survives (dwq_world_t) that ends the job on the controller's rank alone. A
 * call that is caught is DWQ_E_WORKER, and is run again (task->retries). What is not, or
 * a rank that does not come back, costs that worker, and its task is run again on another.
 *
 * A job that ends says why in one line on stderr: rank (a spawned one by its group),
 * host, task, function, reason. Its exit code is not 0. SIGKILL is named by another rank
 * of the host, when the launcher sends that one SIGTERM (mpirun does). For ranks that are
 * alone on their hosts the controller speaks, when it gets SIGTERM itself: it names the
 * first of those that ran a call, with host, task and function; the launcher says which
 * of them was killed. Nobody does where that is the controller, or a rank that was
 * spawned on another host than its broker's; where the program handles SIGTERM, or the
 * run is in another thread than main()'s; or without a launcher.
 *
 * A function that is left by force cleans nothing up. Its memory, files and locks stay
 * as they are, destructors and atexit handlers do not run, its communicators are not
 * freed. A code whose state is then not fit for a next call should be asked to return
 * an error, or run in spawned groups.
 *
 * It works by names that the library exports: exit, _exit, _Exit, quick_exit,
 * pthread_exit, abort, MPI_Finalize, MPI_Abort, mpi_finalize_ and mpi_abort_. A program
 * is linked with libdwq in front of MPI for that (pkg-config gives that order). Calls out of modules are seen, too, linked
 * with the library or not. What is not seen ends the job, exit() and MPI_Finalize() with
 * such a line: calls where the library was loaded late and for itself alone (dlopen with
 * RTLD_LOCAL, as Python does, without LD_PRELOAD), MPI_Finalize() of mpi_f08, exit() in
 * a handler of a signal. A C++ runtime that is linked statically, or a handler of
 * std::set_terminate(), ends the job as abort() does. A handler of a signal that the
 * code sets in a call stands in place of the library's; what was there before the run
 * comes after that, and is back when the run is over. */

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
/** The same with a text as it is (NULL: none), for languages without `...`. */
DWQ_API int dwq_call_fail_text(dwq_call_t *call, int code, const char *text);

/* Why a call is to end early; a higher one counts before a lower one. */
typedef enum dwq_stop {
    DWQ_STOP_NONE = 0,
    DWQ_STOP_CANCEL = 1, /* dwq_controller_cancel() */
    DWQ_STOP_LIMIT = 2,  /* the task's time_limit has passed */
    DWQ_STOP_END = 3     /* the run's time_limit has passed */
} dwq_stop_t;

/**
 * Whether this rank's call is asked to stop, and why. A function that looks now and then,
 * and comes back, frees its worker; what it returns then counts: with 0 the task is
 * DWQ_OK, with its values, else DWQ_E_CANCELLED (cancel) or DWQ_E_TIME_LIMIT. A function
 * that never looks is awaited.
 *
 * A rank looks for itself, without a message, in a few nanoseconds, and where there is a
 * limit in the time of reading the clock: another rank of the group may see the reason in
 * a later look. dwq_call_agree() makes it common. A cancel is seen on the controller's
 * host. A call of dwq_worker_execute() stops with the one that executes it. A run that is
 * opened in a call has limits of its own: hand the reason on.
 *
 * @return DWQ_STOP_NONE (also for NULL): go on
 */
DWQ_API dwq_stop_t dwq_call_stop(const dwq_call_t *call);
/** Seconds until the task's limit or the run's, whichever is first; 0 when it has passed,
 * INFINITY when there is none. */
DWQ_API double dwq_call_time_left(const dwq_call_t *call);

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

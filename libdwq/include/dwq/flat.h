/* What the macros do, value by value: for C++, Fortran, Python and others that call C.
 * Every parameter is a number, a pointer, or a text that ends with '\0'; a
 * `const dwq_value_t *` is a handle here, which nobody looks into. */
#ifndef DWQ_FLAT_H
#define DWQ_FLAT_H

#include <dwq/controller.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- A task, or what a call returns, value by value ----------------------- */

typedef struct dwq_builder dwq_builder_t;

/* How dwq_builder_array() takes an array: a sum of these. */
typedef enum dwq_taken {
    DWQ_TAKEN_COPIED = 0,
    DWQ_TAKEN_BORROWED = 1, /* as dwq_borrow() */
    DWQ_TAKEN_SCATTERED = 2 /* as dwq_scatter() */
} dwq_taken_t;

/**
 * Begin a task that calls `function` (copied), or with NULL a list of values.
 *
 * @return The builder: given, release it with dwq_builder_destroy(), as soon as the task
 *         was submitted or the values were returned. NULL: out of memory.
 */
DWQ_API dwq_builder_t *dwq_builder_create(const char *function);
DWQ_API void dwq_builder_destroy(dwq_builder_t *builder);

/**
 * Set a field of dwq_task_t by its name: "id", "worker", "priority", "ranks" (int);
 * "time_est" (double); "function", "module", "host" (string, copied).
 *
 * @return DWQ_OK
 *         DWQ_E_ARG    no field of that kind has this name, or it cannot hold the value
 *         DWQ_E_NOMEM  nothing was changed
 */
DWQ_API dwq_status_t dwq_builder_set_int(dwq_builder_t *builder,
                                         const char *field, int64_t value);
DWQ_API dwq_status_t dwq_builder_set_double(dwq_builder_t *builder,
                                            const char *field, double value);
DWQ_API dwq_status_t dwq_builder_set_string(dwq_builder_t *builder,
                                            const char *field,
                                            const char *value);

/**
 * Add one value: the next argument (or returned value, or item of the list that is
 * open), or with a name (copied) a keyword argument (or entry of the map that is open).
 * Strings and bytes are copied; a NULL string is nil.
 *
 * @return DWQ_OK
 *         DWQ_E_ARG    a name in a list, none in a map; a value that is not valid
 *         DWQ_E_NOMEM  out of memory
 *         After either the builder is spoilt: dwq_builder_task() gives NULL.
 */
DWQ_API dwq_status_t dwq_builder_bool(dwq_builder_t *builder, const char *name,
                                      bool value);
DWQ_API dwq_status_t dwq_builder_int(dwq_builder_t *builder, const char *name,
                                     int64_t value);
DWQ_API dwq_status_t dwq_builder_uint(dwq_builder_t *builder, const char *name,
                                      uint64_t value);
DWQ_API dwq_status_t dwq_builder_double(dwq_builder_t *builder,
                                        const char *name, double value);
DWQ_API dwq_status_t dwq_builder_string(dwq_builder_t *builder,
                                        const char *name, const char *value);
DWQ_API dwq_status_t dwq_builder_bytes(dwq_builder_t *builder, const char *name,
                                       const void *data, size_t size);

/**
 * The same for an array, as dwq_array() makes it: row-major, so the shape of an array of
 * Fortran is given in reverse.
 *
 * @param type   One of dwq_type_t.
 * @param data   Borrowed until the task was submitted or the values were returned; with
 *               DWQ_TAKEN_BORROWED until the task's result was collected. Memory of
 *               dwq_call_alloc_data() is sent from where it is.
 * @param shape  [ndim] elements.
 * @param taken  A sum of dwq_taken_t.
 */
DWQ_API dwq_status_t dwq_builder_array(dwq_builder_t *builder, const char *name,
                                       int type, const void *data, int ndim,
                                       const size_t *shape, int taken);

/** Open a list or a map inside: what follows goes into it, until dwq_builder_end().
 * Answers as above; DWQ_E_ARG is also nothing to end, or more than DWQ_MAX_DEPTH. */
DWQ_API dwq_status_t dwq_builder_list(dwq_builder_t *builder, const char *name);
DWQ_API dwq_status_t dwq_builder_map(dwq_builder_t *builder, const char *name);
DWQ_API dwq_status_t dwq_builder_end(dwq_builder_t *builder);

/**
 * The task, for every call that takes one.
 *
 * @return Borrowed: valid until the builder changes. NULL (which those calls refuse with
 *         DWQ_E_ARG): an answer above was no DWQ_OK, or a list or map is open.
 */
DWQ_API const dwq_task_t *dwq_builder_task(const dwq_builder_t *builder);

/* --- In a call -------------------------------------------------------------
 *
 * dwq_read_double(dwq_call_arg(call, 0), &x), dwq_read_int(dwq_call_kwarg(call, "n"),
 * &n): every reader of <dwq/value.h> takes NULL for what is not there. */

/** dwq_call_return() of a builder's arguments, with its answers; DWQ_E_ARG is also a
 * builder that has no task. */
DWQ_API int dwq_call_return_built(dwq_call_t *call,
                                  const dwq_builder_t *builder);

/** The data of dwq_call_alloc(); NULL: bad arguments, or no memory. */
DWQ_API void *dwq_call_alloc_data(dwq_call_t *call, int type, int ndim,
                                  const size_t *shape);

/* --- Options --------------------------------------------------------------- */

/** Options at their defaults, for dwq_run() and its kind: given, release them when the
 * run is over. NULL: out of memory. */
DWQ_API dwq_options_t *dwq_options_create(void);
DWQ_API void dwq_options_destroy(dwq_options_t *options);

/**
 * Set an option that holds data by its name: "prefetch", also a bool as 0 or 1 (int);
 * "time_limit" (double); "module_path" (string, copied), also the word for a number:
 * "bind" is "group" (all words of DWQ_BIND), "prefetch" or "nprocs_per_worker" "auto".
 * Only for options of dwq_options_create().
 *
 * @return DWQ_OK; DWQ_E_ARG: no option of that kind has this name, or it cannot hold the
 *         value; DWQ_E_NOMEM. Whether a value makes sense is for the run to say.
 */
DWQ_API dwq_status_t dwq_options_set_int(dwq_options_t *options,
                                         const char *field, int64_t value);
DWQ_API dwq_status_t dwq_options_set_double(dwq_options_t *options,
                                            const char *field, double value);
DWQ_API dwq_status_t dwq_options_set_string(dwq_options_t *options,
                                            const char *field,
                                            const char *value);

/** Add to the functions that tasks may name (copied). DWQ_E_ARG, DWQ_E_NOMEM. */
DWQ_API dwq_status_t dwq_options_add_function(
    dwq_options_t *options, const char *name,
    int (*function)(dwq_call_t *call, void *arg), void *arg);

/** The functions of the roles (NULL: none), and what they get. DWQ_E_ARG. */
DWQ_API dwq_status_t dwq_options_set_roles(
    dwq_options_t *options,
    int (*controller)(dwq_controller_t *controller, void *arg),
    int (*worker)(dwq_worker_t *worker, void *arg),
    int (*broker)(dwq_broker_t *broker, void *arg), void *arg);

/** A builder's keyword arguments (copied) as run_args. DWQ_E_ARG, DWQ_E_NOMEM. */
DWQ_API dwq_status_t dwq_options_set_run_args(dwq_options_t *options,
                                              const dwq_builder_t *builder);

/* --- Values and results ---------------------------------------------------- */

/** One of dwq_kind_t; DWQ_KIND_NIL for NULL. */
DWQ_API int dwq_value_kind(const dwq_value_t *value);

/**
 * What an array or bytes (an array of DWQ_UINT8) are made of.
 *
 * @param shape_out  Room for DWQ_MAX_DIMS extents; *ndim_out of them are written.
 * @param data_out   Valid as long as the value.
 *
 * @return false, and nothing is written, for other values and NULL.
 */
DWQ_API bool dwq_value_data(const dwq_value_t *value, int *type_out,
                            int *ndim_out, size_t *shape_out,
                            const void **data_out);

/** Items of a list or entries of a map (0 for other values and NULL); the value, and in
 * a map the name, at `index`; a map's value by its name. NULL where there is none. */
DWQ_API size_t dwq_value_n(const dwq_value_t *value);
DWQ_API const dwq_value_t *dwq_value_item(const dwq_value_t *value,
                                          size_t index);
DWQ_API const char *dwq_value_name(const dwq_value_t *value, size_t index);
DWQ_API const dwq_value_t *dwq_value_entry(const dwq_value_t *value,
                                           const char *name);

/** Room for one result at a time, of the calls that collect: dwq_result_clear() before
 * the next. Given: dwq_result_destroy() clears it, too. NULL: no memory. */
DWQ_API dwq_result_t *dwq_result_create(void);
DWQ_API void dwq_result_destroy(dwq_result_t *result);

/** A field of dwq_result_t by its name; false, and *out as it was, where no field of
 * that kind has this name. A text is valid until the result is cleared. Values are read
 * by dwq_read_double(dwq_result_value(result, rank, index), &x). */
DWQ_API bool dwq_result_int(const dwq_result_t *result, const char *field,
                            int64_t *out);
DWQ_API bool dwq_result_double(const dwq_result_t *result, const char *field,
                               double *out);
DWQ_API bool dwq_result_string(const dwq_result_t *result, const char *field,
                               const char **out);

#ifdef __cplusplus
}
#endif

#endif

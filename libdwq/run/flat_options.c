/* Options for callers that do not know their layout. */
#include <dwq/flat.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/arena.h"
#include "libdwq/run/options_private.h"

/* The options come first: a pointer to them is one to all of it. */
struct flat_options {
    dwq_options_t options;
    struct dwqi_arena memory;  /* texts and names */
    dwq_function_t *functions; /* [n_functions + 1] */
    size_t n_functions;
};

dwq_options_t *dwq_options_create(void)
{
    struct flat_options *flat = calloc(1, sizeof *flat);

    return flat ? &flat->options : NULL;
}

void dwq_options_destroy(dwq_options_t *options)
{
    struct flat_options *flat = (struct flat_options *)(void *)options;

    if (flat) {
        dwq_kwargs_free(flat->options.run_args);
        dwqi_arena_finish(&flat->memory);
        free(flat->functions);
        free(flat);
    }
}

/* The row of a field, and where the field is; NULL: there is none of this name. */
static const struct dwqi_option_row *find(dwq_options_t *options,
                                          const char *field, void **at_out)
{
    for (size_t i = 0; options && field && i < dwqi_n_option_rows; i++) {
        const struct dwqi_option_row *row = &dwqi_option_rows[i];

        if (strcmp(row->name, field) == 0) {
            *at_out = (char *)options + row->offset;
            return row;
        }
    }
    return NULL;
}

dwq_status_t dwq_options_set_int(dwq_options_t *options, const char *field,
                                 int64_t value)
{
    void *at;
    const struct dwqi_option_row *row = find(options, field, &at);

    if (row && row->kind == KIND_INT && value >= INT_MIN && value <= INT_MAX) {
        *(int *)at = (int)value;
        return DWQ_OK;
    }
    if (row && row->kind == KIND_BOOL && (value == 0 || value == 1)) {
        *(bool *)at = value == 1;
        return DWQ_OK;
    }
    return DWQ_E_ARG;
}

dwq_status_t dwq_options_set_double(dwq_options_t *options, const char *field,
                                    double value)
{
    void *at;
    const struct dwqi_option_row *row = find(options, field, &at);

    if (!row || row->kind != KIND_SECONDS) {
        return DWQ_E_ARG;
    }
    *(double *)at = value;
    return DWQ_OK;
}

static const char *keep(dwq_options_t *options, const char *text)
{
    struct flat_options *flat = (struct flat_options *)(void *)options;
    size_t size = strlen(text) + 1;
    char *copy = dwqi_arena_alloc(&flat->memory, size, 1);

    return copy ? memcpy(copy, text, size) : NULL;
}

/* The number that a word stands for. */
static bool find_word(const struct dwqi_option_row *row, const char *word,
                      int *number_out)
{
    for (int i = 0; row->names && i <= (int)row->max; i++) {
        if (strcmp(word, row->names[i]) == 0) {
            *number_out = i;
            return true;
        }
    }
    if (strcmp(word, "auto") != 0) {
        return false;
    }
    if (row->offset == offsetof(dwq_options_t, prefetch)) {
        *number_out = DWQ_PREFETCH_AUTO;
        return true;
    }
    if (row->offset == offsetof(dwq_options_t, nprocs_per_worker)) {
        *number_out = DWQ_NPROCS_AUTO;
        return true;
    }
    return false;
}

dwq_status_t dwq_options_set_string(dwq_options_t *options, const char *field,
                                    const char *value)
{
    void *at;
    const struct dwqi_option_row *row = find(options, field, &at);
    const char *copy = NULL;

    if (row && row->kind == KIND_INT && value &&
        find_word(row, value, (int *)at)) {
        return DWQ_OK;
    }
    if (!row || row->kind != KIND_STRING) {
        return DWQ_E_ARG;
    }
    if (value) {
        copy = keep(options, value);
        if (!copy) {
            return DWQ_E_NOMEM;
        }
    }
    *(const char **)at = copy;
    return DWQ_OK;
}

dwq_status_t dwq_options_add_function(dwq_options_t *options, const char *name,
                                      int (*function)(dwq_call_t *call,
                                                      void *arg),
                                      void *arg)
{
    struct flat_options *flat = (struct flat_options *)(void *)options;
    dwq_function_t *grown;

    if (!flat || !name || !function) {
        return DWQ_E_ARG;
    }
    grown = realloc(flat->functions, (flat->n_functions + 2) * sizeof *grown);
    if (!grown) {
        return DWQ_E_NOMEM;
    }
    flat->functions = grown;
    options->functions = grown;
    name = keep(options, name);
    grown[flat->n_functions] = (dwq_function_t){ name, function, arg };
    if (!name) {
        return DWQ_E_NOMEM; /* it ends there, as before */
    }
    grown[++flat->n_functions] = (dwq_function_t){ .name = NULL };
    return DWQ_OK;
}

dwq_status_t dwq_options_set_roles(
    dwq_options_t *options,
    int (*controller)(dwq_controller_t *controller, void *arg),
    int (*worker)(dwq_worker_t *worker, void *arg),
    int (*broker)(dwq_broker_t *broker, void *arg), void *arg)
{
    if (!options) {
        return DWQ_E_ARG;
    }
    options->controller = controller;
    options->worker = worker;
    options->broker = broker;
    options->arg = arg;
    return DWQ_OK;
}

dwq_status_t dwq_options_set_run_args(dwq_options_t *options,
                                      const dwq_builder_t *builder)
{
    const dwq_task_t *built = dwq_builder_task(builder);
    dwq_kwargs_t copy;
    dwq_status_t status;

    if (!options || !built) {
        return DWQ_E_ARG;
    }
    status = dwq_kwargs_copy(built->kwargs, &copy);
    if (status == DWQ_OK) {
        dwq_kwargs_free(options->run_args);
        options->run_args = copy;
    }
    return status;
}

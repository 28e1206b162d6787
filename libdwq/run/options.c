#include "libdwq/run/options_private.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/memory.h"
#include "libdwq/base/plain.h"

#define ROW(field, environment, kind, use, min, max)                         \
    {                                                                        \
#field, environment, kind, offsetof(dwq_options_t, field), use, min, \
            max, NULL                                                        \
    }
#define ENUM(field, environment, use)                                          \
    {                                                                          \
#field, environment, KIND_INT, offsetof(dwq_options_t, field), use, 0, \
            (int)(sizeof field##_names / sizeof field##_names[0]) - 1,         \
            field##_names,                                                     \
    }

static const char *const grouping_names[] = { "none", "spawn", "split" };
static const char *const collective_mode_names[] = { "default", "gather",
                                                     "sendrecv" };
static const char *const queue_order_names[] = { "fifo", "longest-first" };
static const char *const domain_names[] = { "default", "core",    "l3",
                                            "numa",    "package", "host" };
static const char *const straddle_names[] = { "default", "if-must", "never",
                                              "freely" };
static const char *const fill_names[] = { "default", "pack", "spread" };
static const char *const bind_names[] = { "none", "core", "group" };

/* Every option that holds data. Enumerations are ints here. */
const struct dwqi_option_row dwqi_option_rows[] = {
    ROW(worker_name, NULL, KIND_STRING, ANYWHERE, 0, 0),
    ROW(worker_module, NULL, KIND_STRING, ANYWHERE, 0, 0),
    ROW(broker_name, NULL, KIND_STRING, GROUPED, 0, 0),
    ROW(broker_module, NULL, KIND_STRING, GROUPED, 0, 0),
    ROW(module_path, NULL, KIND_STRING, ANYWHERE, 0, 0),
    ENUM(grouping, NULL, ANYWHERE),
    ROW(nprocs_per_worker, NULL, KIND_INT, ANYWHERE, -1, 65536),
    ENUM(collective_mode, NULL, GROUPED),
    ROW(broker_is_worker, NULL, KIND_BOOL, GROUPED, 0, 1),
    ROW(max_workers, NULL, KIND_INT, ANYWHERE, INT_MIN, INT_MAX),
    ROW(sequential_spawn, NULL, KIND_BOOL, STARTING, 0, 1),
    ROW(spawn_startup_wait, NULL, KIND_SECONDS, STARTING, 0, 1e9),
    ROW(spawn_executable, NULL, KIND_STRING, STARTING, 0, 0),
    ROW(spawn_args, NULL, KIND_STRINGS, STARTING, 0, 0),
    ROW(enable_worker_service, NULL, KIND_BOOL, ANYWHERE, 0, 1),
    ROW(worker_service_name, NULL, KIND_STRING, SPAWNED, 0, 0),
    ROW(time_limit, NULL, KIND_SECONDS, ANYWHERE, 0, 1e12),
    ROW(time_limit_grace, NULL, KIND_SECONDS, ANYWHERE, 0, 1e12),
    ENUM(queue_order, "DWQ_QUEUE_ORDER", ANYWHERE),
    ROW(prefetch, "DWQ_PREFETCH", KIND_INT, ANYWHERE, -1, 1e6),
    ROW(idle_wait, "DWQ_IDLE_WAIT", KIND_SECONDS, ANYWHERE, -1, 3600),
    ROW(verbose, "DWQ_VERBOSE", KIND_BOOL, ANYWHERE, 0, 1),
    ROW(thread_level, NULL, KIND_INT, ANYWHERE, 0, 3),
    ENUM(domain, "DWQ_DOMAIN", GROUPED),
    ROW(groups_per_host, NULL, KIND_INT, GROUPED, 0, INT_MAX),
    ENUM(straddle, "DWQ_STRADDLE", GROUPED),
    ENUM(fill, "DWQ_FILL", GROUPED),
    ROW(threads_per_rank, "DWQ_THREADS_PER_RANK", KIND_INT, GROUPED, 0,
        INT_MAX),
    ROW(broker_on_thread, NULL, KIND_BOOL, GROUPED, 0, 1),
    ENUM(bind, "DWQ_BIND", GROUPED),
    ROW(controller_shares_core, "DWQ_CONTROLLER_SHARES", KIND_BOOL, GROUPED, 0,
        1),
    ROW(time_est_seconds, NULL, KIND_BOOL, ANYWHERE, 0, 1),
    ROW(retry_failed, NULL, KIND_INT, ANYWHERE, INT_MIN, INT_MAX),
    ROW(retries, NULL, KIND_INT, ANYWHERE, INT_MIN, INT_MAX),
    ROW(end_margin, NULL, KIND_SECONDS, ANYWHERE, 0, 1e9),
};

const size_t dwqi_n_option_rows =
    sizeof dwqi_option_rows / sizeof dwqi_option_rows[0];

_Static_assert(sizeof(dwq_grouping_t) == sizeof(int) &&
                   sizeof(dwq_collective_mode_t) == sizeof(int) &&
                   sizeof(dwq_queue_order_t) == sizeof(int) &&
                   sizeof(dwq_domain_t) == sizeof(int) &&
                   sizeof(dwq_straddle_t) == sizeof(int) &&
                   sizeof(dwq_fill_t) == sizeof(int) &&
                   sizeof(dwq_bind_t) == sizeof(int),
               "the table reads enumerations as ints");

const void *dwqi_option_at(const dwq_options_t *options,
                           const struct dwqi_option_row *row)
{
    return (const char *)options + row->offset;
}

double dwqi_option_number(const dwq_options_t *options,
                          const struct dwqi_option_row *row)
{
    const void *at = dwqi_option_at(options, row);

    switch (row->kind) {
    case KIND_INT:
        return *(const int *)at;
    case KIND_BOOL:
        return *(const bool *)at;
    case KIND_SECONDS:
        return *(const double *)at;
    default:
        return 0;
    }
}

bool dwqi_option_is_set(const dwq_options_t *options,
                        const struct dwqi_option_row *row)
{
    if (row->kind == KIND_STRING) {
        return *(const char *const *)dwqi_option_at(options, row) != NULL;
    }
    if (row->kind == KIND_STRINGS) {
        return *(const char *const *const *)dwqi_option_at(options, row) !=
               NULL;
    }
    return dwqi_option_number(options, row) != 0;
}

/* Written so that NaN fails. */
static bool is_in_range(const dwq_options_t *options,
                        const struct dwqi_option_row *row)
{
    double value = dwqi_option_number(options, row);

    return row->kind > KIND_SECONDS || (value >= row->min && value <= row->max);
}

/* --- Environment -------------------------------------------------------- */

/* Seconds: a number, with us, ms or s behind it or nothing. */
static bool parse_seconds(const char *text, double *out)
{
    const char *end;
    double value;

    if (!dwqi_plain_number(text, &value, &end) || value < 0) {
        return false;
    }
    if (strcmp(end, "us") == 0) {
        value *= 1e-6;
    } else if (strcmp(end, "ms") == 0) {
        value *= 1e-3;
    } else if (strcmp(end, "s") != 0 && *end != '\0') {
        return false;
    }
    *out = value;
    return true;
}

static bool parse_int(const char *text, int *out)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < INT_MIN ||
        value > INT_MAX) {
        return false;
    }
    *out = (int)value;
    return true;
}

static bool parse_name(const char *text, const struct dwqi_option_row *row,
                       double *out)
{
    int i = 0;

    while (i <= (int)row->max && strcmp(text, row->names[i]) != 0) {
        i++;
    }
    *out = i;
    return i <= (int)row->max;
}

/* In the environment 0 means none, which is negative in the option, and auto is the
 * default, which is 0 there. An option that has no such value takes neither. */
static bool parse_number(const char *text, const struct dwqi_option_row *row,
                         double *out)
{
    bool none = row->min < 0;
    int count = 0;

    if (row->kind == KIND_SECONDS) {
        if (!parse_seconds(text, out)) {
            return false;
        }
    } else if (none && strcmp(text, "auto") == 0) {
        *out = 0;
        return true;
    } else if (parse_int(text, &count) && count >= 0) {
        *out = count;
    } else {
        return false;
    }
    if (*out == 0) {
        *out = -1;
    }
    return *out <= row->max && *out >= row->min;
}

static bool parse_switch(const char *text, double *out)
{
    *out = strcmp(text, "1") == 0;
    return *out != 0 || strcmp(text, "0") == 0;
}

static bool parse(const char *text, dwq_options_t *o,
                  const struct dwqi_option_row *row)
{
    void *at = (char *)o + row->offset;
    double value = 0;
    bool good = row->kind == KIND_BOOL ? parse_switch(text, &value)
                : row->names           ? parse_name(text, row, &value)
                                       : parse_number(text, row, &value);

    if (good && row->kind == KIND_BOOL) {
        *(bool *)at = value != 0;
    } else if (good && row->kind == KIND_INT) {
        *(int *)at = (int)value;
    } else if (good) {
        *(double *)at = value;
    }
    return good;
}

/* "core, l3, numa, package or host": the default has no name here. */
static void list_names(const struct dwqi_option_row *row, char *text,
                       size_t size)
{
    int last = (int)row->max;
    size_t used = 0;

    for (int i = strcmp(row->names[0], "default") == 0; i <= last; i++) {
        used +=
            (size_t)snprintf(text + used, size - used, "%s%s", row->names[i],
                             i + 1 < last    ? ", "
                             : i + 1 == last ? " or "
                                             : "");
    }
}

/* What a variable of the environment takes. */
static void describe(const struct dwqi_option_row *row, char *text, size_t size)
{
    if (row->kind == KIND_BOOL) {
        snprintf(text, size, "0 or 1");
    } else if (row->kind == KIND_SECONDS) {
        snprintf(text, size, "seconds up to %.0f, or a number with us, ms or s",
                 row->max);
    } else if (row->names) {
        list_names(row, text, size);
    } else if (row->min < 0) {
        snprintf(text, size, "auto, or a number from 0 to %.0f", row->max);
    } else {
        snprintf(text, size, "a number from 1 on");
    }
}

/* What the program sets wins over the environment. */
static dwq_status_t read_environment(dwq_options_t *options,
                                     struct dwqi_error *fault)
{
    for (size_t i = 0; i < dwqi_n_option_rows; i++) {
        const struct dwqi_option_row *row = &dwqi_option_rows[i];
        const char *text = row->environment ? getenv(row->environment) : NULL;
        char takes[80];

        if (text && *text && !dwqi_option_is_set(options, row) &&
            !parse(text, options, row)) {
            describe(row, takes, sizeof takes);
            return dwqi_error_set(
                fault, DWQ_E_OPTION, "environment %s is '%.*s': it takes %s",
                row->environment, dwqi_plain_fit(text, 80), text, takes);
        }
    }
    if (!options->module_path) {
        options->module_path = getenv("DWQ_MODULE_PATH");
    }
    if (!options->module_path || options->module_path[0] == '\0') {
        options->module_path = ".";
    }
    return DWQ_OK;
}

dwq_status_t dwqi_options_resolve(const dwq_options_t *options,
                                  dwq_options_t *options_out,
                                  struct dwqi_error *fault_out)
{
    dwq_options_t o = *options;

    if (!dwqi_is_zero(o.reserved, sizeof o.reserved / sizeof o.reserved[0])) {
        return dwqi_error_set(fault_out, DWQ_E_OPTION,
                              "options.reserved is not 0: the options were not "
                              "initialized, or are of a later version");
    }
    for (size_t i = 0; i < dwqi_n_option_rows; i++) {
        if (!is_in_range(&o, &dwqi_option_rows[i])) {
            return dwqi_error_set(fault_out, DWQ_E_OPTION,
                                  "option %s is %.10g: it takes %.10g to %.10g",
                                  dwqi_option_rows[i].name,
                                  dwqi_option_number(&o, &dwqi_option_rows[i]),
                                  dwqi_option_rows[i].min,
                                  dwqi_option_rows[i].max);
        }
    }
    if (read_environment(&o, fault_out) != DWQ_OK) {
        return DWQ_E_OPTION;
    }
    o.idle_wait = o.idle_wait < 0 ? 0 : o.idle_wait > 0 ? o.idle_wait : 1e-3;
    *options_out = o;
    return DWQ_OK;
}

/* --- Combinations ------------------------------------------------------- */

static bool wants_groups(const dwq_options_t *o)
{
    return o->grouping != DWQ_GROUPING_NONE || o->nprocs_per_worker > 1 ||
           o->nprocs_per_worker == DWQ_NPROCS_AUTO;
}

dwq_grouping_t dwqi_options_grouping(const dwq_options_t *o)
{
    return o->grouping == DWQ_GROUPING_NONE && wants_groups(o)
               ? DWQ_GROUPING_SPLIT
               : o->grouping;
}

int dwqi_options_nprocs(const dwq_options_t *o)
{
    return o->nprocs_per_worker == 0 ? 1 : o->nprocs_per_worker;
}

bool dwqi_options_placed(const dwq_options_t *o)
{
    return wants_groups(o) &&
           (o->nprocs_per_worker == DWQ_NPROCS_AUTO || o->groups_per_host > 0 ||
            o->straddle || o->fill || o->threads_per_rank > 0 ||
            o->broker_on_thread || o->bind || o->controller_shares_core);
}

/* Options of the placement that do not go together. */
static dwq_status_t check_placement(const dwq_options_t *o,
                                    struct dwqi_error *fault)
{
    if (o->groups_per_host > 0 && o->nprocs_per_worker != DWQ_NPROCS_AUTO) {
        return dwqi_error_set(
            fault, DWQ_E_OPTION,
            "option groups_per_host is %d, which sizes groups, and "
            "nprocs_per_worker is %d: set it to DWQ_NPROCS_AUTO",
            o->groups_per_host, o->nprocs_per_worker);
    }
    if (o->groups_per_host > 0 && o->domain) {
        return dwqi_error_set(
            fault, DWQ_E_OPTION,
            "option groups_per_host is %d, and domain is %s: groups "
            "are sized by one of them",
            o->groups_per_host, domain_names[o->domain]);
    }
    if (o->broker_on_thread && o->broker_is_worker) {
        return dwqi_error_set(
            fault, DWQ_E_OPTION,
            "option broker_on_thread is set, and so is "
            "broker_is_worker: the broker is one or the other");
    }
    return DWQ_OK;
}

dwq_status_t dwqi_options_check(const dwq_options_t *o, int size,
                                struct dwqi_error *fault_out)
{
    if (o->broker && !wants_groups(o)) {
        return dwqi_error_set(fault_out, DWQ_E_OPTION,
                              "option broker is set, and grouping is none: "
                              "brokers belong to groups");
    }
    if (o->enable_worker_service && o->grouping != DWQ_GROUPING_SPAWN) {
        return dwqi_error_set(fault_out, DWQ_E_OPTION,
                              "option enable_worker_service needs grouping "
                              "spawn, and grouping is %s",
                              grouping_names[o->grouping]);
    }
    if (o->worker_name && !o->worker && !o->worker_module) {
        return dwqi_error_set(
            fault_out, DWQ_E_OPTION,
            "option worker_name is '%.*s', but worker_module is not "
            "set: there is no module to find it in",
            dwqi_plain_fit(o->worker_name, 80), o->worker_name);
    }
    if (o->broker_name && !o->broker && !o->broker_module && wants_groups(o)) {
        return dwqi_error_set(
            fault_out, DWQ_E_OPTION,
            "option broker_name is '%.*s', but broker_module is not "
            "set: there is no module to find it in",
            dwqi_plain_fit(o->broker_name, 80), o->broker_name);
    }
    return size > 1 && wants_groups(o) ? check_placement(o, fault_out) : DWQ_OK;
}

static void add_name(struct dwqi_error *names, const char *name)
{
    size_t used = strlen(names->text);

    snprintf(names->text + used, sizeof names->text - used, "%s%s",
             used > 0 ? ", " : "", name);
}

/* A broker that is its whole group starts nobody. */
static bool starts_ranks(const dwq_options_t *o)
{
    return o->grouping == DWQ_GROUPING_SPAWN &&
           !(o->broker_is_worker && dwqi_options_nprocs(o) == 1);
}

static bool is_unused(const dwq_options_t *o, int size,
                      const struct dwqi_option_row *row)
{
    if (row->offset == offsetof(dwq_options_t, domain) &&
        o->nprocs_per_worker != DWQ_NPROCS_AUTO) {
        return true;
    }
    if (size == 1 && wants_groups(o)) {
        return row->use != ANYWHERE ||
               row->offset == offsetof(dwq_options_t, grouping) ||
               row->offset == offsetof(dwq_options_t, nprocs_per_worker);
    }
    return (row->use == GROUPED && !wants_groups(o)) ||
           (row->use == SPAWNED && o->grouping != DWQ_GROUPING_SPAWN) ||
           (row->use == STARTING && !starts_ranks(o));
}

void dwqi_options_unused(const dwq_options_t *o, int size,
                         struct dwqi_error *names_out)
{
    names_out->text[0] = '\0';
    for (size_t i = 0; i < dwqi_n_option_rows; i++) {
        const struct dwqi_option_row *row = &dwqi_option_rows[i];

        if (dwqi_option_is_set(o, row) && is_unused(o, size, row)) {
            add_name(names_out, row->name);
        }
    }
    if (o->spawn_args_function && (size == 1 || !starts_ranks(o))) {
        add_name(names_out, "spawn_args_function");
    }
    if (o->time_limit_grace > 0 && o->time_limit == 0) {
        add_name(names_out, "time_limit_grace");
    }
}

dwq_status_t dwqi_options_controller_rank(int size, int *rank_out,
                                          struct dwqi_error *fault_out)
{
    const char *text = getenv(DWQI_CONTROLLER_RANK_ENV);
    int rank = 0;

    if (text && *text && !parse_int(text, &rank)) {
        return dwqi_error_set(fault_out, DWQ_E_OPTION,
                              "environment %s is '%.*s': it takes a rank",
                              DWQI_CONTROLLER_RANK_ENV,
                              dwqi_plain_fit(text, 80), text);
    }
    if (rank >= size) {
        return dwqi_error_set(
            fault_out, DWQ_E_OPTION,
            "environment %s is %d, but the job has ranks 0 to %d",
            DWQI_CONTROLLER_RANK_ENV, rank, size - 1);
    }
    *rank_out = rank < 0 ? size - 1 : rank;
    return DWQ_OK;
}

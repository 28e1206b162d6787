#include "libdwq/core/options_private.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/memory.h"
#include "libdwq/base/plain.h"

#define ROW(field, kind, use, min, max)                                   \
    {                                                                     \
#field, kind, offsetof(dwq_options_t, field), use, min, max, NULL \
    }
#define ENUM(field, use)                                               \
    {                                                                  \
#field, KIND_INT, offsetof(dwq_options_t, field), use, 0,      \
            (int)(sizeof field##_names / sizeof field##_names[0]) - 1, \
            field##_names,                                             \
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
    ROW(worker_name, KIND_STRING, ANYWHERE, 0, 0),
    ROW(worker_module, KIND_STRING, ANYWHERE, 0, 0),
    ROW(broker_name, KIND_STRING, GROUPED, 0, 0),
    ROW(broker_module, KIND_STRING, GROUPED, 0, 0),
    ROW(module_path, KIND_STRING, ANYWHERE, 0, 0),
    ENUM(grouping, ANYWHERE),
    ROW(nprocs_per_worker, KIND_INT, ANYWHERE, -1, 65536),
    ENUM(collective_mode, GROUPED),
    ROW(broker_is_worker, KIND_BOOL, GROUPED, 0, 1),
    ROW(max_workers, KIND_INT, ANYWHERE, INT_MIN, INT_MAX),
    ROW(sequential_spawn, KIND_BOOL, STARTING, 0, 1),
    ROW(spawn_startup_wait, KIND_DOUBLE, STARTING, 0, 1e9),
    ROW(spawn_executable, KIND_STRING, STARTING, 0, 0),
    ROW(spawn_args, KIND_STRINGS, STARTING, 0, 0),
    ROW(enable_worker_service, KIND_BOOL, ANYWHERE, 0, 1),
    ROW(worker_service_name, KIND_STRING, SPAWNED, 0, 0),
    ROW(time_limit, KIND_DOUBLE, ANYWHERE, 0, 1e12),
    ROW(time_limit_grace, KIND_DOUBLE, ANYWHERE, 0, 1e12),
    ENUM(queue_order, ANYWHERE),
    ROW(prefetch, KIND_INT, ANYWHERE, -1, 1e6),
    ROW(idle_wait, KIND_DOUBLE, ANYWHERE, -1, 3600),
    ROW(verbose, KIND_BOOL, ANYWHERE, 0, 1),
    ROW(thread_level, KIND_INT, ANYWHERE, 0, 3),
    ENUM(domain, GROUPED),
    ROW(groups_per_host, KIND_INT, GROUPED, 0, INT_MAX),
    ENUM(straddle, GROUPED),
    ENUM(fill, GROUPED),
    ROW(threads_per_rank, KIND_INT, GROUPED, 0, INT_MAX),
    ROW(broker_on_thread, KIND_BOOL, GROUPED, 0, 1),
    ENUM(bind, GROUPED),
    ROW(controller_shares_core, KIND_BOOL, GROUPED, 0, 1),
    ROW(time_est_seconds, KIND_BOOL, ANYWHERE, 0, 1),
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
    case KIND_DOUBLE:
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

    return row->kind > KIND_DOUBLE || (value >= row->min && value <= row->max);
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

static bool parse_idle_wait(const char *text, dwq_options_t *o)
{
    double value;

    if (!parse_seconds(text, &value)) {
        return false;
    }
    o->idle_wait = value > 0 ? value : DWQ_IDLE_WAIT_SPIN;
    return true;
}

static bool parse_prefetch(const char *text, dwq_options_t *o)
{
    int value = 0;

    if (strcmp(text, "auto") == 0) {
        return true;
    }
    if (!parse_int(text, &value) || value < 0) {
        return false;
    }
    o->prefetch = value > 0 ? value : DWQ_PREFETCH_OFF;
    return true;
}

static bool parse_threads(const char *text, dwq_options_t *o)
{
    return parse_int(text, &o->threads_per_rank) && o->threads_per_rank > 0;
}

static const struct {
    const char *name;
    const char *option;
    bool (*parse)(const char *text, dwq_options_t *o); /* NULL: a name */
    const char *help;
} variables[] = {
    { "DWQ_IDLE_WAIT", "idle_wait", parse_idle_wait,
      "seconds up to 3600, or a number with us, ms or s" },
    { "DWQ_PREFETCH", "prefetch", parse_prefetch,
      "auto, or a number from 0 to 1000000" },
    { "DWQ_QUEUE_ORDER", "queue_order", NULL, "fifo or longest-first" },
    { "DWQ_VERBOSE", "verbose", NULL, "0 or 1" },
    { "DWQ_DOMAIN", "domain", NULL, "core, l3, numa, package or host" },
    { "DWQ_STRADDLE", "straddle", NULL, "if-must, never or freely" },
    { "DWQ_FILL", "fill", NULL, "pack or spread" },
    { "DWQ_THREADS_PER_RANK", "threads_per_rank", parse_threads,
      "a number from 1 on" },
    { "DWQ_BIND", "bind", NULL, "none, core or group" },
    { "DWQ_CONTROLLER_SHARES", "controller_shares_core", NULL, "0 or 1" },
};

static const struct dwqi_option_row *row_of(const char *name)
{
    const struct dwqi_option_row *row = dwqi_option_rows;

    while (strcmp(row->name, name) != 0) {
        row++;
    }
    return row;
}

/* By the option's kind: 0 or 1, or a name. */
static bool parse_by_kind(const char *text, dwq_options_t *o,
                          const struct dwqi_option_row *row)
{
    bool on = strcmp(text, "1") == 0;

    if (row->kind == KIND_BOOL) {
        memcpy((char *)o + row->offset, &on, sizeof on);
        return on || strcmp(text, "0") == 0;
    }
    for (int i = 0; i <= (int)row->max; i++) {
        if (strcmp(text, row->names[i]) == 0) {
            memcpy((char *)o + row->offset, &i, sizeof i);
            return true;
        }
    }
    return false;
}

/* What the program sets wins over the environment. */
static dwq_status_t read_environment(dwq_options_t *options,
                                     struct dwqi_error *fault)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const struct dwqi_option_row *row = row_of(variables[i].option);
        const char *text = getenv(variables[i].name);

        if (text && *text && !dwqi_option_is_set(options, row) &&
            (!(variables[i].parse ? variables[i].parse(text, options)
                                  : parse_by_kind(text, options, row)) ||
             !is_in_range(options, row))) {
            return dwqi_error_set(fault, DWQ_E_OPTION,
                                  "environment %s is '%.*s': it takes %s",
                                  variables[i].name, dwqi_plain_fit(text, 80),
                                  text, variables[i].help);
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
    o.prefetch = o.prefetch < 0   ? 0
                 : o.prefetch > 0 ? o.prefetch
                                  : DWQI_PREFETCH_MAX;
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
                              "option broker is set, but grouping is none: "
                              "there are no brokers without groups");
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

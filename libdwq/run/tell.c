/* What one rank tells others, so that they need no options of their own: a broker
 * the ranks that it spawned, and a rank of the program those of dwq-worker. Each thing
 * told goes by two broadcasts: which library speaks, in a form that stays the same in
 * every version, and, when all have memory for them, the bytes. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libdwq/base/memory.h"
#include "libdwq/item/codec.h"
#include "libdwq/run/options_private.h"
#include "libdwq/run/run_private.h"

#define TEXT(x) TEXT_(x)
#define TEXT_(x) #x
#define LIBRARY "libdwq " DWQ_VERSION ", ABI " TEXT(DWQ_ABI)

struct head {
    char library[56];
    uint64_t size; /* bytes of what follows */
};
_Static_assert(sizeof(struct head) == 64, "every version reads it");

dwq_status_t dwqi_run_tell(struct run *run, const struct dwqi_run_way *way,
                           const void *data, size_t size,
                           struct dwqi_error *fault)
{
    struct head head = { .library = LIBRARY, .size = size };
    dwq_status_t status = way->bcast(run, &head, sizeof head);

    if (status == DWQ_OK) {
        status = way->agree(run, DWQ_OK, fault);
    }
    return status == DWQ_OK ? way->bcast(run, (void *)data, size) : status;
}

static dwq_status_t check_library(struct head *head, struct dwqi_error *fault)
{
    head->library[sizeof head->library - 1] = '\0';
    return strcmp(head->library, LIBRARY) == 0
               ? DWQ_OK
               : dwqi_error_set(
                     fault, DWQ_E_OPTION,
                     "one program of the job runs %s, and the one that "
                     "tells the options runs %s: all need the same libdwq",
                     LIBRARY, head->library);
}

dwq_status_t dwqi_run_hear(struct run *run, const struct dwqi_run_way *way,
                           void **data_out, size_t *size_out,
                           struct dwqi_error *fault)
{
    struct head head;
    void *data = NULL;
    dwq_status_t status = way->bcast(run, &head, sizeof head);

    if (status != DWQ_OK) {
        return status;
    }
    status = check_library(&head, fault);
    if (status == DWQ_OK) {
        data = dwqi_memory_get(DWQI_ALIGN, head.size);
        status = data ? DWQ_OK : DWQ_E_NOMEM;
    }
    status = way->agree(run, status, fault);
    if (status == DWQ_OK) {
        status = way->bcast(run, data, head.size);
    }
    if (status != DWQ_OK) {
        free(data);
        return status;
    }
    *data_out = data;
    *size_out = head.size;
    return DWQ_OK;
}

/* --- Options, to tell -------------------------------------------------------- */

#define MOST_TOLD 64 /* options, and what else is told */

static dwq_value_t list_of(const char *const *strings, struct dwqi_arena *arena)
{
    size_t n = 0;
    dwq_value_t *items;

    while (strings && strings[n]) {
        n++;
    }
    items = strings ? dwqi_arena_alloc(arena, n + 1, sizeof *items) : NULL;
    if (!items) {
        return dwq_value_nil();
    }
    for (size_t i = 0; i < n; i++) {
        items[i] = dwq_value_string(strings[i]);
    }
    return dwq_value_list((dwq_values_t){ n, items });
}

static dwq_value_t value_of(const dwq_options_t *o,
                            const struct dwqi_option_row *row,
                            struct dwqi_arena *arena)
{
    const void *at = dwqi_option_at(o, row);

    switch (row->kind) {
    case KIND_INT:
        return dwq_value_int(*(const int *)at);
    case KIND_BOOL:
        return dwq_value_bool(*(const bool *)at);
    case KIND_SECONDS:
        return dwq_value_double(*(const double *)at);
    case KIND_STRING:
        return dwq_value_string(*(const char *const *)at);
    case KIND_STRINGS:
        break;
    }
    return list_of(*(const char *const *const *)at, arena);
}

dwq_status_t dwqi_run_pack_options(const struct run *run, dwq_kwargs_t more,
                                   struct dwqi_pack *pack_out,
                                   struct dwqi_error *fault)
{
    const dwq_options_t *o = &run->options;
    dwq_kwarg_t told[MOST_TOLD];
    char folder[4096];
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_scratch scratch = { .pool = NULL };
    const char *why = "out of memory";
    size_t n = 0;
    dwq_value_t map;
    dwq_status_t status;

    for (; n < dwqi_n_option_rows; n++) {
        const struct dwqi_option_row *row = &dwqi_option_rows[n];

        told[n] = (dwq_kwarg_t){ row->name, value_of(o, row, &arena) };
    }
    told[n++] =
        (dwq_kwarg_t){ "folder",
                       dwq_value_string(getcwd(folder, sizeof folder)) };
    for (size_t i = 0; i < more.n; i++) {
        told[n++] = more.items[i];
    }
    map = dwq_value_map((dwq_kwargs_t){ n, told });
    status = dwqi_values_pack((dwq_values_t){ 1, &map }, o->run_args, &scratch,
                              pack_out, &why);
    dwqi_scratch_finish(&scratch);
    if (status == DWQ_OK && arena.failed) {
        dwqi_pack_finish(pack_out);
        status = DWQ_E_NOMEM;
    }
    if (status == DWQ_OK &&
        pack_out->block_size > INT_MAX) { /* of a broadcast */
        dwqi_pack_finish(pack_out);
        status = DWQ_E_ARG;
        why = "more than 2 GiB cannot be told to other ranks";
    }
    dwqi_arena_finish(&arena);
    return status == DWQ_OK || status == DWQ_E_NOMEM
               ? status
               : dwqi_error_set(fault, DWQ_E_OPTION, "option run_args: %s",
                                why);
}

/* --- Options, to hear -------------------------------------------------------- */

dwq_status_t dwqi_run_read_options(struct run *run, size_t size,
                                   struct dwqi_told *told_out)
{
    dwq_values_t values = { 0, NULL };
    dwq_status_t status =
        dwqi_values_unpack(run->settings, size, &run->settings_arena, &values,
                           &told_out->run_args);

    if (status == DWQ_OK &&
        (values.n != 1 || values.items[0].kind != DWQ_KIND_MAP)) {
        status = DWQ_E_MESSAGE;
    }
    if (status == DWQ_OK) {
        told_out->options = values.items[0].u.map;
    }
    return status;
}

/* NULL where the list is not set, or where the arena has failed. */
static const char **strings_of(const dwq_value_t *value,
                               struct dwqi_arena *arena)
{
    const char **strings;
    size_t n;

    if (!value || value->kind != DWQ_KIND_LIST) {
        return NULL;
    }
    n = value->u.list.n;
    strings = dwqi_arena_alloc(arena, n + 1, sizeof *strings);
    for (size_t i = 0; strings && i < n; i++) {
        strings[i] = "";
        dwq_read_string(&value->u.list.items[i], &strings[i]);
    }
    if (strings) {
        strings[n] = NULL;
    }
    return strings;
}

static void take(dwq_options_t *o, const struct dwqi_option_row *row,
                 const dwq_value_t *value, struct dwqi_arena *arena)
{
    void *at = (char *)o + row->offset;

    switch (row->kind) {
    case KIND_INT:
        dwq_read_int(value, at);
        break;
    case KIND_BOOL:
        dwq_read_bool(value, at);
        break;
    case KIND_SECONDS:
        dwq_read_double(value, at);
        break;
    case KIND_STRING:
        dwq_read_string(value, at);
        break;
    case KIND_STRINGS:
        *(const char *const **)at = strings_of(value, arena);
        break;
    }
}

/* A path, or a list of them with `stop` between ("": one path): as seen from
 * `folder`, where they are relative. As they are where the arena has failed. */
static const char *seen_from(const char *folder, const char *paths,
                             const char *stop, struct dwqi_arena *arena)
{
    struct dwqi_buffer text = { .data = NULL };
    const char *begin = paths;
    char *copy = NULL;

    for (bool more = true; more;) {
        size_t length = strcspn(paths, stop);

        more = paths[length] != '\0';
        if (*paths != '/') {
            dwqi_buffer_append(&text, folder, strlen(folder));
            dwqi_buffer_append(&text, "/", 1);
        }
        /* With what stops it: ':' or the end. */
        dwqi_buffer_append(&text, paths, length + 1);
        paths += length + more;
    }
    if (text.failed) {
        arena->failed = true;
    } else {
        copy = dwqi_arena_alloc(arena, text.size, 1);
    }
    if (copy) {
        memcpy(copy, text.data, text.size);
    }
    dwqi_buffer_finish(&text);
    return copy ? copy : begin;
}

/* Where relative paths of the rank that told them lead. "." is the path of modules
 * where none was given. */
static void take_paths(struct run *run, const char *folder, const char *own)
{
    dwq_options_t *o = &run->options;

    if (own && *own && o->module_path && strcmp(o->module_path, ".") == 0) {
        o->module_path = own;
    } else if (folder && o->module_path) {
        o->module_path =
            seen_from(folder, o->module_path, ":", &run->settings_arena);
    }
    if (folder && o->spawn_executable && strchr(o->spawn_executable, '/')) {
        o->spawn_executable =
            seen_from(folder, o->spawn_executable, "", &run->settings_arena);
    }
}

static void list_options(const struct run *run)
{
    struct dwqi_buffer text = { .data = NULL };

    dwqi_options_list(&run->options, &text);
    if (!text.failed) {
        dwqi_log_info(&run->log, "its options, as it was told: %s",
                      (const char *)text.data);
    }
    dwqi_buffer_finish(&text);
}

dwq_status_t dwqi_run_take_options(struct run *run, const dwq_options_t *own,
                                   const struct dwqi_told *told)
{
    dwq_options_t *o = &run->options;
    const char *folder = NULL;

    *o = (dwq_options_t){ .worker = own->worker,
                          .broker = own->broker,
                          .functions = own->functions,
                          .arg = own->arg,
                          .spawn_args_function = own->spawn_args_function,
                          .argc = own->argc,
                          .argv = own->argv,
                          .log = own->log,
                          .log_arg = own->log_arg,
                          .run_args = told->run_args };
    for (size_t i = 0; i < dwqi_n_option_rows; i++) {
        const struct dwqi_option_row *row = &dwqi_option_rows[i];

        take(o, row, dwq_map_find(told->options, row->name),
             &run->settings_arena);
    }
    if (run->follows) {
        dwq_read_string(dwq_map_find(told->options, "folder"), &folder);
        take_paths(run, folder,
                   own->module_path ? own->module_path
                                    : getenv("DWQ_MODULE_PATH"));
        run->log.verbose = o->verbose;
        list_options(run);
    } else {
        o->module_path = own->module_path;
    }
    return run->settings_arena.failed ? DWQ_E_NOMEM : DWQ_OK;
}

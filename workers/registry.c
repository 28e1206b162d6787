/* RTLD_NODELETE: MPI and other libraries keep pointers into a module (attributes with
 * delete functions, handlers, threads), so that it stays loaded for good. */
#define _DEFAULT_SOURCE
#include "workers/registry.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* uthash calls this instead of exit() when it has no memory. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(item) ((item)->oom = true)
#include <uthash.h>

#include "libdwq/base/plain.h"
#include "workers/module_file.h"

struct entry {
    dwq_function_t function; /* its arg filled in */
    bool oom;
    UT_hash_handle hh;
};

struct module {
    char *name;
    const dwq_module_t *exports;
    void *arg;
    struct entry *entries; /* hash by name */
    struct entry *last;    /* that was asked for; or NULL */
    bool oom;
    UT_hash_handle hh;
};

struct dwqi_registry {
    char *here;        /* the folder at the start */
    char *module_path; /* the environment's may change */
    const struct dwqi_log *log;
    struct module *main;
    struct module *modules; /* hash by name */
};

static dwq_status_t add_entry(struct module *module,
                              const dwq_function_t *function,
                              struct dwqi_error *reason)
{
    struct entry *entry;

    HASH_FIND_STR(module->entries, function->name, entry);
    if (entry || !function->function) {
        return dwqi_error_set(reason, DWQ_E_OPTION, "function '%s' %s",
                              function->name,
                              entry ? "stands twice in its table" : "is NULL");
    }
    entry = calloc(1, sizeof *entry);
    if (!entry) {
        return dwqi_error_set(reason, DWQ_E_NOMEM, "out of memory");
    }
    entry->function = *function;
    if (!entry->function.arg) {
        entry->function.arg = module->arg;
    }
    HASH_ADD_KEYPTR(hh, module->entries, entry->function.name,
                    strlen(entry->function.name), entry);
    if (entry->oom) {
        free(entry);
        return dwqi_error_set(reason, DWQ_E_NOMEM, "out of memory");
    }
    return DWQ_OK;
}

static void module_destroy(struct module *module)
{
    struct entry *entry, *next;

    if (!module) {
        return;
    }
    HASH_ITER(hh, module->entries, entry, next)
    {
        HASH_DEL(module->entries, entry);
        free(entry);
    }
    if (module->exports && module->exports->finish) {
        module->exports->finish(module->arg);
    }
    free(module->name);
    free(module);
}

static dwq_status_t add_table(struct module *module,
                              const dwq_function_t *functions,
                              struct dwqi_error *reason)
{
    dwq_status_t status = DWQ_OK;

    for (const dwq_function_t *f = functions; f && f->name && status == DWQ_OK;
         f++) {
        status = add_entry(module, f, reason);
    }
    return status;
}

/* What does not begin with '/' is seen from there, also when calls go elsewhere. */
static char *current_folder(void)
{
    char here[PATH_MAX];

    return strdup(getcwd(here, sizeof here) ? here : ".");
}

static void registry_free(struct dwqi_registry *registry)
{
    if (registry) {
        free(registry->here);
        free(registry->module_path);
        free(registry);
    }
}

dwq_status_t dwqi_registry_create(const dwq_function_t *functions, void *arg,
                                  const char *module_path,
                                  const struct dwqi_log *log,
                                  struct dwqi_registry **registry_out,
                                  struct dwqi_error *reason_out)
{
    struct dwqi_registry *registry = calloc(1, sizeof *registry);
    struct module *module = calloc(1, sizeof *module);
    dwq_status_t status = DWQ_E_NOMEM;

    if (registry && module) {
        *registry = (struct dwqi_registry){ .here = current_folder(),
                                            .module_path = strdup(module_path),
                                            .log = log,
                                            .main = module };
        module->arg = arg;
        status = registry->here && registry->module_path
                     ? add_table(module, functions, reason_out)
                     : DWQ_E_NOMEM;
    }
    if (status != DWQ_OK) {
        module_destroy(module);
        registry_free(registry);
        return status;
    }
    *registry_out = registry;
    return DWQ_OK;
}

void dwqi_registry_destroy(struct dwqi_registry *registry)
{
    struct module *module, *next;

    if (!registry) {
        return;
    }
    HASH_ITER(hh, registry->modules, module, next)
    {
        HASH_DEL(registry->modules, module);
        module_destroy(module);
    }
    module_destroy(registry->main);
    registry_free(registry);
}

/* --- Modules ------------------------------------------------------------ */

/* A name is a file name without its ".so": no folders, no hidden files. */
static bool is_module_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strlen(name) <= 200 &&
           strchr(name, '/') == NULL && strchr(name, ':') == NULL;
}

/* Open a file and check that it is a module of this ABI. */
static dwq_status_t open_file(struct module *module, const char *path,
                              struct dwqi_error *reason)
{
    const dwq_module_t *exports;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    if (!handle) {
        locale_t outer = dwqi_plain_enter();
        const char *why = dlerror();

        dwqi_plain_leave(outer);
        return dwqi_error_set(reason, DWQ_E_TASK,
                              "module '%s' cannot be loaded: %s", module->name,
                              why);
    }
    exports = dlsym(handle, "dwq_module");
    if (!exports) {
        return dwqi_error_set(reason, DWQ_E_TASK,
                              "module '%s' (%s) exports no DWQ_MODULE()",
                              module->name, path);
    }
    if (exports->abi != DWQ_ABI) {
        return dwqi_error_set(
            reason, DWQ_E_TASK,
            "module '%s' (%s) was built for ABI %d, this libdwq has "
            "ABI %d: build it again",
            module->name, path, exports->abi, DWQ_ABI);
    }
    module->exports = exports;
    if (exports->init) {
        module->arg = exports->init();
    }
    return add_table(module, exports->functions, reason) == DWQ_OK ? DWQ_OK
                                                                   : DWQ_E_TASK;
}

static dwq_status_t load(struct dwqi_registry *registry, const char *name,
                         struct module **module_out, struct dwqi_error *reason)
{
    struct module *module = calloc(1, sizeof *module);
    char *path = dwqi_module_file(registry->here, registry->module_path, name,
                                  reason->text, sizeof reason->text);
    dwq_status_t status = DWQ_E_TASK;

    if (module) {
        module->name = strdup(name);
    }
    if (!module || !module->name) {
        dwqi_error_set(reason, status, "out of memory");
    } else if (path) {
        status = open_file(module, path, reason);
    }
    free(path);
    if (status != DWQ_OK) {
        module_destroy(module);
        return status;
    }
    HASH_ADD_KEYPTR(hh, registry->modules, module->name, strlen(module->name),
                    module);
    if (module->oom) {
        module_destroy(module);
        return dwqi_error_set(reason, DWQ_E_TASK, "out of memory");
    }
    dwqi_log_info(registry->log, "loaded module '%s'", name);
    *module_out = module;
    return DWQ_OK;
}

static dwq_status_t find_module(struct dwqi_registry *registry,
                                const char *name, struct module **module_out,
                                struct dwqi_error *reason)
{
    struct module *module;

    if (!name || strcmp(name, "__main__") == 0) {
        *module_out = registry->main;
        return DWQ_OK;
    }
    HASH_FIND_STR(registry->modules, name, module);
    if (module) {
        *module_out = module;
        return DWQ_OK;
    }
    if (!is_module_name(name)) {
        return dwqi_error_set(reason, DWQ_E_TASK, "'%.*s' is not a module name",
                              dwqi_plain_fit(name, 200), name);
    }
    return load(registry, name, module_out, reason);
}

dwq_status_t dwqi_registry_find(struct dwqi_registry *registry,
                                const char *module, const char *function,
                                dwq_function_t *function_out,
                                struct dwqi_error *reason_out)
{
    struct module *found = NULL;
    struct entry *entry;
    dwq_status_t status = find_module(registry, module, &found, reason_out);

    if (status != DWQ_OK) {
        return status;
    }
    entry = found->last;
    if (!entry || strcmp(entry->function.name, function) != 0) {
        HASH_FIND_STR(found->entries, function, entry);
        found->last = entry;
    }
    if (!entry) {
        return dwqi_error_set(reason_out, DWQ_E_TASK,
                              "no function '%.*s' in module '%s'",
                              dwqi_plain_fit(function, 200), function,
                              module ? module : "__main__");
    }
    *function_out = entry->function;
    return DWQ_OK;
}

static dwq_status_t no_function(const char *role, const char *module,
                                const char *name, struct dwqi_error *reason_out)
{
    return dwqi_error_set(
        reason_out, DWQ_E_OPTION, "no %s function '%.*s' in module '%s'", role,
        dwqi_plain_fit(name ? name : "(default)", 200),
        name ? name : "(default)", module ? module : "__main__");
}

dwq_status_t dwqi_registry_find_worker(
    struct dwqi_registry *registry, const char *module, const char *name,
    int (**function_out)(dwq_worker_t *worker, void *arg), void **arg_out,
    struct dwqi_error *reason_out)
{
    struct module *found = NULL;
    dwq_status_t status = find_module(registry, module, &found, reason_out);
    int (*function)(dwq_worker_t *, void *) = NULL;

    if (status != DWQ_OK) {
        return status;
    }
    if (!name) {
        function = found->exports ? found->exports->worker : NULL;
    } else if (found->exports) {
        const dwq_worker_function_t *w = found->exports->workers;

        while (w && w->name && strcmp(w->name, name) != 0) {
            w++;
        }
        function = w && w->name ? w->function : NULL;
    }
    if (!function) {
        return no_function("worker", module, name, reason_out);
    }
    *function_out = function;
    *arg_out = found->arg;
    return DWQ_OK;
}

dwq_status_t dwqi_registry_find_broker(
    struct dwqi_registry *registry, const char *module, const char *name,
    int (**function_out)(dwq_broker_t *broker, void *arg), void **arg_out,
    struct dwqi_error *reason_out)
{
    struct module *found = NULL;
    dwq_status_t status = find_module(registry, module, &found, reason_out);
    const dwq_module_t *exports = status == DWQ_OK ? found->exports : NULL;
    const dwq_broker_function_t *b = exports ? exports->brokers : NULL;
    int (*function)(dwq_broker_t *, void *) = NULL;

    if (status != DWQ_OK) {
        return status;
    }
    while (name && b && b->name && strcmp(b->name, name) != 0) {
        b++;
    }
    if (!name) {
        function = exports ? exports->broker : NULL;
    } else if (b && b->name) {
        function = b->function;
    }
    if (!function) {
        return no_function("broker", module, name, reason_out);
    }
    *function_out = function;
    *arg_out = found->arg;
    return DWQ_OK;
}

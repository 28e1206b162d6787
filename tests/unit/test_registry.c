/* Functions by name: of the program's own table, and of modules, which
 * registry_module.c is built to in several ways. UNIT_MODULES is their folder. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/temporary.h"
#include "workers/registry.h"

static const struct dwqi_log quiet = { .line = NULL };

static int plain(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    return 1;
}

static int other(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    return 2;
}

static const dwq_function_t functions[] = {
    { .name = "plain", .function = plain },
    { .name = "other", .function = other, .arg = "its own" },
    { .name = NULL },
};

static struct dwqi_registry *create(const char *module_path)
{
    struct dwqi_registry *registry = NULL;
    struct dwqi_error reason = { .text = "" };

    cr_assert_eq(dwqi_registry_create(functions, "of the options", module_path,
                                      &quiet, &registry, &reason),
                 DWQ_OK, "%s", reason.text);
    return registry;
}

/* Found, with this argument, and returning that when called. */
static void finds(struct dwqi_registry *registry, const char *module,
                  const char *function, const char *arg, int returns)
{
    struct dwqi_error reason = { .text = "" };
    dwq_function_t found = { .name = NULL };

    cr_assert_eq(
        dwqi_registry_find(registry, module, function, &found, &reason), DWQ_OK,
        "%s", reason.text);
    cr_assert_str_eq(found.name, function);
    cr_assert_str_eq(found.arg, arg);
    cr_assert_eq(found.function(NULL, found.arg), returns);
}

#define EXPECT_NAMED(reason, what)                                           \
    cr_assert_not_null(strstr((reason).text, what), "no '%s' in '%s'", what, \
                       (reason).text)

/* Not found, for a reason that names both words. */
static void misses(struct dwqi_registry *registry, const char *module,
                   const char *function, const char *word, const char *word2)
{
    struct dwqi_error reason = { .text = "" };
    dwq_function_t found = { .name = "untouched" };

    cr_assert_eq(
        dwqi_registry_find(registry, module, function, &found, &reason),
        DWQ_E_TASK);
    EXPECT_NAMED(reason, word);
    EXPECT_NAMED(reason, word2);
    cr_assert_str_eq(found.name, "untouched");
}

static int times(const char *what)
{
    const char *text = getenv(what);

    return text ? atoi(text) : 0;
}

/* --- The program's table ------------------------------------------------ */

Test(registry, functions_of_the_program)
{
    struct dwqi_registry *registry = create(".");

    finds(registry, NULL, "plain", "of the options", 1);
    finds(registry, "__main__", "other", "its own", 2);
    dwqi_registry_destroy(registry);
}

Test(registry, only_what_stands_in_a_table_can_be_called)
{
    static const char *const names[] = { "exit", "system", "abort", "",
                                         "main", "plain ", "Plain", "plai" };
    struct dwqi_registry *registry = create(UNIT_MODULES);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        misses(registry, NULL, names[i], names[i], "__main__");
        misses(registry, "unit_good", names[i], names[i], "unit_good");
    }
    dwqi_registry_destroy(registry);
}

Test(registry, program_may_have_no_table)
{
    struct dwqi_registry *registry = NULL;
    struct dwqi_error reason = { .text = "" };

    cr_assert_eq(
        dwqi_registry_create(NULL, NULL, ".", &quiet, &registry, &reason),
        DWQ_OK);
    misses(registry, NULL, "plain", "plain", "__main__");
    dwqi_registry_destroy(registry);
    dwqi_registry_destroy(NULL);
}

static void bad_table(const dwq_function_t *table, const char *word,
                      const char *word2)
{
    struct dwqi_registry *registry = NULL;
    struct dwqi_error reason = { .text = "" };

    cr_assert_eq(
        dwqi_registry_create(table, NULL, ".", &quiet, &registry, &reason),
        DWQ_E_OPTION);
    cr_assert_null(registry);
    EXPECT_NAMED(reason, word);
    EXPECT_NAMED(reason, word2);
}

Test(registry, bad_tables_are_refused)
{
    static const dwq_function_t twice[] = {
        { .name = "same", .function = plain },
        { .name = "b", .function = plain },
        { .name = "same", .function = other },
        { .name = NULL },
    };
    static const dwq_function_t null[] = {
        { .name = "hollow", .function = NULL },
        { .name = NULL },
    };

    bad_table(twice, "same", "twice");
    bad_table(null, "hollow", "NULL");
}

/* --- Modules ------------------------------------------------------------ */

Test(registry, module_is_begun_and_ended_once)
{
    struct dwqi_registry *registry = create(UNIT_MODULES);

    cr_assert_eq(times("UNIT_MODULE_BEGUN"), 0, "not before it is used");
    for (int i = 0; i < 3; i++) {
        finds(registry, "unit_good", "own", "of the module", 7);
        finds(registry, "unit_good", "with_arg", "of the entry", 7);
    }
    cr_assert_eq(times("UNIT_MODULE_BEGUN"), 1);
    cr_assert_eq(times("UNIT_MODULE_ENDED"), 0);
    misses(registry, NULL, "own", "own", "__main__");
    dwqi_registry_destroy(registry);
    cr_assert_eq(times("UNIT_MODULE_BEGUN"), 1);
    cr_assert_eq(times("UNIT_MODULE_ENDED"), 1);

    registry = create(UNIT_MODULES); /* a second run of the process */
    finds(registry, "unit_good", "own", "of the module", 7);
    dwqi_registry_destroy(registry);
    cr_assert_eq(times("UNIT_MODULE_BEGUN"), 2);
    cr_assert_eq(times("UNIT_MODULE_ENDED"), 2);
}

Test(registry, a_module_is_loaded_in_the_users_locale)
{
    struct dwqi_registry *registry = create(UNIT_MODULES);

    finds(registry, "unit_good", "own", "of the module", 7);
    dwqi_registry_destroy(registry);
    cr_assert_eq(times("UNIT_MODULE_LOADED_IN_LOCALE"), 1);
}

Test(registry, unknown_module_names_the_folders)
{
    struct dwqi_registry *registry = create("/nowhere:/not/here");

    misses(registry, "geometry", "area", "geometry", "/nowhere:/not/here");
    finds(registry, NULL, "plain", "of the options", 1);
    dwqi_registry_destroy(registry);
}

Test(registry, names_that_leave_the_folders_are_refused)
{
    static const char *const names[] = { "",
                                         "/",
                                         "unit/unit_good",
                                         "../unit/unit_good",
                                         "./unit_good",
                                         UNIT_MODULES "/unit_good",
                                         ".hidden",
                                         "a:b" };
    struct dwqi_registry *registry =
        create(UNIT_MODULES ":" UNIT_MODULES "/..");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        misses(registry, names[i], "own", names[i], "not a module name");
    }
    cr_assert_eq(times("UNIT_MODULE_BEGUN"), 0);
    dwqi_registry_destroy(registry);
}

Test(registry, module_name_that_is_too_long_is_refused)
{
    struct dwqi_registry *registry = create(UNIT_MODULES);
    char name[5000];

    memset(name, 'm', sizeof name);
    name[sizeof name - 1] = '\0';
    misses(registry, name, "own", "mmm", "not a module name");
    dwqi_registry_destroy(registry);
}

Test(registry, module_of_another_abi_is_refused)
{
    struct dwqi_registry *registry = create(UNIT_MODULES);
    char theirs[40], ours[40];

    snprintf(theirs, sizeof theirs, "ABI %d,", DWQ_ABI + 1);
    snprintf(ours, sizeof ours, "ABI %d:", DWQ_ABI);
    misses(registry, "unit_other_abi", "own", "unit_other_abi", theirs);
    misses(registry, "unit_other_abi", "own", "build it again", ours);
    cr_assert_eq(times("UNIT_MODULE_BEGUN"), 0, "nothing of it is called");
    cr_assert_eq(times("UNIT_MODULE_ENDED"), 0);
    finds(registry, NULL, "plain", "of the options", 1);
    finds(registry, "unit_good", "own", "of the module", 7);
    dwqi_registry_destroy(registry);
}

Test(registry, module_without_exports_is_refused)
{
    struct dwqi_registry *registry = create(UNIT_MODULES);

    misses(registry, "unit_bare", "own", "unit_bare", "DWQ_MODULE");
    dwqi_registry_destroy(registry);
    cr_assert_eq(times("UNIT_MODULE_ENDED"), 0);
}

Test(registry, module_with_a_name_twice_is_refused)
{
    struct dwqi_registry *registry = create(UNIT_MODULES);

    misses(registry, "unit_twice", "with_arg", "own", "twice");
    cr_assert_eq(times("UNIT_MODULE_ENDED"), times("UNIT_MODULE_BEGUN"));
    dwqi_registry_destroy(registry);
    cr_assert_eq(times("UNIT_MODULE_ENDED"), times("UNIT_MODULE_BEGUN"));
}

/* A folder with "unit_good.so", which is another module, and "broken.so". */
static void make_folder(char *folder)
{
    char path[TEMPORARY_SIZE + 20];
    FILE *file;

    temporary_name(folder, "dwq_registry");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/unit_good.so", folder);
    cr_assert_eq(symlink(UNIT_MODULES "/unit_bare.so", path), 0);
    snprintf(path, sizeof path, "%s/broken.so", folder);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs("not a shared object\n", file);
    fclose(file);
}

static void remove_folder(const char *folder)
{
    char path[TEMPORARY_SIZE + 20];

    snprintf(path, sizeof path, "%s/unit_good.so", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/broken.so", folder);
    unlink(path);
    rmdir(folder);
}

Test(registry, folders_are_searched_in_order)
{
    char folder[TEMPORARY_SIZE];
    char path[800];
    struct dwqi_registry *registry;

    make_folder(folder);
    snprintf(path, sizeof path, "/nowhere:%s:" UNIT_MODULES, folder);
    registry = create(path);
    misses(registry, "unit_good", "own", folder, "DWQ_MODULE");
    misses(registry, "unit_other_abi", "own", UNIT_MODULES, "ABI");
    misses(registry, "broken", "own", "broken", "cannot be loaded");
    dwqi_registry_destroy(registry);

    snprintf(path, sizeof path, "/nowhere:" UNIT_MODULES ":%s", folder);
    registry = create(path);
    finds(registry, "unit_good", "own", "of the module", 7);
    dwqi_registry_destroy(registry);
    remove_folder(folder);
}

Test(registry, empty_folder_of_the_path_is_the_current_one)
{
    static const char *const paths[] = { "", ":/nowhere",
                                         "/nowhere:", "/nowhere::/nowhere",
                                         "." };

    cr_assert_eq(chdir(UNIT_MODULES), 0);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct dwqi_registry *registry = create(paths[i]);

        finds(registry, "unit_good", "own", "of the module", 7);
        dwqi_registry_destroy(registry);
    }
}

/* --- Worker functions --------------------------------------------------- */

static dwq_status_t find_worker(struct dwqi_registry *registry,
                                const char *module, const char *name,
                                int returns, struct dwqi_error *reason)
{
    int (*function)(dwq_worker_t *, void *) = NULL;
    void *arg = NULL;
    dwq_status_t status = dwqi_registry_find_worker(registry, module, name,
                                                    &function, &arg, reason);

    cr_assert_eq(status == DWQ_OK, function != NULL);
    if (function) {
        cr_assert_eq(function(NULL, arg), returns);
        cr_assert_str_eq(arg, "of the module");
    }
    return status;
}

Test(registry, worker_functions_of_a_module)
{
    struct dwqi_registry *registry = create(UNIT_MODULES);
    struct dwqi_error reason = { .text = "" };

    cr_assert_eq(find_worker(registry, "unit_good", NULL, 8, &reason), DWQ_OK);
    cr_assert_eq(find_worker(registry, "unit_good", "named", 9, &reason),
                 DWQ_OK);
    cr_assert_eq(find_worker(registry, "unit_good", "own", 0, &reason),
                 DWQ_E_OPTION, "a function is no worker function");
    EXPECT_NAMED(reason, "own");
    EXPECT_NAMED(reason, "unit_good");
    cr_assert_eq(find_worker(registry, NULL, "named", 0, &reason),
                 DWQ_E_OPTION);
    EXPECT_NAMED(reason, "__main__");
    cr_assert_eq(find_worker(registry, "unit_none", "named", 0, &reason),
                 DWQ_E_TASK);
    EXPECT_NAMED(reason, "unit_none");
    dwqi_registry_destroy(registry);
}

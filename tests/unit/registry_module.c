/* A module for test_registry.c, built several times: as it should be, for
 * another ABI, with a name twice, and without its exports. It counts in the
 * environment, which outlives it, how often it was begun and ended. */
#include <dwq/dwq.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef UNIT_ABI
#define UNIT_ABI DWQ_ABI
#endif

static void count(const char *name)
{
    const char *text = getenv(name);
    char next[20];

    snprintf(next, sizeof next, "%d", (text ? atoi(text) : 0) + 1);
    setenv(name, next, 1);
}

/* Code of the user's runs while a module is loaded. */
__attribute__((constructor)) static void construct(void)
{
    if (uselocale((locale_t)0) == LC_GLOBAL_LOCALE) {
        count("UNIT_MODULE_LOADED_IN_LOCALE");
    }
}

static void *begin(void)
{
    static const char state[] = "of the module";

    count("UNIT_MODULE_BEGUN");
    return (void *)(size_t)state;
}

static void end(void *arg)
{
    (void)arg;
    count("UNIT_MODULE_ENDED");
}

static int own(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    return 7;
}

static int work(dwq_worker_t *worker, void *arg)
{
    (void)worker;
    (void)arg;
    return 8;
}

static int work_by_name(dwq_worker_t *worker, void *arg)
{
    (void)worker;
    (void)arg;
    return 9;
}

static const dwq_function_t functions[] = {
    { .name = "own", .function = own },
    { .name = "with_arg", .function = own, .arg = "of the entry" },
#ifdef UNIT_TWICE
    { .name = "own", .function = own },
#endif
    { .name = NULL },
};

static const dwq_worker_function_t workers[] = {
    { .name = "named", .function = work_by_name },
    { .name = NULL },
};

#ifdef UNIT_EXPORTS_NOTHING
const dwq_module_t unit_module = {
#else
DWQ_API extern const dwq_module_t dwq_module;
const dwq_module_t dwq_module = {
#endif
    .abi = UNIT_ABI,
    .functions = functions,
    .init = begin,
    .finish = end,
    .worker = work,
    .workers = workers,
};

/* What surrounds a run: the user's language, the folder that calls work in, libraries
 * that keep pointers into modules, and texts of any kind. */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/mpi/scenario.h"

static void submit(dwq_controller_t *c, const char *module,
                   const char *function, int worker)
{
    CHECK(dwq_controller_submit_call(c,
                                     &(dwq_task_t){ .function = function,
                                                    .module = module,
                                                    .worker = worker },
                                     NULL) == DWQ_OK);
}

static int n_workers(const dwq_controller_t *c)
{
    int n = dwq_controller_world(c).n_workers;

    return n > 0 ? n : 1;
}

/* --- Language ---------------------------------------------------------------- */

static int fails_with_a_number(dwq_call_t *call, void *arg)
{
    (void)arg;
    return dwq_call_fail(call, 1, "dt is %.2f", 0.25);
}

static const dwq_function_t numbers[] = {
    { "fails", fails_with_a_number, NULL }, { NULL, NULL, NULL }
};

static int hears_a_number(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    const dwq_value_t *given =
        dwq_map_find(dwq_controller_run_args(c), "viscosity");
    double viscosity = 0;

    (void)arg;
    CHECK(given && dwq_read_double(given, &viscosity) && viscosity == 3.25);
    for (int w = 1; w <= n_workers(c); w++) {
        submit(c, NULL, "fails", w);
    }
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        CHECK(strcmp(result.message, "dt is 0.25") == 0);
        dwq_result_clear(&result);
    }
    return 0;
}

/* With numbers in the environment and in the options, which are compared as text. The
 * driver set LC_ALL; only one rank's program is translated. */
static void one_rank_writes_numbers_with_a_comma(void)
{
    char text[8];

    if (world_rank() == 0) {
        CHECK(setlocale(LC_ALL, "") != NULL);
        snprintf(text, sizeof text, "%.1f", 0.5);
        CHECK(strcmp(text, "0,5") == 0);
    }
    setenv("DWQ_IDLE_WAIT", "0.002", 1);
    for (int nprocs = 1; nprocs <= 2; nprocs++) {
        scenario_run_options(&(dwq_options_t){
            .controller = hears_a_number,
            .functions = numbers,
            .nprocs_per_worker = nprocs,
            .broker_is_worker = nprocs > 1,
            .time_limit = 1000.5,
            .run_args = DWQ_ENTRIES({ "viscosity", dwq_value(3.25) }) });
    }
}

/* --- Folders ------------------------------------------------------------------- */

static int goes_elsewhere(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    setenv("DWQ_MODULE_PATH", "/nowhere", 1);
    return chdir("/") == 0 ? 0 : 1;
}

static const dwq_function_t elsewhere[] = { { "go", goes_elsewhere, NULL },
                                            { NULL, NULL, NULL } };

static int uses_a_module_elsewhere(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;

    (void)arg;
    for (int w = 1; w <= n_workers(c); w++) {
        submit(c, NULL, "go", w);
        submit(c, "attribute_module", "cache", w);
    }
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        if (result.status != DWQ_OK) {
            fprintf(stderr, "%s\n", result.message);
        }
        CHECK(result.status == DWQ_OK);
        dwq_result_clear(&result);
    }
    return 0;
}

static void play_elsewhere(int nprocs, bool inside)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = uses_a_module_elsewhere,
                          .functions = elsewhere,
                          .nprocs_per_worker = nprocs,
                          .broker_is_worker = inside });
}

/* The driver set DWQ_MODULE_PATH to a folder beside the current one. */
static void a_call_goes_to_another_folder(void)
{
    play_elsewhere(1, false);
}

static void calls_of_groups_go_to_another_folder(void)
{
    play_elsewhere(2, true);
}

/* --- Modules that others point into ------------------------------------------------ */

static int caches(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    int n = 0, n_of_comm, n_runs = *(int *)arg;

    for (int w = 1; w <= n_workers(c); w++) {
        for (int i = 0; i < 3; i++) {
            submit(c, "attribute_module", "cache", w);
        }
    }
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        CHECK(dwq_result_get(&result, 0, 0, &n) && n >= 1);
        CHECK(n <= 3 * n_workers(c) * n_runs);
        CHECK(dwq_result_get(&result, 0, 1, &n_of_comm) && n_of_comm >= 1);
        dwq_result_clear(&result);
    }
    return 0;
}

/* Several runs in one process; the last attributes go in MPI_Finalize. */
static void modules_leave_attributes(void)
{
    for (int run = 1; run <= 3; run++) {
        scenario_run_options(&(dwq_options_t){ .controller = caches,
                                               .arg = &run,
                                               .nprocs_per_worker = run,
                                               .broker_is_worker = true });
    }
}

/* --- Texts ---------------------------------------------------------------------------- */

/* "ü" n times behind a letter, so that a cut at an even place is inside of one. */
static void fill(char *text, size_t n)
{
    strcpy(text, "x");
    for (size_t i = 0; i < n; i++) {
        strcat(text, "ü");
    }
}

static int fails_at_length(dwq_call_t *call, void *arg)
{
    char text[1200];

    (void)arg;
    fill(text, 500);
    return dwq_call_fail(call, 7, "%s", text);
}

static const dwq_function_t long_ones[] = {
    { "fails_at_length", fails_at_length, NULL }, { NULL, NULL, NULL }
};

/* Whether no character of two bytes was cut, and nothing steers a terminal. */
static bool is_text(const char *message)
{
    const unsigned char *at = (const unsigned char *)message;

    for (; *at; at++) {
        if (*at < ' ' || (*at >= 0x80 && (*at++ != 0xc3 || *at != 0xbc))) {
            return false;
        }
    }
    return true;
}

static int gives_long_names(dwq_controller_t *c, void *arg)
{
    char name[1200];
    dwq_result_t result;
    int n = 0;

    (void)arg;
    fill(name, 500);
    submit(c, NULL, "fails_at_length", 0);
    submit(c, NULL, name, 0);
    submit(c, name, "f", 0);
    submit(c, "new\nline\x1b[31m", "f", 0);
    submit(c, NULL, "new\nline\x1b[31m", 0);
    for (; dwq_controller_get_next_result(c, &result) == DWQ_OK; n++) {
        CHECK(result.status == DWQ_E_TASK);
        if (!is_text(result.message)) {
            fprintf(stderr, "'%s'\n", result.message);
        }
        CHECK(is_text(result.message));
        CHECK(result.code != 7 || strlen(result.message) == 511);
        dwq_result_clear(&result);
    }
    CHECK(n == 5);
    return 0;
}

static void texts_are_cut_between_characters(void)
{
    for (int nprocs = 1; nprocs <= 2; nprocs++) {
        scenario_run_options(&(dwq_options_t){ .controller = gives_long_names,
                                               .functions = long_ones,
                                               .nprocs_per_worker = nprocs });
    }
}

/* --- Settings that are none --------------------------------------------------------- */

struct heard {
    const char *name, *value; /* to be named together */
    int n_lines;
};

static void hear(const char *line, void *arg)
{
    struct heard *heard = arg;

    heard->n_lines += strstr(line, heard->name) && strstr(line, heard->value);
    CHECK(strchr(line, '\n') == NULL);
}

static int never(dwq_controller_t *c, void *arg)
{
    (void)c;
    (void)arg;
    CHECK(!"a run with a bad setting began");
    return 0;
}

/* Refused on all ranks, and one of them says why. */
static void expect_refused(const dwq_options_t *options, const char *name,
                           const char *value)
{
    struct heard heard = { .name = name, .value = value };
    dwq_options_t own = *options;
    int n_lines = 0;

    own.controller = never;
    own.log = hear;
    own.log_arg = &heard;
    CHECK(dwq_run(&own, NULL) == DWQ_E_OPTION);
    MPI_Allreduce(&heard.n_lines, &n_lines, 1, MPI_INT, MPI_SUM,
                  MPI_COMM_WORLD);
    if (n_lines != 1) {
        fprintf(stderr, "%s '%s': named %d times\n", name, value, n_lines);
    }
    CHECK(n_lines == 1);
}

static void bad_settings_are_named_with_their_value(void)
{
    static const struct {
        const char *name, *value;
        dwq_options_t options;
    } variables[] = {
        { "DWQ_CONTROLLER_RANK", " 1x", { .verbose = false } },
        { "DWQ_CONTROLLER_RANK", "1e3", { .verbose = false } },
        { "DWQ_CONTROLLER_RANK", "99999999999999999999", { .verbose = false } },
        { "DWQ_IDLE_WAIT", "0,001", { .verbose = false } },
        { "DWQ_IDLE_WAIT", "1e999", { .verbose = false } },
        { "DWQ_IDLE_WAIT", "1 ms x", { .verbose = false } },
        { "DWQ_PREFETCH", "3.5", { .verbose = false } },
        { "DWQ_VERBOSE", "yes", { .verbose = false } },
        { "DWQ_THREADS_PER_RANK", "2x", { .nprocs_per_worker = 2 } },
        { "DWQ_SPAWN_TIMEOUT",
          "10x",
          { .grouping = DWQ_GROUPING_SPAWN, .max_workers = 1 } },
    };

    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        setenv(variables[i].name, variables[i].value, 1);
        expect_refused(&variables[i].options, variables[i].name,
                       variables[i].value);
        unsetenv(variables[i].name);
    }
    expect_refused(&(dwq_options_t){ .worker_name = "w\n\x1b[31m" },
                   "worker_name", "w\\n\\x1b[31m");
    expect_refused(&(dwq_options_t){ .worker_module = "m\n\x1b[31m" },
                   "worker_module", "m\\n\\x1b[31m");
}

int main(int argc, char **argv)
{
#define S(name)     \
    {               \
#name, name \
    }
    static const struct scenario scenarios[] = {
        S(one_rank_writes_numbers_with_a_comma),
        S(a_call_goes_to_another_folder),
        S(calls_of_groups_go_to_another_folder),
        S(modules_leave_attributes),
        S(texts_are_cut_between_characters),
        S(bad_settings_are_named_with_their_value),
        { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}

/* Options from one rank to another: each row of the table arrives, of whatever kind. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libdwq/run/options_private.h"
#include "libdwq/run/run_private.h"

/* What was told, a broadcast after the other. */
static unsigned char *told[4];
static int n_told, n_heard;

static dwq_status_t say(struct run *run, void *data, size_t size)
{
    (void)run;
    told[n_told] = malloc(size);
    cr_assert(told[n_told]);
    memcpy(told[n_told++], data, size);
    return DWQ_OK;
}

static dwq_status_t listen(struct run *run, void *data, size_t size)
{
    (void)run;
    cr_assert(n_heard < n_told);
    memcpy(data, told[n_heard], size);
    free(told[n_heard++]);
    return DWQ_OK;
}

static dwq_status_t agree(struct run *run, dwq_status_t status,
                          struct dwqi_error *fault)
{
    (void)run;
    (void)fault;
    return status;
}

/* Rank `to` takes the options of `from`, and keeps what is its own. */
static void pass(struct run *from, struct run *to)
{
    dwq_options_t own = to->options;
    struct dwqi_told heard;
    struct dwqi_pack pack;
    struct dwqi_error fault = { .text = "" };
    size_t size = 0;

    n_told = n_heard = 0;
    cr_assert_eq(
        dwqi_run_pack_options(from, (dwq_kwargs_t){ 0, NULL }, &pack, &fault),
        DWQ_OK);
    cr_assert_eq(dwqi_run_tell(from, &(struct dwqi_run_way){ say, agree },
                               pack.block, pack.block_size, &fault),
                 DWQ_OK);
    dwqi_pack_finish(&pack);
    cr_assert_eq(dwqi_run_hear(to, &(struct dwqi_run_way){ listen, agree },
                               &to->settings, &size, &fault),
                 DWQ_OK, "%s", fault.text);
    cr_assert_eq(dwqi_run_read_options(to, size, &heard), DWQ_OK);
    cr_assert_eq(dwqi_run_take_options(to, &own, &heard), DWQ_OK);
}

static void finish(struct run *run)
{
    dwqi_arena_finish(&run->settings_arena);
    free(run->settings);
}

/* Something else than the default, and than in other rows. */
static void set_row(dwq_options_t *o, size_t i)
{
    static const char *const list[] = { "a", "", "c", NULL };
    const struct dwqi_option_row *row = &dwqi_option_rows[i];
    void *at = (char *)o + row->offset;

    switch (row->kind) {
    case KIND_INT:
        *(int *)at = (int)row->max;
        break;
    case KIND_BOOL:
        *(bool *)at = true;
        break;
    case KIND_SECONDS:
        *(double *)at = 0.1 + (double)i;
        break;
    case KIND_STRING:
        *(const char **)at = row->name;
        break;
    case KIND_STRINGS:
        *(const char *const **)at = list;
        break;
    }
}

static char *text_of(const dwq_options_t *o)
{
    struct dwqi_buffer text = { .data = NULL };
    struct dwqi_error fault = { .text = "" };

    cr_assert_eq(dwqi_options_text(o, &text, &fault), DWQ_OK);
    return (char *)text.data;
}

Test(tell, every_option_is_told)
{
    struct run from = { .exit_code = 0 };
    char *mine, *theirs;

    for (size_t i = 0; i < dwqi_n_option_rows; i++) {
        set_row(&from.options, i);
    }
    from.options.module_path = "/from";
    from.options.run_args =
        DWQ_ENTRIES({ "n", dwq_value(7) },
                    { "x", dwq_value(dwq_array(DWQ_DOUBLE, (double[]){ 1, 2 },
                                               1, (size_t[]){ 2 })) });
    for (int follows = 0; follows < 2; follows++) {
        struct run to = { .follows = follows,
                          .options = { .module_path = "/own" } };

        pass(&from, &to);
        cr_assert_str_eq(to.options.module_path, follows ? "/from" : "/own");
        to.options.module_path = "/from";
        mine = text_of(&from.options);
        theirs = text_of(&to.options);
        cr_assert_str_eq(theirs, mine);
        free(mine);
        free(theirs);
        finish(&to);
    }
}

static int any_worker(dwq_worker_t *worker, void *arg)
{
    (void)worker;
    (void)arg;
    return 0;
}

Test(tell, what_is_local_to_a_process_stays)
{
    static const dwq_function_t functions[] = { { .name = NULL } };
    struct run from = { .options = { .worker = any_worker,
                                     .module_path = "/from" } };
    struct run to = { .follows = true,
                      .options = { .functions = functions,
                                   .arg = &to,
                                   .max_workers = 3,
                                   .worker_name = "mine" } };

    pass(&from, &to);
    cr_assert(!to.options.worker && to.options.functions == functions &&
              to.options.arg == &to);
    cr_assert(!to.options.worker_name && to.options.max_workers == 0);
    finish(&to);
}

/* One folder of modules, the program's own first; relative ones as it sees them. */
Test(tell, paths_are_seen_from_the_folder_of_the_teller)
{
    static const char *const rows[][3] = {
        { "a:/b::../c", "/own", "/tmp/a:/b:/tmp/:/tmp/../c" },
        { "a", NULL, "/tmp/a" },
        { ".", "own", "own" },
        { ".", NULL, "/tmp/." },
        { ".", "", "/tmp/." },
    };

    unsetenv("DWQ_MODULE_PATH");
    cr_assert_eq(chdir("/tmp"), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run from = { .options = { .module_path = rows[i][0],
                                         .spawn_executable = "./a:b" } };
        struct run to = { .follows = true,
                          .options = { .module_path = rows[i][1] } };

        pass(&from, &to);
        cr_expect_str_eq(to.options.module_path, rows[i][2]);
        cr_expect_str_eq(to.options.spawn_executable, "/tmp/./a:b");
        finish(&to);
    }
    setenv("DWQ_MODULE_PATH", "/environment", 1);
    {
        struct run from = { .options = { .module_path = ".",
                                         .spawn_executable = "name" } };
        struct run to = { .follows = true };

        pass(&from, &to);
        cr_expect_str_eq(to.options.module_path, "/environment");
        cr_expect_str_eq(to.options.spawn_executable, "name");
        finish(&to);
    }
}

/* Starts the scenarios of surroundings.c, each in its surroundings. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/comma_locale.h"
#include "tests/mpi/launch.h"

static void expect_success(const char *scenario, int ranks)
{
    struct launched job = launch_scenario(&(struct launch){
        .program = "surroundings",
        .argument = scenario,
        .ranks = ranks,
    });

    cr_expect(!job.timed_out && job.status == 0,
              "%s on %d ranks: status %d\n%s", scenario, ranks, job.status,
              job.output);
    free(job.output);
}

Test(surroundings, one_rank_writes_numbers_with_a_comma, .timeout = 200)
{
    char folder[TEMPORARY_SIZE];

    if (!comma_locale_make(folder)) {
        cr_skip_test("localedef makes no " COMMA_LOCALE " here");
    }
    setenv("LC_ALL", COMMA_LOCALE, 1);
    expect_success("one_rank_writes_numbers_with_a_comma", 3);
    comma_locale_remove(folder);
}

/* Jobs begin in the folder beside the one with the modules. */
static void enter_folder_beside(void)
{
    const char *folder = getenv("DWQ_TEST_PROGRAMS");
    const char *name = folder ? strrchr(folder, '/') : NULL;
    char relative[4096];

    cr_assert(name && chdir(folder) == 0);
    snprintf(relative, sizeof relative, "/nowhere:../%s", name + 1);
    setenv("DWQ_MODULE_PATH", relative, 1);
}

Test(surroundings, a_call_goes_to_another_folder, .timeout = 200)
{
    enter_folder_beside();
    expect_success("a_call_goes_to_another_folder", 0);
    expect_success("a_call_goes_to_another_folder", 3);
}

Test(surroundings, calls_of_groups_go_to_another_folder, .timeout = 200)
{
    enter_folder_beside();
    expect_success("calls_of_groups_go_to_another_folder", 5);
}

Test(surroundings, modules_leave_attributes, .timeout = 200)
{
    expect_success("modules_leave_attributes", 0);
    expect_success("modules_leave_attributes", 7);
}

Test(surroundings, texts_are_cut_between_characters, .timeout = 200)
{
    expect_success("texts_are_cut_between_characters", 0);
    expect_success("texts_are_cut_between_characters", 4);
}

Test(surroundings, bad_settings_are_named_with_their_value, .timeout = 200)
{
    launch_spawns();
    expect_success("bad_settings_are_named_with_their_value", 3);
}
